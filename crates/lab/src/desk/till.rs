//! What staff ask at a till.

use domain::card::CardState;
use domain::ids::{CardId, OperatorId, Serial};
use domain::money::Amount;
use domain::office::till::{Goods, TillCommand};
use domain::office::{Record, RecordKind};
use domain::receipt::Seq;
use domain::state::Card;

use super::{Ask, Desk};
use crate::calendar::DAY_MS;
use crate::dice::Dice;

impl Desk<'_> {
    pub(super) fn till(&self, dice: &mut Dice, ask: Ask, operator: OperatorId) -> Option<TillCommand> {
        let currency = Self::currency(dice);
        let bound = |card: &Card| matches!(card.facts.state, CardState::Bound { .. });
        Some(match ask {
            Ask::OpenOutlet => {
                let names = ["post office", "service centre", "shop at the station", " harbour ", ""];
                let name = String::from(*dice.pick(&names)?);
                TillCommand::OpenOutlet { operator, name }
            }
            Ask::Deposit => {
                let amount = Amount::try_new(dice.between(1, 40) * 2_500)?;
                TillCommand::Deposit { outlet: self.outlet(dice, operator)?, currency, amount }
            }
            Ask::Withdraw => {
                let amount = Amount::try_new(dice.between(1, 5_000))?;
                TillCommand::Withdraw { outlet: self.outlet(dice, operator)?, currency, amount }
            }
            Ask::QuoteCards => self.quote_cards(dice, operator)?,
            Ask::QuoteReload => self.quote_reload(dice, operator)?,
            Ask::Sell => {
                let open = |record: &Record| record.due_at().is_some_and(|due| due.ms() > self.wall_ms);
                TillCommand::Sell { quote: Seq(self.of_records(dice, RecordKind::Quote, open)?) }
            }
            Ask::Refund => {
                let today = |card: &Card| matches!(card.facts.state, CardState::Sold { at, .. } if self.wall_ms - at.ms() < DAY_MS);
                let id = self.of_cards(dice, operator, |_, card| card.bought.is_some() && today(card))?;
                TillCommand::Refund { serial: Serial::of(id) }
            }
            Ask::Merge => {
                let from = self.of_cards(dice, operator, |_, card| bound(card))?;
                let first = self.state().card(from)?;
                let currency = |card: &Card| card.bought.map(|bought| bought.currency);
                let same = |card: &Card| {
                    bound(card)
                        && card.facts.state.holder() == first.facts.state.holder()
                        && currency(card) == currency(first)
                };
                let into = self.of_cards(dice, operator, |id, card| id != from && same(card))?;
                TillCommand::Merge { from: Serial::of(from), into: Serial::of(into) }
            }
            _ => {
                let owed = |id: CardId, card: &Card| {
                    let void = matches!(card.facts.state, CardState::Void { .. })
                        || self.state().void_range(Serial::of(id)).is_some();
                    void && card.bought.is_some() && card.purse.balance_minor > 0
                };
                TillCommand::PayOut { serial: Serial::of(self.of_cards(dice, operator, owed)?) }
            }
        })
    }

    fn quote_cards(&self, dice: &mut Dice, operator: OperatorId) -> Option<TillCommand> {
        let currency = Self::currency(dice);
        let stocked = |_: CardId, card: &Card| matches!(card.facts.state, CardState::InStock { .. });
        let end = self.end_of_long_row(operator).filter(|(id, card)| stocked(*id, card) && dice.often(300));
        let id = match end {
            Some((id, _)) => id,
            None => self.of_cards(dice, operator, stocked)?,
        };
        let outlet = match self.state().card(id)?.facts.state {
            CardState::InStock { outlet, .. } if !dice.often(60) => outlet,
            _ => self.outlet(dice, operator)?,
        };
        let count = u32::try_from(dice.between(1, 2)).ok()?;
        let count = if dice.often(30) { 0 } else { count };
        Some(TillCommand::Quote { outlet, currency, goods: Goods::Cards { first: Serial::of(id), count } })
    }

    fn quote_reload(&self, dice: &mut Dice, operator: OperatorId) -> Option<TillCommand> {
        let currency = Self::currency(dice);
        let bound = |card: &Card| matches!(card.facts.state, CardState::Bound { .. });
        let sold = |card: &Card| matches!(card.facts.state, CardState::Sold { .. });
        // A card that nobody bound yet is reloaded as often as one in use, perhaps elsewhere.
        let wants_sold = dice.often(500);
        let fits = |_: CardId, card: &Card| card.bought.is_some() && if wants_sold { sold(card) } else { bound(card) };
        let id = self.of_cards(dice, operator, fits)?;
        let bought = self.state().card(id)?.bought.filter(|_| !dice.often(60));
        let currency = bought.map_or(currency, |bought| bought.currency);
        let goods = Goods::Reload { serial: Serial::of(id), value: Amount::try_new(dice.between(1, 400))? };
        Some(TillCommand::Quote { outlet: self.outlet(dice, operator)?, currency, goods })
    }
}
