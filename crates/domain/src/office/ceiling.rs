//! How many of each an operator may have: what is kept for ever, or until somebody ends it, is counted.
//!
//! For: whoever makes something new. Each ceiling has a name, and says what to do when it is reached.
//!
//! Deliberately not here: ceilings that rules set (see [`crate::rules::Standing`]), counting (see [`crate::state`]).

use minicbor::{Decode, Encode};

/// Outlets of an operator. Every county of a country with ten thousand post offices has one.
pub const OUTLETS_MAX: u32 = 10_000;
/// Batches of an operator, sealed and abandoned ones included: five a week for forty years.
pub const BATCHES_MAX: u32 = 10_000;
/// Runs of serials in one batch: cards that were issued in between each begin one.
pub const RUNS_MAX: u32 = 1_000;
/// Quotes of an operator that are open: each lasts at most a day.
pub const QUOTES_MAX: u32 = 10_000;
/// Motions of an operator that are open: each lasts seven days.
pub const MOTIONS_MAX: u32 = 1_000;
/// Those among them that hold rules, each up to a megabyte.
pub const RULES_MOTIONS_MAX: u32 = 16;

/// Of what there may be only so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Ceiling {
    /// Subscribers of an operator, released ones included: a row stays for ever.
    #[n(0)]
    Subscribers,
    /// Cards of an operator, those whose life is over included.
    #[n(1)]
    Cards,
    /// See [`OUTLETS_MAX`].
    #[n(2)]
    Outlets,
    /// See [`BATCHES_MAX`].
    #[n(3)]
    Batches,
    /// See [`RUNS_MAX`].
    #[n(4)]
    Runs,
    /// See [`QUOTES_MAX`].
    #[n(5)]
    Quotes,
    /// See [`MOTIONS_MAX`].
    #[n(6)]
    Motions,
    /// See [`RULES_MOTIONS_MAX`].
    #[n(7)]
    RulesMotions,
}

impl Ceiling {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscribers => "subscribers",
            Self::Cards => "cards",
            Self::Outlets => "outlets",
            Self::Batches => "batches",
            Self::Runs => "runs",
            Self::Quotes => "quotes",
            Self::Motions => "motions",
            Self::RulesMotions => "rules-motions",
        }
    }

    /// What somebody does who needs more.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Subscribers => {
                "raise subscribers_max in the operator's rules, and see that the machine has the memory"
            }
            Self::Cards => "raise cards_max in the operator's rules, and see that the machine has the memory",
            Self::Outlets => "use an outlet that is there",
            Self::Batches => "order larger batches; no more of them can be begun for this operator",
            Self::Runs => "abandon the batch, and begin another one while no cards are issued",
            Self::Quotes => "sell what is quoted, or wait until open quotes are over",
            Self::Motions => "approve or withdraw open motions, or wait until they lapse after seven days",
            Self::RulesMotions => "approve or withdraw open motions about rules; the latest file is enough",
        }
    }
}
