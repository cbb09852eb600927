//! Writing a delta: one transaction, rows in the order of tables, prepared statements.
//!
//! Guarantees: on any fault the tables are as before.

use domain::account::AccountId;
use domain::ids::{BatchId, LimitId, SubscriberId};
use domain::memory::Remembered;
use domain::office::till::Bought;
use domain::receipt::Seq;
use domain::state::{BOOKS, CardFacts, LimitIdentity, LimitRow, Recents, UsageKey};
use domain::time::Timestamp;
use engine::checkpoint::{CardDelta, CheckpointFault, Delta, OperatorDelta, SubscriberDelta, promote};
use engine::ids::{IdRow, IdsKept};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::rows::{self, StateColumns};
use super::slices::Slice;
use super::{Meta, damaged, fault};
use crate::sqlite::int;

/// Ids or remembered gifts in one row.
const BLOCK_ROWS: usize = 16_384;
/// Rows of pair usage that a write looks through for windows that are over, besides twice as many as it writes.
const PRUNE_ROWS: usize = 1_000;

/// Writes a delta; gives what `meta` says then.
pub(super) fn write(
    conn: &mut Connection,
    meta: Meta,
    delta: &Delta,
    slice: &mut Slice,
) -> Result<Meta, CheckpointFault> {
    if delta.head.seq < meta.head.seq {
        return Err(damaged("it is ahead of what it should follow"));
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| fault(&error))?;
    let limits_made = meta.limits_made.max(delta.limits_made);
    let meta = Meta { remembered: delta.remembered(meta.remembered), limits_made, ..meta };
    let mut writing = Writing { tx: &tx, meta, slice };
    writing.limits(delta)?;
    writing.operators(delta)?;
    writing.subscribers(delta)?;
    writing.cards(delta)?;
    writing.office(delta)?;
    let written = writing.usage(delta).and_then(|()| writing.locks(delta));
    written.and_then(|()| writing.ids(delta)).and_then(|()| writing.repeats(delta)).map_err(|error| fault(&error))?;
    writing.forget(2 * delta.usage.len() + PRUNE_ROWS).map_err(|error| fault(&error))?;
    writing.meta.pruned = writing.prune(2 * delta.usage.len() + PRUNE_ROWS).map_err(|error| fault(&error))?;
    let meta = writing.meta(delta).map_err(|error| fault(&error))?;
    tx.commit().map_err(|error| fault(&error))?;
    Ok(meta)
}

struct Writing<'a> {
    tx: &'a Transaction<'a>,
    meta: Meta,
    slice: &'a mut Slice,
}

type Written = Result<(), CheckpointFault>;

impl<'a> Writing<'a> {
    fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>, CheckpointFault> {
        self.tx.prepare_cached(sql).map_err(|error| fault(&error))
    }

    fn meta(&self, delta: &Delta) -> rusqlite::Result<Meta> {
        let meta = Meta { head: delta.head, ids_kept: delta.ids_kept, ..self.meta };
        let Remembered { pairs, repeats, pair_window_days } = meta.remembered;
        let sql = "UPDATE meta SET seq = ?1, hash = ?2, at_ms = ?3, ids_floor_ms = ?4, programs_from = ?5, \
                   ussd_from = ?6, subscribers = ?7, cards = ?8, pair_window_days = ?9, \
                   pairs_turned_ms = ?10, pairs_newest_from = ?11, pairs_before_from = ?12, \
                   repeats_turned_ms = ?13, repeats_newest_from = ?14, repeats_before_from = ?15, \
                   limits_made = ?16, pruned_limit = ?17, pruned_subject = ?18";
        self.tx.prepare_cached(sql)?.execute(params![
            int(meta.head.seq),
            meta.head.hash,
            meta.head.at.ms(),
            meta.ids_kept.floor.ms(),
            int(meta.ids_kept.programs_from),
            int(meta.ids_kept.ussd_from),
            meta.subscribers,
            meta.cards,
            pair_window_days,
            pairs.at.ms(),
            int(pairs.newest_from),
            int(pairs.before_from),
            repeats.at.ms(),
            int(repeats.newest_from),
            int(repeats.before_from),
            meta.limits_made,
            meta.pruned.0,
            meta.pruned.1
        ])?;
        Ok(meta)
    }

    fn limits(&mut self, delta: &Delta) -> Written {
        let mut put = self.prepare("INSERT OR REPLACE INTO limits VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut remove = self.prepare("DELETE FROM limits WHERE id = ?1")?;
        let mut forget = self.prepare("INSERT OR IGNORE INTO forgotten VALUES (?1)")?;
        for (LimitId(id), limit) in &delta.limits {
            let written = match limit {
                Some(LimitRow { identity, until }) => {
                    let LimitIdentity { operator, name, kind, subject, window } = identity;
                    let until_ms = (*until != Timestamp::MAX).then(|| until.ms());
                    let (kind, subject, window) = (kind.name(), subject.name(), window.to_string());
                    put.execute(params![id, operator.0, name.as_str(), kind, subject, window, until_ms])
                }
                None => remove.execute([id]).and_then(|_| forget.execute([id])),
            };
            written.map_err(|error| fault(&error))?;
        }
        Ok(())
    }

    fn operators(&self, delta: &Delta) -> Written {
        for (id, operator) in &delta.operators {
            self.operator(id.0, operator)?;
        }
        Ok(())
    }

    fn operator(&self, id: u8, operator: &OperatorDelta) -> Written {
        let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            self.tx.prepare_cached(sql).and_then(|mut run| run.execute(params)).map_err(|error| fault(&error))
        };
        if let Some((rules, file_hash)) = &operator.rules {
            let bytes = minicbor::to_vec(&**rules).map_err(|error| CheckpointFault::Io(error.to_string()))?;
            let sql = "INSERT INTO operators VALUES (?1, ?2, ?3, ?4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) \
                       ON CONFLICT DO UPDATE SET name = ?2, rules = ?3, file_hash = ?4";
            run(sql, &[&id, &rules.operator, &bytes, file_hash])?;
        }
        if let Some(date) = operator.date {
            run("UPDATE operators SET date = max(date, ?2) WHERE id = ?1", &[&id, &date.days()])?;
        }
        for (set, purse) in BOOK_COLUMNS.iter().zip(&operator.books) {
            if let Some(purse) = purse {
                let sql = format!("UPDATE operators SET {set}_minor = ?2, {set}_seq = ?3 WHERE id = ?1");
                run(&sql, &[&id, &purse.balance_minor, &int(purse.latest)])?;
            }
        }
        Ok(())
    }

    fn subscribers(&mut self, delta: &Delta) -> Written {
        let mut insert = self.prepare(
            "INSERT INTO subscribers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?;
        let mut set_facts = self.prepare(
            "UPDATE subscribers SET msisdn = ?2, imsi = ?3, operator = ?4, generation = ?5, language = ?6, \
             standing = ?7, since_ms = ?8, imsi_changed_at_ms = ?9 WHERE id = ?1",
        )?;
        let mut touch = Touch::prepare(self)?;
        for (SubscriberId(id), row) in &delta.subscribers {
            self.slice.row();
            let Some(facts) = &row.facts else {
                touch.subscriber(*id, row)?;
                continue;
            };
            let imsi = facts.imsi.map(|imsi| imsi.get().to_string());
            let msisdn = facts.msisdn.get().cast_signed();
            let (language, standing) = (facts.language.tag(), rows::standing_name(facts.standing));
            let changed_ms = facts.imsi_changed_at.map(Timestamp::ms);
            let (operator, generation, since_ms) = (facts.operator.0, facts.generation, facts.since.ms());
            let written = if *id < self.meta.subscribers {
                touch.subscriber(*id, row)?;
                set_facts
                    .execute(params![id, msisdn, imsi, operator, generation, language, standing, since_ms, changed_ms])
            } else {
                let airtime = row.airtime.unwrap_or_default();
                let (date, count) = row.refused.unwrap_or_default();
                let latest = int(row.latest.unwrap_or_default());
                let recents = rows::recents_octets(&row.gave_to);
                self.meta.subscribers = next_row(*id, self.meta.subscribers)?;
                insert.execute(params![
                    id,
                    msisdn,
                    imsi,
                    operator,
                    generation,
                    language,
                    standing,
                    since_ms,
                    changed_ms,
                    airtime.balance_minor,
                    int(airtime.latest),
                    latest,
                    date.days(),
                    count,
                    recents
                ])
            };
            written.map_err(|error| fault(&error))?;
        }
        Ok(())
    }

    /// Records and the accounts that few have many of.
    fn office(&self, delta: &Delta) -> Written {
        let mut put = self.prepare("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")?;
        let mut remove = self.prepare("DELETE FROM records WHERE kind = ?1 AND id = ?2")?;
        for (key, record) in &delta.records {
            let (kind, id) = (key.kind.name(), key.id.cast_signed());
            let written = match record {
                Some(record) => {
                    let bytes = minicbor::to_vec(record).map_err(|error| CheckpointFault::Io(error.to_string()))?;
                    put.execute(params![kind, id, bytes])
                }
                None => remove.execute(params![kind, id]),
            };
            written.map_err(|error| fault(&error))?;
        }
        let mut set = self.prepare("INSERT OR REPLACE INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for (account, purse) in &delta.ledger {
            let owner = match (*account, account.operator()) {
                (AccountId::Float(outlet, _), _) => outlet.0,
                (_, Some(operator)) => u32::from(operator.0),
                (_, None) => return Err(damaged("an account in the wrong table")),
            };
            let (code, kind) = (account.code().cast_signed(), account.kind());
            let currency = account.currency().map(domain::currency::Currency::code);
            let (balance, latest) = (purse.balance_minor, int(purse.latest));
            set.execute(params![code, kind, owner, currency, balance, latest]).map_err(|error| fault(&error))?;
        }
        Ok(())
    }

    fn cards(&mut self, delta: &Delta) -> Written {
        let mut insert = self.prepare(
            "INSERT INTO cards VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
                      NULL, NULL, NULL, NULL, NULL)",
        )?;
        let mut changes = CardChanges::prepare(self)?;
        for (id, row) in &delta.cards {
            self.slice.row();
            match &row.facts {
                Some(facts) => {
                    self.meta.cards = next_row(id.0, self.meta.cards)?;
                    insert_card(&mut insert, id.0, facts, row)?;
                    changes.bought(id.0, row.bought.as_ref())?;
                }
                None => changes.write(id.0, row)?,
            }
        }
        Ok(())
    }

    fn usage(&mut self, delta: &Delta) -> rusqlite::Result<()> {
        let mut put = self.tx.prepare_cached("INSERT OR REPLACE INTO usage VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for (UsageKey { limit, subject }, usage, seq) in &delta.usage {
            self.slice.row();
            let (subject, start) = (subject.cast_signed(), usage.start.days());
            put.execute(params![limit.0, subject, start, usage.count, usage.total_minor, int(*seq)])?;
        }
        Ok(())
    }

    fn locks(&self, delta: &Delta) -> rusqlite::Result<()> {
        let mut put = self.tx.prepare_cached("INSERT OR REPLACE INTO locks VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut forget = self.tx.prepare_cached("DELETE FROM locks WHERE subscriber = ?1 AND link = ?2")?;
        for ((subscriber, link), lock) in &delta.locks {
            if lock.counts_nothing() {
                forget.execute(params![subscriber.0, link.0])?;
            } else {
                let (until_ms, at_ms) = (lock.until.map(Timestamp::ms), lock.at.ms());
                put.execute(params![subscriber.0, link.0, lock.wrong, lock.level, until_ms, at_ms])?;
            }
        }
        Ok(())
    }

    fn ids(&self, delta: &Delta) -> rusqlite::Result<()> {
        let IdsKept { floor: _, programs_from, ussd_from } = delta.ids_kept;
        self.ids_of("ids", &delta.ids.programs, programs_from)?;
        self.ids_of("ussd_ids", &delta.ids.ussd, ussd_from)
    }

    /// Adds blocks to one table of ids, and drops those of before `from`.
    fn ids_of(&self, table: &str, octets: &[u8], from: Seq) -> rusqlite::Result<()> {
        let mut insert = self.tx.prepare_cached(&format!("INSERT INTO {table} VALUES (?1, ?2, ?3)"))?;
        let (rows, _) = octets.as_chunks::<{ IdRow::LEN }>();
        for block in rows.chunks(BLOCK_ROWS) {
            let (Some(first), Some(last)) = (block.first(), block.last()) else { continue };
            let (first, last) = (IdRow::from_bytes(first).known, IdRow::from_bytes(last).known);
            insert.execute(params![int(first.seq), int(last.seq), block.as_flattened()])?;
        }
        self.tx.execute(&format!("DELETE FROM {table} WHERE last_seq < ?1"), [int(from)]).map(drop)
    }

    fn repeats(&self, delta: &Delta) -> rusqlite::Result<()> {
        let mut insert = self.tx.prepare_cached("INSERT INTO repeats VALUES (?1, ?2, ?3)")?;
        for block in delta.repeats.chunks(BLOCK_ROWS) {
            let mut octets = Vec::with_capacity(block.len() * rows::REPEAT_LEN);
            block.iter().for_each(|row| rows::repeat_octets(row, &mut octets));
            if let (Some(first), Some(last)) = (block.first(), block.last()) {
                insert.execute(params![int(first.seq), int(last.seq), octets])?;
            }
        }
        let before_from = self.meta.remembered.repeats.before_from;
        self.tx.execute("DELETE FROM repeats WHERE last_seq < ?1", [int(before_from)]).map(drop)
    }

    /// Drops up to `rows` rows of usage of a limit that is forgotten: nobody reads them any more.
    fn forget(&self, rows: usize) -> rusqlite::Result<()> {
        let find = "SELECT limit_id FROM forgotten ORDER BY limit_id LIMIT 1";
        let found: Option<u16> = self.tx.prepare_cached(find)?.query_row([], |row| row.get(0)).optional()?;
        let Some(limit) = found else { return Ok(()) };
        let sql = "DELETE FROM usage WHERE (limit_id, subject) IN \
                   (SELECT limit_id, subject FROM usage WHERE limit_id = ?1 LIMIT ?2)";
        let most = i64::try_from(rows).unwrap_or(i64::MAX);
        if self.tx.prepare_cached(sql)?.execute(params![limit, most])? < rows {
            self.tx.prepare_cached("DELETE FROM forgotten WHERE limit_id = ?1")?.execute([limit])?;
        }
        Ok(())
    }

    /// Drops pair usage that is forgotten, among the next `rows` rows; gives where to go on. A write looks at more rows than
    /// it adds, so that the table stays within a few times of what is remembered.
    fn prune(&self, rows: usize) -> rusqlite::Result<(u16, i64)> {
        const FIRST: (u16, i64) = (0, i64::MIN);
        let (limit, subject) = self.meta.pruned;
        let find = "SELECT id FROM limits WHERE subject = 'pair' AND id >= ?1 ORDER BY id LIMIT 1";
        let found = self.tx.prepare_cached(find)?.query_row([limit], |row| row.get(0)).optional()?;
        let Some(found): Option<u16> = found else { return Ok(FIRST) };
        let subject = if found == limit { subject } else { i64::MIN };
        let end = "SELECT subject FROM usage WHERE limit_id = ?1 AND subject > ?2 ORDER BY subject LIMIT 1 OFFSET ?3";
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let last: Option<i64> =
            self.tx.prepare_cached(end)?.query_row(params![found, subject, rows], |row| row.get(0)).optional()?;
        let sql = "DELETE FROM usage WHERE limit_id = ?1 AND subject > ?2 AND subject <= ?3 AND seq < ?4";
        let before_from = int(self.meta.remembered.pairs.before_from);
        self.tx.prepare_cached(sql)?.execute(params![found, subject, last.unwrap_or(i64::MAX), before_from])?;
        // Past the last row of a limit the next one begins; past the last limit, the first.
        Ok(last.map_or_else(|| found.checked_add(1).map_or(FIRST, |next| (next, i64::MIN)), |last| (found, last)))
    }
}

/// A card that is new, as it stands at the end of the delta.
fn insert_card(insert: &mut CachedStatement<'_>, id: u32, facts: &CardFacts, row: &CardDelta) -> Written {
    let state = StateColumns::from(&row.state.unwrap_or(facts.state));
    let expires_ms = (facts.expires_at != Timestamp::MAX).then(|| facts.expires_at.ms());
    let purse = row.purse.unwrap_or_default();
    one(insert.execute(params![
        id,
        facts.number.get().cast_signed(),
        facts.operator.0,
        facts.issued_at.ms(),
        expires_ms,
        state.name,
        state.holder,
        state.at_ms,
        state.outlet,
        state.voiding,
        state.tag,
        purse.balance_minor,
        int(purse.latest),
        int(row.bound.unwrap_or_default()),
        row.bind_wrong.unwrap_or_default(),
        facts.batch.map(BatchId::get)
    ]))
}

/// What changes of a card that is known.
struct CardChanges<'a> {
    purse: CachedStatement<'a>,
    state: CachedStatement<'a>,
    wrong: CachedStatement<'a>,
    bought: CachedStatement<'a>,
}

impl<'a> CardChanges<'a> {
    fn prepare(writing: &Writing<'a>) -> Result<Self, CheckpointFault> {
        Ok(Self {
            purse: writing.prepare("UPDATE cards SET balance_minor = ?2, latest_seq = ?3 WHERE id = ?1")?,
            state: writing.prepare(
                "UPDATE cards SET state = ?2, holder = ?3, state_at_ms = ?4, outlet = ?5, voiding = ?6, tag = ?7, \
                 bound_seq = CASE bound_seq WHEN 0 THEN ?8 ELSE bound_seq END WHERE id = ?1",
            )?,
            wrong: writing.prepare("UPDATE cards SET bind_wrong = ?2 WHERE id = ?1")?,
            bought: writing.prepare(
                "UPDATE cards SET bought_currency = ?2, bought_minor = ?3, bought_value_minor = ?4, \
                 bought_outlet = ?5, bought_seq = ?6 WHERE id = ?1",
            )?,
        })
    }

    fn write(&mut self, id: u32, row: &CardDelta) -> Written {
        let CardDelta { facts: _, state, purse, bound, bind_wrong, bought } = row;
        self.bought(id, bought.as_ref())?;
        if let Some(purse) = purse {
            one(self.purse.execute(params![id, purse.balance_minor, int(purse.latest)]))?;
        }
        if let Some(state) = state {
            let StateColumns { name, holder, at_ms, outlet, voiding, tag } = StateColumns::from(state);
            let bound = int(bound.unwrap_or_default());
            one(self.state.execute(params![id, name, holder, at_ms, outlet, voiding, tag, bound]))?;
        }
        if let Some(wrong) = bind_wrong {
            one(self.wrong.execute(params![id, wrong]))?;
        }
        Ok(())
    }

    /// What it was bought for.
    fn bought(&mut self, id: u32, bought: Option<&Bought>) -> Written {
        let Some(Bought { currency, price, value, outlet, sale }) = bought else { return Ok(()) };
        let set = params![id, currency.code(), price.minor(), value.minor(), outlet.0, int(*sale)];
        one(self.bought.execute(set))
    }
}

/// What a gift changes of a subscriber who is known.
struct Touch<'a> {
    recents: CachedStatement<'a>,
    set: CachedStatement<'a>,
}

impl<'a> Touch<'a> {
    fn prepare(writing: &Writing<'a>) -> Result<Self, CheckpointFault> {
        let set = "UPDATE subscribers SET airtime_minor = coalesce(?2, airtime_minor), \
                   airtime_seq = coalesce(?3, airtime_seq), latest_seq = coalesce(?4, latest_seq), \
                   refused_date = coalesce(?5, refused_date), refused_count = coalesce(?6, refused_count), \
                   recents = coalesce(?7, recents) WHERE id = ?1";
        let recents = writing.prepare("SELECT recents FROM subscribers WHERE id = ?1")?;
        Ok(Self { recents, set: writing.prepare(set)? })
    }

    fn subscriber(&mut self, id: u32, row: &SubscriberDelta) -> Written {
        let recents = if row.gave_to.is_empty() { None } else { self.with_new(id, &row.gave_to)? };
        one(self.set.execute(params![
            id,
            row.airtime.map(|purse| purse.balance_minor),
            row.airtime.map(|purse| int(purse.latest)),
            row.latest.map(int),
            row.refused.map(|(date, _)| date.days()),
            row.refused.map(|(_, count)| count),
            recents
        ]))
    }

    /// Recipients of the row with the new ones before them.
    fn with_new(&mut self, id: u32, new: &Recents) -> Result<Option<Vec<u8>>, CheckpointFault> {
        let known: Option<Vec<u8>> = self.recents.query_row([id], |row| row.get(0)).map_err(|error| fault(&error))?;
        let mut recents: Recents = rows::recents_of(known.as_deref().unwrap_or_default())?.collect();
        new.iter().rev().for_each(|recipient| promote(&mut recents, *recipient));
        Ok(rows::recents_octets(&recents))
    }
}

/// Columns of an operator's books, in the order of [`domain::state::books_of`].
pub(super) const BOOK_COLUMNS: [&str; BOOKS] = ["fee_income", "tax_payable", "call_income", "breakage", "position"];

/// A row that is touched exists.
fn one(changed: rusqlite::Result<usize>) -> Written {
    match changed {
        Ok(1) => Ok(()),
        Ok(_) => Err(damaged("a row is missing")),
        Err(error) => Err(fault(&error)),
    }
}

/// The number of rows after a new one.
fn next_row(id: u32, rows: u32) -> Result<u32, CheckpointFault> {
    if id == rows { Ok(rows.saturating_add(1)) } else { Err(damaged("a new row is not the next one")) }
}
