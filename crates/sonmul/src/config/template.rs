//! The configuration that `init` writes: every key with its meaning, limits at their defaults as comments.

use std::fmt::Write;

use super::limits::SPECS;

/// The text of a new `sonmul.toml`, listening there, with the local aggregator's key as a hash and the operators that it
/// may speak for.
pub(crate) fn template(listen: &str, key_hash: &str, operators: &[String]) -> String {
    let operators = operators.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut text = [server(listen), aggregator(key_hash, &operators), peers(&operators)].concat();
    text.push_str("[limits]\n");
    for spec in SPECS {
        // Writing to a String can't fail.
        let _infallible = write!(text, "# {}\n# {} = {}\n", spec.why, spec.name, grouped(spec.default));
    }
    text
}

/// What concerns the whole server.
fn server(listen: &str) -> String {
    format!(
        r#"# The configuration of one Sonmul server. `sonmul serve` reads it at start; a wrong line is named and nothing starts.
# The rules of operators are not here: `sonmul operator load FILE` puts them in force.

# Members of this group may use admin.sock besides its owner; without it only the owner may.
# admin_group = "sonmul"

# Profiles whose files are compared with the rules in force, so that an edit that nobody loaded is said.
# Relative to this file's directory.
# profiles = ["/etc/sonmul/koryolink.toml"]
profiles = []

[http]
# Loopback only: TLS is not there yet. Port 0 takes a free one; http.addr says which.
listen = "{listen}"

"#
    )
}

/// The aggregator that `sonmul dial` is.
fn aggregator(key_hash: &str, operators: &str) -> String {
    format!(
        r#"# Who may pass on dialled strings over HTTP, in the dialects of Africa's Talking, Hubtel and Arkesel (docs/protocols/http.md). `sonmul dial` uses the one below with the key
# in aggregator-local.key. The hash of a key: `printf %s KEY | b3sum`.
[[aggregator]]
name = "local"
# Its number for good: part of sessions' ids and of lock-outs.
link = 1
key_hash = "blake3:{key_hash}"
sources = ["127.0.0.1", "::1"]
# Whose subscribers it may speak for, by the operators' public names. The first answers what can't be read.
operators = [{operators}]
# Numbers that it may speak for among those operators' own, with country code; without it all of them.
# ranges = ["8501910000000-8501919999999"]
# Every link may say these for itself: how many wrong passwords it may bring, how long its sessions live, and how long a
# phone waits before it reads "not known yet".
# wrong_passwords_burst = 300
# wrong_passwords_per_min = 300
# session_idle_s = 30
# session_total_s = 180
# answer_within_ms = 10_000

"#
    )
}

/// Links that somebody may want, as comments.
fn peers(operators: &str) -> String {
    format!(
        r#"# An OsmoHLR that we are an External USSD Entity of: docs/operating/osmocom.md.
# [[hlr]]
# name = "hlr1"
# link = 10
# gsup = "127.0.0.1:4222"
# ctrl = "127.0.0.1:4259"
# euse = "airtime"       # as after `euse` in its hlr.cfg
# guard_s = 30           # its ncss-guard-timeout
# operators = [{operators}]

# An SMSC, or a USSD gateway that speaks SMPP: docs/operating/smpp.md. Files are relative to this one's directory; the
# password's must be its owner's alone (0600).
# [[smsc]]
# name = "smsc1"
# link = 20
# address = "127.0.0.1:2775"
# system_id = "sonmul"
# password_file = "smsc1.password"
# operators = [{operators}]
# sms = true             # it carries SMS ...
# ussd = false           # ... and dialogues
# source = "999"         # whom SMS come from: a number, a short code, or up to eleven letters
# window = 10            # messages sent and not answered yet
# submits_per_s_max = 100
# enquire_link_s = 30
# binds = 1              # connections at the same time
# receipts = true        # it sends delivery receipts
# letters = "gsm7"       # its default alphabet: "gsm7", "ascii", or "ucs2" for UCS-2 where it fits
# tls = {{ ca_file = "smsc1-ca.pem" }}

"#
    )
}

/// Thousands apart, as TOML allows.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}
