//! The operators of a world: the two shipped profiles, a third operator that lives far ahead of them, and variants of each.
//!
//! The world's authority orders these rules; what the decider is given is [`as_loaded`], which a planted bug may change.

use std::sync::{Arc, LazyLock};

use domain::rules::Rules;
use domain::rules::parse::parse;
use domain::time::Zone;

use crate::plant::Plant;

/// Rules as ordered.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) rules: Arc<Rules>,
    /// Stands for the hash of a file: operator and variant.
    pub(crate) hash: [u8; 32],
}

const TEXTS: [[&str; VARIANTS]; OPERATORS] = [
    [
        include_str!("../../../profiles/koryolink.toml"),
        include_str!("../profiles/koryolink-roomy.toml"),
        include_str!("../profiles/koryolink-held.toml"),
    ],
    [
        include_str!("../../../profiles/kangsong.toml"),
        include_str!("../profiles/kangsong-open.toml"),
        include_str!("../profiles/kangsong-talk.toml"),
    ],
    [
        include_str!("../profiles/harbour.toml"),
        include_str!("../profiles/harbour-strict.toml"),
        include_str!("../profiles/harbour-held.toml"),
    ],
];

/// How many operators there are.
pub(crate) const OPERATORS: usize = 3;
/// How many profiles each has.
pub(crate) const VARIANTS: usize = 3;

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let texts =
        (0_u8..).zip(TEXTS).flat_map(|(operator, texts)| (0_u8..).zip(texts).map(move |(v, t)| (operator, v, t)));
    texts.map(|(operator, variant, text)| profile(text, operator, variant)).collect()
});

#[expect(clippy::expect_used, reason = "part of the program; a test parses them")]
fn profile(text: &str, operator: u8, variant: u8) -> Profile {
    let mut hash = [0; 32];
    (hash[0], hash[1]) = (operator + 1, variant);
    Profile { rules: Arc::new(parse(text).expect("a profile of the simulator")), hash }
}

/// One operator's rules.
pub(crate) fn ordered(operator: usize, variant: usize) -> Option<&'static Profile> {
    PROFILES.get(operator * VARIANTS + variant)
}

/// The rules that were ordered in a file.
pub(crate) fn by_hash(hash: &[u8; 32]) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.hash == *hash)
}

/// What the decider is given for them.
pub(crate) fn as_loaded(profile: &Profile, plant: Option<Plant>) -> Arc<Rules> {
    let mut rules = Rules::clone(&profile.rules);
    match plant {
        Some(Plant::MidnightOffByOne) => {
            // An hour less ahead of UTC than each of them is.
            let late = if rules.operator == "harbour" { "Pacific/Fakaofo" } else { "Asia/Shanghai" };
            if let Ok(late) = Zone::parse(late) {
                rules.zone = late;
            }
        }
        Some(Plant::LimitReadOutside) => rules.periods.iter_mut().for_each(|period| period.limits.clear()),
        Some(Plant::RedialForgotten) => rules.standing.repeat_window_s = 0,
        Some(
            Plant::AnswerBeforeAppend
            | Plant::IdForgottenAtRestart
            | Plant::CheckpointAhead
            | Plant::FloorForgottenAtRestart
            | Plant::DeadlineUnbounded
            | Plant::TimerSleeps
            | Plant::CursorAhead,
        )
        | None => return Arc::clone(&profile.rules),
    }
    Arc::new(rules)
}

#[cfg(test)]
mod tests {
    use super::{OPERATORS, VARIANTS, by_hash, ordered};

    #[test]
    fn every_profile_parses_and_is_found_by_its_hash() {
        for operator in 0..OPERATORS {
            for variant in 0..VARIANTS {
                let profile = ordered(operator, variant).expect("a profile");
                let found = by_hash(&profile.hash).expect("known");
                assert!(std::ptr::eq(profile, found));
            }
        }
    }
}
