//! Gifts on hold: taken from the card, not yet the recipient's, so that undoing one is never a clawback.
//!
//! Deliberately not here: which gifts are held (rules), when it is over (timers submit a command).

use minicbor::{Decode, Encode};

use crate::ids::{CardId, LimitId, OperatorId, SubscriberId};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::receipt::Seq;
use crate::time::{BusinessDate, Timestamp};

/// Where something was counted that may be given back: by a gift on hold, or by a call in progress. Whatever the rules say by
/// then, it goes back to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeldUsage {
    /// Of which limit.
    #[n(0)]
    pub limit: LimitId,
    /// By whom, as in [`crate::state::UsageKey`].
    #[n(1)]
    pub subject: u64,
    /// First day of the window that it was counted in.
    #[n(2)]
    pub start: BusinessDate,
}

/// What was on hold, as whoever is told of its end needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeldGift {
    /// The entry that took it: its receipt is the sender's.
    #[n(0)]
    pub hold: Seq,
    /// Whose rules.
    #[n(1)]
    pub operator: OperatorId,
    /// Who gave.
    #[n(2)]
    pub from: Msisdn,
    /// To whom.
    #[n(3)]
    pub to: Msisdn,
    /// How much, without fee.
    #[n(4)]
    pub amount: Amount,
    /// Number of the greeting.
    #[n(5)]
    pub occasion: Option<u8>,
}

/// Why a held gift went back when its time came. Names are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HoldBack {
    /// The service is closed.
    #[n(0)]
    ServiceClosed,
    /// The sender is barred, gone, or resting after a SIM change.
    #[n(1)]
    SenderMayNotGive,
    /// The card is frozen or void.
    #[n(2)]
    CardNotUsable,
    /// The recipient is barred or gone.
    #[n(3)]
    RecipientUnknown,
    /// The recipient's airtime would pass its maximum.
    #[n(4)]
    RecipientBalanceMax,
}

impl HoldBack {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceClosed => "service-closed",
            Self::SenderMayNotGive => "sender-may-not-give",
            Self::CardNotUsable => "card-not-usable",
            Self::RecipientUnknown => "recipient-unknown",
            Self::RecipientBalanceMax => "recipient-balance-max",
        }
    }
}

/// A gift on hold.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Hold {
    /// Whose rules.
    #[n(0)]
    pub operator: OperatorId,
    /// Who gives.
    #[n(1)]
    pub sender: SubscriberId,
    /// To whom.
    #[n(2)]
    pub recipient: SubscriberId,
    /// From which card.
    #[n(3)]
    pub card: CardId,
    /// How much, without fee.
    #[n(4)]
    pub amount: Amount,
    /// The fee, minor units.
    #[n(5)]
    pub fee_minor: i64,
    /// Tax on it, minor units.
    #[n(6)]
    pub tax_minor: i64,
    /// Number of the greeting.
    #[n(7)]
    pub occasion: Option<u8>,
    /// What it used of limits.
    #[n(8)]
    pub usage: Vec<HeldUsage>,
    /// From when on it can't be undone.
    #[n(9)]
    pub expires_at: Timestamp,
}

impl Hold {
    /// Amount, fee and tax: what is set aside. [`crate::decide`] saw to it that this fits.
    pub const fn total_minor(&self) -> i64 {
        self.amount.minor().saturating_add(self.fee_minor).saturating_add(self.tax_minor)
    }
}
