//! The operator's people: imports, cards, care, sale, production, rules, and whatever takes two of them. Each asks with an id of
//! their own and asks again.
//!
//! They see what is durable on their screens, and mostly ask for something that can be done; one time in sixteen they ask whatever
//! comes to hand.

mod till;

use domain::account::AccountId;
use domain::card::{CardState, Voiding};
use domain::command::{
    Body, CardChange, ChangeCard, ChangeSubscriber, ImportSubscribers, IssueCards, LoadRules, NewCard, NewSubscriber,
    SubscriberChange,
};
use domain::currency::Currency;
use domain::ids::{BatchId, CardId, Language, OperatorId, OutletId, Serial, Staff, SubscriberId};
use domain::money::Amount;
use domain::number::{Imsi, Msisdn};
use domain::office::batch::{BatchCommand, MadeCard, Stage};
use domain::office::done::OfficeDone;
use domain::office::motion::{MotionCommand, Proposal, Reversal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked, Office, Record, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::rules::tariff::Ratio;
use domain::state::{Card, Standing, State};
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::Answer;

use crate::calendar::DAY_MS;
use crate::dice::Dice;
use crate::oracle::Oracle;
use crate::phone::{Phone, View};
use crate::plant::Plant;
use crate::press::Press;
use crate::profiles;
use crate::program;

/// Who asks first, and who is there to be the second.
pub(crate) const MAKER: Staff = Staff(1_000);
const SECOND: Staff = Staff(1_001);
/// Somebody of care: may not do what takes another role, where rules name roles.
const CARE: Staff = Staff(1_002);
/// Cards that are made at once where a world has a long row of them.
pub(crate) const LONG_ROW: u32 = 1_100;

/// What staff know when they ask.
pub(crate) struct Desk<'a> {
    pub(crate) view: View<'a>,
    pub(crate) oracle: &'a Oracle,
    pub(crate) wall_ms: i64,
    pub(crate) plant: Option<Plant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    // Care.
    Subscriber,
    Card,
    // Finance.
    Import,
    Issue,
    Start,
    Make,
    Seal,
    Abandon,
    Stock,
    OpenOutlet,
    Deposit,
    Withdraw,
    QuoteCards,
    QuoteReload,
    Sell,
    Refund,
    Merge,
    PayOut,
    ProposeRate,
    ProposeVoid,
    ProposeReverse,
    ProposeAdjust,
    // Network.
    Load,
    ProposeClose,
    // Two people.
    Approve,
    WithdrawMotion,
    Stop,
    Resume,
}

/// How often of each, out of their sum.
const ASKS: [(u64, Ask); 28] = [
    (60, Ask::Subscriber),
    (30, Ask::Card),
    (12, Ask::Import),
    (16, Ask::Issue),
    (8, Ask::Start),
    (16, Ask::Make),
    (12, Ask::Seal),
    (3, Ask::Abandon),
    (16, Ask::Stock),
    (4, Ask::OpenOutlet),
    (10, Ask::Deposit),
    (4, Ask::Withdraw),
    (24, Ask::QuoteCards),
    (16, Ask::QuoteReload),
    (40, Ask::Sell),
    (12, Ask::Refund),
    (10, Ask::Merge),
    (16, Ask::PayOut),
    (10, Ask::ProposeRate),
    (9, Ask::ProposeVoid),
    (14, Ask::ProposeReverse),
    (12, Ask::ProposeAdjust),
    (10, Ask::Load),
    (1, Ask::ProposeClose),
    (10, Ask::Approve),
    (6, Ask::WithdrawMotion),
    (2, Ask::Stop),
    (40, Ask::Resume),
];

/// Rules put in force.
pub(crate) fn load(operator: usize, variant: usize, from: Option<Timestamp>, plant: Option<Plant>) -> Option<Body> {
    let profile = profiles::ordered(operator, variant)?;
    let rules = profiles::as_loaded(profile, plant);
    Some(Body::LoadRules(LoadRules { staff: MAKER, rules, file_hash: profile.hash, from }))
}

/// Subscribers imported.
pub(crate) fn import(operator: OperatorId, subscribers: Vec<NewSubscriber>) -> Body {
    Body::ImportSubscribers(ImportSubscribers { staff: MAKER, operator, subscribers })
}

/// Cards issued.
pub(crate) fn issue(operator: OperatorId, cards: Vec<NewCard>) -> Body {
    Body::IssueCards(IssueCards { staff: MAKER, operator, cards })
}

/// What a till asks.
pub(crate) fn till(command: TillCommand) -> Body {
    office(MAKER, Asked::Till(command))
}

/// What production asks.
pub(crate) fn batch(command: BatchCommand) -> Body {
    office(MAKER, Asked::Batch(command))
}

/// What somebody proposes.
pub(crate) fn propose(operator: OperatorId, proposal: Proposal) -> Body {
    office(MAKER, Asked::Motion(MotionCommand::Propose { operator, proposal: Box::new(proposal) }))
}

fn office(staff: Staff, what: Asked) -> Body {
    Body::Office(Box::new(Office { staff, what }))
}

/// What staff ask next, and which of the programs asks it: a second person says yes to what was proposed, by the hash that they
/// were shown; a till sells what it has a price for; now and then a card is reloaded at another shop, and brought back there.
pub(crate) fn follows(dice: &mut Dice, answer: &Answer) -> Option<(usize, Body)> {
    let Answer::Verdict(reply) = answer else { return None };
    let Outcome::Done(Done::Office(done)) = &reply.outcome else { return None };
    match **done {
        OfficeDone::Proposed { motion, hash } if !dice.often(120) => {
            Some((program::SECOND, office(SECOND, Asked::Motion(MotionCommand::Approve { motion, hash }))))
        }
        OfficeDone::Quoted { quote, .. } if !dice.often(120) => {
            Some((program::OFFICE, till(TillCommand::Sell { quote })))
        }
        OfficeDone::Sold { goods: Goods::Cards { first: serial, .. }, outlet, currency, .. } if dice.often(350) => {
            // The shops that a world begins with stand in twos.
            let outlet = OutletId(if outlet.0 % 2 == 1 { outlet.0 + 1 } else { outlet.0.saturating_sub(1) });
            let goods = Goods::Reload { serial, value: Amount::try_new(dice.between(1, 400))? };
            Some((program::OFFICE, till(TillCommand::Quote { outlet, currency, goods })))
        }
        OfficeDone::Sold { goods: Goods::Reload { serial, .. }, .. } if dice.often(350) => {
            Some((program::OFFICE, till(TillCommand::Refund { serial })))
        }
        _ => None,
    }
}

/// One of those that fit; one time in sixteen any of all.
fn choose<T: Copy>(dice: &mut Dice, all: impl Iterator<Item = (T, bool)>) -> Option<T> {
    let all: Vec<(T, bool)> = all.collect();
    if dice.often(60) {
        return dice.pick(&all).map(|(one, _)| *one);
    }
    let fitting: Vec<T> = all.into_iter().filter(|(_, fits)| *fits).map(|(one, _)| one).collect();
    dice.pick(&fitting).copied()
}

impl Desk<'_> {
    /// One thing that staff ask.
    pub(crate) fn act(&self, dice: &mut Dice, phones: &mut [Phone], press: &mut Press) -> Option<Body> {
        let operator = OperatorId(u8::try_from(dice.index(profiles::OPERATORS)).unwrap_or(0));
        let staff = if dice.often(40) { CARE } else { MAKER };
        // Whoever has a price in the hand mostly pays it.
        let ask = if self.any_quote() && dice.often(300) { Ask::Sell } else { dice.weighted(&ASKS)? };
        let motion = |command| Some(office(staff, Asked::Motion(command)));
        match ask {
            Ask::Subscriber => self.subscriber(dice),
            Ask::Card => self.card(dice, operator, staff),
            Ask::Import => {
                let lines = (0..dice.between(1, 3)).filter_map(|_| self.line(dice)).collect();
                Some(import(operator, lines))
            }
            Ask::Issue => self.sell_at_once(dice, phones, press),
            Ask::Start | Ask::Make | Ask::Seal | Ask::Abandon | Ask::Stock => {
                self.batch(dice, ask, operator, press).map(|command| office(staff, Asked::Batch(command)))
            }
            Ask::OpenOutlet
            | Ask::Deposit
            | Ask::Withdraw
            | Ask::QuoteCards
            | Ask::QuoteReload
            | Ask::Sell
            | Ask::Refund
            | Ask::Merge
            | Ask::PayOut => self.till(dice, ask, operator).map(|command| office(staff, Asked::Till(command))),
            Ask::ProposeRate | Ask::ProposeVoid | Ask::ProposeReverse | Ask::ProposeAdjust | Ask::ProposeClose => {
                let proposal = Box::new(self.proposal(dice, ask, operator)?);
                motion(MotionCommand::Propose { operator, proposal })
            }
            Ask::Load => {
                let from = match dice.below(12) {
                    0 => None,
                    1 | 2 => Some(Timestamp::from_ms(self.wall_ms + dice.between(0, 3 * DAY_MS))),
                    _ => Some(Timestamp::MIN),
                };
                load(usize::from(operator.0), dice.index(profiles::VARIANTS), from, self.plant)
            }
            Ask::Approve => {
                let (motion, record) = self.pending(dice)?;
                let Record::Motion(known) = record else { return None };
                let hash = if dice.often(60) { [0; 32] } else { known.hash };
                // Now and then whoever proposed it.
                let second = if dice.often(120) { known.maker } else { SECOND };
                Some(office(second, Asked::Motion(MotionCommand::Approve { motion, hash })))
            }
            Ask::WithdrawMotion => motion(MotionCommand::Withdraw { motion: self.pending(dice)?.0 }),
            Ask::Stop => {
                let why = String::from("the books do not agree");
                Some(office(staff, Asked::StopIssuance { operator, why }))
            }
            Ask::Resume => {
                let stopped = |operator| self.state().record(RecordKey::stopped(operator)).is_some();
                let all = (0_u8..).map(OperatorId).take(profiles::OPERATORS);
                let operator =
                    all.into_iter().find(|operator| stopped(*operator)).or(dice.often(30).then_some(operator))?;
                Some(office(staff, Asked::ResumeIssuance { operator }))
            }
        }
    }

    const fn state(&self) -> &State {
        self.oracle.screens()
    }

    /// A number whose holder fits; `None` stands for a number that nobody has.
    fn number(&self, dice: &mut Dice, fits: impl Fn(Option<Standing>) -> bool) -> Option<Msisdn> {
        let standing = |number| self.state().find_subscriber(number).map(|(_, row)| row.facts.standing);
        choose(dice, self.view.numbers.iter().map(|(_, number)| (*number, fits(standing(*number)))))
    }

    fn subscriber(&self, dice: &mut Dice) -> Option<Body> {
        let (_, msisdn) = *dice.pick(self.view.numbers)?;
        let change = match dice.below(24) {
            0..9 => SubscriberChange::Unlock,
            9 => SubscriberChange::Bar,
            10..16 => {
                let msisdn = self.number(dice, |standing| standing == Some(Standing::Barred))?;
                let change = SubscriberChange::Unbar;
                return Some(Body::ChangeSubscriber(ChangeSubscriber { staff: CARE, msisdn, change }));
            }
            16 => match Imsi::parse(&format!("46705{:010}", dice.below(3))) {
                Ok(imsi) => SubscriberChange::ChangeImsi(imsi),
                Err(_) => SubscriberChange::Unlock,
            },
            17 => SubscriberChange::Release,
            18 => {
                // Somebody who waits for a gift is barred: what is on hold for them must come back.
                let holds = self.state().records_of(RecordKind::Hold);
                let recipient = holds.last().and_then(|(_, record)| match record {
                    Record::Hold(hold) => self.state().subscriber(hold.recipient),
                    _ => None,
                });
                let msisdn = recipient.map(|row| row.facts.msisdn)?;
                let change = if dice.often(300) { SubscriberChange::Release } else { SubscriberChange::Bar };
                return Some(Body::ChangeSubscriber(ChangeSubscriber { staff: CARE, msisdn, change }));
            }
            _ => SubscriberChange::SetLanguage(dice.pick(&Language::ALL).copied().unwrap_or_default()),
        };
        Some(Body::ChangeSubscriber(ChangeSubscriber { staff: CARE, msisdn, change }))
    }

    fn card(&self, dice: &mut Dice, operator: OperatorId, staff: Staff) -> Option<Body> {
        let frozen = |card: &Card| matches!(card.facts.state, CardState::Frozen { .. });
        let change = match dice.below(20) {
            0..12 => CardChange::Thaw,
            12..15 => CardChange::Freeze,
            15..18 => CardChange::UnblockBinding,
            _ => CardChange::Void(Voiding::Lost),
        };
        let fits = |card: &Card| match change {
            CardChange::Thaw => frozen(card),
            CardChange::Freeze | CardChange::Void(_) => matches!(card.facts.state, CardState::Bound { .. }),
            CardChange::UnblockBinding => card.bind_wrong > 0,
        };
        let serial = Serial::of(self.of_cards(dice, operator, |_, card| fits(card))?);
        Some(Body::ChangeCard(ChangeCard { staff, serial, change }))
    }

    /// A card of an operator that fits.
    fn of_cards(&self, dice: &mut Dice, operator: OperatorId, fits: impl Fn(CardId, &Card) -> bool) -> Option<CardId> {
        let own = |card: &Card| card.facts.operator == operator;
        choose(dice, self.state().cards().map(|(id, card)| (id, own(card) && fits(id, card))))
    }

    fn of_records(&self, dice: &mut Dice, kind: RecordKind, fits: impl Fn(&Record) -> bool) -> Option<u64> {
        choose(dice, self.state().records_of(kind).map(|(id, record)| (id, fits(record))))
    }

    fn outlet(&self, dice: &mut Dice, operator: OperatorId) -> Option<OutletId> {
        let own = |record: &Record| matches!(record, Record::Outlet(outlet) if outlet.operator == operator);
        let id = self.of_records(dice, RecordKind::Outlet, own)?;
        u32::try_from(id).ok().map(OutletId)
    }

    /// Whether some price is promised now.
    fn any_quote(&self) -> bool {
        let mut quotes = self.state().records_of(RecordKind::Quote);
        quotes.any(|(_, quote)| quote.due_at().is_some_and(|due| due.ms() > self.wall_ms))
    }

    fn pending(&self, dice: &mut Dice) -> Option<(Seq, &Record)> {
        let open = |record: &Record| record.due_at().is_some_and(|due| due.ms() > self.wall_ms);
        let id = self.of_records(dice, RecordKind::Motion, open)?;
        Some((Seq(id), self.state().record(RecordKey::made_by(RecordKind::Motion, Seq(id)))?))
    }

    /// Sells cards to somebody, who has them in the hand at once.
    fn sell_at_once(&self, dice: &mut Dice, phones: &mut [Phone], press: &mut Press) -> Option<Body> {
        let buyer = choose(dice, phones.iter().enumerate().map(|(nth, phone)| (nth, phone.wants_card())))
            .unwrap_or_else(|| dice.index(phones.len()));
        let phone = phones.get_mut(buyer)?;
        let mut cards = Vec::new();
        for _ in 0..dice.between(1, 2) {
            let value = dice.between(200, 3_000);
            let (card, digits) = press.make(dice, &self.view, phone.operator, value)?;
            phone.bought.push((card.number, digits));
            cards.push(card);
        }
        if dice.often(30) {
            // The same number twice in one list.
            cards.extend(cards.first().copied());
        }
        Some(issue(phone.operator, cards))
    }

    fn line(&self, dice: &mut Dice) -> Option<NewSubscriber> {
        let msisdn = match self.number(dice, |standing| matches!(standing, None | Some(Standing::Released))) {
            Some(new) => new,
            None => dice.pick(self.view.numbers)?.1,
        };
        Some(NewSubscriber {
            msisdn,
            imsi: dice.often(60).then(|| Imsi::parse("467050000000009").ok()).flatten(),
            language: dice.often(300).then_some(Language::English),
            since: dice.often(500).then(|| Timestamp::from_ms(self.view.now_ms - 30 * DAY_MS)),
            airtime: dice.often(300).then(|| Amount::try_new(dice.between(1, 500))).flatten(),
        })
    }

    fn batch(&self, dice: &mut Dice, ask: Ask, operator: OperatorId, press: &mut Press) -> Option<BatchCommand> {
        let making = |dice: &mut Dice, full: bool| {
            let fits = |record: &Record| {
                matches!(record, Record::Batch(batch)
                    if batch.stage == Stage::Making && (batch.made == batch.ordered) == full)
            };
            let id = self.of_records(dice, RecordKind::Batch, fits)?;
            BatchId::try_new(u32::try_from(id).ok()?)
        };
        Some(match ask {
            Ask::Start => {
                let value = Amount::try_new(dice.between(1, 6) * 250)?;
                let ordered = u32::try_from(dice.between(0, 9)).ok()?;
                BatchCommand::Start { operator, value, ordered }
            }
            Ask::Make => {
                let batch = making(dice, false)?;
                let known = self.state().batch(batch)?;
                let left = known.ordered.saturating_sub(known.made);
                let count = if dice.often(120) { u32::try_from(dice.between(0, 9)).ok()? } else { left.min(1_000) };
                let card = |_| press.print(dice, &self.view, known.operator);
                let cards: Vec<MadeCard> = (0..count).filter_map(card).collect();
                BatchCommand::Make { batch, cards }
            }
            Ask::Seal => {
                let full = !dice.often(60);
                BatchCommand::Seal { batch: making(dice, full)?, file_hash: [7; 32] }
            }
            Ask::Abandon => BatchCommand::Abandon { batch: making(dice, false)? },
            _ => {
                let printed = |_: CardId, card: &Card| matches!(card.facts.state, CardState::Printed { .. });
                let end = self.end_of_long_row(operator).filter(|(id, card)| printed(*id, card) && dice.often(300));
                let first = Serial::of(match end {
                    Some((id, _)) => id,
                    None => self.of_cards(dice, operator, printed)?,
                });
                let is_printed = |n: &u32| {
                    self.state().card_of_serial(Serial(first.0 + n)).is_some_and(|(id, card)| printed(id, card))
                };
                let most = u32::try_from(dice.between(0, 8)).ok()?;
                let more = (1..=most).take_while(is_printed).last().unwrap_or(0);
                BatchCommand::Stock { first, last: Serial(first.0 + more), outlet: self.outlet(dice, operator)? }
            }
        })
    }

    /// A currency, most often the same.
    fn currency(dice: &mut Dice) -> Currency {
        dice.pick(&[Currency::Usd, Currency::Usd, Currency::Usd, Currency::Cny, Currency::Kpw])
            .copied()
            .unwrap_or(Currency::Usd)
    }

    fn proposal(&self, dice: &mut Dice, ask: Ask, operator: OperatorId) -> Option<Proposal> {
        let later = |dice: &mut Dice| match dice.below(4) {
            0 => Timestamp::from_ms(self.wall_ms + dice.between(-1_000, DAY_MS)),
            _ => Timestamp::MIN,
        };
        Some(match ask {
            Ask::ProposeRate => {
                let from = later(dice);
                let begins_ms = if from == Timestamp::MIN { self.wall_ms } else { from.ms() };
                let ends = dice.often(150).then(|| Timestamp::from_ms(begins_ms + dice.between(-1_000, DAY_MS)));
                let part = |dice: &mut Dice, most| u32::try_from(dice.between(1, most)).unwrap_or(1);
                let ratio = Ratio::try_new(part(dice, 90), part(dice, 7))?;
                Proposal::Rate { currency: Self::currency(dice), rate: Rate { from, until: ends, ratio } }
            }
            Ask::ProposeClose => {
                let period = format!("closed-by-order-{}", self.state().seq());
                Proposal::Close { period, from: later(dice), cards_void: dice.often(300) }
            }
            Ask::ProposeVoid => self.voids(dice, operator)?,
            Ask::ProposeReverse => Proposal::Reverse(self.reversal(dice)?),
            _ => {
                let accounts = self.accounts(dice, operator);
                let (debit, credit) = (*dice.pick(&accounts)?, *dice.pick(&accounts)?);
                let amount = Amount::try_new(dice.between(1, 300))?;
                let reason = String::from(if dice.often(40) { " " } else { "counted by hand" });
                Proposal::Adjust { debit, credit, amount, reason }
            }
        })
    }

    /// The first serial of a long row of sealed cards, and how many they are.
    fn long_row(&self, operator: OperatorId) -> Option<(Serial, u32)> {
        self.state().records_of(RecordKind::Batch).find_map(|(_, record)| match record {
            Record::Batch(batch) if batch.ordered >= LONG_ROW && batch.operator == operator => {
                let run = batch.runs.iter().find(|(_, count)| *count > 1_001)?;
                matches!(batch.stage, Stage::Sealed { .. }).then_some(*run)
            }
            _ => None,
        })
    }

    /// The last card of a long row: where a row ends, mistakes begin.
    fn end_of_long_row(&self, operator: OperatorId) -> Option<(CardId, &Card)> {
        let (first, count) = self.long_row(operator)?;
        self.state().card_of_serial(Serial(first.0 + count - 1))
    }

    fn voids(&self, dice: &mut Dice, operator: OperatorId) -> Option<Proposal> {
        let why = Voiding::Ordered;
        if let Some((first, count)) = self.long_row(operator).filter(|_| dice.often(250)) {
            // More than are voided one by one: a rule that is looked at when one of them is met.
            return Some(Proposal::VoidCards { first, last: Serial(first.0 + count - 1), why });
        }
        let live =
            |_: CardId, card: &Card| matches!(card.facts.state, CardState::Bound { .. } | CardState::Sold { .. });
        let first = self.of_cards(dice, operator, live)?;
        let more = u32::try_from(dice.between(0, 2)).ok()?;
        let first = Serial::of(first);
        let own = |n: &u32| {
            self.state().card_of_serial(Serial(first.0 + n)).is_some_and(|(_, card)| card.facts.operator == operator)
        };
        let last = (1..=more).take_while(own).last().unwrap_or(0);
        Some(Proposal::VoidCards { first, last: Serial(first.0 + last), why })
    }

    /// A posted gift that is to be taken back; now and then one that came back from its hold, which nobody may.
    fn reversal(&self, dice: &mut Dice) -> Option<Reversal> {
        let reason = String::from("the wrong number");
        let (of, (_, card, sender, recipient, minor)) = self.oracle.posted(dice.index(6))?;
        let undone = self.oracle.undone().next_back().filter(|_| dice.often(200));
        let amount = Amount::try_new(*minor)?;
        let of = undone.unwrap_or(of);
        let given_at = self.oracle.decided_at(of)?;
        Some(Reversal { of, card: *card, sender: *sender, recipient: *recipient, amount, given_at, reason })
    }

    /// Accounts of one operator and mostly of one unit.
    fn accounts(&self, dice: &mut Dice, operator: OperatorId) -> Vec<AccountId> {
        let currency = Self::currency(dice);
        if dice.often(250) {
            let outlet = self.outlet(dice, operator).unwrap_or(OutletId(1));
            return vec![
                AccountId::Cash(operator, currency),
                AccountId::CashPosition(operator, currency),
                AccountId::Float(outlet, currency),
            ];
        }
        let card = self.of_cards(dice, operator, |_, card| card.facts.state.is_in_use()).unwrap_or(CardId(0));
        let rich = |row: &domain::state::Subscriber| row.facts.operator == operator && row.airtime.balance_minor > 0;
        let people = self.state().subscribers().map(|(id, row)| (id, rich(row)));
        let somebody = choose(dice, people).unwrap_or(SubscriberId(0));
        let mut accounts = vec![
            AccountId::Card(card),
            AccountId::Airtime(somebody),
            AccountId::Position(operator),
            AccountId::FeeIncome(operator),
            AccountId::TaxPayable(operator),
            AccountId::CallIncome(operator),
            AccountId::Breakage(operator),
            AccountId::Refunded(operator),
        ];
        if dice.often(60) {
            accounts.push(AccountId::Held(operator));
        }
        accounts
    }
}
