//! The tables against the fold of the journal: what `sonmul verify` shows.
//!
//! Guarantees: every subscriber, card, book, lock and every usage that can still count is compared; numbers are
//! shortened as everywhere, and no tag is shown.

use std::collections::HashMap;
use std::fmt::Debug;

use domain::account::AccountId;
use domain::ids::{CardId, LinkId, OperatorId, SubscriberId};
use domain::restore::{CardRow, SubscriberRow};
use domain::rules::limit::Limit;
use domain::state::{BOOKS, Card, Lock, Purse, State, Subscriber, Usage, UsageKey, books_of};
use engine::checkpoint::CheckpointFault;
use rusqlite::Connection;

use super::load::{LEDGER, LOCKS, RECORDS, USAGE, each, ledger, lock, record, usage};
use super::rows::{self, Columns, StateColumns};
use super::{Meta, fault};

/// A row that is not what the journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which row: `subscriber 12`, `card 00000007`.
    pub row: String,
    /// Which of its facts.
    pub fact: &'static str,
    /// As the checkpoint has it.
    pub checkpoint: String,
    /// As the journal's fold has it.
    pub journal: String,
}

struct Differences {
    found: Vec<Difference>,
    max: usize,
}

impl Differences {
    fn compare<T: PartialEq + Debug>(&mut self, row: &dyn Fn() -> String, fact: &'static str, table: T, fold: T) {
        if table != fold && self.found.len() < self.max {
            let (checkpoint, journal) = (format!("{table:?}"), format!("{fold:?}"));
            self.found.push(Difference { row: row(), fact, checkpoint, journal });
        }
    }
}

pub(super) fn compare(
    conn: &Connection,
    meta: &Meta,
    state: &State,
    max: usize,
) -> Result<Vec<Difference>, CheckpointFault> {
    let mut found = Differences { found: Vec::new(), max };
    let row = || String::from("checkpoint");
    found.compare(&row, "seq", meta.head.seq, state.seq());
    if !found.found.is_empty() {
        // As of different entries everything may differ.
        return Ok(found.found);
    }
    let (subscribers, cards) = state.rows();
    found.compare(&row, "subscribers", meta.subscribers as usize, subscribers);
    found.compare(&row, "cards", meta.cards as usize, cards);
    each(conn, rows::SUBSCRIBERS, [], |row| {
        let id = SubscriberId(Columns(row).narrow(0)?);
        let table = rows::subscriber(Columns(row))?;
        if let Some(fold) = state.subscriber(id) {
            subscriber(&mut found, id, &table, fold, state);
        }
        Ok(())
    })?;
    each(conn, rows::CARDS, [], |row| {
        let id = CardId(Columns(row).narrow(0)?);
        let table = rows::card(Columns(row))?;
        if let Some(fold) = state.card(id) {
            card(&mut found, id, &table, fold);
        }
        Ok(())
    })?;
    operators(conn, state, &mut found)?;
    office(conn, state, &mut found)?;
    locks(conn, state, &mut found)?;
    all_usage(conn, state, &mut found)?;
    Ok(found.found)
}

fn subscriber(found: &mut Differences, id: SubscriberId, table: &SubscriberRow, fold: &Subscriber, state: &State) {
    let row = || format!("subscriber {} ({:?})", id.0, fold.facts.msisdn);
    found.compare(&row, "facts", table.facts, fold.facts);
    found.compare(&row, "airtime", table.airtime, fold.airtime);
    found.compare(&row, "latest entry", table.latest, fold.latest);
    found.compare(&row, "refusals", table.refused, (fold.refused_date, fold.refused_count));
    found.compare(&row, "recipients", table.recents.as_slice(), state.recents_of(fold));
}

fn card(found: &mut Differences, id: CardId, table: &CardRow, fold: &Card) {
    let row = || format!("card {}", domain::ids::Serial::of(id));
    let (facts, known) = (&table.facts, &fold.facts);
    found.compare(&row, "number", facts.number, known.number);
    found.compare(&row, "operator", facts.operator, known.operator);
    found.compare(&row, "issued and expires", (facts.issued_at, facts.expires_at), (known.issued_at, known.expires_at));
    let (here, there) = (StateColumns::from(&facts.state), StateColumns::from(&known.state));
    let shown = |state: &StateColumns| (state.name, state.holder, state.at_ms, state.outlet, state.voiding);
    found.compare(&row, "state", shown(&here), shown(&there));
    if here.tag != there.tag {
        found.compare(&row, "tag", "another one", "this one");
    }
    found.compare(&row, "balance", table.purse, fold.purse);
    found.compare(&row, "bound", table.bound, fold.bound);
    found.compare(&row, "wrong passwords at binding", table.bind_wrong, fold.bind_wrong);
    found.compare(&row, "batch", facts.batch, known.batch);
    found.compare(&row, "bought for", table.bought, fold.bought);
}

fn operators(conn: &Connection, state: &State, found: &mut Differences) -> Result<(), CheckpointFault> {
    let columns = super::write::BOOK_COLUMNS.map(|book| format!("{book}_minor, {book}_seq")).join(", ");
    let mut rows = 0;
    each(conn, &format!("SELECT id, date, file_hash, {columns} FROM operators ORDER BY id"), [], |row| {
        let columns = Columns(row);
        rows += 1;
        let id = OperatorId(columns.narrow(0)?);
        let Some(fold) = state.operator(id) else { return Ok(()) };
        let row = || format!("operator {}", fold.rules.operator);
        found.compare(&row, "date", columns.date(1)?, fold.date);
        found.compare(&row, "hash of its rules file", columns.octets(2)?, fold.file_hash.as_slice());
        for (account, column) in books_of(id).into_iter().zip((3..3 + 2 * BOOKS).step_by(2)) {
            found.compare(&row, account.kind(), Some(columns.purse(column)?), purse(state, account));
        }
        Ok(())
    })?;
    found.compare(&|| String::from("checkpoint"), "operators", rows, state.operators().count());
    Ok(())
}

fn office(conn: &Connection, state: &State, found: &mut Differences) -> Result<(), CheckpointFault> {
    let (mut records, mut accounts) = (0, 0);
    each(conn, RECORDS, [], |row| {
        let (key, table) = record(Columns(row))?;
        records += 1;
        let row = || format!("{} {}", key.kind.name(), key.id);
        // What a motion holds is long: that they differ is enough.
        found.compare(&row, "record", true, state.record(key) == Some(&table));
        Ok(())
    })?;
    each(conn, LEDGER, [], |row| {
        let (account, table) = ledger(Columns(row))?;
        accounts += 1;
        let row = || format!("account {account:?}");
        found.compare(
            &row,
            "balance",
            Some(table),
            state.ledger().find(|(id, _)| *id == account).map(|(_, fold)| fold),
        );
        Ok(())
    })?;
    let row = || String::from("checkpoint");
    found.compare(&row, "records", records, state.records().count());
    found.compare(&row, "accounts of the ledger", accounts, state.ledger().count());
    Ok(())
}

fn purse(state: &State, account: AccountId) -> Option<Purse> {
    state.purse(account)
}

fn locks(conn: &Connection, state: &State, found: &mut Differences) -> Result<(), CheckpointFault> {
    let mut folded: HashMap<(SubscriberId, LinkId), Lock> =
        state.locks().map(|(subscriber, link, lock)| ((subscriber, link), lock)).collect();
    let row =
        |subscriber: SubscriberId, link: LinkId| format!("lock of subscriber {} over link {}", subscriber.0, link.0);
    each(conn, LOCKS, [], |columns| {
        let (subscriber, link, table) = lock(Columns(columns))?;
        let fold = folded.remove(&(subscriber, link));
        found.compare(&|| row(subscriber, link), "lock", Some(table), fold);
        Ok(())
    })?;
    for ((subscriber, link), fold) in folded {
        found.compare(&|| row(subscriber, link), "lock", None, Some(fold));
    }
    Ok(())
}

/// Limits in the rules of now, by row, with their operator's date.
type InForce<'a> = HashMap<u16, (&'a Limit, domain::time::BusinessDate)>;

/// Usage counts while its limit is in the rules and its window is not over.
fn counts(in_force: &InForce<'_>, key: UsageKey, usage: &Usage) -> bool {
    in_force.get(&key.limit.0).is_some_and(|(limit, date)| limit.window.end(usage.start) > *date)
}

fn all_usage(conn: &Connection, state: &State, found: &mut Differences) -> Result<(), CheckpointFault> {
    let mut in_force = InForce::new();
    for (_, operator) in state.operators() {
        let limits = operator.rules.periods.iter().flat_map(|period| &period.limits);
        in_force.extend(limits.map(|limit| (limit.id.0, (limit, operator.date))));
    }
    let row = |key: UsageKey| format!("usage of limit {} by {:#x}", key.limit.0, key.subject);
    let fold_of = |key: UsageKey| state.usage(key, state.limits().get(usize::from(key.limit.0))?.subject);
    let mut known = 0;
    each(conn, USAGE, [], |columns| {
        let (key, table) = usage(Columns(columns))?;
        let fold = fold_of(key);
        known += usize::from(fold.is_some_and(|fold| counts(&in_force, key, &fold)));
        if counts(&in_force, key, &table) || fold.is_some_and(|fold| counts(&in_force, key, &fold)) {
            found.compare(&|| row(key), "usage", Some(table), fold);
        }
        Ok(())
    })?;
    if state.all_usage().filter(|(key, fold)| counts(&in_force, *key, fold)).count() == known {
        return Ok(());
    }
    // Some are not in the table: only now is it worth looking for each.
    let sql = "SELECT count(*) FROM usage WHERE limit_id = ?1 AND subject = ?2";
    let mut find = conn.prepare(sql).map_err(|error| fault(&error))?;
    for (key, fold) in state.all_usage().filter(|(key, fold)| counts(&in_force, *key, fold)) {
        let rows: i64 = find
            .query_row((key.limit.0, key.subject.cast_signed()), |row| row.get(0))
            .map_err(|error| fault(&error))?;
        if rows == 0 {
            found.compare(&|| row(key), "usage", None, Some(fold));
        }
    }
    Ok(())
}
