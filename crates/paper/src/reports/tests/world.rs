//! A small operator with a shop: its history is decided, folded, and kept in memory as a server would keep it on disk.

use std::sync::Arc;

use domain::card::Voiding;
use domain::command::{Body, CardChange, ChangeCard, Gift};
use domain::currency::Currency;
use domain::ids::{BatchId, CardId, OutletId, Serial, Staff};
use domain::office::Asked;
use domain::office::batch::{BatchCommand, MadeCard};
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::rules::Rules;
use domain::rules::tariff::Ratio;
use domain::testing::{self, OPERATOR, PASSWORD, asked, at, caller, card_number, minor, password, phone, seconded};
use domain::verdict::{Entry, Verdict};
use engine::checkpoint::{Checkpoint, CheckpointFault, Collector};
use engine::ids::{IdsConfig, IdsKept};
use engine::journal::{Draft, Head, Journal as _, decode};
use engine::memory::{MemoryCheckpoint, MemoryJournal};

use crate::reports::agree::Kept;
use crate::reports::fold::Journal;

const MAKER: Staff = Staff(1);
const SHOP: OutletId = OutletId(1);

/// Koryolink with one open period: a fee of 4 with a tax of a quarter, cards that last 40 days; `lines` are more of it.
pub(crate) fn profile(lines: &str) -> String {
    testing::one_period(
        &[("first_use = false", "first_use = false\ncard_valid_days = 40")],
        &format!("gift_fee = {{ flat = 4, tax_basis_points = 2500 }}\n{lines}"),
    )
}

pub(crate) fn rules(lines: &str) -> Rules {
    testing::rules_of(&profile(lines))
}

/// See the module.
pub(crate) struct World {
    inner: testing::World,
}

impl World {
    /// Three subscribers with a card of 1000 each, a shop with three cards of 500 and a float of 100.00 USD; on 20 October.
    pub(crate) fn new() -> Self {
        let inner = testing::World::peopled(at("2026-10-20T01:00:00Z"), rules(""), 3, 1_000);
        let mut world = Self { inner };
        world.till(TillCommand::OpenOutlet { operator: OPERATOR, name: String::from("Pothonggang") });
        let rate = Rate { from: world.inner.at, until: None, ratio: Ratio::ONE };
        world.both(Proposal::Rate { currency: Currency::Usd, rate });
        world.production(4, 3);
        world.till(TillCommand::Deposit { outlet: SHOP, currency: Currency::Usd, amount: minor(10_000) });
        world
    }

    /// A November: sales, a refund, a pay-out, gifts, refusals, an expired card, and a first entry of December.
    pub(crate) fn november() -> Self {
        let mut world = Self::new();
        world.on("2026-11-02T01:00:00Z");
        let mut world = world.sold();
        world.till(TillCommand::Refund { serial: Serial(5) });
        world.gift(1, 2, 100, Some(1));
        world.gift(1, 2, 60, None);
        world.on("2026-11-03T01:00:00Z");
        world.gift(2, 3, 300, None);
        world.gift(2, 3, 600, None);
        world.gift(2, 3, 700, None);
        world.both(Proposal::VoidCards { first: Serial(4), last: Serial(4), why: Voiding::Faulty });
        world.till(TillCommand::PayOut { serial: Serial(4) });
        // The evening of the 4th in UTC is the 5th in Pyongyang.
        world.on("2026-11-04T20:00:00Z");
        world.gift(3, 1, 500, None);
        world.on("2026-11-29T01:00:00Z");
        world.inner.done(&Body::ExpireCard(CardId(0)));
        world.on("2026-11-30T15:00:00Z");
        // Refused: by now all cards are past their time.
        world.gift(3, 1, 20, None);
        world
    }

    /// Two of the shop's cards are sold.
    pub(crate) fn sold(mut self) -> Self {
        let goods = Goods::Cards { first: Serial(4), count: 2 };
        self.till(TillCommand::Quote { outlet: SHOP, currency: Currency::Usd, goods });
        let quote = self.inner.state.seq();
        self.till(TillCommand::Sell { quote });
        self
    }

    pub(crate) fn on(&mut self, instant: &str) {
        self.inner.at = at(instant);
    }

    fn office(&mut self, staff: Staff, what: Asked) -> Verdict {
        self.inner.done(&asked(staff, what))
    }

    fn till(&mut self, command: TillCommand) {
        self.office(MAKER, Asked::Till(command));
    }

    /// Proposed by one, approved by another one.
    pub(crate) fn both(&mut self, proposal: Proposal) {
        let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(proposal) };
        let proposed = self.office(MAKER, Asked::Motion(propose));
        self.inner.done(&seconded(&proposed, Staff(2)).unwrap_or_else(|| panic!("{proposed:?}")));
    }

    /// A batch of cards of 500, at the shop.
    fn production(&mut self, first: u64, count: u32) {
        let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: count };
        self.office(MAKER, Asked::Batch(start));
        let batch = BatchId::try_new(1).expect("a batch");
        let tag = |number| self.inner.keys.current().card(OPERATOR, number, &password(PASSWORD));
        let numbers = (first..first + u64::from(count)).map(card_number);
        let cards = numbers.map(|number| MadeCard { number, tag: tag(number) }).collect();
        self.office(MAKER, Asked::Batch(BatchCommand::Make { batch, cards }));
        self.office(MAKER, Asked::Batch(BatchCommand::Seal { batch, file_hash: [3; 32] }));
        let (first, last) = (u32::try_from(first).expect("small"), u32::try_from(first).expect("small") + count - 1);
        let stock = BatchCommand::Stock { first: Serial(first), last: Serial(last), outlet: SHOP };
        self.office(MAKER, Asked::Batch(stock));
    }

    /// Whatever is answered.
    pub(crate) fn gift(&mut self, from: u64, to: u64, amount: i64, occasion: Option<u8>) {
        let gift = testing::gift(&self.inner.keys, caller(phone(from)), phone(to), amount);
        self.inner.act(&Body::Gift(Gift { occasion, ..gift }));
    }

    pub(crate) fn freeze(&mut self, serial: u32) {
        let change = ChangeCard { staff: MAKER, serial: Serial(serial), change: CardChange::Freeze };
        self.inner.done(&Body::ChangeCard(change));
    }

    /// Changes the latest entry's effects as a bug would, and folds them.
    pub(crate) fn spoil(&mut self, how: impl FnOnce(&mut Entry)) {
        self.inner.spoil(how);
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> usize {
        self.inner.journal.len()
    }

    /// All of it as a journal, and a checkpoint of its end.
    pub(crate) fn written(self) -> (Checkpointed, Journal) {
        self.written_up_to(self.entries())
    }

    /// The same of so many entries.
    pub(crate) fn written_up_to(&self, entries: usize) -> (Checkpointed, Journal) {
        let mut disk = MemoryJournal::new();
        let (mut head, mut collector) = (Head::default(), Collector::new(Head::default()));
        for kept in self.inner.journal.iter().take(entries) {
            let mut draft = Draft::new(kept.at, 0);
            draft.push(&kept.entry());
            let link = draft.finish(&head);
            disk.append(&link).expect("appended");
            collector.add(&decode(&link).expect("an append"));
            head = link.head();
        }
        let mut checkpoint = MemoryCheckpoint::new();
        checkpoint.write(&collector.take(IdsKept::default())).expect("written");
        (Checkpointed(checkpoint), Journal::new(Arc::new(disk.reader()), head.seq))
    }
}

/// A checkpoint in memory. It has rows of its own, and nothing to compare but what is loaded of them.
pub(crate) struct Checkpointed(MemoryCheckpoint);

impl Kept for Checkpointed {
    fn load(&self) -> Result<Option<engine::replica::Replica>, CheckpointFault> {
        self.0.snapshot().load(IdsConfig::NONE).map(Some)
    }
}
