//! Two baselines, measured in the same run: what a gift costs on plain tables, and what the disk alone can do.
//!
//! [`tables`] does the same work as a gift (id, balances, two limits, a row of history) the usual way: SQLite tables, a
//! transaction per group. [`bare_file`] writes the same octets into a preallocated file and syncs them.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::{Connection, OptionalExtension, Statement, params};

/// Gifts per transaction of the tables.
pub(super) const GROUP: usize = 512;

/// Gifts a second on plain tables with `accounts` cards and as many airtime accounts.
pub(super) fn tables(dir: &Path, accounts: u32, lasts: Duration) -> anyhow::Result<u64> {
    let path = dir.join("baseline-tables.sqlite");
    let mut db = Connection::open(&path).context("opening the baseline's tables")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "cache_size", -262_144)?;
    db.execute_batch(
        "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
         CREATE TABLE usage (subject INTEGER, lim INTEGER, start INTEGER, count INTEGER, total INTEGER,
                             PRIMARY KEY (subject, lim)) WITHOUT ROWID;
         CREATE TABLE command (id BLOB PRIMARY KEY, seq INTEGER) WITHOUT ROWID;
         CREATE TABLE entry (seq INTEGER PRIMARY KEY, sender INTEGER, recipient INTEGER, amount INTEGER, tag BLOB);",
    )?;
    let fill = db.transaction()?;
    {
        let mut insert = fill.prepare("INSERT INTO account VALUES (?1, 1000000)")?;
        for id in 0..i64::from(accounts) * 2 {
            insert.execute(params![id])?;
        }
    }
    fill.commit()?;
    let mut random = Random::new();
    let (mut gifts, began) = (0_i64, Instant::now());
    while began.elapsed() < lasts {
        let group = db.transaction()?;
        {
            let mut on = Tables::prepare(&group)?;
            for _ in 0..GROUP {
                on.gift(&mut random, i64::from(accounts), gifts)?;
                gifts += 1;
            }
        }
        group.commit()?;
    }
    let rate = per_second(gifts.unsigned_abs(), began.elapsed());
    drop(db);
    std::fs::remove_file(&path)?;
    Ok(rate)
}

/// The statements of one gift.
struct Tables<'c> {
    known: Statement<'c>,
    balance: Statement<'c>,
    usage: Statement<'c>,
    debit: Statement<'c>,
    credit: Statement<'c>,
    use_limit: Statement<'c>,
    remember: Statement<'c>,
    record: Statement<'c>,
}

impl<'c> Tables<'c> {
    fn prepare(db: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            known: db.prepare("SELECT seq FROM command WHERE id = ?1")?,
            balance: db.prepare("SELECT balance FROM account WHERE id = ?1")?,
            usage: db.prepare("SELECT count FROM usage WHERE subject = ?1 AND lim = ?2")?,
            debit: db.prepare("UPDATE account SET balance = balance - ?2 WHERE id = ?1")?,
            credit: db.prepare("UPDATE account SET balance = balance + ?2 WHERE id = ?1")?,
            use_limit: db.prepare(
                "INSERT INTO usage VALUES (?1, ?2, 20000, 1, ?3)
                 ON CONFLICT DO UPDATE SET count = count + 1, total = total + ?3",
            )?,
            remember: db.prepare("INSERT INTO command VALUES (?1, ?2)")?,
            record: db.prepare("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?,
        })
    }

    fn gift(&mut self, random: &mut Random, accounts: i64, seq: i64) -> anyhow::Result<()> {
        let mut below = |bound: i64| i64::try_from(random.below(bound.unsigned_abs())).unwrap_or(0);
        let sender = below(accounts);
        let recipient = accounts + (sender * 31 + below(8) * 7_919 + 1) % accounts;
        let amount = 1 + below(9);
        let mut id = [0_u8; 16];
        id.split_at_mut(8).0.copy_from_slice(&seq.to_be_bytes());
        id.split_at_mut(8).1.copy_from_slice(&random.next().to_be_bytes());
        let known: Option<i64> = self.known.query_row(params![id], |row| row.get(0)).optional()?;
        let balance: i64 = self.balance.query_row(params![sender], |row| row.get(0))?;
        anyhow::ensure!(known.is_none() && balance > 9, "the baseline refused a gift");
        for limit in 0..2 {
            let used: Option<i64> = self.usage.query_row(params![sender, limit], |row| row.get(0)).optional()?;
            anyhow::ensure!(used.unwrap_or(0) < i64::MAX, "the baseline refused a gift");
            self.use_limit.execute(params![sender, limit, amount])?;
        }
        self.debit.execute(params![sender, amount])?;
        self.credit.execute(params![recipient, amount])?;
        self.remember.execute(params![id, seq])?;
        self.record.execute(params![seq, sender, recipient, amount, id])?;
        Ok(())
    }
}

/// What a bare file does with appends of `octets`: appends a second.
pub(super) fn bare_file(dir: &Path, octets: usize, lasts: Duration) -> anyhow::Result<u64> {
    const ROOM: u64 = 256 << 20;
    let path = dir.join("baseline-file");
    let file = OpenOptions::new().create_new(true).write(true).open(&path).context("making the baseline's file")?;
    let zeros = vec![0_u8; 1 << 20];
    for at in (0..ROOM).step_by(zeros.len()) {
        file.write_all_at(&zeros, at)?;
    }
    file.sync_all()?;
    let bytes = vec![0xA5_u8; octets];
    let (mut appends, mut at, began) = (0_u64, 0, Instant::now());
    while began.elapsed() < lasts {
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        appends += 1;
        at = (at + octets as u64) % (ROOM - octets as u64);
    }
    let rate = per_second(appends, began.elapsed());
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(rate)
}

/// Whole units a second.
pub(super) fn per_second(count: u64, elapsed: Duration) -> u64 {
    let us = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / us).unwrap_or(u64::MAX)
}

/// A small generator: baselines need speed, not secrecy (xorshift64, Marsaglia 2003).
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    /// A stream of its own for each caller.
    pub(super) const fn seeded(caller: u64) -> Self {
        Self((caller + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
