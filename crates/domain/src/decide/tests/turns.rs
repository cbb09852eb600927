//! When what is remembered for a while begins a new generation: not before it must, and never while it still matters.

use super::profile;
use crate::command::Body;
use crate::decide::decide;
use crate::effects::Change;
use crate::ids::SubscriberId;
use crate::memory::{Memory, REPEAT_GENERATION_MS, REPEATS_SOON};
use crate::receipt::Seq;
use crate::state::{Repeat, RepeatKey};
use crate::testing::{World, at, caller, gift, minor, phone, top_up};

const DAY_MS: i64 = 86_400_000;

/// Two phones with a card each; the first gave 5 to the second this very instant, which began every generation that it could.
fn world(rules: &[&str]) -> World {
    let mut world = World::peopled(at("2020-01-31T12:00:00Z"), profile::rules("test", rules), 2, 1_000);
    world.done(&given(&world, 5));
    world
}

fn given(world: &World, amount: i64) -> Body {
    Body::Gift(gift(&world.keys, caller(phone(1)), phone(2), amount))
}

/// What begins anew when that is asked so long after the gift.
fn turned(world: &World, body: &Body, after_ms: i64) -> Vec<Memory> {
    let verdict = decide(&world.state, body, world.at.plus_ms(after_ms));
    let turn = |change: &Change| if let Change::Turn { memory } = change { Some(*memory) } else { None };
    verdict.effects.changes.iter().filter_map(turn).collect()
}

#[test]
fn gifts_are_remembered_for_a_day_and_a_full_memory_forgets_sooner() {
    let few = world(&["standing repeat_window_s = 300"]);
    assert_eq!(turned(&few, &given(&few, 6), REPEAT_GENERATION_MS - 1), []);
    assert_eq!(turned(&few, &given(&few, 6), REPEAT_GENERATION_MS), [Memory::Repeats]);
    // Other people's gifts at the same instant, until there is one too few.
    let mut full = world(&["standing repeat_window_s = 300"]);
    let repeat = Repeat { at: full.at, seq: Seq(1) };
    let mut remember = |n: u32| {
        let (sender, recipient) = (SubscriberId(n + 9), SubscriberId(0));
        full.state.repeats.insert(RepeatKey { sender, recipient, amount: minor(1) }, repeat);
        full.state.repeats.newest_len() + 1
    };
    let missing = (1..).find(|n| remember(*n) == REPEATS_SOON).expect("a number");
    assert_eq!(turned(&full, &given(&full, 6), 300_001), [], "one too few");
    let repeats = &mut full.state.repeats;
    repeats
        .insert(RepeatKey { sender: SubscriberId(missing + 10), recipient: SubscriberId(0), amount: minor(1) }, repeat);
    assert_eq!(turned(&full, &given(&full, 6), 300_000), [], "the first may still be dialled again");
    assert_eq!(turned(&full, &given(&full, 6), 300_001), [Memory::Repeats]);
    let top_up = top_up(&few.keys, caller(phone(1)), 6);
    assert_eq!(turned(&few, &top_up, REPEAT_GENERATION_MS), [Memory::Repeats], "a top-up is remembered too");
    let refused = given(&few, 5_000);
    assert_eq!(turned(&few, &refused, REPEAT_GENERATION_MS), [], "what is refused is not remembered");
}

/// A month and a day: dates are counted in the operator's zone, generations in time.
#[test]
fn usage_of_pairs_is_remembered_for_the_longest_window_and_a_day() {
    let pair = world(&["limit pair gift pair count 9 calendar-month", "limit week gift pair total 900 days(7)"]);
    for (after_ms, expected) in
        [(32 * DAY_MS - 1, &[Memory::Repeats][..]), (32 * DAY_MS, &[Memory::Repeats, Memory::Pairs])]
    {
        assert_eq!(turned(&pair, &given(&pair, 6), after_ms), expected, "{after_ms} ms later");
    }
    let top_up = top_up(&pair.keys, caller(phone(1)), 6);
    assert_eq!(turned(&pair, &top_up, 40 * DAY_MS), [Memory::Repeats], "a top-up uses no limit of pairs");
    let sender = world(&["limit sender gift sender count 9 calendar-month"]);
    assert_eq!(turned(&sender, &given(&sender, 6), 40 * DAY_MS), [Memory::Repeats], "there is none");
}
