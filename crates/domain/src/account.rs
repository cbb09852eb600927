//! Accounts and movements between them. Debits equal credits because there is only one amount.
//!
//! Deliberately not here: balances (see [`crate::state`]); which movement a product makes (see [`crate::decide`]).

use minicbor::{Decode, Encode};

use crate::command::OperatorId;
use crate::money::Amount;
use crate::state::{CardId, SubscriberId};

/// One account of the chart (DESIGN §4.4), each in its operator's unit of airtime.
///
/// Cards and airtime accounts are *purses*: never below zero. The others carry either sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountId {
    /// A card's purse.
    Card(CardId),
    /// What a subscriber calls with.
    Airtime(SubscriberId),
    /// What gifts cost their senders.
    FeeIncome(OperatorId),
    /// Tax on fees, owed to the state.
    TaxPayable(OperatorId),
    /// What calls cost.
    CallIncome(OperatorId),
    /// What expired unused.
    Breakage(OperatorId),
    /// The other side of issuance: minus all airtime that the operator has put into the world.
    Position(OperatorId),
}

/// Bits of the kind below the row: small rows of every kind stay short in an entry.
const KIND_BITS: u32 = 3;

impl AccountId {
    /// Whether its balance may never be below zero.
    pub const fn is_purse(self) -> bool {
        match self {
            Self::Card(_) | Self::Airtime(_) => true,
            Self::FeeIncome(_) | Self::TaxPayable(_) | Self::CallIncome(_) | Self::Breakage(_) | Self::Position(_) => {
                false
            }
        }
    }

    /// One integer for storage: row or operator above three bits of kind.
    pub const fn code(self) -> u64 {
        let (kind, row): (u64, u32) = match self {
            Self::Airtime(SubscriberId(row)) => (0, row),
            Self::Card(CardId(row)) => (1, row),
            Self::FeeIncome(operator) => (2, operator.0 as u32),
            Self::TaxPayable(operator) => (3, operator.0 as u32),
            Self::CallIncome(operator) => (4, operator.0 as u32),
            Self::Breakage(operator) => (5, operator.0 as u32),
            Self::Position(operator) => (6, operator.0 as u32),
        };
        ((row as u64) << KIND_BITS) | kind
    }

    /// Reads what [`code`](Self::code) wrote; `None` for anything else.
    pub fn from_code(code: u64) -> Option<Self> {
        let row = u32::try_from(code >> KIND_BITS).ok()?;
        let operator = || u8::try_from(row).ok().map(OperatorId);
        match code & ((1 << KIND_BITS) - 1) {
            0 => Some(Self::Airtime(SubscriberId(row))),
            1 => Some(Self::Card(CardId(row))),
            2 => operator().map(Self::FeeIncome),
            3 => operator().map(Self::TaxPayable),
            4 => operator().map(Self::CallIncome),
            5 => operator().map(Self::Breakage),
            6 => operator().map(Self::Position),
            _ => None,
        }
    }

    /// The kind's public name.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::Airtime(_) => "airtime",
            Self::FeeIncome(_) => "fee-income",
            Self::TaxPayable(_) => "tax-payable",
            Self::CallIncome(_) => "call-income",
            Self::Breakage(_) => "breakage",
            Self::Position(_) => "position",
        }
    }
}

/// One integer, so that an entry spends five octets on an account.
impl<C> Encode<C> for AccountId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.code())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for AccountId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_code(d.u64()?).ok_or_else(|| minicbor::decode::Error::message("unknown account"))
    }
}

/// One movement of value from `debit` to `credit`.
///
/// Debits equal credits because there is only one amount: an unbalanced transfer can't be written down, so nothing in
/// the code checks for one. Both accounts are of one operator and so of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Transfer {
    /// Where it comes from.
    #[n(0)]
    pub debit: AccountId,
    /// Where it goes.
    #[n(1)]
    pub credit: AccountId,
    /// How much.
    #[n(2)]
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use super::AccountId;
    use crate::command::OperatorId;
    use crate::state::{CardId, SubscriberId};

    #[test]
    fn every_kind_survives_its_code() {
        let op = OperatorId(255);
        for account in [
            AccountId::Card(CardId(u32::MAX)),
            AccountId::Airtime(SubscriberId(0)),
            AccountId::FeeIncome(op),
            AccountId::TaxPayable(op),
            AccountId::CallIncome(op),
            AccountId::Breakage(op),
            AccountId::Position(op),
        ] {
            assert_eq!(AccountId::from_code(account.code()), Some(account));
        }
        assert_eq!(AccountId::from_code(7), None, "no such kind");
        assert_eq!(AccountId::from_code((256 << 3) | 2), None, "no such operator");
        assert_eq!(AccountId::from_code(u64::MAX), None);
    }
}
