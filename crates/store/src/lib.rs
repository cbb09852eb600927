//! Journal, checkpoint and followers' cursors on SQLite: what survives a power cut.
//!
//! Guarantees: an append is durable when it returns, or its place in the journal is as before, or the process is told
//! to stop; nothing damaged is dropped in silence; one server writes to a data directory; every file can be read by a
//! person with the `sqlite3` shell while the server runs.
//!
//! Bounded by [`JournalConfig`]: entries and WAL octets a segment. Readers keep few connections and short transactions.
//!
//! Deliberately not here: what an entry means (domain), when to write a checkpoint or what a follower does (engine).

pub mod backup;
pub mod checkpoint;
pub mod cursor;
pub mod data_dir;
pub mod deliveries;
mod fault;
mod files;
mod index;
pub mod journal;
mod keeper;
pub mod manifest;
mod pending;
pub mod reader;
pub mod repair;
pub mod restore;
mod room;
mod roster;
mod segment;
mod sqlite;
pub mod verify;
mod wal;

pub use checkpoint::SqliteCheckpoint;
pub use cursor::SqliteCursor;
pub use data_dir::DataDir;
pub use deliveries::SqliteDeliveries;
pub use fault::StoreFault;
pub use journal::{JournalConfig, SqliteJournal};
pub use reader::SqliteReader;
