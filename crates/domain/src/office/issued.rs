//! What an operator put into the world today, so that a day has a ceiling.

use minicbor::{Decode, Encode};

use crate::time::BusinessDate;

/// Airtime issued on one business date: cards, reloads, imported airtime, adjustments out of the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Issued {
    /// Which day.
    #[n(0)]
    pub date: BusinessDate,
    /// How much on that day, minor units.
    #[n(1)]
    pub total_minor: i64,
}
