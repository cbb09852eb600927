//! Accounts and movements between them. Debits equal credits because there is only one amount.
//!
//! Deliberately not here: balances (see [`crate::state`]); which movement a product makes (see [`crate::decide`]).

use minicbor::{Decode, Encode};

use crate::currency::Currency;
use crate::ids::{CardId, OperatorId, OutletId, SubscriberId};
use crate::money::Amount;

/// One account of the chart (docs/design.md, *Cards and money*): in its operator's unit of airtime, or in the currency that it names.
///
/// Cards, airtime accounts, floats and what is held are *purses*: never below zero. The others carry either sign.
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
    /// Airtime that was taken back for money, or with a card that was void.
    Refunded(OperatorId),
    /// Set aside: gifts on hold, calls in progress.
    Held(OperatorId),
    /// Sales less refunds in one currency.
    Cash(OperatorId, Currency),
    /// The other side of one currency: minus all of it that came in and did not go out again.
    CashPosition(OperatorId, Currency),
    /// What an outlet has prepaid in one currency.
    Float(OutletId, Currency),
}

/// Bits of the kind below the row: small rows of every kind stay short in an entry.
const KIND_BITS: u32 = 3;
/// The kind whose next bits say which of the rarer kinds it is.
const RARE: u64 = 7;
/// Bits of a rarer kind, above those of the kind.
const RARE_BITS: u32 = 3;
/// Bits of a currency, above those.
const CURRENCY_BITS: u32 = 8;

impl AccountId {
    /// Whether its balance may never be below zero.
    pub const fn is_purse(self) -> bool {
        match self {
            Self::Card(_) | Self::Airtime(_) | Self::Held(_) | Self::Float(..) => true,
            Self::FeeIncome(_)
            | Self::TaxPayable(_)
            | Self::CallIncome(_)
            | Self::Breakage(_)
            | Self::Position(_)
            | Self::Refunded(_)
            | Self::Cash(..)
            | Self::CashPosition(..) => false,
        }
    }

    /// One integer for storage: row or operator above three bits of kind. Accounts of a currency have the currency, and the
    /// rarer kind, between the two.
    pub const fn code(self) -> u64 {
        let (kind, row): (u64, u32) = match self {
            Self::Airtime(SubscriberId(row)) => (0, row),
            Self::Card(CardId(row)) => (1, row),
            Self::FeeIncome(operator) => (2, operator.0 as u32),
            Self::TaxPayable(operator) => (3, operator.0 as u32),
            Self::CallIncome(operator) => (4, operator.0 as u32),
            Self::Breakage(operator) => (5, operator.0 as u32),
            Self::Position(operator) => (6, operator.0 as u32),
            Self::Refunded(operator) => return rare(0, operator.0 as u32, 0),
            Self::Held(operator) => return rare(1, operator.0 as u32, 0),
            Self::Cash(operator, currency) => return rare(2, operator.0 as u32, currency.index()),
            Self::CashPosition(operator, currency) => return rare(3, operator.0 as u32, currency.index()),
            Self::Float(outlet, currency) => return rare(4, outlet.0, currency.index()),
        };
        ((row as u64) << KIND_BITS) | kind
    }

    /// Reads what [`code`](Self::code) wrote; `None` for anything else.
    pub fn from_code(code: u64) -> Option<Self> {
        if code & RARE == RARE {
            return from_rare(code >> KIND_BITS);
        }
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
            Self::Refunded(_) => "refunded",
            Self::Held(_) => "held",
            Self::Cash(..) => "cash",
            Self::CashPosition(..) => "cash-position",
            Self::Float(..) => "float",
        }
    }

    /// Whose own account it is; `None` for cards, airtime and floats, which others have.
    pub const fn operator(self) -> Option<OperatorId> {
        match self {
            Self::Card(_) | Self::Airtime(_) | Self::Float(..) => None,
            Self::FeeIncome(operator)
            | Self::TaxPayable(operator)
            | Self::CallIncome(operator)
            | Self::Breakage(operator)
            | Self::Position(operator)
            | Self::Refunded(operator)
            | Self::Held(operator)
            | Self::Cash(operator, _)
            | Self::CashPosition(operator, _) => Some(operator),
        }
    }

    /// The currency that it is counted in; `None`: its operator's airtime.
    pub const fn currency(self) -> Option<Currency> {
        match self {
            Self::Cash(_, currency) | Self::CashPosition(_, currency) | Self::Float(_, currency) => Some(currency),
            Self::Card(_)
            | Self::Airtime(_)
            | Self::FeeIncome(_)
            | Self::TaxPayable(_)
            | Self::CallIncome(_)
            | Self::Breakage(_)
            | Self::Position(_)
            | Self::Refunded(_)
            | Self::Held(_) => None,
        }
    }
}

const fn rare(kind: u64, row: u32, currency: u8) -> u64 {
    let above = ((row as u64) << CURRENCY_BITS) | currency as u64;
    (((above << RARE_BITS) | kind) << KIND_BITS) | RARE
}

/// Reads what [`rare`] wrote, without the kind that it begins with.
fn from_rare(code: u64) -> Option<AccountId> {
    let kind = code & ((1 << RARE_BITS) - 1);
    let above = code >> RARE_BITS;
    let row = u32::try_from(above >> CURRENCY_BITS).ok()?;
    let index = u8::try_from(above & ((1 << CURRENCY_BITS) - 1)).ok()?;
    let operator = u8::try_from(row).ok().map(OperatorId);
    let currency = Currency::from_index(index);
    match kind {
        0 if index == 0 => operator.map(AccountId::Refunded),
        1 if index == 0 => operator.map(AccountId::Held),
        2 => Some(AccountId::Cash(operator?, currency?)),
        3 => Some(AccountId::CashPosition(operator?, currency?)),
        4 => Some(AccountId::Float(OutletId(row), currency?)),
        _ => None,
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
/// the code checks for one. Both accounts are of one operator and of one unit.
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
    use crate::currency::Currency;
    use crate::ids::{CardId, OperatorId, OutletId, SubscriberId};

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
            AccountId::Refunded(op),
            AccountId::Held(op),
            AccountId::Cash(op, Currency::Kpw),
            AccountId::CashPosition(op, Currency::Usd),
            AccountId::Float(OutletId(u32::MAX), Currency::Eur),
        ] {
            assert_eq!(AccountId::from_code(account.code()), Some(account));
        }
        assert_eq!(AccountId::from_code((5 << 3) | 7), None, "no such kind");
        assert_eq!(AccountId::from_code(((9 << 3 | 2) << 3) | 7), None, "no such currency");
        assert_eq!(AccountId::from_code((256 << 3) | 2), None, "no such operator");
        assert_eq!(AccountId::from_code(u64::MAX), None);
    }
}
