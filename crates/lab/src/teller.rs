//! A follower with effects outside: it tells whoever must hear of a durable entry, and keeps a cursor on its own disk.
//!
//! It tells first and saves afterwards, so that a crash between the two tells again and never forgets.

use std::collections::BTreeSet;

use domain::receipt::Seq;
use engine::journal::JournalReader;

use crate::dice::Dice;
use crate::plant::Plant;

/// What it keeps on its disk, and what the world outside has heard.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    cursor: Seq,
    heard: BTreeSet<Seq>,
    /// How often somebody heard of an entry again.
    pub(crate) again: u64,
}

impl Teller {
    /// Reads a few durable appends and tells their entries. `false`: the process dies between telling and saving.
    pub(crate) fn work(&mut self, reader: &dyn JournalReader, dice: &mut Dice, plant: Option<Plant>) {
        let Ok(links) = reader.read(self.cursor.next(), usize::MAX) else { return };
        let most = 1 + dice.index(4);
        for link in links.iter().take(most) {
            let ahead = plant == Some(Plant::CursorAhead);
            if ahead {
                self.cursor = link.last_seq();
            }
            // The process dies now and then, before anybody heard or before it is saved that they did.
            if dice.often(20) {
                return;
            }
            for seq in (link.first_seq.0..=link.last_seq().0).map(Seq) {
                self.again += u64::from(!self.heard.insert(seq));
            }
            if dice.often(20) {
                return;
            }
            self.cursor = link.last_seq();
        }
    }

    /// Everything up to the journal's end is told.
    pub(crate) fn run_dry(&mut self, reader: &dyn JournalReader) {
        let Ok(links) = reader.read(self.cursor.next(), usize::MAX) else { return };
        for link in links {
            self.heard.extend((link.first_seq.0..=link.last_seq().0).map(Seq));
            self.cursor = link.last_seq();
        }
    }

    /// The first entry up to `head` that nobody heard of.
    pub(crate) fn missing(&self, head: Seq) -> Option<Seq> {
        (1..=head.0).map(Seq).find(|seq| !self.heard.contains(seq))
    }
}
