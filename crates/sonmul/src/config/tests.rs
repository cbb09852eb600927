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
    assert_eq!(config.aggregators.len(), 1);
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
        (format!("{}{}", aggregator("a", 1), aggregator("b", 1)), "line 9: every aggregator has a link number"),
        (format!("{}{}", aggregator("a", 1), aggregator("a", 2)), "line 8: two aggregators have this name"),
        (aggregator("a", 0), "line 3: every aggregator has a link number"),
        (aggregator("a", 1).replace("blake3:", ""), "line 4: write \"blake3:\""),
        (aggregator("a", 1).replace("sources = []", "sources = [\"10.0.0.0/33\"]"), "line 5: write an address"),
    ];
    for (text, expected) in cases {
        let said = wrong(&text);
        assert!(said.starts_with(expected), "{text}\n{said}");
    }
}
