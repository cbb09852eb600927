//! Limits and locks counted a second time, from commands and answers alone: nothing here reads usage or locks to count.

use std::collections::HashMap;

use crate::account::AccountId;
use crate::command::{Body, SubscriberChange};
use crate::ids::{LinkId, OperatorId, SubscriberId};
use crate::office::done::OfficeDone;
use crate::office::hold::HeldGift;
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::limit::{Kind, Measure, Subject, Window};
use crate::rules::{Limit, LimitName};
use crate::state::{Lock, State};
use crate::time::{BusinessDate, Timestamp};
use crate::verdict::{Done, Outcome, Verdict};

/// A gift or top-up that is posted, and the limits that it counted against.
struct Posted {
    seq: Seq,
    at: Timestamp,
    operator: OperatorId,
    date: BusinessDate,
    kind: Kind,
    subjects: [u64; 4],
    minor: i64,
    limits: Vec<Identity>,
    /// Taken back while it was on hold: it still opened its window, and counts for nothing.
    undone: bool,
}

/// What makes a limit the same one under other rules; operator and kind are those of what was posted.
type Identity = (LimitName, Subject, Window);

fn identity(limit: &Limit) -> Identity {
    (limit.name.clone(), limit.subject, limit.window)
}

impl Posted {
    fn subject(&self, subject: Subject) -> u64 {
        self.subjects[match subject {
            Subject::Sender => 0,
            Subject::Recipient => 1,
            Subject::Pair => 2,
            Subject::Card => 3,
        }]
    }
}

/// Everything posted so far, and wrong passwords in a row.
#[derive(Default)]
pub(super) struct Recount {
    dates: HashMap<OperatorId, BusinessDate>,
    posted: Vec<Posted>,
    /// When the same was given last, unless that was undone: by pair (of one in a top-up) and amount.
    latest: HashMap<(u64, i64), (Timestamp, Seq)>,
    locks: HashMap<(SubscriberId, LinkId), Lock>,
    /// How many limits were looked at, so that a test sees that it tests something.
    pub(super) checked: (usize, usize),
}

impl Recount {
    /// Takes in an entry, decided by `before` at `at`.
    pub(super) fn entry(&mut self, before: &State, after: &State, body: &Body, verdict: &Verdict, at: Timestamp) {
        if let Some(id) = verdict.effects.operator {
            let zone = &after.operator(id).expect("an operator").rules.zone;
            let date = self.dates.entry(id).or_default();
            *date = zone.date(at).max(*date);
            assert_eq!(verdict.effects.date, *date, "the business date");
        }
        match &verdict.outcome {
            Outcome::Done(Done::Given { .. } | Done::ToppedUp { .. } | Done::Held { .. }) => {
                self.post(before, after, body, verdict, at);
            }
            Outcome::Done(Done::Undone { hold, .. }) => self.undo(*hold),
            Outcome::Done(Done::Office(done)) => {
                if let OfficeDone::HoldVoided { gift: HeldGift { hold, .. }, .. } = **done {
                    self.undo(hold);
                }
            }
            Outcome::Refused(Refusal::LimitReached { limit, .. }) => self.reached(before, body, limit, at),
            _ => {}
        }
        self.lock(after, body, &verdict.outcome, at);
    }

    fn post(&mut self, before: &State, after: &State, body: &Body, verdict: &Verdict, at: Timestamp) {
        let id = body.caller().expect("a caller").operator;
        let transfer = verdict.effects.transfers.first().expect("a transfer");
        let AccountId::Card(card) = transfer.debit else { panic!("a gift comes from a card") };
        let caller = body.caller().expect("a caller").msisdn;
        let to = if let Body::Gift(gift) = body { gift.recipient.value().expect("a number") } else { caller };
        let (to, _) = after.find_subscriber(to).expect("a recipient");
        let held = matches!(verdict.outcome, Outcome::Done(Done::Held { .. }));
        assert_eq!(transfer.credit, if held { AccountId::Held(id) } else { AccountId::Airtime(to) });
        let from = after.find_subscriber(body.caller().expect("a caller").msisdn).expect("a sender").0;
        let period = before.operator(id).expect("an operator").rules.period(at).expect("a period");
        let kind = if matches!(body, Body::Gift(_)) { Kind::Gift } else { Kind::TopUp };
        let limits: Vec<&Limit> =
            period.limits.iter().filter(|limit| limit.kind == kind && limit.in_force(at)).collect();
        self.posted.push(Posted {
            seq: after.seq(),
            at,
            operator: id,
            date: self.dates[&id],
            kind,
            subjects: subjects(from, to, card.0),
            minor: transfer.amount.minor(),
            limits: limits.iter().map(|limit| identity(limit)).collect(),
            undone: false,
        });
        let window_s = before.operator(id).expect("an operator").rules.standing.repeat_window_s;
        assert!(!self.latest_is_repeated(window_s), "given twice");
        for limit in limits {
            let used = self.used_by_latest(limit);
            assert!(used <= limit.ceiling, "limit {:?} exceeded: {used} of {}", limit.name, limit.ceiling);
            self.checked.0 += 1;
        }
    }

    /// Whether the latest gift or top-up is the same as one not long before it.
    fn latest_is_repeated(&mut self, window_s: u32) -> bool {
        let latest = self.posted.last().expect("one");
        let key = (latest.subject(Subject::Pair), latest.minor);
        let before = self.latest.insert(key, (latest.at, latest.seq));
        before.is_some_and(|(before, _)| latest.at < before.plus_s(i64::from(window_s)))
    }

    fn undo(&mut self, hold: Seq) {
        let undone = self.posted.iter_mut().find(|posted| posted.seq == hold).expect("a gift on hold");
        undone.undone = true;
        let key = (undone.subject(Subject::Pair), undone.minor);
        if self.latest.get(&key).is_some_and(|(_, seq)| *seq == hold) {
            self.latest.remove(&key);
        }
    }

    /// What the latest posting leads to in its window.
    fn used_by_latest(&self, limit: &Limit) -> i64 {
        let latest = self.posted.last().expect("one");
        let counts = |posted: &&Posted| {
            posted.operator == latest.operator
                && posted.kind == latest.kind
                && posted.subject(limit.subject) == latest.subject(limit.subject)
                && posted.limits.contains(&identity(limit))
        };
        let counted: Vec<&Posted> = self.posted.iter().filter(counts).collect();
        let same_window: Vec<&&Posted> = match limit.window {
            Window::BusinessDay => counted.iter().filter(|posted| posted.date == latest.date).collect(),
            Window::CalendarMonth => {
                let month = |date: BusinessDate| (date.civil().year(), date.civil().month());
                counted.iter().filter(|posted| month(posted.date) == month(latest.date)).collect()
            }
            Window::Days(days) => {
                let mut open: Option<BusinessDate> = None;
                for posted in &counted {
                    if open.is_none_or(|open| posted.date.days() >= open.days() + i32::from(days)) {
                        open = Some(posted.date);
                    }
                }
                counted.iter().filter(|posted| open <= Some(posted.date)).collect()
            }
        };
        let same_window: Vec<_> = same_window.into_iter().filter(|posted| !posted.undone).collect();
        match limit.measure {
            Measure::Count => i64::try_from(same_window.len()).expect("few"),
            Measure::Total => same_window.iter().map(|posted| posted.minor).sum(),
        }
    }

    /// A limit that is said to be reached would be exceeded.
    fn reached(&mut self, before: &State, body: &Body, name: &LimitName, at: Timestamp) {
        let caller = body.caller().expect("a caller");
        let period = before.operator(caller.operator).expect("an operator").rules.period(at).expect("a period");
        let named = |limit: &&Limit| limit.name == *name && limit.in_force(at);
        let limits: Vec<&Limit> = period.limits.iter().filter(named).collect();
        let limit = *limits.first().expect("a limit of this period");
        let (from, _) = before.find_subscriber(caller.msisdn).expect("a sender");
        let (kind, amount, to) = match body {
            Body::Gift(gift) => {
                let to = before.find_subscriber(gift.recipient.value().expect("a number"));
                (Kind::Gift, gift.amount, to.map_or(SubscriberId(u32::MAX), |(id, _)| id))
            }
            Body::TopUp(top_up) => (Kind::TopUp, top_up.amount, from),
            other => panic!("{} has no limits", other.name()),
        };
        // Which card it would have been is not in the answer.
        if limit.subject == Subject::Card {
            return;
        }
        let minor = amount.value().expect("an amount").minor();
        let (operator, date) = (caller.operator, self.dates[&caller.operator]);
        let identities = vec![identity(limit)];
        let seq = before.seq().next();
        self.posted.push(Posted {
            seq,
            at,
            operator,
            date,
            kind,
            subjects: subjects(from, to, 0),
            minor,
            limits: identities,
            undone: false,
        });
        // A limit may have a ceiling of its count and one of its total.
        let reached: Vec<_> = limits.iter().map(|limit| (self.used_by_latest(limit), limit.ceiling)).collect();
        self.posted.pop();
        assert!(reached.iter().any(|(used, ceiling)| used > ceiling), "limit {name:?} is not reached: {reached:?}");
        self.checked.1 += 1;
    }

    fn lock(&mut self, after: &State, body: &Body, outcome: &Outcome, at: Timestamp) {
        if let (Body::ChangeSubscriber(change), Outcome::Done(_)) = (body, outcome)
            && change.change == SubscriberChange::Unlock
        {
            let (who, _) = after.find_subscriber(change.msisdn).expect("somebody");
            self.locks.retain(|(id, _), _| *id != who);
        }
        let asks = !matches!(body, Body::SetLanguage(_));
        if let Some(caller) = body.caller().filter(|_| asks)
            && let Some((who, _)) = after.find_subscriber(caller.msisdn)
        {
            let lock = self.locks.entry((who, caller.link)).or_default();
            dial(lock, outcome, at, matches!(body, Body::Bind(_)));
            // What is over may have been swept away, or may still stand there: it counts nothing.
            let counted = |lock: Lock| if at < forgotten_at(&lock) { lock } else { Lock::default() };
            assert_eq!(counted(after.lock(who, caller.link)), counted(*lock), "{outcome:?}");
        }
    }
}

/// Two days after the latest wrong one, and after the end of the lock.
fn forgotten_at(lock: &Lock) -> Timestamp {
    lock.until.unwrap_or(lock.at).max(lock.at).plus_s(2 * 24 * 3_600)
}

/// What a dial with a password does to the count of its caller and link.
fn dial(lock: &mut Lock, outcome: &Outcome, at: Timestamp, binds: bool) {
    if forgotten_at(lock) <= at {
        *lock = Lock::default();
    }
    let minutes = [15, 60, 24 * 60][usize::from(lock.level.min(2))];
    let locked = lock.until.is_some_and(|until| at < until);
    match outcome {
        Outcome::Refused(
            Refusal::ServiceClosed { .. }
            | Refusal::CallerUnknown
            | Refusal::CallerBarred
            | Refusal::CallerResting { .. },
        ) => {}
        Outcome::Refused(Refusal::Locked { until }) => assert!(locked && lock.until == Some(*until)),
        Outcome::Refused(Refusal::NoCard) => assert!(!locked),
        Outcome::Refused(Refusal::WrongPassword { tries_left, locked_until }) => {
            assert!(!locked);
            (lock.wrong, lock.at) = (lock.wrong + 1, at);
            assert_eq!(*tries_left, 3 - lock.wrong);
            if lock.wrong == 3 {
                *lock = Lock { wrong: 0, level: lock.level + 1, until: Some(at.plus_s(minutes * 60)), at };
                assert_eq!(*locked_until, lock.until);
            }
        }
        // Binding says no for reasons of its own after a right password, and then neither counts nor starts over.
        Outcome::Refused(_) if binds => assert!(!locked),
        Outcome::Done(_) | Outcome::Refused(_) => {
            assert!(!locked);
            *lock = Lock::default();
        }
    }
}

fn subjects(from: SubscriberId, to: SubscriberId, card: u32) -> [u64; 4] {
    let (from, to) = (u64::from(from.0), u64::from(to.0));
    [from, to, (from << 32) | to, u64::from(card)]
}
