//! Building the state again from the tables, large ones side by side.
//!
//! Each large table is read by a thread of its own and handed over in blocks; this thread builds. On two cores the
//! reading of one table and the building of another's rows overlap.
//!
//! Bounded by [`BLOCKS`] blocks waiting for each table.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, scope};

use domain::account::AccountId;
use domain::ids::{LimitId, LinkId, OperatorId, SubscriberId};
use domain::office::{Record, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::restore::{CardRow, Restore, RestoreError, SubscriberRow};
use domain::rules::{LimitName, Rules};
use domain::state::{LimitIdentity, LimitRow, Lock, Purse, Usage, UsageKey};
use domain::time::Timestamp;
use engine::checkpoint::CheckpointFault;
use engine::ids::{IdRow, Ids, IdsConfig, IdsKept};
use engine::replica::Replica;
use rusqlite::{Connection, Row, params};

use super::rows::{self, Columns};
use super::{Meta, damaged, fault};
use crate::sqlite::{self, int};

/// Rows that are handed over at once.
const BLOCK: usize = 4_096;
/// Blocks that wait for this thread, all tables together.
const BLOCKS: usize = 8;

enum Block {
    Subscribers(Vec<SubscriberRow>),
    Cards(Vec<CardRow>),
    Usage(Vec<(UsageKey, Usage, Seq)>),
    Fault(CheckpointFault),
}

/// Builds the state and the ids.
pub(super) fn load(path: &Path, conn: &Connection, meta: &Meta, config: IdsConfig) -> Result<Replica, CheckpointFault> {
    let mut restore = Restore::new(meta.subscribers as usize, meta.cards as usize);
    restore.limits_made(meta.limits_made);
    limits(conn, &mut restore)?;
    operators(conn, &mut restore)?;
    restore.remembered(meta.remembered);
    let (blocks, take) = sync_channel(BLOCKS);
    let ids = scope(|scope| {
        let (rows, cards) = (meta.subscribers, meta.cards);
        spawn(scope, path, &blocks, move |conn, send| {
            table(conn, rows::SUBSCRIBERS, Some(rows), rows::subscriber, |block| send(Block::Subscribers(block)))
        });
        spawn(scope, path, &blocks, move |conn, send| {
            table(conn, rows::CARDS, Some(cards), rows::card, |block| send(Block::Cards(block)))
        });
        spawn(scope, path, &blocks, |conn, send| table(conn, USAGE, None, usage, |block| send(Block::Usage(block))));
        drop(blocks);
        let ids = scope.spawn(move || {
            let conn = sqlite::open_to_read(path).map_err(|error| fault(&error))?;
            ids(&conn, meta, config)
        });
        build(&take, &mut restore)?;
        office(conn, &mut restore)?;
        small_tables(conn, &mut restore)?;
        ids.join().map_err(|_| CheckpointFault::Io(String::from("the thread that read ids is gone")))?
    })?;
    let state = restore.finish(meta.head.seq, meta.head.at).map_err(misfit)?;
    Ok(Replica { state, ids, head: meta.head })
}

fn misfit(error: RestoreError) -> CheckpointFault {
    damaged(error.0)
}

/// Takes blocks until all threads are done. Once one is faulty the rest is only taken, so that no thread waits for
/// ever.
fn build(take: &Receiver<Block>, restore: &mut Restore) -> Result<(), CheckpointFault> {
    let mut built = Ok(());
    for block in take {
        if built.is_err() {
            continue;
        }
        built = match block {
            Block::Subscribers(rows) => rows.into_iter().try_for_each(|row| restore.subscriber(row)).map_err(misfit),
            Block::Cards(rows) => rows.iter().try_for_each(|row| restore.card(row)).map_err(misfit),
            Block::Usage(rows) => {
                rows.into_iter().try_for_each(|(key, row, seq)| restore.usage(key, row, seq)).map_err(misfit)
            }
            Block::Fault(fault) => Err(fault),
        };
    }
    built
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    path: &'scope Path,
    blocks: &SyncSender<Block>,
    read: impl FnOnce(&Connection, &mut dyn FnMut(Block)) -> Result<(), CheckpointFault> + Send + 'scope,
) {
    let blocks = blocks.clone();
    scope.spawn(move || {
        // The receiver outlives all threads.
        let mut send = |block| drop(blocks.send(block));
        let read = sqlite::open_to_read(path).map_err(|error| fault(&error)).and_then(|conn| read(&conn, &mut send));
        if let Err(fault) = read {
            send(Block::Fault(fault));
        }
    });
}

/// Reads a table in blocks. `count`: rows that `meta` knows, which are numbered from 0 without a gap.
fn table<T>(
    conn: &Connection,
    sql: &str,
    count: Option<u32>,
    read: impl Fn(Columns<'_>) -> Result<T, CheckpointFault>,
    mut send: impl FnMut(Vec<T>),
) -> Result<(), CheckpointFault> {
    let mut select = conn.prepare(sql).map_err(|error| fault(&error))?;
    let mut found = select.query([]).map_err(|error| fault(&error))?;
    let mut block = Vec::with_capacity(BLOCK);
    let mut next = 0;
    while let Some(row) = found.next().map_err(|error| fault(&error))? {
        let columns = Columns(row);
        if count.is_some() {
            rows::in_order(columns, &mut next)?;
        }
        block.push(read(columns)?);
        if block.len() == BLOCK {
            send(core::mem::replace(&mut block, Vec::with_capacity(BLOCK)));
        }
    }
    send(block);
    match count {
        Some(count) if count != next => Err(damaged("rows are missing at the end of a table")),
        _ => Ok(()),
    }
}

const USAGE: &str = "SELECT limit_id, subject, start, count, total_minor, seq FROM usage";

fn usage(columns: Columns<'_>) -> Result<(UsageKey, Usage, Seq), CheckpointFault> {
    let key = UsageKey { limit: LimitId(columns.narrow(0)?), subject: columns.int(1)?.cast_unsigned() };
    let usage = Usage { start: columns.date(2)?, count: columns.narrow(3)?, total_minor: columns.int(4)? };
    Ok((key, usage, Seq(columns.int(5)?.cast_unsigned())))
}

/// Gives each row of a query to `take`.
fn each(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    mut take: impl FnMut(&Row<'_>) -> Result<(), CheckpointFault>,
) -> Result<(), CheckpointFault> {
    let mut select = conn.prepare(sql).map_err(|error| fault(&error))?;
    let mut rows = select.query(params).map_err(|error| fault(&error))?;
    while let Some(row) = rows.next().map_err(|error| fault(&error))? {
        take(row)?;
    }
    Ok(())
}

fn limits(conn: &Connection, restore: &mut Restore) -> Result<(), CheckpointFault> {
    each(conn, "SELECT id, operator, name, kind, subject, window, until_ms FROM limits ORDER BY id", [], |row| {
        let columns = Columns(row);
        let identity = LimitIdentity {
            operator: OperatorId(columns.narrow(1)?),
            name: LimitName::new(columns.text(2)?),
            kind: rows::kind_of(columns.text(3)?)?,
            subject: rows::subject_of(columns.text(4)?)?,
            window: rows::window_of(columns.text(5)?)?,
        };
        let until = columns.maybe_int(6)?.map_or(Timestamp::MAX, Timestamp::from_ms);
        restore.limit(LimitId(columns.narrow(0)?), LimitRow { identity, until }).map_err(misfit)
    })
}

fn operators(conn: &Connection, restore: &mut Restore) -> Result<(), CheckpointFault> {
    let mut next = 0;
    each(conn, "SELECT id, rules, file_hash, date, * FROM operators ORDER BY id", [], |row| {
        let columns = Columns(row);
        let id = rows::in_order(columns, &mut next)?;
        let id = u8::try_from(id).map_err(|_| damaged("too many operators"))?;
        let rules: Rules = minicbor::decode(columns.octets(1)?).map_err(|_| damaged("an operator's rules are none"))?;
        let file_hash = columns.octets(2)?.try_into().map_err(|_| damaged("the hash of a rules file is none"))?;
        let mut books = [Default::default(); domain::state::BOOKS];
        for (book, column) in books.iter_mut().zip((FIRST_BOOK..).step_by(2)) {
            *book = columns.purse(column)?;
        }
        restore.operator(OperatorId(id), &rules.into(), file_hash, columns.date(3)?, books).map_err(misfit)
    })
}

/// Where the first book stands in what [`operators`] reads: after four columns, and five of the table.
const FIRST_BOOK: usize = 4 + 5;

/// What the office keeps, then its accounts, which name operators and outlets.
fn office(conn: &Connection, restore: &mut Restore) -> Result<(), CheckpointFault> {
    // In the order of ids, so that a sender's holds are in the order of giving.
    each(conn, RECORDS, [], |row| {
        let (key, record) = record(Columns(row))?;
        restore.record(key, record).map_err(misfit)
    })?;
    each(conn, LEDGER, [], |row| {
        let (account, purse) = ledger(Columns(row))?;
        restore.account(account, purse).map_err(misfit)
    })
}

const RECORDS: &str = "SELECT kind, id, record FROM records ORDER BY kind, id";

fn record(columns: Columns<'_>) -> Result<(RecordKey, Record), CheckpointFault> {
    let kind = RecordKind::from_name(columns.text(0)?).ok_or_else(|| damaged("a record's kind is none"))?;
    let record = minicbor::decode(columns.octets(2)?).map_err(|_| damaged("a record is none"))?;
    Ok((RecordKey { kind, id: columns.int(1)?.cast_unsigned() }, record))
}

const LEDGER: &str = "SELECT account, balance_minor, latest_seq FROM ledger ORDER BY account";

fn ledger(columns: Columns<'_>) -> Result<(AccountId, Purse), CheckpointFault> {
    let code = columns.int(0)?.cast_unsigned();
    let account = AccountId::from_code(code).ok_or_else(|| damaged("an account is none"))?;
    Ok((account, columns.purse(1)?))
}

fn small_tables(conn: &Connection, restore: &mut Restore) -> Result<(), CheckpointFault> {
    each(conn, LOCKS, [], |row| {
        lock(Columns(row)).map(|(subscriber, link, lock)| restore.lock(subscriber, link, lock))
    })?;
    each(conn, "SELECT rows FROM repeats ORDER BY first_seq", [], |row| {
        let (block, rest) = Columns(row).octets(0)?.as_chunks();
        if !rest.is_empty() {
            return Err(damaged("remembered gifts are cut off"));
        }
        block.iter().try_for_each(|octets| rows::repeat_of(octets).map(|row| restore.repeat(&row)))
    })
}

fn ids(conn: &Connection, meta: &Meta, config: IdsConfig) -> Result<Ids, CheckpointFault> {
    let mut ids = Ids::new(config);
    let IdsKept { floor, programs_from, ussd_from } = meta.ids_kept;
    ids.raise_floor(floor);
    // Whoever remembers none need not read them.
    if config != IdsConfig::NONE {
        ids.reserve(id_rows(conn, "ids", programs_from)?, id_rows(conn, "ussd_ids", ussd_from)?);
        ids_of(conn, "ids", programs_from, &mut ids)?;
        ids_of(conn, "ussd_ids", ussd_from, &mut ids)?;
    }
    Ok(ids)
}

/// About how many rows one table of ids has.
fn id_rows(conn: &Connection, table: &str, from: Seq) -> Result<usize, CheckpointFault> {
    let mut rows = 0;
    let sql = format!("SELECT ifnull(sum(length(rows)), 0) FROM {table} WHERE last_seq >= ?1");
    each(conn, &sql, params![int(from)], |row| {
        let octets = usize::try_from(Columns(row).int(0)?).map_err(|_| damaged("ids without end"))?;
        rows = octets / IdRow::LEN;
        Ok(())
    })?;
    Ok(rows)
}

/// Generations begin with the first id that is put in, so that it must be the one that the engine's began with.
fn ids_of(conn: &Connection, table: &str, from: Seq, ids: &mut Ids) -> Result<(), CheckpointFault> {
    let sql = format!("SELECT rows FROM {table} WHERE last_seq >= ?1 ORDER BY first_seq");
    each(conn, &sql, params![int(from)], |row| {
        let (block, rest) = Columns(row).octets(0)?.as_chunks::<{ IdRow::LEN }>();
        if !rest.is_empty() {
            return Err(damaged("ids are cut off"));
        }
        block.iter().map(IdRow::from_bytes).filter(|row| row.known.seq >= from).for_each(|row| ids.insert_row(&row));
        Ok(())
    })
}

const LOCKS: &str = "SELECT subscriber, link, wrong, level, until_ms, at_ms FROM locks";

fn lock(columns: Columns<'_>) -> Result<(SubscriberId, LinkId, Lock), CheckpointFault> {
    let until = columns.maybe_int(4)?.map(Timestamp::from_ms);
    let lock = Lock { wrong: columns.narrow(2)?, level: columns.narrow(3)?, until, at: columns.at(5)? };
    Ok((SubscriberId(columns.narrow(0)?), LinkId(columns.narrow(1)?), lock))
}
