//! Airtime used: what a charging system asks while somebody talks.
//!
//! Guarantees: the price of a call is that of the tariff at its beginning; free minutes go first; what is reserved is set
//! aside, so that no account goes below zero; a reservation that nobody ends is given back when its time is over.
//!
//! Deliberately not here: the network (a charging system asks for each call), prices of other services.

use minicbor::{Decode, Encode};

use crate::ids::{OperatorId, SubscriberId};
use crate::number::Msisdn;
use crate::office::hold::HeldUsage;
use crate::receipt::Seq;
use crate::rules::tariff::Tariff;
use crate::time::Timestamp;

/// Longest stretch that is asked for at once, seconds: a day.
pub const CALL_SECONDS_MAX: u32 = 86_400;

/// Airtime that is set aside for a call in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Call {
    /// Whose tariff.
    #[n(0)]
    pub operator: OperatorId,
    /// Who pays.
    #[n(1)]
    pub subscriber: SubscriberId,
    /// To another operator's network.
    #[n(2)]
    pub cross: bool,
    /// The tariff at its beginning.
    #[n(3)]
    pub tariff: Tariff,
    /// How long may be talked, seconds.
    #[n(4)]
    pub granted_s: u32,
    /// Free minutes in it.
    #[n(5)]
    pub free_minutes: u32,
    /// Where those are counted, and given back to whatever the rules say by then; `None`: the rules had none when it began,
    /// and it goes on without.
    #[n(6)]
    pub free: Option<HeldUsage>,
    /// What is set aside, minor units, 0 or more.
    #[n(7)]
    pub held_minor: i64,
    /// When it is given back.
    #[n(8)]
    pub expires_at: Timestamp,
}

/// What a charging system asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CallCommand {
    /// Set airtime aside for a call that begins; as many seconds as can be paid, at least a minute.
    #[n(0)]
    Reserve {
        /// Who calls.
        #[n(0)]
        msisdn: Msisdn,
        /// To another operator's network.
        #[n(1)]
        cross: bool,
        /// How long at most, seconds, 1 to [`CALL_SECONDS_MAX`].
        #[n(2)]
        seconds: u32,
    },
    /// Set more aside: the call goes on.
    #[n(1)]
    Extend {
        /// The entry that reserved.
        #[n(0)]
        call: Seq,
        /// How much longer, seconds.
        #[n(1)]
        seconds: u32,
    },
    /// The call is over: it took so long.
    #[n(2)]
    Commit {
        /// The entry that reserved.
        #[n(0)]
        call: Seq,
        /// Seconds talked, not more than were granted.
        #[n(1)]
        seconds: u32,
    },
    /// Nobody talked.
    #[n(3)]
    Release {
        /// The entry that reserved.
        #[n(0)]
        call: Seq,
    },
    /// Charge a call that is over and was not reserved.
    #[n(4)]
    Consume {
        /// Who called.
        #[n(0)]
        msisdn: Msisdn,
        /// To another operator's network.
        #[n(1)]
        cross: bool,
        /// Seconds talked.
        #[n(2)]
        seconds: u32,
    },
}
