//! The rules of one operator, as data: numbers, dial strings, tariff, and dated periods with their limits.
//!
//! Guarantees: rules that exist are whole: [`parse`](parse::parse) refuses gaps, overlaps, unknown keys and impossible
//! templates, and names the line. Rules are state: they take effect when a command loads them, not when a file changes.
//!
//! Deliberately not here: texts (edges), who may load rules (see [`crate::decide`]).

pub mod dial;
pub mod limit;
pub mod numbers;
pub mod parse;
pub mod past;
pub mod tariff;
pub mod unit;

use minicbor::{Decode, Encode};

use crate::ids::Language;
use crate::money::Amount;
use crate::time::{BusinessDate, Timestamp, Zone};

use limit::Subject;

pub use dial::DialPlan;
pub use limit::{Limit, LimitName};
pub use numbers::NumberPlan;
pub use tariff::{Fee, Tariff};
pub use unit::Unit;

/// Everything that makes an operator this operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rules {
    /// Public name: lower case letters, digits and hyphens, at most 32.
    #[n(0)]
    pub operator: String,
    /// What people call it, one per language of [`Language::ALL`].
    #[n(1)]
    pub display_names: Vec<String>,
    /// The digits between `*` and the first field: 999, 929.
    #[n(2)]
    pub service_code: u16,
    /// The unit of airtime.
    #[n(3)]
    pub unit: Unit,
    /// Where its calendar days begin and end.
    #[n(4)]
    pub zone: Zone,
    /// Its numbers and how people write them.
    #[n(5)]
    pub numbers: NumberPlan,
    /// Its dial strings.
    #[n(6)]
    pub dial: DialPlan,
    /// What airtime buys.
    #[n(7)]
    pub tariff: Tariff,
    /// What holds when: in order, without gap or overlap, the last one open.
    #[n(8)]
    pub periods: Vec<Period>,
    /// What holds whatever the date.
    #[n(9)]
    pub standing: Standing,
    /// Minutes a month within the network that cost nothing, counted like a limit; `None`: none.
    #[n(10)]
    pub free_minutes: Option<Limit>,
    /// Who may do what on the operator's side; `None` or empty: whoever may open `admin.sock`.
    #[n(11)]
    pub staff: Option<Vec<StaffRule>>,
}

/// What somebody on the operator's side is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Helps subscribers: cards, numbers, wrong recipients.
    #[n(0)]
    Care,
    /// Money: batches, outlets, rates, adjustments.
    #[n(1)]
    Finance,
    /// Rules, links, and calls that a charging system asks for.
    #[n(2)]
    Network,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 3] = [Self::Care, Self::Finance, Self::Network];

    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Care => "care",
            Self::Finance => "finance",
            Self::Network => "network",
        }
    }
}

/// Somebody on the operator's side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StaffRule {
    /// Their uid on this machine.
    #[n(0)]
    pub uid: u32,
    /// What they are there for.
    #[n(1)]
    pub roles: Vec<Role>,
}

/// Rules without a date.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// Languages in the menu's order; the first is what a new subscriber reads.
    #[n(0)]
    pub languages: Vec<Language>,
    /// The same gift or own top-up again within this time is refused as repeated; 0 switches that off. At most a day.
    #[n(1)]
    pub repeat_window_s: u32,
    /// After a SIM change gifts rest this long.
    #[n(2)]
    pub swap_rest_h: u32,
    /// A card expires so many days after it was issued; `None`: never.
    #[n(3)]
    pub card_valid_days: Option<u32>,
    /// A number in range becomes a subscriber by its first use.
    #[n(4)]
    pub first_use: bool,
    /// Dials a caller may make in a minute; more are answered by the edge, unjournaled.
    #[n(5)]
    pub dials_per_caller_per_min: u32,
    /// Tables of what an occasion's number means, by stable name (`birthday`, `wedding`): the first is 1.
    #[n(6)]
    pub occasions: Vec<String>,
    /// Which gifts are confirmed on a screen of their own before the password is asked for; `None`: none.
    #[n(7)]
    pub confirm: Option<Confirm>,
    /// The menu asks for a greeting after the amount; `None` in rules loaded before there was this key: it does not.
    #[n(8)]
    pub ask_occasion: Option<bool>,
    /// How long a quoted price is promised; `None`: [`QUOTE_VALID_S`].
    #[n(9)]
    pub quote_valid_s: Option<u32>,
    /// How long airtime is set aside for a call that nobody extends or ends; `None`: [`CALL_RESERVE_S`].
    #[n(10)]
    pub call_reserve_s: Option<u32>,
    /// What a card may be worth; `None`: [`CARD_VALUE_MAX`].
    #[n(11)]
    pub card_value_max: Option<Amount>,
    /// What may be issued in a business day; `None`: [`ISSUED_PER_DAY_MAX`].
    #[n(12)]
    pub issued_per_day_max: Option<Amount>,
    /// How many subscribers there may be, released ones included; `None`: [`SUBSCRIBERS_MAX`].
    #[n(13)]
    pub subscribers_max: Option<u32>,
    /// How many cards there may be, those that are over included; `None`: [`CARDS_MAX`].
    #[n(14)]
    pub cards_max: Option<u32>,
}

/// How long a quoted price is promised where no rule says so, seconds.
pub const QUOTE_VALID_S: u32 = 900;
/// How long airtime is set aside for a call where no rule says so, seconds.
pub const CALL_RESERVE_S: u32 = 7_200;

/// What a card may be worth where no rule says so, and the most that a rule may say, minor units: 10^12. Cards are for
/// presents; a typing error of six zeros is none.
pub const CARD_VALUE_MAX: Amount = Amount::constant(1_000_000_000_000);
/// What may be issued in a business day where no rule says so, and the most that a rule may say, minor units: 10^15. So much
/// every day takes 25 years to fill 63 bits.
pub const ISSUED_PER_DAY_MAX: Amount = Amount::constant(1_000_000_000_000_000);

/// Subscribers of an operator where no rule says so: nobody's number is released so often, and nobody's first uses are so
/// many. 20 million rows are 2 GB.
pub const SUBSCRIBERS_MAX: u32 = 20_000_000;
/// Cards of an operator where no rule says so. 40 million rows are 4.6 GB.
pub const CARDS_MAX: u32 = 40_000_000;

impl Standing {
    /// How many subscribers there may be.
    pub fn subscribers_max(&self) -> u32 {
        self.subscribers_max.unwrap_or(SUBSCRIBERS_MAX)
    }

    /// How many cards there may be.
    pub fn cards_max(&self) -> u32 {
        self.cards_max.unwrap_or(CARDS_MAX)
    }

    /// What a card may be worth.
    pub fn card_value_max(&self) -> Amount {
        self.card_value_max.unwrap_or(CARD_VALUE_MAX)
    }

    /// What may be issued in a business day.
    pub fn issued_per_day_max(&self) -> Amount {
        self.issued_per_day_max.unwrap_or(ISSUED_PER_DAY_MAX)
    }

    /// How long a quoted price is promised, seconds.
    pub fn quote_valid_s(&self) -> u32 {
        self.quote_valid_s.unwrap_or(QUOTE_VALID_S)
    }

    /// How long airtime is set aside for a call, seconds.
    pub fn call_reserve_s(&self) -> u32 {
        self.call_reserve_s.unwrap_or(CALL_RESERVE_S)
    }
}

/// Which gifts are held before they are posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Held {
    /// All of them.
    #[n(0)]
    Always,
    /// Those to somebody the sender never gave to, as far as is remembered: not among the last
    /// [`RECENTS`](crate::state::RECENTS) recipients.
    #[n(1)]
    NewRecipient,
}

/// A hold before a gift is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HoldRule {
    /// Which gifts.
    #[n(0)]
    pub gifts: Held,
    /// How long, seconds, 1 to [`HOLD_S_MAX`].
    #[n(1)]
    pub for_s: u32,
}

/// Longest hold, seconds: a day.
pub const HOLD_S_MAX: u32 = 86_400;

/// Which gifts somebody has to confirm, on links that can ask back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Confirm {
    /// All of them.
    #[n(0)]
    Always,
    /// Those of more than this.
    #[n(1)]
    Above(#[n(0)] Amount),
    /// Those to somebody who is not among the sender's last [`RECENTS`](crate::state::RECENTS) recipients.
    #[n(2)]
    NewRecipient,
}

/// What holds from one instant to another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Period {
    /// Public name: `kp-2020-06`.
    #[n(0)]
    pub name: String,
    /// First instant.
    #[n(1)]
    pub from: Timestamp,
    /// First instant that is not in it any more; [`Timestamp::MAX`] for the last period.
    #[n(2)]
    pub until: Timestamp,
    /// No gifts and no top-ups at all.
    #[n(3)]
    pub closed: bool,
    /// Every card issued before `from` is void from then on.
    #[n(4)]
    pub cards_void: bool,
    /// Smallest gift.
    #[n(5)]
    pub amount_min: Amount,
    /// Largest gift.
    #[n(6)]
    pub amount_max: Amount,
    /// Amounts are multiples of this.
    #[n(7)]
    pub amount_step: Amount,
    /// What a gift must leave on the card, minor units, 0 or more.
    #[n(8)]
    pub residual_min_minor: i64,
    /// What a recipient's airtime may reach.
    #[n(9)]
    pub recipient_balance_max: Option<Amount>,
    /// Sender and recipient must be known so many days; 0: at once.
    #[n(10)]
    pub age_days_min: u32,
    /// Refusals after a right password in a business day; the next is refused at once. 0: without end.
    #[n(11)]
    pub refusals_per_day: u16,
    /// What a gift costs.
    #[n(12)]
    pub gift_fee: Fee,
    /// What an own top-up costs.
    #[n(13)]
    pub top_up_fee: Fee,
    /// Ceilings.
    #[n(14)]
    pub limits: Vec<Limit>,
    /// Which gifts are held before they are posted; `None`: none.
    #[n(15)]
    pub hold: Option<HoldRule>,
    /// What airtime buys in it; `None`: what the operator's tariff says.
    #[n(16)]
    pub tariff: Option<Tariff>,
}

impl Rules {
    /// The period of an instant, `None` before the first.
    pub fn period(&self, at: Timestamp) -> Option<&Period> {
        let after = self.periods.partition_point(|period| period.from <= at);
        self.periods.get(after.checked_sub(1)?).filter(|period| at < period.until)
    }

    /// What airtime buys at an instant.
    pub fn tariff_at(&self, at: Timestamp) -> Tariff {
        self.period(at).and_then(|period| period.tariff).unwrap_or(self.tariff)
    }

    /// Everything that is counted like a limit: those of the periods, and free minutes.
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.periods.iter().flat_map(|period| &period.limits).chain(&self.free_minutes)
    }

    /// The same, each with the first instant from which on these rules never have it in force; [`Timestamp::MAX`]: no end.
    pub fn limits_until(&self) -> impl Iterator<Item = (&Limit, Timestamp)> {
        let dated = self.periods.iter().flat_map(|period| {
            let end = period.until;
            period.limits.iter().map(move |limit| (limit, limit.until.min(end)))
        });
        dated.chain(self.free_minutes.iter().map(|limit| (limit, limit.until)))
    }

    /// The same, to give them rows.
    pub fn limits_mut(&mut self) -> impl Iterator<Item = &mut Limit> {
        self.periods.iter_mut().flat_map(|period| &mut period.limits).chain(&mut self.free_minutes)
    }

    /// The longest window of its limits on pairs, in days; 0: it has none.
    pub fn pair_window_days(&self) -> i32 {
        let pairs = self.limits().filter(|limit| limit.subject == Subject::Pair);
        pairs.map(|limit| limit.window.days_max()).max().unwrap_or(0)
    }

    /// The latest instant up to `at` from which older cards are void.
    pub fn cards_void_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.periods
            .iter()
            .filter(|period| period.cards_void && period.from <= at)
            .map(|period| period.from)
            .next_back()
    }

    /// When a card issued at that instant expires.
    pub fn card_expiry(&self, issued_at: Timestamp) -> Option<Timestamp> {
        let days = i32::try_from(self.standing.card_valid_days?).unwrap_or(i32::MAX);
        Some(self.zone.start_of(self.zone.date(issued_at).plus_days(days)))
    }

    /// The language of a subscriber who chose none.
    pub fn default_language(&self) -> Language {
        self.standing.languages.first().copied().unwrap_or_default()
    }

    /// The day here.
    pub fn date(&self, at: Timestamp) -> BusinessDate {
        self.zone.date(at)
    }
}
