//! docs/operating/smpp.md, followed to the letter: its tables, its dials, its doctor, through npm `smpp`. Only the port is
//! another one, so that tests run side by side.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::{Value, json};

use crate::rig::{KORYOLINK, Served, WITHIN, World, receipt};

const PAGE: &str = include_str!("../../../../docs/operating/smpp.md");
const PASSWORD: &str = "hush-567";

/// The page's code block of that language that has this in it.
fn block(language: &str, has: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks = PAGE.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(has)).expect("a block of the page")
}

/// What stands on the page from there to there, both with it.
fn between(from: &str, to: &str) -> &'static str {
    let start = PAGE.find(from).expect("on the page");
    let rest = PAGE.get(start..).expect("a place");
    let end = rest.find(to).expect("on the page") + to.len();
    rest.get(..end).expect("a place")
}

/// The page's SMSC, on a port of its own; it ends with this.
struct Npm {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<String>,
    port: u64,
}

impl Npm {
    fn start(bind: &Value) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let modules = root.join("target/peers/npm/node_modules");
        assert!(modules.exists(), "npm smpp is missing: it is installed by scripts/peers.sh");
        let options = json!({ "bind": bind, "rules": [{ "to": "*", "receipt": true }] }).to_string();
        let mut command = Command::new("node");
        command.env("NODE_PATH", modules).arg(root.join("crates/edges/tests/peers/smsc.js")).arg(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let orders = child.stdin.take().expect("piped");
        let mut npm = Self { child, orders, lines, port: 0 };
        let listening: Value = serde_json::from_str(&npm.event("listening")).expect("JSON");
        npm.port = listening["port"].as_u64().expect("a port");
        npm
    }

    /// Its next event of that name, as it printed it; others are passed over.
    fn event(&self, name: &str) -> String {
        let starts = format!("{{\"event\":\"{name}\"");
        let until = Instant::now() + WITHIN;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {name}"));
            if line.starts_with(&starts) {
                return line;
            }
        }
    }

    fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").expect("it reads");
        self.event("done");
    }

    fn kill(&mut self) {
        self.child.kill().expect("sent");
        self.child.wait().expect("ends");
    }
}

impl Drop for Npm {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A world with the page's table and more lines of it, and the page's password file.
fn world(npm: &Npm, more: &str) -> World {
    let world = World::new();
    let table = block("toml", "[[smsc]]").replace("127.0.0.1:2775", &format!("127.0.0.1:{}", npm.port));
    world.reconfigure("\n[limits]\n", &format!("\n{table}{more}\n[limits]\n"));
    let file = world.data.join("smsc1.password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("changed");
    world
}

/// The page's operator and people.
fn people(world: &World) {
    let profile = world.file("koryolink.toml", KORYOLINK);
    world.run(&["operator", "load", &profile]).ok();
    let people = block("console", "cat subscribers.csv").split_once("cat subscribers.csv\n").expect("lines").1;
    let people = world.file("subscribers.csv", people.split_once("$ ").expect("an end").0);
    let imported = world.run(&["subscriber", "import", "--operator", "koryolink", &people]).ok();
    assert_eq!(imported, "2 created, 0 updated, 0 as they were\n");
}

/// Asks the doctor until it says this of the SMSC; the page says it in the same words.
fn doctor_says(world: &World, code: i32, says: &str) {
    assert!(PAGE.contains(says), "not on the page: {says}");
    let until = Instant::now() + WITHIN;
    loop {
        let ran = world.run(&["doctor"]);
        let line = ran.out.lines().find(|line| line.contains("smsc1 ")).map(String::from).unwrap_or_default();
        if line.contains(says) && ran.code == code {
            return;
        }
        assert!(Instant::now() < until, "{says}: {ran:?}");
    }
}

/// Waits until the page's words for a state stand on the line of that SMS.
fn settled(world: &World, number: &str, starts: &str) -> String {
    assert!(PAGE.contains(starts), "not on the page: {starts}");
    let until = Instant::now() + WITHIN;
    loop {
        let shown = world.run(&["receipt", number]).ok();
        if let Some(line) = shown.lines().find(|line| line.contains(starts)) {
            return String::from(line);
        }
        assert!(Instant::now() < until, "{shown}");
    }
}

fn stopped(served: Served) {
    let (code, log) = served.stop();
    assert!(code == 0 && !log.contains(PASSWORD), "{log}");
}

#[test]
fn a_newcomer_sees_the_sms_of_a_gift() {
    let account = json!({ "system_id": "sonmul", "password": PASSWORD });
    let mut npm = Npm::start(&account);
    let world = world(&npm, "");
    let served = world.serve();
    people(&world);
    doctor_says(&world, 0, "bound for ");
    assert!(npm.event("bind").contains(between("\"mode\":", "\"system_id\":\"sonmul\"")));

    let (card, password) = world.card(1_000);
    let dial = |string: &str| world.run(&["dial", "--from", "1911000001", string]).ok();
    assert_eq!(dial(&format!("*999*0*4*{card}*{password}#")), between("Card 00000001 is", "give with.\n"));
    let given = dial(&format!("*999*500*1911000002*{password}#"));
    assert!(given.starts_with(between("Sent: 500 won", "Left on the card: 500 won\n")), "{given}");
    let number = receipt(&given);

    // As the stack decoded it.
    let submit = npm.event("submit");
    let text = between("\"text\":\"전화돈", "5-09\"").replace("5-09", &number);
    assert!(submit.contains(&text) && submit.contains(between("\"from\":\"Koryolink\"", "\"to_npi\":1")), "{submit}");
    assert!(npm.event("answer").contains(between("\"command\":\"deliver_sm_resp\"", "\"tag\":\"receipt\"")));
    let recipient = settled(&world, &number, "SMS to the recipient 8501911000002: delivered, at ");
    assert!(recipient.ends_with("receipt=delivered") && recipient.contains("message_id=1000000"));
    settled(&world, &number, "SMS to the sender 8501911000001: superseded, at ");
    let shown = world.run(&["receipt", &number, "--json"]).json();
    assert_eq!(shown["sms"][0]["state"], "delivered");

    npm.kill();
    doctor_says(&world, 3, "Connection refused (os error 111)): is the SMSC running, and `address` right?");
    stopped(served);
}

#[test]
fn what_the_doctor_says_of_a_bind_that_fails() {
    let mut npm = Npm::start(&json!({ "password": "another" }));
    let world = world(&npm, "");
    let refused = "refused the bind with ESME_RINVPASWD (0x0000000e): check `password_file` with the SMSC's operator";
    doctor_says(&world, 3, refused);
    let served = world.serve();
    // No operator is loaded, so that is the first thing to do.
    doctor_says(&world, 1, refused);
    stopped(served);
    for (bind, says) in [
        (json!({ "system_id": "another" }), "ESME_RINVSYSID (0x0000000f): check `system_id` with the SMSC's operator"),
        (
            json!({ "status": "ESME_RBINDFAIL" }),
            "check `system_id`, `password_file` and the addresses the SMSC lets in",
        ),
        (json!({ "status": "ESME_RALYBND" }), "ESME_RALYBND (0x00000005): another session is bound with this"),
        (json!({ "status": "ESME_RTHROTTLED" }), "ESME_RTHROTTLED (0x00000058): too many binds: we wait longer"),
        (json!({ "silent": true }), "does not answer the bind: does SMPP run on this port?"),
        // The server that is looked for first is what is wrong then.
        (json!({ "password": PASSWORD }), "binds as a transceiver"),
    ] {
        npm.order(&json!({ "do": "bind", "bind": bind }));
        doctor_says(&world, 3, says);
    }
}

#[test]
fn a_menu_behind_a_gateway() {
    let mut npm = Npm::start(&json!({}));
    let world = world(&npm, block("toml", "ussd = true"));
    let served = world.serve();
    people(&world);
    doctor_says(&world, 0, "bound for ");
    let dialled = between("→ ", "\n").trim_start_matches("→ ").trim_end();
    let (fields, tlvs) = dialled.split_once(", [[").expect("fields and parameters");
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    npm.order(&json!({ "do": "deliver", "fields": read(fields), "tlvs": read(&format!("[[{tlvs}")) }));
    let screen = npm.event("submit");
    assert!(screen.contains(between("\"text\":\"1 Give", "\"2a02\"]]")), "{screen}");
    stopped(served);
}
