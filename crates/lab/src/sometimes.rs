//! Rare states that a simulator is there to meet. One that met none of them would hold as well.

use std::collections::BTreeMap;

/// A state's name, and in how many of a hundred seeds it is met at least; 0: it is told, and too rare to be asked for.
pub const SOMETIMES: &[(&str, u32)] = &[
    ("a batch is given up after cards of it were made", 20),
    ("a call ends after a rule change", 5),
    ("a call ends in another month", 1),
    ("a call ends when nobody has free minutes any more", 0),
    ("a call is extended after its price changed", 2),
    ("a call is extended within a second", 2),
    ("a call to another network is charged", 20),
    ("a card expires while a gift of it is on hold", 1),
    ("a card is reloaded at another outlet", 10),
    ("a card is voided while a gift of it is on hold", 2),
    ("a card of a long row of void ones is paid out", 0),
    ("a full phone gives up an empty card", 0),
    ("a gift comes back to a card that is over", 1),
    ("a gift that was taken back is forgotten", 20),
    ("a long row of cards is voided", 1),
    ("a price is not promised any more", 20),
    ("a refund after a reload at another outlet", 1),
    ("a start finds a gift in the checkpoint and its undoing in the tail", 5),
    ("a start from a checkpoint older than two generations of gifts", 2),
    ("a start from a checkpoint older than two generations of pairs", 0),
    ("an extended call's time is over", 10),
    ("an id from before the floor comes back", 10),
    ("an older gift comes back after the same was given again", 1),
    ("an undo is refused because the gift is due", 5),
    ("another SIM calls", 30),
    ("closed", 2),
    ("closed, and cards are void", 1),
    ("free minutes come back", 10),
    ("hold posted after a rule change", 5),
    ("hold voided: its card can't be used", 5),
    ("hold voided: its recipient has too much", 2),
    ("hold voided: its recipient is barred or gone", 5),
    ("hold voided: its sender may not give", 5),
    ("hold voided: the service is closed", 1),
    ("issuance is stopped while a price is promised", 5),
    ("nobody approved a motion in time", 10),
    ("rules are approved for later", 5),
    ("sold at a promised price after the rate changed", 2),
    ("usage of pairs is forgotten", 5),
];

/// States that were met in fewer seeds than they should have been, with how many.
pub fn missing(seeds: u64, met: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let seldom = |(name, least): &(&'static str, u32)| {
        let seen = met.get(name).copied().unwrap_or(0);
        (seen * 100 < u64::from(*least) * seeds).then_some((*name, seen))
    };
    SOMETIMES.iter().filter_map(seldom).collect()
}
