//! Profiles on disk against the rules in force: an edit that nobody loaded has no effect, and is said.

use std::path::{Path, PathBuf};

/// Warns of every file that says something else than what is in force.
pub(crate) fn compare(files: &[PathBuf], loaded: &[(String, [u8; 32])]) {
    for file in files {
        if let Some(what) = differs(file, loaded) {
            tracing::warn!(file = %file.display(), "{what}");
        }
    }
}

fn differs(file: &Path, loaded: &[(String, [u8; 32])]) -> Option<String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Some(format!("this profile can't be read: {error}")),
    };
    let hash = *blake3::hash(text.as_bytes()).as_bytes();
    if loaded.iter().any(|(_, known)| *known == hash) {
        return None;
    }
    let rules = match domain::rules::parse::parse(&text) {
        Ok(rules) => rules,
        Err(error) => return Some(format!("this profile is wrong in {error}; the rules loaded before stay in force")),
    };
    let known = loaded.iter().any(|(operator, _)| *operator == rules.operator);
    Some(match known {
        true => String::from("this profile was edited but not loaded: `sonmul operator load` puts it in force"),
        false => String::from("this profile's operator is not loaded: `sonmul operator load` puts it in force"),
    })
}
