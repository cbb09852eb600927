//! Debian's real OsmoHLR, started in a directory of its own on an address of its own.
//!
//! **For:** tests of the GSUP edge, and the benchmark's row *through OsmoHLR*.
//!
//! **Guarantees:** when [`OsmoHlr::start`] returns, both of its ports answer. The process is killed when the value is
//! dropped. Its GSUP port is fixed at 4222, so that each one binds another address of 127/8 and any number runs side by side.
//!
//! **Bounded by:** [`READY_WITHIN_S`], [`STARTS_MAX`] addresses tried.
//!
//! **Deliberately not here:** installing it: Debian's package is `osmo-hlr`.

use std::fmt::Write as _;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::{LoadError, io};

/// OsmoHLR listens within so long, or never.
pub const READY_WITHIN_S: u64 = 30;
/// Addresses that are tried: another process may have taken one meanwhile.
pub const STARTS_MAX: usize = 5;
/// OsmoHLR's GSUP port: it can't be configured.
pub const GSUP_PORT: u16 = 4222;
/// OsmoHLR's control interface.
pub const CTRL_PORT: u16 = 4259;
/// Octets of its log that an error shows.
const LOG_LEN_MAX: u64 = 4096;

/// What it is configured with.
#[derive(Clone, Debug)]
pub struct OsmoConfig {
    /// The entity's name: `euse airtime`.
    pub euse: String,
    /// Literal prefixes that go to it.
    pub prefixes: Vec<String>,
    /// `ncss-guard-timeout`, seconds.
    pub guard_s: u32,
    /// IMSI and MSISDN of each subscriber.
    pub subscribers: Vec<(String, Option<String>)>,
}

/// A running OsmoHLR.
#[derive(Debug)]
pub struct OsmoHlr {
    /// Where switches and entities connect.
    pub gsup: SocketAddr,
    /// Where the control interface is.
    pub ctrl: SocketAddr,
    dir: PathBuf,
    child: Option<Child>,
}

impl Drop for OsmoHlr {
    fn drop(&mut self) {
        self.kill();
    }
}

impl OsmoHlr {
    /// Makes a database in `dir` and starts the HLR over it.
    ///
    /// # Errors
    /// [`LoadError::NoOsmo`], and [`LoadError::Osmo`] when it does not come up, with the end of its log.
    pub async fn start(dir: &Path, config: &OsmoConfig) -> Result<Self, LoadError> {
        Self::start_with(dir, &config.subscribers, |address| hlr_cfg(address, config)).await
    }

    /// The same with a configuration of the caller's own, which binds everything to the address that it is given.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        dir: &Path,
        subscribers: &[(String, Option<String>)],
        hlr_cfg: impl Fn(Ipv4Addr) -> String,
    ) -> Result<Self, LoadError> {
        fill(dir, subscribers)?;
        let mut last = LoadError::Osmo(String::from("no free address of 127/8 for port 4222"));
        for _ in 0..STARTS_MAX {
            let Some(address) = free_address() else { continue };
            let path = dir.join("hlr.cfg");
            std::fs::write(&path, hlr_cfg(address)).map_err(io(path.display().to_string()))?;
            let ip = IpAddr::V4(address);
            let (gsup, ctrl) = (SocketAddr::new(ip, GSUP_PORT), SocketAddr::new(ip, CTRL_PORT));
            let mut hlr = Self { gsup, ctrl, dir: dir.to_owned(), child: None };
            match hlr.start_again().await {
                Ok(()) => return Ok(hlr),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Kills the process as a crash would: connections are reset, sessions are gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already; there is nobody else to tell.
            let _killed = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Starts it over the same database and on the same address, if it doesn't run.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_again(&mut self) -> Result<(), LoadError> {
        if self.child.is_some() {
            return Ok(());
        }
        let log = self.dir.join("hlr.log");
        let file = File::options().create(true).append(true).open(&log).map_err(io(log.display().to_string()))?;
        let mut command = Command::new("osmo-hlr");
        command.args(["-c", "hlr.cfg", "-l", "hlr.db"]).current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        self.child = Some(command.spawn().map_err(not_started)?);
        let ready = self.ready().await;
        if ready.is_err() {
            self.kill();
        }
        ready
    }

    /// Kills it and starts it again.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> Result<(), LoadError> {
        self.kill();
        self.start_again().await
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        let read = || {
            let mut file = File::open(self.dir.join("hlr.log"))?;
            let from = file.metadata()?.len().saturating_sub(LOG_LEN_MAX);
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(from))?;
            let mut octets = Vec::new();
            file.read_to_end(&mut octets)?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&octets).into_owned())
        };
        read().unwrap_or_else(|error| format!("(no log: {error})"))
    }

    async fn ready(&mut self) -> Result<(), LoadError> {
        let until = Instant::now() + Duration::from_secs(READY_WITHIN_S);
        while Instant::now() < until {
            if let Some(child) = &mut self.child
                && let Ok(Some(status)) = child.try_wait()
            {
                return Err(LoadError::Osmo(format!("osmo-hlr ended with {status}:\n{}", self.log())));
            }
            if TcpStream::connect(self.ctrl).await.is_ok() && TcpStream::connect(self.gsup).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(LoadError::Osmo(format!("osmo-hlr did not listen within {READY_WITHIN_S} s:\n{}", self.log())))
    }
}

fn not_started(error: std::io::Error) -> LoadError {
    match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::NoOsmo,
        _ => LoadError::Io { what: String::from("starting osmo-hlr"), error },
    }
}

/// A configuration as docs/operating/osmocom.md has it.
///
/// `ss error`: at `notice` OsmoHLR writes strings that it can't route to its log, at `info` every string, and a password may
/// be in them.
fn hlr_cfg(address: Ipv4Addr, config: &OsmoConfig) -> String {
    let OsmoConfig { euse, prefixes, guard_s, .. } = config;
    let mut text = format!(
        "log stderr\n logging filter all 1\n logging color 0\n logging print category 1\n logging level main notice\n \
         logging level ss error\n logging level linp error\nline vty\n bind {address}\nctrl\n bind {address}\nhlr\n \
         gsup\n  bind ip {address}\n euse {euse}\n"
    );
    for prefix in prefixes {
        // Writing to a String can't fail.
        let _written = writeln!(text, " ussd route prefix {prefix} external {euse}");
    }
    let _written = writeln!(text, " ncss-guard-timeout {guard_s}");
    text
}

/// Makes a fresh database with OsmoHLR's own tool, and fills it in one transaction.
fn fill(dir: &Path, subscribers: &[(String, Option<String>)]) -> Result<(), LoadError> {
    let db = dir.join("hlr.db");
    let mut tool = Command::new("osmo-hlr-db-tool");
    let made = tool.args(["-l", "hlr.db", "create"]).current_dir(dir).stdin(Stdio::null()).output();
    let made = made.map_err(not_started)?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        return Err(LoadError::Osmo(format!("osmo-hlr-db-tool ended with {}: {said}", made.status)));
    }
    let insert = || {
        let mut db = rusqlite::Connection::open(&db)?;
        let transaction = db.transaction()?;
        {
            let mut row = transaction.prepare("INSERT INTO subscriber (imsi, msisdn) VALUES (?1, ?2)")?;
            for (imsi, msisdn) in subscribers {
                row.execute((imsi, msisdn))?;
            }
        }
        transaction.commit()
    };
    insert().map_err(|error: rusqlite::Error| LoadError::Osmo(format!("filling hlr.db: {error}")))
}

/// An address of 127/8 on which nobody has the GSUP port.
fn free_address() -> Option<Ipv4Addr> {
    // Random without a dependency: every RandomState has keys of its own.
    let random = std::hash::RandomState::new().hash_one(std::process::id());
    let [a, b, c, ..] = random.to_be_bytes();
    // Not 127.0.0.x, where people run their own.
    let address = Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254));
    TcpListener::bind((address, GSUP_PORT)).is_ok().then_some(address)
}
