//! Refusals that name something: a limit, a shortage, an earlier gift, somebody's role. What they name must be so.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::card::CardState;
use domain::command::{Body, Caller};
use domain::effects::Change;
use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::money::Amount;
use domain::office::batch::BatchCommand;
use domain::office::call::CallCommand;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::refusal::OfficeRefusal;
use domain::office::till::{Goods, TillCommand};
use domain::office::{Asked, Office};
use domain::password::Proof;
use domain::refusal::{Refusal, Unusable};
use domain::rules::limit::Kind;
use domain::rules::{Fee, Period, Role};
use domain::state::Standing;

use super::gifts::opened_by;
use super::limits::Parties;
use super::ordered::{Ordered, charge};
use super::{At, Oracle};
use crate::calendar::Calendar;
use crate::invariant::{Held, REFUSAL_HOLDS, VALUE_CONSERVED, hold};

/// Refusals after a right password, by subscriber, on the latest day that had any.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<SubscriberId, (i32, i64)>);

impl Refusals {
    /// How many there were today.
    pub(super) fn today(&self, operator: OperatorId, who: SubscriberId, at_ms: i64) -> i64 {
        let today = Calendar::of(operator).date(at_ms);
        self.0.get(&who).filter(|(day, _)| *day == today).map_or(0, |(_, count)| *count)
    }

    fn count(&mut self, operator: OperatorId, who: SubscriberId, at_ms: i64) {
        let count = self.today(operator, who, at_ms) + 1;
        self.0.insert(who, (Calendar::of(operator).date(at_ms), count));
    }
}

/// What a refused gift or top-up was about.
#[derive(Clone, Copy)]
struct Wish<'a> {
    caller: &'a Caller,
    proof: &'a Proof,
    kind: Kind,
    rules: &'a Ordered,
    period: &'static Period,
    from: SubscriberId,
    to: Option<SubscriberId>,
    minor: Option<i64>,
}

impl Wish<'_> {
    fn fee(&self) -> &'static Fee {
        if self.kind == Kind::Gift { &self.period.gift_fee } else { &self.period.top_up_fee }
    }
}

impl Oracle {
    /// Judges a refusal by the world before it, and learns from it.
    pub(super) fn refused(&mut self, at: At<'_>, refusal: &Refusal) -> Held {
        let effects = &at.entry.verdict.effects;
        let still = effects.transfers.is_empty() && effects.balances.is_empty() && effects.usage.is_empty();
        let kept = effects.changes.iter().all(|change| {
            matches!(
                change,
                Change::Lock { .. }
                    | Change::Refused { .. }
                    | Change::Subscriber { .. }
                    | Change::CardState { .. }
                    | Change::BindWrong { .. }
            )
        });
        hold(still && kept, VALUE_CONSERVED, || format!("entry {}: a refusal does {effects:?}", at.seq))?;
        let body = &at.entry.body;
        let holds = match refusal {
            Refusal::Office(office) => self.office_refusal(at, office),
            _ => match (body.caller(), body) {
                (Some(caller), _) => self.caller_refusal(at, caller, refusal),
                (None, _) => self.staff_refusal(at, refusal),
            },
        };
        hold(holds, REFUSAL_HOLDS, || format!("entry {}, {}: {refusal:?} is not so", at.seq, body.name()))?;
        if *refusal == Refusal::NothingToUndo && self.has_due_hold(at) {
            self.meet("an undo is refused because the gift is due");
        }
        self.counted_refusal(at, refusal)
    }

    /// Whether a caller's gift is on hold whose time is over.
    fn has_due_hold(&self, at: At<'_>) -> bool {
        let caller = at.entry.body.caller();
        let who = caller.and_then(|caller| self.registry.active(caller.msisdn, caller.operator));
        self.holds.values().any(|one| Some(one.from) == who && one.until_ms <= at.ms)
    }

    /// What is refused after a right password counts, and the caller hears when it was too much.
    fn counted_refusal(&mut self, at: At<'_>, refusal: &Refusal) -> Held {
        let told = at.entry.verdict.effects.changes.iter().find_map(|change| match change {
            Change::Refused { subscriber, count } => Some((*subscriber, i64::from(*count))),
            _ => None,
        });
        let moves = matches!(at.entry.body, Body::Gift(_) | Body::TopUp(_));
        let before = matches!(
            refusal,
            Refusal::ServiceClosed { .. }
                | Refusal::CallerUnknown
                | Refusal::CallerBarred
                | Refusal::CallerResting { .. }
                | Refusal::Locked { .. }
                | Refusal::NoCard
                | Refusal::WrongPassword { .. }
                | Refusal::CardNotUsable { .. }
                | Refusal::TooManyRefusals { .. }
        );
        let caller = at.entry.body.caller();
        let who = caller.and_then(|caller| self.registry.active(caller.msisdn, caller.operator));
        let counts = moves && !before;
        let due = who.zip(caller).filter(|_| counts).map(|(who, caller)| {
            self.refusals.count(caller.operator, who, at.ms);
            (who, self.refusals.today(caller.operator, who, at.ms))
        });
        hold(told == due, REFUSAL_HOLDS, || format!("entry {}: {told:?} refusals are told, {due:?} counted", at.seq))
    }

    fn caller_refusal(&self, at: At<'_>, caller: &Caller, refusal: &Refusal) -> bool {
        let row = self.registry.active(caller.msisdn, caller.operator);
        let facts = row.and_then(|row| self.registry.facts(row));
        let rules = self.rules(caller.operator);
        let body = &at.entry.body;
        match refusal {
            Refusal::ServiceClosed { .. } => rules.and_then(|rules| rules.period(at.ms)).is_none(),
            Refusal::CallerUnknown => row.is_none(),
            Refusal::CallerBarred => facts.is_some_and(|facts| facts.standing == Standing::Barred),
            Refusal::CallerResting { until } => self.resting_holds(at, caller, until.ms()),
            Refusal::NoCard => row.is_none_or(|row| self.registry.cards_of(row).next().is_none()),
            Refusal::WrongPassword { .. } => match (proof_of(body), row) {
                (Some(proof), Some(row)) => self.registry.cards_of(row).all(|(_, card)| !opened_by(card, row, proof)),
                _ => true,
            },
            Refusal::CardNotUsable { why } => match (proof_of(body), row) {
                (Some(proof), Some(row)) => {
                    let none_usable = self.opened(row, proof, at.ms).next().is_none();
                    let mut opened = self.registry.cards_of(row).filter(|(_, card)| opened_by(card, row, proof));
                    none_usable && opened.any(|(id, card)| self.unusable(at, id, &card.state, *why))
                }
                _ => true,
            },
            Refusal::NothingToUndo => {
                row.is_some_and(|row| self.holds.values().all(|one| one.from != row || one.until_ms <= at.ms))
            }
            Refusal::TooManyRefusals { until } => match self.asked(at, body) {
                Some(asked) => {
                    let today = Calendar::of(caller.operator).date(at.ms);
                    let most = i64::from(asked.period.refusals_per_day);
                    let refused = self.refusals.today(caller.operator, asked.from, at.ms);
                    most > 0 && refused >= most && until.days() == today + 1
                }
                None => false,
            },
            _ => self.asked(at, body).is_none_or(|asked| self.asked_refusal(at, &asked, refusal)),
        }
    }

    /// Whether a card can't be used for the reason that is told.
    fn unusable(&self, at: At<'_>, id: CardId, state: &CardState, why: Unusable) -> bool {
        let Some(card) = self.registry.card(id) else { return false };
        match why {
            Unusable::Frozen => matches!(state, CardState::Frozen { .. }),
            Unusable::Expired => {
                matches!(state, CardState::Expired { .. })
                    || (matches!(state, CardState::Bound { .. }) && card.expires_at.ms() <= at.ms)
            }
            Unusable::Void => self.is_void(id, card, at.ms),
            Unusable::Closed => matches!(state, CardState::Closed { .. }),
            Unusable::AlreadyBound | Unusable::NotSold => true,
        }
    }

    fn asked_refusal(&self, at: At<'_>, asked: &Wish<'_>, refusal: &Refusal) -> bool {
        let Some(minor) = asked.minor else { return !matches!(refusal, Refusal::LimitReached { .. }) };
        match refusal {
            Refusal::LimitReached { limit, until } => self.opened(asked.from, asked.proof, at.ms).any(|(card, _)| {
                let to = asked.to.unwrap_or(SubscriberId(u32::MAX));
                let parties = Parties { operator: asked.caller.operator, kind: asked.kind, from: asked.from, to, card };
                let passed = self.limits.passed(asked.period, at.ms, parties, minor);
                passed.iter().any(|(name, used)| *name == limit && used.anew == until.days())
            }),
            Refusal::InsufficientFunds { short_by_minor } => {
                let (fee, tax) = charge(asked.fee(), minor);
                let least = minor + fee + tax + asked.period.residual_min_minor;
                let balance = |id| self.books.minor(AccountId::Card(id));
                let most = self.opened(asked.from, asked.proof, at.ms).map(|(id, _)| balance(id)).max();
                *short_by_minor > 0 && most.is_some_and(|most| most + short_by_minor == least)
            }
            Refusal::Repeated { given_at, seq: given, again_at } => asked.to.is_some_and(|to| {
                let window_ms = i64::from(asked.rules.standing.standing.repeat_window_s) * 1_000;
                self.repeats.get(&(asked.from, to, minor)) == Some(&(given_at.ms(), *given))
                    && again_at.ms() == given_at.ms() + window_ms
                    && at.ms < again_at.ms()
            }),
            Refusal::AmountBelowMinimum { min_minor } => minor < *min_minor,
            Refusal::AmountAboveMaximum { max_minor } => minor > *max_minor,
            Refusal::AmountOffStep { step_minor } => minor % step_minor != 0,
            Refusal::RecipientIsCaller => asked.to == Some(asked.from),
            Refusal::RecipientBalanceMax { room_minor } => {
                let most = asked.period.recipient_balance_max.map_or(i64::MAX, Amount::minor);
                let to = asked.to.map_or(0, |to| self.coming(to));
                *room_minor == (most - to).max(0) && *room_minor < minor
            }
            Refusal::SenderTooYoung { until } => self.young(at, asked, Some(asked.from), until.days()),
            Refusal::RecipientTooYoung { until } => self.young(at, asked, asked.to, until.days()),
            _ => true,
        }
    }

    fn young(&self, at: At<'_>, asked: &Wish<'_>, who: Option<SubscriberId>, until: i32) -> bool {
        let calendar = Calendar::of(asked.caller.operator);
        let since = who.and_then(|who| self.registry.facts(who)).map_or(at.ms, |facts| facts.since.ms());
        let days = i32::try_from(asked.period.age_days_min).unwrap_or(i32::MAX);
        until == calendar.date(since) + days && calendar.date(at.ms) < until
    }

    fn asked<'a>(&'a self, at: At<'_>, body: &'a Body) -> Option<Wish<'a>> {
        let caller = body.caller()?;
        let rules = self.rules(caller.operator)?;
        let period = rules.period(at.ms)?;
        let from = self.registry.active(caller.msisdn, caller.operator)?;
        let (kind, to, amount, proof) = match body {
            Body::Gift(gift) => {
                let to = gift.recipient.value().and_then(|to| self.registry.active(to, caller.operator));
                (Kind::Gift, to, gift.amount, &gift.proof)
            }
            Body::TopUp(top_up) => (Kind::TopUp, Some(from), top_up.amount, &top_up.proof),
            _ => return None,
        };
        let minor = amount.value().map(Amount::minor);
        Some(Wish { caller, proof, kind, rules, period, from, to, minor })
    }

    /// What staff or a timer hears that is not the office's.
    fn staff_refusal(&self, at: At<'_>, refusal: &Refusal) -> bool {
        match (&at.entry.body, refusal) {
            (Body::ExpireCard(id), Refusal::NothingToChange) => {
                self.registry.card(*id).is_some_and(|card| at.ms < card.expires_at.ms())
            }
            (Body::Due(key), Refusal::NothingToChange) => self.due_ms(*key).is_none_or(|due| at.ms < due),
            (Body::ChangeSubscriber(change), Refusal::SubscriberUnknown) => {
                self.registry.in_use(change.msisdn).is_none()
            }
            (Body::Office(office), Refusal::CardStateForbids { state }) if state == "gift-on-hold" => {
                let serial = match &office.what {
                    Asked::Till(TillCommand::Merge { from, .. }) => Some(*from),
                    Asked::Till(TillCommand::PayOut { serial }) => Some(*serial),
                    _ => None,
                };
                let card = serial.and_then(|serial| self.registry.of_serial(serial)).map(|(id, _)| id);
                card.is_some_and(|card| self.holds.values().any(|one| one.card == card))
            }
            (Body::Office(office), Refusal::CallerBarred) => match office.what {
                Asked::Call(CallCommand::Reserve { msisdn, .. } | CallCommand::Consume { msisdn, .. }) => {
                    self.registry.in_use(msisdn).is_some_and(|(_, facts)| facts.standing == Standing::Barred)
                }
                Asked::Call(CallCommand::Extend { call, .. }) => {
                    let who = self.calls.talks.get(&call).and_then(|talk| self.registry.facts(talk.who));
                    who.is_some_and(|facts| facts.standing == Standing::Barred)
                }
                _ => false,
            },
            _ => true,
        }
    }

    fn office_refusal(&self, at: At<'_>, refusal: &OfficeRefusal) -> bool {
        if let OfficeRefusal::IssuanceStopped { .. } = refusal {
            return self.issuer(at).is_some_and(|operator| self.stopped.contains(&operator));
        }
        let Body::Office(office) = &at.entry.body else { return self.loading_refusal(at, refusal) };
        match (&office.what, refusal) {
            (_, OfficeRefusal::RoleForbids { role }) => self.role_is_missing(office, role),
            (Asked::Batch(command), _) => self.batch_refusal(command, refusal),
            (Asked::Till(command), _) => self.till_refusal(at, command, refusal),
            (Asked::Call(command), _) => self.call_refusal(at, *command, refusal),
            (Asked::Motion(command), _) => self.motion_refusal(at, office, command, refusal),
            (Asked::StopIssuance { .. } | Asked::ResumeIssuance { .. }, _) => true,
        }
    }

    fn loading_refusal(&self, at: At<'_>, refusal: &OfficeRefusal) -> bool {
        match (&at.entry.body, refusal) {
            (Body::LoadRules(load), OfficeRefusal::RoleForbids { .. }) => {
                let named = |rules: &Ordered| rules.standing.operator == load.rules.operator;
                self.ordered.values().find(|rules| named(rules)).is_some_and(|r| !r.may(load.staff.0, Role::Network))
            }
            (Body::ChangeCard(change), OfficeRefusal::RoleForbids { .. }) => {
                let operator = self.registry.of_serial(change.serial).map(|(_, card)| card.operator);
                let rules = operator.and_then(|operator| self.rules(operator));
                rules.is_some_and(|rules| !rules.may(change.staff.0, Role::Care))
            }
            (Body::ChangeCard(change), OfficeRefusal::RangeOverlaps { first, last }) => {
                *first <= change.serial && change.serial <= *last
            }
            _ => true,
        }
    }

    /// Whose issuance a refused command asked for.
    fn issuer(&self, at: At<'_>) -> Option<OperatorId> {
        match &at.entry.body {
            Body::IssueCards(issue) => Some(issue.operator),
            Body::ImportSubscribers(import) => Some(import.operator),
            Body::Office(office) => match &office.what {
                Asked::Batch(command) => self.of_batch(command),
                Asked::Till(command) => self.of_till(command),
                Asked::Motion(MotionCommand::Propose { operator, .. }) => Some(*operator),
                Asked::Motion(MotionCommand::Approve { motion, .. }) => {
                    self.motions.get(motion).map(|motion| motion.operator)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn role_is_missing(&self, office: &Office, told: &str) -> bool {
        let (operator, role) = match &office.what {
            Asked::Batch(command) => (self.of_batch(command), Role::Finance),
            Asked::Till(command @ TillCommand::Merge { .. }) => (self.of_till(command), Role::Care),
            Asked::Till(command) => (self.of_till(command), Role::Finance),
            Asked::Call(command) => (self.of_call(*command), Role::Network),
            Asked::Motion(MotionCommand::Propose { operator, proposal }) => {
                (Some(*operator), super::motions::role_of(proposal))
            }
            Asked::Motion(MotionCommand::Approve { motion, .. } | MotionCommand::Withdraw { motion }) => {
                let Some(known) = self.motions.get(motion) else { return false };
                (Some(known.operator), super::motions::role_of(&known.proposal))
            }
            Asked::StopIssuance { .. } => return false,
            Asked::ResumeIssuance { operator } => (Some(*operator), Role::Finance),
        };
        let rules = operator.and_then(|operator| self.rules(operator));
        role.name() == told && rules.is_some_and(|rules| !rules.may(office.staff.0, role))
    }

    fn batch_refusal(&self, command: &BatchCommand, refusal: &OfficeRefusal) -> bool {
        let batch = match command {
            BatchCommand::Make { batch, .. } | BatchCommand::Seal { batch, .. } | BatchCommand::Abandon { batch } => {
                *batch
            }
            BatchCommand::Start { .. } | BatchCommand::Stock { .. } => return true,
        };
        let standing = self.batches.standing(batch);
        match (refusal, standing) {
            (OfficeRefusal::BatchUnknown, standing) => standing.is_none(),
            (OfficeRefusal::BatchSealed, Some((sealed, ..))) => sealed,
            (OfficeRefusal::BatchAbandoned, Some((_, given_up, _))) => given_up,
            (OfficeRefusal::BatchIncomplete { missing }, Some((.., left))) => *missing == left && left > 0,
            (OfficeRefusal::BatchFull { room }, Some((.., left))) => *room == left,
            (_, Some(_)) => true,
            (_, None) => false,
        }
    }

    fn till_refusal(&self, at: At<'_>, command: &TillCommand, refusal: &OfficeRefusal) -> bool {
        let quote = match command {
            TillCommand::Sell { quote } => self.tills.quotes.get(quote),
            _ => None,
        };
        match refusal {
            OfficeRefusal::OutletUnknown => match command {
                TillCommand::Deposit { outlet, .. }
                | TillCommand::Withdraw { outlet, .. }
                | TillCommand::Quote { outlet, .. } => self.tills.owner(*outlet).is_none(),
                _ => false,
            },
            OfficeRefusal::NameTaken => {
                matches!(command, TillCommand::OpenOutlet { operator, name } if self.tills.has_name(*operator, name))
            }
            OfficeRefusal::FloatShort { short_by_minor } => {
                let asked = match command {
                    TillCommand::Withdraw { outlet, currency, amount } => Some((*outlet, *currency, amount.minor())),
                    _ => quote.map(|quote| (quote.outlet, quote.currency, quote.price())),
                };
                asked.is_some_and(|(outlet, currency, minor)| {
                    let short = minor - self.books.minor(AccountId::Float(outlet, currency));
                    short > 0 && short == *short_by_minor
                })
            }
            OfficeRefusal::RateUnknown { currency } => {
                self.of_till(command).is_some_and(|operator| self.tills.rate(operator, *currency, at.ms).is_none())
            }
            OfficeRefusal::QuoteUnknown => quote.is_none(),
            OfficeRefusal::QuoteExpired { at: ended } => {
                quote.is_some_and(|quote| quote.due_ms == ended.ms() && ended.ms() <= at.ms)
            }
            _ => self.card_refusal(at, command, refusal),
        }
    }

    /// What a till hears of a card.
    fn card_refusal(&self, at: At<'_>, command: &TillCommand, refusal: &OfficeRefusal) -> bool {
        match refusal {
            OfficeRefusal::CardSold { serial } => self.registry.of_serial(*serial).is_some_and(|(_, card)| {
                matches!(card.state, CardState::Sold { .. } | CardState::Bound { .. } | CardState::Frozen { .. })
            }),
            OfficeRefusal::CardNotBought => {
                let card = match command {
                    TillCommand::Refund { serial } | TillCommand::PayOut { serial } => Some(*serial),
                    TillCommand::Quote { goods: Goods::Reload { serial, .. }, .. } => Some(*serial),
                    _ => None,
                };
                let card = card.and_then(|serial| self.registry.of_serial(serial));
                card.is_some_and(|(id, _)| self.tills.paid_for(id).is_none())
            }
            OfficeRefusal::NotSoldToday => match command {
                TillCommand::Refund { serial } => self.registry.of_serial(*serial).is_some_and(|(_, card)| {
                    let calendar = Calendar::of(card.operator);
                    matches!(card.state, CardState::Sold { at: sold, .. }
                        if calendar.date(sold.ms()) != calendar.date(at.ms))
                }),
                _ => false,
            },
            OfficeRefusal::CardNotVoid => match command {
                TillCommand::PayOut { serial } => {
                    self.registry.of_serial(*serial).is_some_and(|(id, card)| !self.is_void(id, card, at.ms))
                }
                _ => false,
            },
            OfficeRefusal::NothingLeft => match command {
                TillCommand::PayOut { serial } => {
                    let card = self.registry.of_serial(*serial);
                    card.is_some_and(|(id, _)| self.books.minor(AccountId::Card(id)) == 0)
                }
                _ => false,
            },
            _ => true,
        }
    }

    fn call_refusal(&self, at: At<'_>, command: CallCommand, refusal: &OfficeRefusal) -> bool {
        let call = match command {
            CallCommand::Extend { call, .. } | CallCommand::Commit { call, .. } | CallCommand::Release { call } => {
                self.calls.talks.get(&call)
            }
            CallCommand::Reserve { .. } | CallCommand::Consume { .. } => None,
        };
        match refusal {
            OfficeRefusal::CallUnknown => call.is_none_or(|talk| talk.due_ms <= at.ms),
            OfficeRefusal::CallBeyondGrant { granted_s } => match command {
                CallCommand::Commit { seconds, .. } => {
                    call.is_some_and(|talk| talk.granted_s() == i64::from(*granted_s)) && seconds > *granted_s
                }
                _ => false,
            },
            OfficeRefusal::AirtimeShort { short_by_minor } => self.airtime_short(at, command) == Some(*short_by_minor),
            _ => true,
        }
    }

    fn motion_refusal(&self, at: At<'_>, office: &Office, command: &MotionCommand, refusal: &OfficeRefusal) -> bool {
        let (motion, proposal) = match command {
            MotionCommand::Propose { proposal, .. } => (None, Some(&**proposal)),
            MotionCommand::Approve { motion, .. } | MotionCommand::Withdraw { motion } => {
                let known = self.motions.get(motion);
                (known, known.map(|known| &known.proposal))
            }
        };
        match refusal {
            OfficeRefusal::MotionUnknown => motion.is_none_or(|motion| motion.due_ms <= at.ms),
            OfficeRefusal::OwnMotion => motion.is_some_and(|motion| motion.maker == office.staff),
            OfficeRefusal::HashDiffers => match command {
                MotionCommand::Approve { hash, .. } => motion.is_some_and(|motion| motion.hash != *hash),
                _ => false,
            },
            OfficeRefusal::AlreadyReversed { by } => match proposal {
                Some(Proposal::Reverse(reversal)) => {
                    self.reversed.get(&reversal.of).or(self.undone.get(&reversal.of)) == Some(by)
                }
                _ => false,
            },
            OfficeRefusal::NothingLeft => match proposal {
                Some(Proposal::Reverse(reversal)) => self.books.minor(AccountId::Airtime(reversal.recipient)) == 0,
                _ => false,
            },
            OfficeRefusal::BalanceShort { short_by_minor } => match proposal {
                Some(Proposal::Adjust { debit, amount, .. }) => {
                    let short = amount.minor() - self.books.minor(*debit);
                    short > 0 && short == *short_by_minor
                }
                _ => false,
            },
            OfficeRefusal::RangeOverlaps { first, last } => match proposal {
                Some(Proposal::VoidCards { first: begin, last: end, .. }) => {
                    self.registry.void_ranges().contains(&(*first, *last)) && begin <= last && first <= end
                }
                _ => false,
            },
            _ => true,
        }
    }
}

/// The password in the *holder* domain that a command carries.
const fn proof_of(body: &Body) -> Option<&Proof> {
    match body {
        Body::Gift(gift) => Some(&gift.proof),
        Body::TopUp(top_up) => Some(&top_up.proof),
        Body::ShowCards(proved) | Body::ShowGifts(proved) | Body::Freeze(proved) | Body::Undo(proved) => {
            Some(&proved.proof)
        }
        Body::ChangePassword(change) => Some(&change.old),
        _ => None,
    }
}
