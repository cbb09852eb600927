//! SMSCs that are not ours, as child processes that tests order about: npm `smpp`, PyPI `smpp34`, Debian's OsmoMSC.
//!
//! Guarantees: a child dies with its handle, and no wait is longer than [`PATIENCE`].

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How long a test waits for anything. Generous: two loaded cores are shared by many.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// What a person is told who runs these tests without their peers.
const MISSING: &str = "it is installed by `make test`, or alone by `scripts/peers.sh` and apt";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `scripts/peers.sh` installed there.
fn installed(path: &str) -> PathBuf {
    let found = root().join("target/peers").join(path);
    assert!(found.exists(), "{} is missing: {MISSING}", found.display());
    found
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// A program found by name; the test fails with what to do when it is not there.
pub(crate) fn program(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    assert!(found, "{name} is not on PATH (Debian: {package}): {MISSING}");
    Command::new(name)
}

/// A child that is killed with its handle.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Errors mean that it is dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An SMSC that obeys JSON lines.
pub(crate) struct Smsc {
    _child: Killed,
    orders: ChildStdin,
    events: mpsc::UnboundedReceiver<Value>,
    /// Read while something else was waited for, oldest first.
    passed: VecDeque<Value>,
    /// Where it listens.
    pub(crate) port: u16,
}

/// A message as the SMSC understood it.
pub(crate) type Event = Value;

impl Smsc {
    /// npm `smpp`; see `tests/peers/smsc.js` for what it can be told.
    pub(crate) async fn npm(options: Value) -> Self {
        let modules = installed("npm/node_modules");
        let mut command = program("node", "nodejs");
        command.env("NODE_PATH", modules).arg(script("smsc.js")).arg(options.to_string());
        Self::start(command).await
    }

    /// PyPI `smpp34`; see `tests/peers/smsc34.py`.
    pub(crate) async fn smpp34(options: Value) -> Self {
        let mut command = Command::new(installed("venv/bin/python"));
        command.arg(script("smsc34.py")).arg(options.to_string());
        Self::start(command).await
    }

    async fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the peer starts");
        let orders = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (heard, events) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "event": "noise", "line": line }));
                if heard.send(event).is_err() {
                    break;
                }
            }
        });
        let mut smsc = Self { _child: Killed(child), orders, events, passed: VecDeque::new(), port: 0 };
        let listening = smsc.event("listening").await;
        smsc.port = u16::try_from(listening["port"].as_u64().expect("a port")).expect("a port");
        smsc
    }

    /// Tells it to do something.
    pub(crate) fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").expect("the peer reads");
        self.orders.flush().expect("the peer reads");
    }

    /// The next event of that name; others are kept for later.
    pub(crate) async fn event(&mut self, name: &str) -> Event {
        self.event_where(name, |event| event["event"] == name).await
    }

    /// The next event that fits; others are kept for later.
    pub(crate) async fn event_where(&mut self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        if let Some(at) = self.passed.iter().position(&fits) {
            return self.passed.remove(at).expect("it is there");
        }
        let wait = async {
            loop {
                let event = self.events.recv().await.unwrap_or_else(|| panic!("the peer ended before: {what}"));
                if fits(&event) {
                    return event;
                }
                self.passed.push_back(event);
            }
        };
        let found = tokio::time::timeout(PATIENCE, wait).await;
        found.unwrap_or_else(|_| panic!("no event in time: {what}; others: {:#?}", self.passed))
    }

    /// The next message that it understood.
    pub(crate) async fn submit(&mut self) -> Event {
        self.event("submit").await
    }

    /// How it answered our answer to what a test had it send.
    pub(crate) async fn answer(&mut self, tag: &str) -> Event {
        self.event_where(&format!("the answer to {tag}"), |event| event["event"] == "answer" && event["tag"] == tag)
            .await
    }

    /// What it has counted.
    pub(crate) async fn stats(&mut self) -> Event {
        self.order(&json!({ "do": "stats" }));
        self.event("stats").await
    }

    /// Whether such an event has come so far. Asks it for its counts first, so that whatever it said before is read.
    pub(crate) async fn heard(&mut self, name: &str) -> usize {
        self.stats().await;
        self.passed.iter().filter(|event| event["event"] == name).count()
    }
}

/// A parameter of a message, as npm `smpp` or `smpp34` read it.
pub(crate) fn tlv<'e>(event: &'e Event, name: &str) -> Option<&'e Value> {
    event["tlvs"].as_array().expect("a list").iter().find(|pair| pair[0] == name).map(|pair| &pair[1])
}

/// OsmoMSC, the SMSC of a small GSM network. It knows no subscriber: nobody's phone is attached.
pub(crate) struct OsmoMsc {
    _child: Killed,
    dir: tempfile::TempDir,
    /// Where its SMPP listens.
    pub(crate) address: SocketAddr,
}

/// The port of SMPP; OsmoMSC can't listen on port 0 and say which it got, so each of ours has a loopback address of its own.
const SMPP_PORT: u16 = 2_775;

impl OsmoMsc {
    pub(crate) async fn start() -> Self {
        let [.., high, low] = std::process::id().to_be_bytes();
        // Not 127.0.0.0/16, where others listen.
        let ip = Ipv4Addr::new(127, 77, high, low.clamp(1, 254));
        let dir = tempfile::tempdir().expect("a directory");
        let config = dir.path().join("osmo-msc.cfg");
        std::fs::write(&config, Self::config(ip)).expect("writes");
        let mut command = program("osmo-msc", "osmo-msc");
        command.current_dir(dir.path()).env("LD_PRELOAD", installed("no_sctp.so")).arg("-c").arg(&config);
        let log = std::fs::File::create(dir.path().join("log")).expect("writes");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = Killed(command.spawn().expect("osmo-msc starts"));
        let address = SocketAddr::from((ip, SMPP_PORT));
        let msc = Self { _child: child, dir, address };
        let listening = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, listening).await.is_err() {
            panic!("osmo-msc does not listen: {}", msc.log());
        }
        msc
    }

    fn config(ip: Ipv4Addr) -> String {
        format!(
            "log stderr\n logging filter all 1\n logging color 0\n logging level set-all notice\n logging level smpp debug\n\
             line vty\n bind {ip}\nctrl\n bind {ip}\nnetwork\n network country code 001\n mobile network code 01\n\
             msc\n assign-tmsi\nhlr\n remote-ip {ip}\nsgs\n local-ip {ip}\n\
             smpp\n local-tcp-ip {ip} {SMPP_PORT}\n system-id osmomsc\n policy closed\n esme sonmul\n  password s3cr3tpw\n  alert-notifications\n"
        )
    }

    /// Columns of the messages in its own database, a message a line.
    pub(crate) fn kept(&self, columns: &str) -> String {
        let mut sqlite = program("sqlite3", "sqlite3");
        sqlite.arg(self.dir.path().join("sms.db")).arg(format!("SELECT {columns} FROM SMS ORDER BY id"));
        let out = sqlite.output().expect("sqlite3 runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}
