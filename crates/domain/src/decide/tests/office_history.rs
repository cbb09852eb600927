//! What the office may ask in a random history: numbers drawn, and what they mean in a world.
//!
//! Mostly something that can be done there; one draw in sixteen is taken as it comes.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::desk::to_print;
use super::history::{NUMBERS, PASSWORDS};
use super::script::{SECOND, STAFF, number};
use crate::account::AccountId;
use crate::card::{CardState, Voiding};
use crate::command::Body;
use crate::currency::Currency;
use crate::effects::Given;
use crate::ids::{BatchId, CardId, OperatorId, OutletId, Serial, Staff};
use crate::number::Msisdn;
use crate::office::batch::{BatchCommand, Stage};
use crate::office::call::CallCommand;
use crate::office::motion::{MotionCommand, Proposal, Reversal};
use crate::office::till::{Goods, Rate, TillCommand};
use crate::office::{Asked, Record, RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::rules::tariff::Ratio;
use crate::state::{Card, State};
use crate::testing::{World, asked, minor};
use crate::time::Timestamp;
use crate::verdict::{Done, Outcome};

/// What is asked; the rest is in the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
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
    Reserve,
    Extend,
    Commit,
    Release,
    Consume,
    ProposeRate,
    ProposeClose,
    ProposeVoid,
    ProposeReverse,
    ProposeAdjust,
    Approve,
    WithdrawMotion,
    Stop,
    Resume,
    Due,
}

/// How often of each, out of their sum.
const WEIGHTS: [(u32, Ask); 29] = [
    (6, Ask::Start),
    (9, Ask::Make),
    (6, Ask::Seal),
    (3, Ask::Abandon),
    (9, Ask::Stock),
    (2, Ask::OpenOutlet),
    (3, Ask::Deposit),
    (3, Ask::Withdraw),
    (14, Ask::QuoteCards),
    (8, Ask::QuoteReload),
    (20, Ask::Sell),
    (8, Ask::Refund),
    (6, Ask::Merge),
    (8, Ask::PayOut),
    (14, Ask::Reserve),
    (14, Ask::Extend),
    (12, Ask::Commit),
    (7, Ask::Release),
    (8, Ask::Consume),
    (6, Ask::ProposeRate),
    (1, Ask::ProposeClose),
    (5, Ask::ProposeVoid),
    (8, Ask::ProposeReverse),
    (8, Ask::ProposeAdjust),
    (4, Ask::Approve),
    (5, Ask::WithdrawMotion),
    (1, Ask::Stop),
    (12, Ask::Resume),
    (14, Ask::Due),
];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Desk {
    pub(super) ask: Ask,
    /// Which operator, and who asks; 0 of 16: somebody else.
    pub(super) who: u8,
    /// 0 of 16: as it comes.
    pub(super) luck: u8,
    pub(super) n: [u8; 4],
}

impl Desk {
    /// Something that can be done, asked by whoever may.
    pub(super) const fn lucky(ask: Ask, operator: u8, n: [u8; 4]) -> Self {
        Self { ask, who: operator + 2, luck: 1, n }
    }

    /// A proposal that is not approved at once.
    pub(super) const fn waits(&self) -> bool {
        self.n[3].is_multiple_of(4)
    }

    fn operator(&self) -> OperatorId {
        OperatorId(self.who % 2)
    }

    fn staff(&self) -> Staff {
        match self.who % 16 {
            0 => Staff(1_002),
            1 => SECOND,
            _ => STAFF,
        }
    }

    fn n(&self, at: usize) -> usize {
        usize::from(self.n[at])
    }

    fn currency(&self) -> Currency {
        // Three of these in four, so that cards of one holder are often of the same.
        Currency::ALL[[0, 0, 1, 3][self.n(2) % 4]]
    }

    /// One of those that fit, or of all.
    fn pick<T: Copy>(&self, at: usize, all: impl Iterator<Item = (T, bool)>) -> Option<T> {
        let all: Vec<(T, bool)> = all.collect();
        let fitting: Vec<T> = all.iter().filter(|(_, fits)| *fits).map(|(one, _)| *one).collect();
        if self.luck.is_multiple_of(16) {
            return all.get(self.n(at) % all.len().max(1)).map(|(one, _)| *one);
        }
        fitting.get(self.n(at) % fitting.len().max(1)).copied()
    }

    fn card(&self, state: &State, at: usize, fits: impl Fn(CardId, &Card) -> bool) -> Option<CardId> {
        let own = |card: &Card| card.facts.operator == self.operator();
        self.pick(at, state.cards().map(|(id, card)| (id, own(card) && fits(id, card))))
    }

    fn record(&self, state: &State, kind: RecordKind, fits: impl Fn(&Record) -> bool) -> Option<u64> {
        self.pick(0, state.records_of(kind).map(|(id, record)| (id, fits(record))))
    }

    fn outlet(&self, state: &State) -> Option<OutletId> {
        let own = |record: &Record| matches!(record, Record::Outlet(outlet) if outlet.operator == self.operator());
        let outlets = state.records_of(RecordKind::Outlet).map(|(id, record)| (id, own(record)));
        self.pick(3, outlets).and_then(|id| u32::try_from(id).ok()).map(OutletId)
    }

    fn phone(&self, state: &State) -> Option<Msisdn> {
        let rich = |msisdn: Msisdn| state.find_subscriber(msisdn).is_some_and(|(_, row)| row.airtime.balance_minor > 3);
        self.pick(0, NUMBERS.iter().filter_map(|short| number(short)).map(|msisdn| (msisdn, rich(msisdn))))
    }
}

pub(super) fn desk() -> BoxedStrategy<Desk> {
    let ask = proptest::strategy::Union::new_weighted(
        WEIGHTS.iter().map(|(weight, ask)| (*weight, Just(*ask).boxed())).collect(),
    );
    let luck = prop_oneof![15 => Just(1_u8), 1 => Just(0_u8)];
    // The first operator's office is the busier one.
    let who = prop_oneof![12 => Just(2_u8), 4 => Just(3_u8), 1 => any::<u8>()];
    (ask, who, luck, any::<[u8; 4]>()).prop_map(|(ask, who, luck, n)| Desk { ask, who, luck, n }).boxed()
}

/// A shop with cards to sell, as every history begins.
pub(super) fn opening() -> Vec<Desk> {
    let lucky = Desk::lucky;
    let of = |operator: u8| {
        [
            lucky(Ask::OpenOutlet, operator, [0; 4]),
            lucky(Ask::Deposit, operator, [0, 255, 0, 0]),
            lucky(Ask::Deposit, operator, [0, 255, 2, 0]),
            lucky(Ask::ProposeRate, operator, [0, 6, 0, 1]),
            lucky(Ask::ProposeRate, operator, [0, 7, 2, 1]),
            lucky(Ask::Start, operator, [2, 5, 0, 0]),
            lucky(Ask::Make, operator, [0, 5, 0, 0]),
            lucky(Ask::Seal, operator, [0; 4]),
            lucky(Ask::Stock, operator, [0, 5, 0, 0]),
            lucky(Ask::QuoteCards, operator, [0, 1, 0, 0]),
            lucky(Ask::Sell, operator, [0; 4]),
            lucky(Ask::QuoteCards, operator, [0, 0, 2, 0]),
            lucky(Ask::Sell, operator, [0; 4]),
        ]
    };
    of(0).into_iter().chain(of(1)).collect()
}

/// The command in this world; `None` where there is nothing to ask about.
pub(super) fn body(world: &World, desk: &Desk) -> Option<Body> {
    if desk.ask == Ask::Due {
        return due(world, desk).map(Body::Due);
    }
    let batch = || batch(world, desk).map(Asked::Batch);
    let till = || till(world, desk).map(Asked::Till);
    let call = || call(world, desk).map(Asked::Call);
    let motion = || motion(world, desk).map(Asked::Motion);
    let stop = || match desk.ask {
        Ask::Stop => Some(Asked::StopIssuance { operator: desk.operator(), why: String::from("a test") }),
        // Nobody asks for it while cards are issued.
        Ask::Resume if desk.luck > 0 && world.state.record(RecordKey::stopped(desk.operator())).is_none() => None,
        Ask::Resume => Some(Asked::ResumeIssuance { operator: desk.operator() }),
        _ => None,
    };
    let what = batch().or_else(till).or_else(call).or_else(motion).or_else(stop)?;
    // Who asks for a motion's approval is drawn; everybody else is known.
    let staff = if desk.ask == Ask::Approve { SECOND } else { desk.staff() };
    Some(asked(staff, what))
}

fn due(world: &World, desk: &Desk) -> Option<RecordKey> {
    let over = |record: &Record| record.due_at().is_some_and(|due| due <= world.at);
    desk.pick(0, world.state.records().map(|(key, record)| (key, over(record))))
}

fn batch(world: &World, desk: &Desk) -> Option<BatchCommand> {
    let state = &world.state;
    let pick = |full: bool| {
        let fits = |record: &Record| matches!(record, Record::Batch(batch) if batch.stage == Stage::Making && (batch.made == batch.ordered) == full);
        let id = desk.record(state, RecordKind::Batch, fits)?;
        BatchId::try_new(u32::try_from(id).ok()?)
    };
    Some(match desk.ask {
        Ask::Start => BatchCommand::Start {
            operator: desk.operator(),
            value: minor(100 + i64::from(desk.n[0] % 5) * 100),
            ordered: u32::from(desk.n[1] % 8),
        },
        Ask::Make => {
            let batch = pick(false)?;
            let known = state.batch(batch)?;
            let room = if desk.n[2].is_multiple_of(8) { u32::from(desk.n[1] % 8) } else { known.ordered - known.made };
            let first = 1_000 + 10 * state.seq().0;
            let card = |n| to_print(world, known.operator, first + n, PASSWORDS[0]);
            BatchCommand::Make { batch, cards: (0..u64::from(room)).map(card).collect() }
        }
        Ask::Seal => BatchCommand::Seal { batch: pick(true)?, file_hash: [desk.n[1]; 32] },
        Ask::Abandon => BatchCommand::Abandon { batch: pick(false)? },
        Ask::Stock => {
            let printed = |_: CardId, card: &Card| matches!(card.facts.state, CardState::Printed { .. });
            let first = Serial::of(desk.card(state, 0, printed)?);
            let row = |n: &u32| state.card_of_serial(Serial(first.0 + n)).is_some_and(|(id, card)| printed(id, card));
            let more = (1..=u32::from(desk.n[1] % 8)).take_while(row).last().unwrap_or(0);
            let outlet = desk.outlet(state)?;
            BatchCommand::Stock { first, last: Serial(first.0 + more), outlet }
        }
        _ => return None,
    })
}

fn till(world: &World, desk: &Desk) -> Option<TillCommand> {
    let (state, currency) = (&world.state, desk.currency());
    let sum = minor([1, 7, 500, 4_000, 60_000][desk.n(1) % 5] + i64::from(desk.n[0]));
    Some(match desk.ask {
        Ask::OpenOutlet => {
            let name = ["post office", "service centre", "shop", ""][desk.n(0) % 4];
            TillCommand::OpenOutlet { operator: desk.operator(), name: String::from(name) }
        }
        Ask::Deposit => {
            let amount = if desk.n[1] == 255 { minor(1_000_000) } else { sum };
            TillCommand::Deposit { outlet: desk.outlet(state)?, currency, amount }
        }
        Ask::Withdraw => TillCommand::Withdraw { outlet: desk.outlet(state)?, currency, amount: sum },
        Ask::QuoteCards | Ask::QuoteReload => quote(world, desk)?,
        Ask::Sell => {
            let id = desk.record(state, RecordKind::Quote, |record| record.due_at() > Some(world.at))?;
            TillCommand::Sell { quote: Seq(id) }
        }
        Ask::Refund => {
            let sold = |_: CardId, card: &Card| {
                card.bought.is_some()
                    && matches!(card.facts.state, CardState::Sold { at, .. } if world.at < at.plus_s(20_000))
            };
            TillCommand::Refund { serial: Serial::of(desk.card(state, 0, sold)?) }
        }
        Ask::Merge => merge(state, desk)?,
        Ask::PayOut => {
            let owed = |id: CardId, card: &Card| {
                card.bought.is_some() && card.purse.balance_minor > 0 && super::desk::is_void(state, id, world.at)
            };
            TillCommand::PayOut { serial: Serial::of(desk.card(state, 0, owed)?) }
        }
        _ => return None,
    })
}

const fn bound(card: &Card) -> bool {
    matches!(card.facts.state, CardState::Bound { .. })
}

fn quote(world: &World, desk: &Desk) -> Option<TillCommand> {
    let (state, currency) = (&world.state, desk.currency());
    if desk.ask == Ask::QuoteReload {
        let id = desk.card(state, 0, |_, card| bound(card) && card.bought.is_some())?;
        let bought = state.card(id)?.bought.filter(|_| desk.n[3] > 16);
        let goods = Goods::Reload { serial: Serial::of(id), value: minor(i64::from(desk.n[1]) + 1) };
        let currency = bought.map_or(currency, |bought| bought.currency);
        return Some(TillCommand::Quote { outlet: desk.outlet(state)?, currency, goods });
    }
    let stocked = |_: CardId, card: &Card| matches!(card.facts.state, CardState::InStock { .. });
    let id = desk.card(state, 0, stocked)?;
    let outlet = match state.card(id)?.facts.state {
        CardState::InStock { outlet, .. } if desk.n[3] > 8 => outlet,
        _ => desk.outlet(state)?,
    };
    let count = if desk.n[1] < 240 { u32::from(desk.n[1] % 2) + 1 } else { u32::from(desk.n[1] % 4) };
    Some(TillCommand::Quote { outlet, currency, goods: Goods::Cards { first: Serial::of(id), count } })
}

fn merge(state: &State, desk: &Desk) -> Option<TillCommand> {
    let from = desk.card(state, 0, |_, card| bound(card))?;
    let first = state.card(from)?;
    let same = |card: &Card| {
        let currency = |card: &Card| card.bought.map(|bought| bought.currency);
        bound(card) && card.facts.state.holder() == first.facts.state.holder() && currency(card) == currency(first)
    };
    let into = desk.card(state, 1, |id, card| id != from && same(card))?;
    Some(TillCommand::Merge { from: Serial::of(from), into: Serial::of(into) })
}

fn call(world: &World, desk: &Desk) -> Option<CallCommand> {
    let state = &world.state;
    let cross = desk.n[1].is_multiple_of(3);
    let seconds = [0, 1, 59, 60, 61, 180, 300, 86_401][desk.n(2) % 8];
    let talking = || desk.record(state, RecordKind::Call, |record| record.due_at() > Some(world.at)).map(Seq);
    Some(match desk.ask {
        Ask::Reserve => CallCommand::Reserve { msisdn: desk.phone(state)?, cross, seconds },
        Ask::Extend => CallCommand::Extend { call: talking()?, seconds },
        Ask::Commit => CallCommand::Commit { call: talking()?, seconds: seconds.min(90) },
        Ask::Release => CallCommand::Release { call: talking()? },
        Ask::Consume => CallCommand::Consume { msisdn: desk.phone(state)?, cross, seconds },
        _ => return None,
    })
}

fn motion(world: &World, desk: &Desk) -> Option<MotionCommand> {
    let pending = || {
        let id = desk.record(&world.state, RecordKind::Motion, |record| record.due_at() > Some(world.at))?;
        Some((Seq(id), world.state.record(RecordKey::made_by(RecordKind::Motion, Seq(id)))?))
    };
    match desk.ask {
        Ask::Approve => {
            let (motion, record) = pending()?;
            let Record::Motion(known) = record else { return None };
            let hash = if desk.n[1] < 16 { [0; 32] } else { known.hash };
            Some(MotionCommand::Approve { motion, hash })
        }
        Ask::WithdrawMotion => Some(MotionCommand::Withdraw { motion: pending()?.0 }),
        _ => {
            let proposal = Box::new(proposal(world, desk)?);
            Some(MotionCommand::Propose { operator: desk.operator(), proposal })
        }
    }
}

fn proposal(world: &World, desk: &Desk) -> Option<Proposal> {
    let state = &world.state;
    Some(match desk.ask {
        Ask::ProposeRate => {
            let ratio = Ratio { numerator: u32::from(desk.n[1] % 8), denominator: 1 + u32::from(desk.n[0] % 3) };
            let from =
                if desk.n[3] < 200 { Timestamp::MIN } else { world.at.plus_s(i64::from(desk.n[3]) * 100 - 21_000) };
            let until = (desk.n[0] > 200).then(|| world.at.plus_s(i64::from(desk.n[1]) * 1_000));
            Proposal::Rate { currency: desk.currency(), rate: Rate { from, until, ratio } }
        }
        Ask::ProposeClose => Proposal::Close {
            period: format!("closed-{}", desk.n[0] % 8),
            from: if desk.n[1] < 128 { Timestamp::MIN } else { world.at.plus_s(i64::from(desk.n[1]) * 400) },
            cards_void: desk.n[2] < 128,
        },
        Ask::ProposeVoid => {
            let first =
                Serial::of(desk.card(state, 0, |_, card| card.bought.is_some() && card.purse.balance_minor > 0)?);
            let last = Serial(first.0 + u32::from(desk.n[1] < 64));
            Proposal::VoidCards { first, last, why: [Voiding::Lost, Voiding::Ordered][desk.n(2) % 2] }
        }
        Ask::ProposeReverse => Proposal::Reverse(reversal(world, desk)?),
        Ask::ProposeAdjust => {
            let accounts = accounts(state, desk);
            let debit = accounts[desk.n(0) % accounts.len()];
            let credit = accounts[desk.n(1) % accounts.len()];
            let (amount, reason) = (minor(i64::from(desk.n[2] / 8) + 1), String::from("by hand"));
            Proposal::Adjust { debit, credit, amount, reason }
        }
        _ => return None,
    })
}

/// A gift that was given or held, as its entry tells it: one of the latest.
fn reversal(world: &World, desk: &Desk) -> Option<Reversal> {
    let seqs: Vec<u64> = (1..=world.state.seq().0).collect();
    let entries = world.journal.iter().zip(seqs).rev();
    let gifts = entries.filter_map(|(kept, of)| {
        let (entry, given_at) = (kept.entry(), kept.at);
        let (Outcome::Done(Done::Given { .. } | Done::Held { .. }), Body::Gift(_)) =
            (&entry.verdict.outcome, &entry.body)
        else {
            return None;
        };
        let effects = &entry.verdict.effects;
        let (card, Given { sender, recipient, amount }) = effects.paid_by().zip(effects.gift())?;
        let reason = String::from("the wrong number");
        Some(Reversal { of: Seq(of), card, sender, recipient, amount, reason, given_at })
    });
    gifts.skip(desk.n(0) % 3).find(|gift| world.state.owner(AccountId::Card(gift.card)) == Some(desk.operator()))
}

/// Accounts of one operator and mostly of one unit.
fn accounts(state: &State, desk: &Desk) -> Vec<AccountId> {
    let (operator, currency) = (desk.operator(), desk.currency());
    let outlet = desk.outlet(state).unwrap_or(OutletId(1));
    if desk.n[2].is_multiple_of(4) {
        return vec![
            AccountId::Cash(operator, currency),
            AccountId::CashPosition(operator, currency),
            AccountId::Float(outlet, currency),
        ];
    }
    let card = desk.card(state, 0, |_, card| card.facts.state.is_in_use()).unwrap_or(CardId(0));
    let phone = desk.phone(state).and_then(|msisdn| state.find_subscriber(msisdn));
    let mut accounts = vec![
        AccountId::Card(card),
        AccountId::Position(operator),
        AccountId::FeeIncome(operator),
        AccountId::TaxPayable(operator),
        AccountId::CallIncome(operator),
        AccountId::Breakage(operator),
        AccountId::Refunded(operator),
    ];
    accounts.extend(phone.map(|(id, _)| AccountId::Airtime(id)));
    if desk.luck.is_multiple_of(16) {
        accounts.push(AccountId::Held(operator));
    }
    accounts
}
