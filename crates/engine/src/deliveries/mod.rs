//! What a follower with effects outside keeps: its cursor, its open deliveries and what became of finished ones.
//!
//! **For:** the SMS follower (`edges::sms`); `store` keeps it in SQLite, [`MemoryFollowerStore`] in memory.
//!
//! **Guarantees asked of an implementation:** [`FollowerStore::write`] is one transaction and durable when it returns, so
//! that the cursor never stands behind or before the deliveries that its entries caused; what is open is never dropped.
//!
//! **Bounded by:** whoever opens deliveries; finished ones by [`Forget`], dropped [`FORGET_STEP`] at a time.
//!
//! **Deliberately not here:** texts (they are made again from the entry), retries and receipts (edges), SQL (store).

mod memory;

use domain::ids::{Language, LinkId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;

pub use memory::MemoryFollowerStore;

/// Finished deliveries that one write drops at most, besides as many as it adds.
pub const FORGET_STEP: usize = 1_000;
/// Octets of an SMSC's message id at most (SMPP 3.4 §5.2.23: 65 with its end).
pub const MESSAGE_ID_LEN_MAX: usize = 64;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Public name; it never changes.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

named! {
    /// Whose message of an entry it is.
    Role {
        /// Who received.
        Recipient = "recipient",
        /// Who gave, or topped up.
        Sender = "sender",
    }
}

named! {
    /// How a delivery ended.
    End {
        /// A receipt says that the phone has it.
        Delivered = "delivered",
        /// The SMSC refused it for good, or a receipt says that it can't be delivered.
        Failed = "failed",
        /// A receipt says that its time ran out at the SMSC.
        Expired = "expired",
        /// It was not taken over by anybody within the time for tries.
        GaveUp = "gave-up",
        /// The sender's screen was shown: no message is needed.
        Superseded = "superseded",
        /// Sent, not confirmed: taken over by an SMSC, and no receipt came in its time.
        Unconfirmed = "unconfirmed",
    }
}

named! {
    /// What a receipt says (SMPP 3.4 §5.2.28, and SKIPPED and SCHEDULED of 5.0).
    ReceiptState {
        /// Not tried yet.
        Scheduled = "scheduled",
        /// Under way.
        Enroute = "enroute",
        /// The phone has it.
        Delivered = "delivered",
        /// Its time ran out.
        Expired = "expired",
        /// Somebody deleted it.
        Deleted = "deleted",
        /// It can't be delivered.
        Undeliverable = "undeliverable",
        /// Somebody read it on the subscriber's behalf; some send it for "taken over".
        Accepted = "accepted",
        /// The SMSC does not know.
        Unknown = "unknown",
        /// Refused.
        Rejected = "rejected",
        /// Accepted and never tried.
        Skipped = "skipped",
    }
}

impl ReceiptState {
    /// How a delivery ends with this; `None`: another receipt may follow.
    pub const fn end(self) -> Option<End> {
        match self {
            Self::Delivered => Some(End::Delivered),
            Self::Expired => Some(End::Expired),
            Self::Deleted | Self::Undeliverable | Self::Rejected | Self::Skipped => Some(End::Failed),
            Self::Scheduled | Self::Enroute | Self::Accepted | Self::Unknown => None,
        }
    }
}

/// Names a delivery: an entry causes at most one for each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The entry.
    pub seq: Seq,
    /// Whose.
    pub role: Role,
}

impl DeliveryKey {
    /// The 16 bits that a receipt may bring back (`user_message_reference`): neighbours in the journal differ.
    pub fn reference(self) -> u16 {
        let [.., high, low] = (self.seq.0 << 1 | u64::from(self.role == Role::Sender)).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

/// What an SMSC took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which one.
    pub link: LinkId,
    /// What it called the message; at most [`MESSAGE_ID_LEN_MAX`] octets.
    pub message_id: Option<Box<str>>,
    /// When.
    pub at: Timestamp,
}

/// Where a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not taken over by anybody yet.
    Waiting {
        /// The next try.
        next_at: Timestamp,
    },
    /// An SMSC has it.
    Submitted {
        /// No receipt counts after this.
        until: Timestamp,
    },
    /// Finished.
    Ended {
        /// How.
        how: End,
        /// When.
        at: Timestamp,
    },
}

/// One message to one phone, as the follower's database keeps it. `Debug` shows the number by its last digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub key: DeliveryKey,
    /// To whom.
    pub to: Msisdn,
    /// The instant of the entry.
    pub given_at: Timestamp,
    /// Of the text, once it is known: the same one is used for every try.
    pub language: Option<Language>,
    /// Tries whose outcome was the message's own.
    pub attempts: u32,
    /// The SMPP `command_status` of the latest refusal.
    pub status: Option<u32>,
    /// Who took it over.
    pub sent: Option<Sent>,
    /// The latest receipt.
    pub receipt: Option<ReceiptState>,
    /// The network's error in it.
    pub receipt_error: Option<u32>,
    /// Where it is.
    pub stage: Stage,
}

impl Delivery {
    /// A new one that waits.
    pub const fn new(key: DeliveryKey, to: Msisdn, given_at: Timestamp, next_at: Timestamp) -> Self {
        Self {
            key,
            to,
            given_at,
            language: None,
            attempts: 0,
            status: None,
            sent: None,
            receipt: None,
            receipt_error: None,
            stage: Stage::Waiting { next_at },
        }
    }

    /// Whether nothing more happens to it.
    pub const fn is_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. })
    }
}

/// Which finished deliveries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forget {
    /// Those that ended before this go ...
    pub before: Timestamp,
    /// ... and the oldest of more than so many.
    pub kept_max: u64,
}

/// One transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Everything up to this entry is in the deliveries; `None`: as before.
    pub cursor: Option<Seq>,
    /// Deliveries as they are now: new ones, changed ones and finished ones.
    pub deliveries: Vec<Delivery>,
    /// What of the finished ones goes; `None`: nothing.
    pub forget: Option<Forget>,
}

/// A follower's database can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowerStoreFault {
    /// No room, and nothing was written: the same changes may be tried again.
    #[error("no room for a follower's database: free some space on its disk")]
    NoRoom,
    /// It holds something else than was written to it, or another program's or version's tables.
    #[error("a follower's database is damaged: {0}")]
    Damaged(String),
    /// It can't be read or written.
    #[error("a follower's database can't be used: {0}")]
    Io(String),
}

/// A follower's database.
pub trait FollowerStore: Send {
    /// The latest entry whose deliveries are in it; `None` when the follower is new.
    ///
    /// # Errors
    /// See [`FollowerStoreFault`].
    fn cursor(&mut self) -> Result<Option<Seq>, FollowerStoreFault>;

    /// Deliveries that have not ended, by their keys.
    ///
    /// # Errors
    /// See [`FollowerStoreFault`].
    fn open_deliveries(&mut self) -> Result<Vec<Delivery>, FollowerStoreFault>;

    /// Makes changes durable, all or none.
    ///
    /// # Errors
    /// See [`FollowerStoreFault`]; then nothing was written.
    fn write(&mut self, changes: &Changes) -> Result<(), FollowerStoreFault>;

    /// The deliveries of an entry, finished ones included while they are kept.
    ///
    /// # Errors
    /// See [`FollowerStoreFault`].
    fn find(&mut self, seq: Seq) -> Result<Vec<Delivery>, FollowerStoreFault>;
}

#[cfg(test)]
mod tests {
    use super::{DeliveryKey, End, ReceiptState, Role};
    use domain::receipt::Seq;
    use std::collections::HashSet;

    #[test]
    fn neighbours_have_references_of_their_own() {
        let keys =
            (1..=20_000).flat_map(|seq| Role::ALL.iter().map(move |role| DeliveryKey { seq: Seq(seq), role: *role }));
        let references: HashSet<u16> = keys.map(DeliveryKey::reference).collect();
        assert_eq!(references.len(), 40_000);
    }

    #[test]
    fn names_lead_back() {
        assert!(Role::ALL.iter().all(|role| Role::from_name(role.name()) == Some(*role)));
        assert!(End::ALL.iter().all(|end| End::from_name(end.name()) == Some(*end)));
        assert!(ReceiptState::ALL.iter().all(|state| ReceiptState::from_name(state.name()) == Some(*state)));
        assert_eq!(End::from_name("lost"), None);
    }

    #[test]
    fn only_final_receipts_end_a_delivery() {
        let ends: Vec<_> = ReceiptState::ALL.iter().filter_map(|state| Some((state.name(), state.end()?))).collect();
        let expected = [
            ("delivered", End::Delivered),
            ("expired", End::Expired),
            ("deleted", End::Failed),
            ("undeliverable", End::Failed),
            ("rejected", End::Failed),
            ("skipped", End::Failed),
        ];
        assert_eq!(ends, expected);
    }
}
