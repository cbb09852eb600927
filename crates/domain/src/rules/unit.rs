//! What airtime is counted in.
//!
//! Deliberately not here: currencies (see [`crate::currency`]), prices (see [`super::tariff`]).

use minicbor::{Decode, Encode};

/// A unit of airtime: its own ledger, not the cash of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unit {
    /// What people call it, one per language of [`Language::ALL`](crate::ids::Language::ALL).
    #[n(0)]
    pub names: Vec<String>,
    /// Decimal digits of the minor unit, 0 to 4. Dialled amounts are whole units; with 2, `5` is 500 minor.
    #[n(1)]
    pub minor_digits: u8,
}

impl Unit {
    /// Minor units in one unit.
    pub const fn minor_per_unit(&self) -> i64 {
        match self.minor_digits {
            0 => 1,
            1 => 10,
            2 => 100,
            3 => 1_000,
            _ => 10_000,
        }
    }
}
