//! Worlds: a data directory with a server that comes and goes, and a phone that speaks HTTP by itself.

use std::collections::VecDeque;
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes, on a machine that does other things as well.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);
/// Small files, and no reserve: the disk of whoever runs the tests may be nearly full.
pub(crate) const LIMITS: &str = "disk_reserve_bytes = 0\nwal_prewritten_bytes = 0\n";

/// Whose members may ask on `admin.sock`: every Debian has it.
pub(crate) const GROUP: &str = "users";
/// The second person.
pub(crate) const SECOND_UID: u32 = 4_242;

pub(crate) const KORYOLINK: &str = include_str!("../../../../profiles/koryolink.toml");

/// Koryolink without limits, for phones that dial all day.
pub(crate) fn open_profile() -> String {
    let (head, _) = KORYOLINK.split_once("[[period]]").expect("periods");
    let head = head
        .replace("dials_per_caller_per_min = 10", "dials_per_caller_per_min = 600")
        .replace("repeat_window_s = 300", "repeat_window_s = 0");
    format!(
        "{head}[[period]]\nname = \"open\"\nfrom = 2016-01-01\namount_max = 500\nrefusals_per_day = 0\nage_days_min = 0\n"
    )
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its output when it ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Its complaint when it ended with this.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonmul"));
    command.env_remove("SONMUL_DATA").env_remove("SONMUL_LOG");
    command
}

pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, "")
}

/// Runs it with something to read.
pub(crate) fn run_with(args: &[&str], input: &str) -> Ran {
    let mut command = binary();
    let piped = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("starts");
    // Whoever does not read all of it has ended.
    let _unread = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("ends");
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A directory that ends with the test.
pub(crate) struct World {
    pub(crate) temp: TempDir,
    pub(crate) data: PathBuf,
}

impl World {
    /// With a data directory.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With more limits.
    pub(crate) fn with(limits: &str) -> Self {
        let temp = tempfile::tempdir().expect("a directory");
        let data = temp.path().join("data");
        let world = Self { temp, data };
        world.init(limits);
        world
    }

    fn init(&self, limits: &str) {
        run(&["init", &text(&self.data), "--listen", "127.0.0.1:0"]).ok();
        self.configure(&format!("{LIMITS}{limits}"));
    }

    /// Lines for the end of the configuration: limits.
    pub(crate) fn configure(&self, lines: &str) {
        let path = self.data.join("sonmul.toml");
        let before = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, format!("{before}{lines}")).expect("written");
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let path = self.data.join("sonmul.toml");
        let before = std::fs::read_to_string(&path).expect("read");
        assert!(before.contains(from), "{before}");
        std::fs::write(&path, before.replace(from, to)).expect("written");
    }

    /// A file beside the data directory.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.temp.path().join(name);
        std::fs::write(&path, content).expect("written");
        text(&path)
    }

    /// `sonmul ARGS --data DIR`.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut all = args.to_vec();
        let data = text(&self.data);
        all.extend(["--data", &data]);
        run_with(&all, input)
    }

    /// Lets a second person in: members of the group `users` may ask on `admin.sock`. Before the server starts.
    pub(crate) fn two_people(&self) {
        self.reconfigure("# admin_group = \"sonmul\"", &format!("admin_group = \"{GROUP}\""));
        let open = |path: &Path| std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("changed");
        open(self.temp.path());
        // Where they can start it: the target directory may be for its owner only.
        let copy = self.temp.path().join("sonmul");
        std::fs::copy(env!("CARGO_BIN_EXE_sonmul"), &copy).expect("copied");
        open(&copy);
    }

    /// `sonmul ARGS --data DIR` as the second person. Takes root, as installing what these tests need does.
    pub(crate) fn second(&self, args: &[&str]) -> Ran {
        let mut command = Command::new("setpriv");
        let uid = format!("--reuid={SECOND_UID}");
        command.args([&uid, &format!("--regid={GROUP}"), "--clear-groups"]);
        command.arg(self.temp.path().join("sonmul")).args(args).args(["--data", &text(&self.data)]);
        let output = command.env_remove("SONMUL_LOG").output().expect("setpriv of util-linux");
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Proposes with these words, and lets the second person approve what was shown.
    #[track_caller]
    pub(crate) fn by_two(&self, args: &[&str]) -> String {
        let said = self.run(args).ok();
        let (_, told) = said.split_once("sonmul motion approve ").unwrap_or_else(|| panic!("no proposal: {said}"));
        let words: Vec<&str> = told.split_whitespace().take(3).collect();
        self.second(&[&["motion", "approve"][..], &words].concat()).ok()
    }

    pub(crate) fn serve(&self) -> Served {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> Served {
        Served::start(&self.data, self.temp.path(), more).unwrap_or_else(|ran| panic!("{ran:?}"))
    }

    /// The server's complaint when it refuses to start.
    #[track_caller]
    pub(crate) fn refuses(&self, code: i32) -> String {
        match Served::start(&self.data, self.temp.path(), &[]) {
            Ok(_) => panic!("it started"),
            Err(ran) => ran.failed(code),
        }
    }

    /// Loads a profile, imports phones 1911000001 to 191100000N with English screens, and binds a card to each.
    pub(crate) fn people(&self, profile: &str, count: u32, value_minor: u32) {
        let file = self.file("koryolink.toml", profile);
        self.run(&["operator", "load", &file]).ok();
        let lines: String = (1..=count).map(|n| format!("{},en\n", number(n))).collect();
        let file = self.file("people.csv", &format!("msisdn,language\n{lines}"));
        self.run(&["subscriber", "import", "--operator", "koryolink", &file]).ok();
        for n in 1..=count {
            let (card, password) = self.card(value_minor);
            let phone = Phone::at(&self.data);
            let screen = phone.dial(n, &format!("0*4*{card}*{password}")).expect("answered");
            assert!(screen.contains("is bound to this phone"), "{screen}");
            // From now on everybody's password is the same one.
            let screen = phone.dial(n, &format!("0*2*{password}*{PASSWORD}*{PASSWORD}")).expect("answered");
            assert!(screen.contains("The password is changed"), "{screen}");
        }
    }

    /// A new card: number and password.
    pub(crate) fn card(&self, value_minor: u32) -> (String, String) {
        let value = value_minor.to_string();
        let issued = self.run(&["card", "issue", "--operator", "koryolink", "--value", &value, "--json"]);
        let issued = issued.json();
        let of = |name: &str| String::from(issued["cards"][0][name].as_str().expect("a card"));
        (of("number"), of("password"))
    }

    /// What is on a phone's card.
    pub(crate) fn balance(&self, n: u32) -> i64 {
        let shown = self.run(&["subscriber", "show", &number(n), "--json"]).json();
        shown["cards"][0]["balance_minor"].as_i64().unwrap_or_else(|| panic!("{shown}"))
    }
}

/// Everybody's password in these worlds.
pub(crate) const PASSWORD: &str = "482913";

/// The nth phone.
pub(crate) fn number(n: u32) -> String {
    format!("191100{n:04}")
}

/// Waits for something that comes by itself.
#[track_caller]
pub(crate) fn until(mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + WITHIN;
    let (_kept, never) = channel::<()>();
    while !happened() {
        assert!(Instant::now() < end, "it does not happen");
        let _later = never.recv_timeout(Duration::from_millis(50));
    }
}

pub(crate) fn text(path: &Path) -> String {
    String::from(path.to_str().expect("UTF-8"))
}

/// A server that runs; killed when it is dropped.
pub(crate) struct Served {
    child: Child,
    lines: Receiver<String>,
    /// Said before it was ready.
    early: VecDeque<String>,
    log: PathBuf,
}

impl Served {
    fn start(data: &Path, temp: &Path, more: &[&str]) -> Result<Self, Ran> {
        let log = temp.join(format!("log-{}", std::fs::read_dir(temp).expect("read").count()));
        let err = File::create(&log).expect("a file");
        let mut command = binary();
        command.arg("serve").arg("--data").arg(data).args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(err);
        let mut child = command.spawn().expect("starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut served = Self { child, lines, early: VecDeque::new(), log };
        loop {
            match served.lines.recv_timeout(WITHIN) {
                Ok(line) if line.starts_with("serving ") => return Ok(served),
                Ok(line) => served.early.push_back(line),
                Err(_) => {
                    // It has ended, or hangs.
                    let _ended = served.child.kill();
                    let code = served.child.wait().expect("ends").code().unwrap_or(-1);
                    return Err(Ran { code, out: String::new(), err: served.log() });
                }
            }
        }
    }

    /// What it told so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("read")
    }

    /// The next line on stdout.
    pub(crate) fn line(&mut self) -> String {
        self.early.pop_front().unwrap_or_else(|| self.lines.recv_timeout(WITHIN).expect("a line"))
    }

    /// SIGTERM; how it ended, and its log.
    pub(crate) fn stop(mut self) -> (i32, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("sent");
        let code = self.child.wait().expect("ends").code().unwrap_or(-1);
        (code, self.log())
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("sent");
        self.child.wait().expect("ends");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A phone behind the local aggregator that needs no process of its own.
#[derive(Clone)]
pub(crate) struct Phone {
    address: String,
    key: String,
}

impl Phone {
    pub(crate) fn at(data: &Path) -> Self {
        let read = |name: &str| String::from(std::fs::read_to_string(data.join(name)).expect("read").trim());
        Self { address: read("http.addr"), key: read("aggregator-local.key") }
    }

    /// Dials `*999*TEXT#` in a session of its own; `None` when no whole answer came.
    pub(crate) fn dial(&self, n: u32, text: &str) -> Option<String> {
        self.send(n, &uuid::Uuid::now_v7().to_string(), text)
    }

    /// One request of a session.
    pub(crate) fn send(&self, n: u32, session: &str, text: &str) -> Option<String> {
        let escaped = text.replace('*', "%2A").replace('#', "%23");
        let body = format!(
            "sessionId={session}&serviceCode=%2A999%23&phoneNumber=%2B850{}&networkCode=1&text={escaped}",
            number(n)
        );
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(WITHIN)).ok()?;
        write!(
            stream,
            "POST /ussd/africastalking HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let len: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
        (body.len() == len).then(|| String::from(body))
    }
}

/// A gift of the nth phone, as the aggregator's text.
pub(crate) fn gift(amount: u32, to: u32) -> String {
    format!("{amount}*{}*{PASSWORD}", number(to))
}

/// The receipt number on a screen.
pub(crate) fn receipt(screen: &str) -> String {
    let (_, rest) = screen.split_once("Receipt ").unwrap_or_else(|| panic!("no receipt: {screen}"));
    String::from(rest.split_whitespace().next().expect("a receipt"))
}
