//! What must hold for any profile and any entry that reaches `domain`.
//!
//! Included twice: by the fuzz targets, and by `crates/domain/tests/it`, which replays the seeds on every test run.

use domain::rules::Rules;
use domain::verdict::Entry;

/// The name of a target and of its folder of seeds, and its check.
pub type Check = (&'static str, fn(&[u8]));

/// Every check.
pub const CHECKS: [Check; 2] = [("profile", profile), ("entry", entry)];

/// A profile is rules that survive the journal, the same each time, or a line that is wrong.
pub fn profile(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match domain::rules::parse::parse(text) {
        Ok(rules) => {
            let Some(written) = stored::<Rules>(&rules) else { panic!("rules that were parsed can be stored") };
            let again = domain::rules::parse::parse(text).ok().and_then(|rules| stored(&rules));
            assert!(again.as_ref() == Some(&written), "the same text gives the same rules");
        }
        Err(error) => {
            assert!((1..=text.split('\n').count() + 1).contains(&error.line), "line {}", error.line);
            assert!(!error.what.is_empty());
        }
    }
}

/// An entry that was read is written so that it reads the same: nothing of it is lost, and its hash can't depend on how
/// somebody else wrote it.
pub fn entry(octets: &[u8]) {
    let Ok(entry) = minicbor::decode::<Entry>(octets) else { return };
    assert!(stored::<Entry>(&entry).is_some(), "an entry that was read can be stored");
}

/// Its octets, when reading them gives the same value.
fn stored<T>(value: &T) -> Option<Vec<u8>>
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    let written = minicbor::to_vec(value).ok()?;
    let again = minicbor::decode::<T>(&written).ok()?;
    (minicbor::to_vec(&again).ok()? == written).then_some(written)
}
