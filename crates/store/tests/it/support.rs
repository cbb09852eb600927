//! Directories, appends and entries for tests.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::command::Body;
use domain::effects::Effects;
use domain::id::CommandId;
use domain::ids::CardId;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Entry, Outcome, Verdict};
use engine::journal::{Draft, Head, Journal, JournalReader, Link};
use store::{DataDir, JournalConfig, SqliteJournal, SqliteReader};
use tempfile::TempDir;

/// A small journal: a segment of ten entries, no zeros.
pub(crate) const SMALL: JournalConfig = JournalConfig {
    segment_entries_max: 10,
    segment_wal_bytes_max: 1 << 30,
    wal_prewritten_bytes: 0,
    disk_reserve_bytes: 0,
};

/// A data directory that goes away with the test.
pub(crate) struct Place {
    _root: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("data");
        drop(DataDir::create(&path).expect("a data directory"));
        Self { _root: root, path }
    }

    pub(crate) fn open(&self, config: JournalConfig) -> (SqliteJournal, SqliteReader) {
        let dir = DataDir::open(&self.path).expect("nobody else has it");
        SqliteJournal::open(&dir, config).expect("a journal")
    }

    pub(crate) fn fault(&self) -> String {
        let dir = DataDir::open(&self.path).expect("nobody else has it");
        SqliteJournal::open(&dir, SMALL).expect_err("a fault").to_string()
    }

    pub(crate) fn reader(&self) -> SqliteReader {
        SqliteReader::open(&DataDir::open_shared(&self.path).expect("a directory")).expect("a journal")
    }

    /// All files by name, what SQLite keeps beside them left out.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.path)
            .expect("a directory")
            .map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"))
            .filter(|name| !name.ends_with("-shm") && !name.ends_with("-wal"))
            .collect();
        names.sort();
        names
    }

    /// The same files as a power cut would leave them: copied while they are in use.
    ///
    /// A power cut takes all files at one moment and copying does not: a WAL that is moved into its file between the
    /// copies of the two would be in neither. So it is copied again until nothing changed meanwhile.
    pub(crate) fn crashed(&self) -> Self {
        loop {
            let before = self.moment();
            let copy = Self::new();
            for (name, ..) in &before {
                match std::fs::copy(self.path.join(name), copy.path.join(name)) {
                    // Renamed since it was listed.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    copied => drop(copied.expect("a copy")),
                }
            }
            if before == self.moment() {
                return copy;
            }
        }
    }

    /// What can be seen of all files without reading them; what SQLite shares between processes left out: it is gone
    /// after a crash, or is made again.
    fn moment(&self) -> Vec<(String, u64, std::time::SystemTime)> {
        let mut files = Vec::new();
        for file in std::fs::read_dir(&self.path).expect("a directory") {
            let file = file.expect("a file");
            let name = file.file_name().into_string().expect("UTF-8");
            match file.metadata() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                _ if name.ends_with("-shm") || name == "lock" => {}
                seen => {
                    let seen = seen.expect("a file");
                    files.push((name, seen.len(), seen.modified().expect("a time")));
                }
            }
        }
        files.sort();
        files
    }
}

/// An entry that changes nothing; `size` octets or a little more.
pub(crate) fn entry(n: u64, size: usize) -> Entry {
    let state = "x".repeat(size);
    Entry {
        id: CommandId::internal(1, n),
        body: Body::ExpireCard(CardId(u32::try_from(n).expect("small"))),
        verdict: Verdict {
            outcome: Outcome::Refused(Refusal::CardStateForbids { state }),
            effects: Effects::default(),
        },
    }
}

/// The append of `count` entries that follows `head`.
pub(crate) fn link(head: &Head, count: u64, size: usize) -> Link {
    let at = Timestamp::from_ms(1_800_000_000_000 + i64::try_from(head.seq.0).expect("small"));
    let mut draft = Draft::new(at, 0);
    (1..=count).for_each(|n| draft.push(&entry(head.seq.0 + n, size)));
    draft.finish(head)
}

/// Appends `appends` times `count` entries.
pub(crate) fn fill(journal: &mut SqliteJournal, appends: u64, count: u64) {
    for _ in 0..appends {
        let link = link(&journal.head(), count, 50);
        journal.append(&link).expect("an append");
    }
}

/// Three sealed segments and a live one, of appends of 4 entries; ended well. A copy for each caller.
pub(crate) fn eight_appends() -> (Place, Vec<Link>) {
    static MADE: LazyLock<(Place, Vec<Link>)> = LazyLock::new(|| {
        let place = Place::new();
        let (mut journal, reader) = place.open(SMALL);
        fill(&mut journal, 8, 4);
        wait_for("sealing", || (1..=3).all(|n| is_sealed(&place.path, n)));
        let links = reader.read(seq(1), usize::MAX).expect("read");
        drop((journal, reader));
        (place, links)
    });
    (MADE.0.crashed(), MADE.1.clone())
}

/// Waits until `done` says so.
pub(crate) fn wait_for(what: &str, done: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !done() {
        assert!(std::time::Instant::now() < until, "waited too long for {what}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

/// Whether a segment is sealed.
pub(crate) fn is_sealed(dir: &Path, number: u32) -> bool {
    dir.join(format!("journal-{number:06}.blake3")).exists()
}

pub(crate) fn seq(n: u64) -> Seq {
    Seq(n)
}
