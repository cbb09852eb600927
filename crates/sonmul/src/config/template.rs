//! The configuration that `init` writes: every key with its meaning, limits at their defaults as comments.

use std::fmt::Write;

use super::limits::SPECS;

/// The text of a new `sonmul.toml`, listening there, with the local aggregator's key as a hash and the operators that it
/// may speak for.
pub(crate) fn template(listen: &str, key_hash: &str, operators: &[String]) -> String {
    let operators = operators.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut text = format!(
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

# Who may pass on dialled strings over HTTP (Africa's Talking's dialect). `sonmul dial` uses the one below with the key
# in aggregator-local.key. The hash of a key: `printf %s KEY | b3sum`.
[[aggregator]]
name = "local"
# Its number for good: part of sessions' ids and of lock-outs.
link = 1
key_hash = "blake3:{key_hash}"
sources = ["127.0.0.1", "::1"]
# Whose subscribers it may speak for, by the operators' public names. The first answers what can't be read.
operators = [{operators}]

[limits]
"#
    );
    for spec in SPECS {
        // Writing to a String can't fail.
        let _infallible = write!(text, "# {}\n# {} = {}\n", spec.why, spec.name, grouped(spec.default));
    }
    text
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
