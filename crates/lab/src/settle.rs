//! How a world begins: operators with rules, subscribers with cards, and outlets with something on their floats.

use domain::command::{Body, Caller, NewSubscriber};
use domain::currency::Currency;
use domain::ids::{BatchId, OperatorId, OutletId, Serial};
use domain::money::Amount;
use domain::office::batch::BatchCommand;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Rate, TillCommand};
use domain::office::{Asked, Office, Record, RecordKind};
use domain::receipt::Seq;
use domain::rules::tariff::Ratio;
use domain::time::Timestamp;

use crate::calendar::DAY_MS;
use crate::desk;
use crate::invariant::Held;
use crate::phone::View;
use crate::profiles;
use crate::world::World;

/// Outlets of an operator to begin with.
const OUTLETS: u32 = 2;
/// Cards of an operator's first batch, and of those that each outlet has.
const SHELVED: u32 = 12;
const STOCKED: u32 = 4;
/// Cards that are made by one command.
const MADE_AT_ONCE: usize = 900;
/// Cards that somebody hoards: more than a phone may have in use.
const HOARDED: u32 = 17;

impl World {
    /// Operators, subscribers, cards and outlets to begin with.
    pub(crate) fn settle(&mut self) -> Held {
        self.start()?;
        for operator in 0..profiles::OPERATORS {
            let variant = self.dice.index(profiles::VARIANTS);
            if let Some(load) = desk::load(operator, variant, None, self.config.plant) {
                self.now(load);
            }
            self.dry()?;
        }
        for operator in (0_u8..).map(OperatorId).take(profiles::OPERATORS) {
            self.people(operator);
            self.dry()?;
            self.outlets(operator)?;
        }
        self.bind_first_cards()
    }

    /// Most of an operator's phones are subscribers, and have a card in the hand.
    fn people(&mut self, operator: OperatorId) {
        let since = Timestamp::from_ms(self.hands.now_ms() - 40 * DAY_MS);
        let view = View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
        };
        let (mut lines, mut cards) = (Vec::new(), Vec::new());
        for phone in self.phones.iter_mut().filter(|phone| phone.operator == operator) {
            if self.dice.often(930) {
                let msisdn = phone.msisdn;
                let airtime = self.dice.often(500).then(|| Amount::try_new(self.dice.between(10, 400))).flatten();
                lines.push(NewSubscriber { msisdn, imsi: None, language: None, since: Some(since), airtime });
            }
            let hoards = operator == OperatorId(1) && core::mem::take(&mut self.hoarder);
            let hoarded = if hoards { HOARDED } else { 0 };
            for _ in 0..hoarded {
                let value = self.dice.pick(&[1, 4, 5, 10]).copied().unwrap_or(1);
                if let Some((card, digits)) = self.press.make(&mut self.dice, &view, operator, value) {
                    phone.bought.push((card.number, digits));
                    cards.push(card);
                }
            }
            let value = self.dice.between(300, 4_000);
            if let Some((card, digits)) = self.press.make(&mut self.dice, &view, operator, value) {
                phone.bought.push((card.number, digits));
                cards.push(card);
            }
        }
        self.now(desk::import(operator, lines));
        self.now(desk::issue(operator, cards));
    }

    /// Shops with money on their floats, and rates to sell at.
    fn outlets(&mut self, operator: OperatorId) -> Held {
        let known = u32::from(operator.0) * OUTLETS;
        for nth in 1..=OUTLETS {
            let name = format!("shop {nth}");
            self.now(desk::till(TillCommand::OpenOutlet { operator, name }));
            self.dry()?;
            for currency in [Currency::Usd, Currency::Cny] {
                let Some(amount) = Amount::try_new(100_000) else { continue };
                self.now(desk::till(TillCommand::Deposit { outlet: OutletId(known + nth), currency, amount }));
            }
        }
        for (currency, up) in [(Currency::Usd, 1), (Currency::Cny, 6)] {
            let Some(ratio) = Ratio::try_new(up, 1) else { continue };
            let rate = Rate { from: Timestamp::MIN, until: None, ratio };
            self.now(desk::propose(operator, Proposal::Rate { currency, rate }));
        }
        self.dry()?;
        self.approve_all()?;
        self.shelves(operator, known, SHELVED)?;
        if self.wholesale && operator == OperatorId(0) { self.shelves(operator, known, desk::LONG_ROW) } else { Ok(()) }
    }

    /// A sealed batch of cards, of which the last ones stand at the outlets.
    fn shelves(&mut self, operator: OperatorId, known: u32, ordered: u32) -> Held {
        let Some(value) = Amount::try_new(500) else { return Ok(()) };
        self.now(desk::batch(BatchCommand::Start { operator, value, ordered }));
        self.dry()?;
        let batch = self.oracle.screens().records_of(RecordKind::Batch).next_back().map(|(id, _)| id);
        let batch = batch.and_then(|id| BatchId::try_new(u32::try_from(id).ok()?));
        let Some(batch) = batch else { return Ok(()) };
        let view = View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
        };
        let cards: Vec<_> = (0..ordered).filter_map(|_| self.press.print(&mut self.dice, &view, operator)).collect();
        for cards in cards.chunks(MADE_AT_ONCE) {
            self.now(desk::batch(BatchCommand::Make { batch, cards: cards.to_vec() }));
            self.dry()?;
        }
        self.now(desk::batch(BatchCommand::Seal { batch, file_hash: [7; 32] }));
        self.dry()?;
        let last = u32::try_from(self.oracle.screens().rows().1).unwrap_or(0);
        for nth in 1..=OUTLETS {
            let last = Serial(last - (nth - 1) * STOCKED);
            let first = Serial(last.0 + 1 - STOCKED);
            self.now(desk::batch(BatchCommand::Stock { first, last, outlet: OutletId(known + nth) }));
        }
        self.dry()
    }

    /// A second person says yes to everything that waits.
    fn approve_all(&mut self) -> Held {
        let motions = self.oracle.screens().records_of(RecordKind::Motion);
        let open = motions.filter_map(|(id, record)| match record {
            Record::Motion(motion) => Some((Seq(id), motion.hash)),
            _ => None,
        });
        let open: Vec<_> = open.collect();
        for (motion, hash) in open {
            let what = Asked::Motion(MotionCommand::Approve { motion, hash });
            self.now(Body::Office(Box::new(Office { staff: domain::ids::Staff(1_001), what })));
        }
        self.dry()
    }

    fn bind_first_cards(&mut self) -> Held {
        for index in 0..self.phones.len() {
            let view = View {
                now_ms: self.hands.now_ms(),
                numbers: &self.numbers,
                directory: &self.directory,
                keys: &self.keys[usize::from(self.rotated)],
            };
            let Some(phone) = self.phones.get_mut(index).filter(|_| self.dice.often(800)) else { continue };
            let Some(card) = phone.bought.pop() else { continue };
            phone.passwords.push(card.1);
            let caller = Caller { operator: phone.operator, link: phone.home(), msisdn: phone.msisdn, imsi: None };
            let body = Body::Bind(phone.binding(&view, caller, card, false));
            self.now(body);
            self.dry()?;
        }
        Ok(())
    }
}
