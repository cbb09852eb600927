//! The checkpoint's tables, as a person sees them with `.schema`.

/// Version of the tables; a program refuses what it doesn't know.
pub(super) const VERSION: i64 = 6;

/// A gift touches rows anywhere, and each touched page is written whole: small pages. The WAL is moved into the file
/// after each delta, in one go, by the thread that wrote it. Rows come in the order of pages, so that a small cache is as
/// good as a large one, and pages leave for the WAL one by one instead of all with the commit.
pub(super) const PRAGMAS: &str = "
PRAGMA page_size = 4096;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -8192;";

/// What makes empty tables.
pub(super) fn tables() -> String {
    format!(
        "BEGIN; {TABLES} {ACCOUNTS}
         INSERT INTO meta VALUES (1, {VERSION}, 0, zeroblob(32), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); COMMIT;"
    )
}

const TABLES: &str = "
-- One row: the entry of the journal that all tables are the fold up to.
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL,           -- since 1970; datetime(at_ms / 1000, 'unixepoch')
  ids_floor_ms INTEGER NOT NULL,    -- programs' ids from before this are refused
  programs_from INTEGER NOT NULL,   -- programs' and timers' ids of entries before this one are forgotten
  ussd_from INTEGER NOT NULL,       -- the same of ids of USSD prompts
  pair_window_days INTEGER NOT NULL,
  -- When the newest generation of each memory began, with which entry, and with which the one before did.
  pairs_turned_ms INTEGER NOT NULL, pairs_newest_from INTEGER NOT NULL, pairs_before_from INTEGER NOT NULL,
  repeats_turned_ms INTEGER NOT NULL, repeats_newest_from INTEGER NOT NULL, repeats_before_from INTEGER NOT NULL,
  limits_made INTEGER NOT NULL,     -- rows that limits were ever given
  subscribers INTEGER NOT NULL,     -- rows
  cards INTEGER NOT NULL,           -- rows
  -- After which row of usage the next write goes on looking for pairs whose windows are over.
  pruned_limit INTEGER NOT NULL, pruned_subject INTEGER NOT NULL
);
CREATE TABLE operators (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  rules BLOB NOT NULL,              -- CBOR
  file_hash BLOB NOT NULL,          -- BLAKE3 of the file that was loaded
  date INTEGER NOT NULL,            -- business date, days since 1970-01-01
  fee_income_minor INTEGER NOT NULL, fee_income_seq INTEGER NOT NULL,
  tax_payable_minor INTEGER NOT NULL, tax_payable_seq INTEGER NOT NULL,
  call_income_minor INTEGER NOT NULL, call_income_seq INTEGER NOT NULL,
  breakage_minor INTEGER NOT NULL, breakage_seq INTEGER NOT NULL,
  position_minor INTEGER NOT NULL, position_seq INTEGER NOT NULL
);
CREATE TABLE limits (
  id INTEGER PRIMARY KEY,
  operator INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,               -- gift, top-up, call
  subject TEXT NOT NULL,            -- sender, recipient, pair, card
  window TEXT NOT NULL,             -- business-day, calendar-month, 30 days
  until_ms INTEGER                  -- no rules have it in force from then on; null: no end
);
-- Limits that are gone, while usage of them is still in its table: a little of it goes with each write.
CREATE TABLE forgotten (limit_id INTEGER PRIMARY KEY);
CREATE TABLE subscribers (
  id INTEGER PRIMARY KEY,
  msisdn INTEGER NOT NULL,
  imsi TEXT,
  operator INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  language TEXT NOT NULL,
  standing TEXT NOT NULL,           -- active, barred, released
  since_ms INTEGER NOT NULL,
  imsi_changed_at_ms INTEGER,
  airtime_minor INTEGER NOT NULL,
  airtime_seq INTEGER NOT NULL,     -- the latest entry that touched it
  latest_seq INTEGER NOT NULL,      -- the latest entry that names them
  refused_date INTEGER NOT NULL,    -- business date, days since 1970-01-01
  refused_count INTEGER NOT NULL,
  recents BLOB                      -- latest recipients' ids, newest first, four octets each
);
CREATE TABLE cards (
  id INTEGER PRIMARY KEY,           -- the serial is one higher
  number INTEGER NOT NULL,
  operator INTEGER NOT NULL,
  issued_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,            -- null: never
  state TEXT NOT NULL,              -- printed, in-stock, sold, bound, frozen, closed, expired, void
  holder INTEGER,                   -- a subscriber's id
  state_at_ms INTEGER,
  outlet INTEGER,
  voiding TEXT,                     -- lost, faulty, ordered
  tag BLOB,
  balance_minor INTEGER NOT NULL,
  latest_seq INTEGER NOT NULL,      -- the latest entry that touched the balance
  bound_seq INTEGER NOT NULL,       -- the entry that bound it; 0: none
  bind_wrong INTEGER NOT NULL,
  batch INTEGER,                    -- that it was printed in; null: issued as sold
  bought_currency TEXT,             -- ISO 4217; null: not sold at a till
  bought_minor INTEGER,             -- of that currency
  bought_value_minor INTEGER,       -- of airtime
  bought_outlet INTEGER,
  bought_seq INTEGER                -- the entry that sold it
);
-- What the office keeps: outlets, batches, rates, quotes, motions, holds, calls.
CREATE TABLE records (
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  record BLOB NOT NULL,             -- CBOR
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
-- Refunds, what is held, cash and floats.
CREATE TABLE ledger (
  account INTEGER PRIMARY KEY,      -- as in entries
  kind TEXT NOT NULL,
  operator INTEGER NOT NULL,        -- a float: the outlet
  currency TEXT,                    -- ISO 4217; null: airtime
  balance_minor INTEGER NOT NULL,
  latest_seq INTEGER NOT NULL
);
CREATE TABLE usage (
  limit_id INTEGER NOT NULL,
  subject INTEGER NOT NULL,         -- a row; for pairs the sender's times 2^32 and the recipient's
  start INTEGER NOT NULL,           -- first business date of the window, days since 1970-01-01
  count INTEGER NOT NULL,
  total_minor INTEGER NOT NULL,
  seq INTEGER NOT NULL,             -- the latest entry that used it
  PRIMARY KEY (limit_id, subject)
) WITHOUT ROWID;
CREATE TABLE locks (
  subscriber INTEGER NOT NULL,
  link INTEGER NOT NULL,
  wrong INTEGER NOT NULL,
  level INTEGER NOT NULL,
  until_ms INTEGER,
  at_ms INTEGER NOT NULL,           -- of the entry that wrote it: two days after both it counts no more
  PRIMARY KEY (subscriber, link)
) WITHOUT ROWID;
CREATE TABLE ids (                  -- of programs and timers
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  rows BLOB NOT NULL                -- id, seq, fingerprint, ms: 40 octets each
);
CREATE TABLE ussd_ids (             -- the same of USSD prompts, which are forgotten sooner
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  rows BLOB NOT NULL
);
CREATE TABLE repeats (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  rows BLOB NOT NULL                -- sender, recipient, amount, ms, seq, taken back: 33 octets each
);";

/// Numbers of accounts are the kind above 32 bits of the row; those of the ledger are as in entries.
const ACCOUNTS: &str = "
CREATE VIEW accounts (account, kind, owner, operator, balance_minor, latest_seq) AS
  SELECT id, 'airtime', msisdn, operator, airtime_minor, airtime_seq FROM subscribers
  UNION ALL SELECT (1 << 32) + id, 'card', id + 1, operator, balance_minor, latest_seq FROM cards
  UNION ALL SELECT (2 << 32) + id, 'fee-income', name, id, fee_income_minor, fee_income_seq FROM operators
  UNION ALL SELECT (3 << 32) + id, 'tax-payable', name, id, tax_payable_minor, tax_payable_seq FROM operators
  UNION ALL SELECT (4 << 32) + id, 'call-income', name, id, call_income_minor, call_income_seq FROM operators
  UNION ALL SELECT (5 << 32) + id, 'breakage', name, id, breakage_minor, breakage_seq FROM operators
  UNION ALL SELECT (6 << 32) + id, 'position', name, id, position_minor, position_seq FROM operators
  UNION ALL SELECT account, kind, currency, operator, balance_minor, latest_seq FROM ledger;";
