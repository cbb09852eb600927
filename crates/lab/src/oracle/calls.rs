//! Calls: what is set aside, what is free, what is charged in the end, and that all of it ends.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::ids::{OperatorId, SubscriberId};
use domain::number::Msisdn;
use domain::office::call::{CALL_SECONDS_MAX, CallCommand};
use domain::office::done::OfficeDone;
use domain::receipt::Seq;
use domain::rules::tariff::Tariff;
use domain::state::Standing;

use super::expect::Expect;
use super::limits::Row;
use super::ordered::minutes_cost;
use super::{At, Oracle};
use crate::calendar::{Calendar, first_of_month};
use crate::invariant::{Broken, CALL_AS_ASKED, HELD_ENDS, Held, hold};

/// Airtime set aside for somebody who talks.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) operator: OperatorId,
    pub(super) who: SubscriberId,
    cross: bool,
    /// As it was when they began.
    tariff: Tariff,
    granted_s: i64,
    /// Free minutes in it, of the month that began on that day, counted in that row.
    free: i64,
    month: i32,
    row: Option<Row>,
    pub(super) held: i64,
    pub(super) due_ms: i64,
    pub(super) extended: u32,
    loads: u32,
}

impl Talk {
    /// How long may be talked, seconds.
    pub(super) const fn granted_s(&self) -> i64 {
        self.granted_s
    }
}

/// Calls in progress, and free minutes used in the latest month of each row.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) talks: BTreeMap<Seq, Talk>,
    used: BTreeMap<Row, (i32, i64)>,
}

/// Free minutes of a subscriber this month.
#[derive(Clone, Copy)]
struct Free {
    row: Row,
    month: i32,
    used: i64,
    left: i64,
}

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: CALL_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

const fn minutes(seconds: i64) -> i64 {
    (seconds + 59) / 60
}

/// The most whole minutes of those wanted that can be paid, tried one by one.
fn affordable(tariff: Tariff, wanted: i64, cross: bool, minor: i64) -> i64 {
    (0..=wanted).rev().find(|paid| minutes_cost(tariff, *paid, cross) <= minor).unwrap_or(0)
}

impl Oracle {
    /// What a charging system asked.
    pub(super) fn call(&mut self, at: At<'_>, command: CallCommand, done: &OfficeDone) -> Result<Expect, Broken> {
        match command {
            CallCommand::Reserve { msisdn, cross, seconds } => self.reserved(at, (msisdn, cross, seconds), done),
            CallCommand::Extend { call, seconds } => self.extended(at, call, seconds, done),
            CallCommand::Commit { call, seconds } => self.ended(at, call, Some(seconds), done),
            CallCommand::Release { call } => self.ended(at, call, None, done),
            CallCommand::Consume { msisdn, cross, seconds } => self.consumed(at, (msisdn, cross, seconds), done),
        }
    }

    fn caller_of(&self, at: At<'_>, msisdn: Msisdn, seconds: u32) -> Result<(SubscriberId, OperatorId), Broken> {
        let (id, facts) = self.registry.in_use(msisdn).ok_or_else(|| wrong(at, "of nobody"))?;
        let range = (1..=CALL_SECONDS_MAX).contains(&seconds);
        hold(facts.standing == Standing::Active && range, CALL_AS_ASKED, || {
            format!("entry {}: {seconds} s of somebody who is {:?}", at.seq, facts.standing)
        })?;
        Ok((id, facts.operator))
    }

    fn free_minutes(&self, operator: OperatorId, who: SubscriberId, at_ms: i64) -> Option<Free> {
        let limit = self.rules(operator)?.standing.free_minutes.as_ref()?;
        let row = self.limits.row_of(operator, limit, u64::from(who.0))?;
        let month = first_of_month(Calendar::of(operator).date(at_ms));
        let used = self.calls.used.get(&row).filter(|(known, _)| *known == month).map_or(0, |(_, used)| *used);
        Some(Free { row, month, used, left: (limit.ceiling - used).max(0) })
    }

    fn use_free(&mut self, expect: &mut Expect, free: Option<Free>, minutes: i64) {
        if let Some(Free { row, month, used, .. }) = free.filter(|_| minutes != 0) {
            self.calls.used.insert(row, (month, used + minutes));
            expect.uses(row.0, row.1, (month, used + minutes, 0));
        }
    }

    fn reserved(
        &mut self,
        at: At<'_>,
        (msisdn, cross, seconds): (Msisdn, bool, u32),
        done: &OfficeDone,
    ) -> Result<Expect, Broken> {
        let (who, operator) = self.caller_of(at, msisdn, seconds)?;
        let rules = self.rules(operator).ok_or_else(|| wrong(at, "no rules"))?;
        let tariff = rules.tariff(at.ms);
        let lasts_ms = i64::from(rules.standing.standing.call_reserve_s.unwrap_or(7_200)) * 1_000;
        let free = self.free_minutes(operator, who, at.ms);
        let wanted = minutes(i64::from(seconds));
        let free_now = if cross { 0 } else { free.map_or(0, |free| free.left.min(wanted)) };
        let airtime = AccountId::Airtime(who);
        let paid = affordable(tariff, wanted - free_now, cross, self.books.minor(airtime));
        let granted_s = i64::from(seconds).min((free_now + paid) * 60);
        let talk = Talk {
            operator,
            who,
            cross,
            tariff,
            granted_s,
            free: free_now,
            month: free.map_or(0, |free| free.month),
            row: free.map(|free| free.row),
            held: minutes_cost(tariff, paid, cross),
            due_ms: at.ms + lasts_ms,
            extended: 0,
            loads: self.loads(operator),
        };
        hold(granted_s > 0, CALL_AS_ASKED, || format!("entry {}: nothing can be granted", at.seq))?;
        told(at, at.seq, &talk, done)?;
        let mut expect = Expect::default();
        expect.moves(airtime, AccountId::Held(operator), talk.held);
        self.use_free(&mut expect, free, free_now);
        self.calls.talks.insert(at.seq, talk);
        Ok(expect)
    }

    /// A call that is in progress.
    fn talk(&self, at: At<'_>, call: Seq) -> Result<Talk, Broken> {
        let talk = self.calls.talks.get(&call).cloned().ok_or_else(|| wrong(at, "no such call"))?;
        hold(at.ms < talk.due_ms, CALL_AS_ASKED, || format!("entry {}: call {call} was over", at.seq))?;
        Ok(talk)
    }

    fn extended(&mut self, at: At<'_>, call: Seq, seconds: u32, done: &OfficeDone) -> Result<Expect, Broken> {
        let talk = self.talk(at, call)?;
        let standing = self.registry.facts(talk.who).map(|facts| facts.standing);
        hold(standing == Some(Standing::Active), CALL_AS_ASKED, || {
            format!("entry {}: more time for somebody who is {standing:?}", at.seq)
        })?;
        let rules = self.rules(talk.operator).ok_or_else(|| wrong(at, "no rules"))?;
        let lasts_ms = i64::from(rules.standing.standing.call_reserve_s.unwrap_or(7_200)) * 1_000;
        if rules.tariff(at.ms) != talk.tariff {
            self.meet("a call is extended after its price changed");
        }
        let free = self.free_minutes(talk.operator, talk.who, at.ms);
        // Free minutes of another month, or of other rules, are not added to those of the beginning.
        let free = free.filter(|free| free.month == talk.month && Some(free.row) == talk.row);
        let wanted_s = talk.granted_s + i64::from(seconds);
        let more = minutes(wanted_s) - minutes(talk.granted_s);
        let more_free = if talk.cross { 0 } else { free.map_or(0, |free| free.left.min(more.max(0))) };
        let free_now = talk.free + more_free;
        let airtime = AccountId::Airtime(talk.who);
        let budget = self.books.minor(airtime) + talk.held;
        let paid = affordable(talk.tariff, minutes(wanted_s) - free_now, talk.cross, budget);
        let granted_s = wanted_s.min((free_now + paid) * 60);
        let held = minutes_cost(talk.tariff, paid, talk.cross);
        hold(granted_s > talk.granted_s && held >= talk.held, CALL_AS_ASKED, || {
            format!("entry {}: {talk:?} can't be extended", at.seq)
        })?;
        if at.ms + lasts_ms - talk.due_ms < 1_000 {
            self.meet("a call is extended within a second");
        }
        let mut expect = Expect::default();
        expect.moves(airtime, AccountId::Held(talk.operator), held - talk.held);
        self.use_free(&mut expect, free, more_free);
        let extended = talk.extended + 1;
        let due_ms = at.ms + lasts_ms;
        let talk = Talk { granted_s, free: free_now, held, due_ms, extended, ..talk };
        told(at, call, &talk, done)?;
        self.calls.talks.insert(call, talk);
        Ok(expect)
    }

    /// A call is over: committed after so many seconds, or nobody talked.
    fn ended(&mut self, at: At<'_>, call: Seq, seconds: Option<u32>, done: &OfficeDone) -> Result<Expect, Broken> {
        let talk = self.talk(at, call)?;
        let seconds = i64::from(seconds.unwrap_or(0));
        hold(seconds <= talk.granted_s, CALL_AS_ASKED, || format!("entry {}: {seconds} s of {talk:?}", at.seq))?;
        let (expect, charged, free) = self.settle(at, call, &talk, seconds);
        let airtime_minor = self.books.minor(AccountId::Airtime(talk.who)) + talk.held - charged;
        let due = OfficeDone::CallCharged {
            charged_minor: charged,
            free_minutes: u32::try_from(free).unwrap_or(u32::MAX),
            airtime_minor,
        };
        hold(*done == due, CALL_AS_ASKED, || format!("entry {}: {done:?}, due {due:?} of {talk:?}", at.seq))?;
        Ok(expect)
    }

    /// The time of a call is over that nobody ended: all of it comes back.
    pub(super) fn call_is_over(&mut self, at: At<'_>, call: Seq) -> Result<Expect, Broken> {
        let talk = self.calls.talks.get(&call).cloned().ok_or_else(|| wrong(at, "no such call"))?;
        hold(talk.due_ms <= at.ms, HELD_ENDS, || format!("entry {}: {talk:?} is not over at {}", at.seq, at.ms))?;
        if talk.extended > 0 {
            self.meet("an extended call's time is over");
        }
        Ok(self.settle(at, call, &talk, 0).0)
    }

    /// What moves at the end of a call, what it cost and how many free minutes it took.
    fn settle(&mut self, at: At<'_>, call: Seq, talk: &Talk, seconds: i64) -> (Expect, i64, i64) {
        let talked = minutes(seconds);
        let free = talk.free.min(talked);
        let charged = minutes_cost(talk.tariff, talked - free, talk.cross).min(talk.held);
        let mut expect = Expect::default();
        let held = AccountId::Held(talk.operator);
        expect.moves(held, AccountId::CallIncome(talk.operator), charged);
        expect.moves(held, AccountId::Airtime(talk.who), talk.held - charged);
        let back = talk.free - free;
        // They come back where they were counted, whatever the rules say by now; not once more was counted there in a later month.
        let there = talk.row.filter(|(limit, _)| back > 0 && self.limits.is_known(*limit));
        let used = there.and_then(|row| Some((row, *self.calls.used.get(&row)?)));
        if let Some((row, (month, used))) = used.filter(|(_, (month, _))| *month == talk.month) {
            self.calls.used.insert(row, (month, used - back));
            expect.uses(row.0, row.1, (month, used - back, 0));
            self.meet("free minutes come back");
        }
        if back > 0 && first_of_month(Calendar::of(talk.operator).date(at.ms)) != talk.month {
            self.meet("a call ends in another month");
        }
        if back > 0 && self.free_minutes(talk.operator, talk.who, at.ms).is_none() {
            self.meet("a call ends when nobody has free minutes any more");
        }
        if self.loads(talk.operator) > talk.loads {
            self.meet("a call ends after a rule change");
        }
        if talk.cross && charged > 0 {
            self.meet("a call to another network is charged");
        }
        self.calls.talks.remove(&call);
        (expect, charged, free)
    }

    fn consumed(
        &mut self,
        at: At<'_>,
        (msisdn, cross, seconds): (Msisdn, bool, u32),
        done: &OfficeDone,
    ) -> Result<Expect, Broken> {
        let (who, operator) = self.caller_of(at, msisdn, seconds)?;
        let rules = self.rules(operator).ok_or_else(|| wrong(at, "no rules"))?;
        let tariff = rules.tariff(at.ms);
        let free = self.free_minutes(operator, who, at.ms);
        let talked = minutes(i64::from(seconds));
        let free_now = if cross { 0 } else { free.map_or(0, |free| free.left.min(talked)) };
        let charged = minutes_cost(tariff, talked - free_now, cross);
        let airtime = AccountId::Airtime(who);
        let due = OfficeDone::CallCharged {
            charged_minor: charged,
            free_minutes: u32::try_from(free_now).unwrap_or(u32::MAX),
            airtime_minor: self.books.minor(airtime) - charged,
        };
        hold(*done == due, CALL_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let mut expect = Expect::default();
        expect.moves(airtime, AccountId::CallIncome(operator), charged);
        self.use_free(&mut expect, free, free_now);
        Ok(expect)
    }

    /// By how much somebody's airtime misses what was asked for; `None`: it misses nothing.
    pub(super) fn airtime_short(&self, at: At<'_>, command: CallCommand) -> Option<i64> {
        let short = |who, tariff, paid, cross, budget: Option<i64>| {
            let has = budget.unwrap_or_else(|| self.books.minor(AccountId::Airtime(who)));
            Some(minutes_cost(tariff, paid, cross) - has).filter(|short| *short > 0)
        };
        match command {
            CallCommand::Reserve { msisdn, cross, .. } => {
                let (who, facts) = self.registry.in_use(msisdn)?;
                let free = self.free_minutes(facts.operator, who, at.ms).map_or(0, |free| free.left);
                let none_free = cross || free == 0;
                short(who, self.rules(facts.operator)?.tariff(at.ms), 1, cross, None).filter(|_| none_free)
            }
            CallCommand::Consume { msisdn, cross, seconds } => {
                let (who, facts) = self.registry.in_use(msisdn)?;
                let free = self.free_minutes(facts.operator, who, at.ms).map_or(0, |free| free.left);
                let talked = minutes(i64::from(seconds));
                let paid = if cross { talked } else { talked - free.min(talked) };
                short(who, self.rules(facts.operator)?.tariff(at.ms), paid, cross, None)
            }
            CallCommand::Extend { call, .. } => {
                let talk = self.calls.talks.get(&call)?;
                let budget = self.books.minor(AccountId::Airtime(talk.who)) + talk.held;
                let paid = affordable(talk.tariff, minutes(talk.granted_s), talk.cross, budget);
                // The next minute that is not free any more can't be paid.
                short(talk.who, talk.tariff, paid + 1, talk.cross, Some(budget))
            }
            CallCommand::Commit { .. } | CallCommand::Release { .. } => None,
        }
    }

    /// What is set aside belongs to a gift on hold or to a call.
    pub(super) fn held_is_somebodys(&self, at: At<'_>) -> Held {
        let Some(operator) = at.entry.verdict.effects.operator else { return Ok(()) };
        let calls = self.calls.talks.values().filter(|talk| talk.operator == operator).map(|talk| talk.held);
        let gifts = self.holds.values().filter(|one| one.operator == operator).map(super::gifts::OnHold::total);
        let (due, held) = (calls.chain(gifts).sum::<i64>(), self.books.minor(AccountId::Held(operator)));
        hold(due == held, HELD_ENDS, || format!("entry {}: {held} is held, {due} belongs to somebody", at.seq))
    }
}

fn told(at: At<'_>, call: Seq, talk: &Talk, done: &OfficeDone) -> Held {
    let due = OfficeDone::CallReserved {
        call,
        granted_s: u32::try_from(talk.granted_s).unwrap_or(u32::MAX),
        free_minutes: u32::try_from(talk.free).unwrap_or(u32::MAX),
        held_minor: talk.held,
        expires_at: domain::time::Timestamp::from_ms(talk.due_ms),
    };
    hold(*done == due, CALL_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))
}
