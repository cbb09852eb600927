//! The printer: card numbers and passwords, which nobody but it and whoever buys a card knows.

use std::collections::BTreeMap;

use domain::command::NewCard;
use domain::ids::OperatorId;
use domain::money::Amount;
use domain::number::CardNumber;
use domain::office::batch::MadeCard;

use crate::dice::Dice;
use crate::phone::{View, password};

/// A world's cards, numbered as they are made.
#[derive(Debug, Default)]
pub(crate) struct Press {
    made: u32,
    /// What is printed under the hidden field of each card.
    digits: BTreeMap<u64, u32>,
}

impl Press {
    /// Makes a card with a value, and its password.
    pub(crate) fn make(
        &mut self,
        dice: &mut Dice,
        view: &View<'_>,
        operator: OperatorId,
        value: i64,
    ) -> Option<(NewCard, u32)> {
        let (MadeCard { number, tag }, digits) = self.card(dice, view, operator)?;
        Some((NewCard { number, tag, value: Amount::try_new(value)? }, digits))
    }

    /// Prints a card of a batch.
    pub(crate) fn print(&mut self, dice: &mut Dice, view: &View<'_>, operator: OperatorId) -> Option<MadeCard> {
        self.card(dice, view, operator).map(|(card, _)| card)
    }

    fn card(&mut self, dice: &mut Dice, view: &View<'_>, operator: OperatorId) -> Option<(MadeCard, u32)> {
        self.made += 1;
        let number = CardNumber::from_payload(400_000_000_000_000 + u64::from(self.made) * 7_919).ok()?;
        let digits = u32::try_from(dice.between(200_000, 899_999)).ok()?;
        let printed = password(digits)?;
        let tag = view.keys.current().card(operator, number, &printed);
        self.digits.insert(number.get(), digits);
        Some((MadeCard { number, tag }, digits))
    }

    /// What is printed on a card, for whoever bought it.
    pub(crate) fn printed(&self, number: CardNumber) -> Option<u32> {
        self.digits.get(&number.get()).copied()
    }
}
