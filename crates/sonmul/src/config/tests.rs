use super::limits::SPECS;
use super::{Config, Limits, template};

const HASH: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

fn wrong(text: &str) -> String {
    Config::parse(text).expect_err("wrong").to_string()
}

#[test]
fn the_template_is_a_configuration_with_every_limit_at_its_default() {
    let text = template("127.0.0.1:0", HASH, &[String::from("koryolink")]);
    let config = Config::parse(&text).expect("right");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.links.aggregators.len(), 1);
    // With the comment signs before limits taken away it says the same.
    let (head, limits) = text.split_once("[limits]\n").expect("a table");
    let lines: Vec<&str> = limits.lines().collect();
    assert_eq!(lines.len(), 2 * SPECS.len());
    let open: String =
        lines.iter().skip(1).step_by(2).map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let config = Config::parse(&format!("{head}[limits]\n{open}")).expect("right");
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn mistakes_are_named_with_their_line() {
    let aggregator = |name: &str, link: u16| {
        format!(
            "[[aggregator]]\nname = \"{name}\"\nlink = {link}\nkey_hash = \"blake3:{HASH}\"\nsources = []\noperators = []\n"
        )
    };
    let cases = [
        (String::from("colour = 1"), "line 1: unknown field `colour`"),
        (String::from("\n[http]\nlisten = \"0.0.0.0:80\""), "line 3: HTTP listens on loopback unless TLS"),
        (String::from("[http]\nlisten = \"here\""), "line 2: write an address and a port"),
        (String::from("[http]\nport = 1"), "line 2: unknown field `port`"),
        (String::from("[limits]\n\nqueue_deep = 1"), "line 3: no such limit; there are queue_depth"),
        (String::from("[limits]\nqueue_depth = 0"), "line 2: queue_depth is 1 to 1048576"),
        (String::from("[limits]\ndecide_within_s = 301"), "line 2: decide_within_s is 1 to 300"),
        (String::from("[limits]\nqueue_depth = \"many\""), "line 2: invalid type"),
        (String::from("[limits]\nqueue_depth = 1.5"), "line 2: invalid type"),
        (String::from("x ="), "line 1: "),
        (format!("{}{}", aggregator("a", 1), aggregator("b", 1)), "line 9: every link has a number"),
        (format!("{}{}", aggregator("a", 1), aggregator("a", 2)), "line 8: two links have this name"),
        (aggregator("a", 0), "line 3: every link has a number"),
        (aggregator("a", 1).replace("blake3:", ""), "line 4: write \"blake3:\""),
        (aggregator("a", 1).replace("sources = []", "sources = [\"10.0.0.0/33\"]"), "line 5: write an address"),
    ];
    let hlr = |more: &str| format!("[[hlr]]\nname = \"h\"\nlink = 2\noperators = [\"koryolink\"]\n{more}");
    let smsc = |more: &str| {
        format!(
            "[[smsc]]\nname = \"s\"\nlink = 3\noperators = []\naddress = \"127.0.0.1:2775\"\nsystem_id = \"sonmul\"\n{more}"
        )
    };
    let links = [
        (format!("{}{}", aggregator("h", 1), hlr("")), "line 8: two links have this name"),
        (format!("{}{}", aggregator("a", 2), hlr("")), "line 9: every link has a number"),
        (hlr("gsup = \"127.0.0.1\""), "line 5: write a host and a port, for example \"127.0.0.1:4222\""),
        (hlr("ctrl = \"h:0\""), "line 5: write a host and a port"),
        (hlr("euse = \"EUSE airtime\""), "line 5: a name as after `euse`"),
        (hlr("guard_s = 2"), "line 5: 3 to 600 seconds, as ncss-guard-timeout"),
        (hlr("guard_s = 5\nanswer_within_ms = 5000"), "line 6: OsmoHLR drops answers after its guard_s of 5"),
        (hlr("session_idle_s = 0"), "line 5: 1 to 600 seconds"),
        (hlr("answer_within_ms = 99"), "line 5: 100 to 60000"),
        (hlr("ranges = [\"1910000000\"]"), "line 5: write the first and the last number"),
        (hlr("ranges = [\"8501920000000-8501910000000\"]"), "line 5: write the first and the last number"),
        (hlr("password = \"x\""), "line 5: unknown field `password`"),
        (smsc("sms = false"), "line 5: this link would carry nothing"),
        (smsc("window = 0"), "line 7: 1 to 1000"),
        (smsc("response_within_ms = 60000"), "line 7: 100 to 59999 milliseconds: below sms_submit_within_ms"),
        (smsc("binds = 17"), "line 7: 1 to 16"),
        (smsc("letters = \"utf8\""), "line 7: unknown variant `utf8`"),
        (smsc("[smsc.tls]\nca_file = \"ca.pem\"\nkey_file = \"key.pem\""), "line 9: cert_file and key_file belong"),
        (smsc("").replace("\"sonmul\"", "\"sixteen-letters-\""), "line 6: 1 to 15 letters"),
    ];
    for (text, expected) in cases.into_iter().chain(links) {
        let said = wrong(&text);
        assert!(said.starts_with(expected), "{text}\n{said}");
    }
}

#[test]
fn links_take_what_they_say_and_otherwise_the_limits() {
    let text = "[[hlr]]\nname = \"h\"\nlink = 2\noperators = [\"koryolink\"]\nguard_s = 8\nsession_idle_s = 7\n\
                ranges = [\"8501910000000-+8501919999999\"]\nwrong_passwords_per_min = 5\n\
                [[smsc]]\nname = \"s\"\nlink = 3\noperators = []\naddress = \"smsc.example:2775\"\nsystem_id = \"x\"\n\
                password_file = \"s.password\"\ntls = { ca_file = \"/etc/ca.pem\" }\n";
    let mut config = Config::parse(text).expect("right");
    let hlr = &config.links.hlrs[0];
    assert_eq!(
        (hlr.gsup.as_str(), hlr.ctrl.as_str(), hlr.euse.as_str()),
        ("127.0.0.1:4222", "127.0.0.1:4259", "airtime")
    );
    assert_eq!((hlr.common.times.idle_s, hlr.common.times.total_s), (7, 180));
    assert_eq!(hlr.common.answer_within_ms, 7_000, "made to fit the guard");
    assert_eq!((hlr.common.brake.burst, hlr.common.brake.per_min), (300, 5));
    assert_eq!(hlr.common.ranges.len(), 1);
    let smsc = &config.links.smscs[0];
    assert_eq!((smsc.window, smsc.sms, smsc.ussd, smsc.enquire_link_s), (10, true, false, 30));
    assert_eq!(config.links.files().count(), 2);
}
