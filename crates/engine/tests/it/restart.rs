//! Checkpoint, tail, and what a start refuses.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use domain::money::Amount;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::state::RepeatKey;
use domain::verdict::Outcome;
use engine::checkpoint::{Checkpoint, CheckpointFault, Collector, Delta};
use engine::checkpointer::{CheckpointConfig, Checkpointer, kept_of};
use engine::ids::IdsConfig;
use engine::journal::{Head, Journal, JournalReader, ReadFault};
use engine::memory::MemoryCheckpoint;
use engine::recover::{RecoverFault, fold, recover};
use engine::replica::{FoldFault, Replica};

use crate::rig::{IDS, Rig, load, msisdn, verdict};

/// Its checkpoint follows.
pub(crate) fn checkpointed(rig: &mut Rig) {
    let head = rig.checkpoint.head();
    let collector = Collector::new(head);
    let config = CheckpointConfig { interval_ms: 0, ..CheckpointConfig::default() };
    let kept = kept_of(&rig.handle());
    let follow = Checkpointer::start(collector, Box::new(rig.checkpoint.clone()), config, kept).expect("starts");
    rig.engine.follow("checkpoint", head.seq, Box::new(follow)).expect("starts");
}

/// Tables that can't be written until a sender says so (or is gone); they tell how many entries each write had.
struct Stuck {
    tables: MemoryCheckpoint,
    open: Receiver<()>,
    wrote: Sender<u64>,
}

impl Checkpoint for Stuck {
    fn head(&self) -> Head {
        self.tables.head()
    }

    fn write(&mut self, delta: &Delta) -> Result<(), CheckpointFault> {
        // Gone: from now on everything goes through.
        let _open = self.open.recv();
        let before = self.tables.head().seq.0;
        self.tables.write(delta)?;
        self.wrote.send(self.tables.head().seq.0 - before).map_err(|gone| CheckpointFault::Io(gone.to_string()))
    }

    fn load(&mut self, ids: IdsConfig) -> Result<Replica, CheckpointFault> {
        self.tables.load(ids)
    }
}

#[test]
fn what_waits_for_a_checkpoint_that_cannot_be_written_has_a_bound() {
    const LAG_MAX: u64 = 4;
    let mut rig = Rig::with_two();
    let ((gate, open), (wrote, written)) = (channel(), channel());
    let stuck = Stuck { tables: rig.checkpoint.clone(), open, wrote };
    let config = CheckpointConfig { entries_min: 1, interval_ms: 0, lag_entries_max: LAG_MAX };
    let collector = Collector::new(Head::default());
    let follow = Checkpointer::start(collector, Box::new(stuck), config, kept_of(&rig.handle())).expect("starts");
    rig.engine.follow("checkpoint", Seq::ZERO, Box::new(follow)).expect("starts");
    for _ in 0..30 {
        verdict(rig.ask(rig.gift(1, 2, 500)));
    }
    // Time enough to fold all of them, if it did.
    std::thread::park_timeout(Duration::from_millis(500));
    drop(gate);
    let head = rig.journal.head();
    let mut widest = 0;
    while rig.checkpoint.head() != head {
        widest = widest.max(written.recv_timeout(Duration::from_secs(60)).expect("it catches up"));
    }
    assert!((1..=LAG_MAX).contains(&widest), "{widest} entries waited");
    let from_zero = fold(&rig.journal.reader(), IDS, &mut |_| {}).expect("folds");
    same(&load(&rig.checkpoint, &rig.journal), &from_zero);
}

/// Nothing differs: state, head, and how many ids are remembered.
#[track_caller]
fn same(one: &Replica, other: &Replica) {
    assert_eq!(one.state.differences(&other.state, 9), []);
    assert_eq!((one.head, one.ids.lens(), one.ids.kept()), (other.head, other.ids.lens(), other.ids.kept()));
}

#[test]
fn checkpoint_and_tail_are_the_fold() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    rig.done(rig.gift(1, 2, 500));
    let rig = rig.restart();
    assert_eq!(rig.checkpoint.head(), rig.journal.head(), "a clean stop leaves no tail");
    rig.done(rig.gift(2, 1, 300));
    let from_zero = fold(&rig.journal.reader(), IDS, &mut |_| {}).expect("folds");
    same(&load(&rig.checkpoint, &rig.journal), &from_zero);
    let from_nothing = load(&MemoryCheckpoint::new(), &rig.journal);
    same(&from_nothing, &from_zero);
}

#[test]
fn ids_and_limits_outlive_a_restart() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    let (id, gift) = (rig.id(), rig.gift(1, 2, 500));
    let first = verdict(rig.handle().submit_blocking(rig.command(id, gift.clone())));
    let rig = rig.restart();
    let again = verdict(rig.handle().submit_blocking(rig.command(id, gift)));
    assert_eq!((again.seq, again.outcome, again.repeated), (first.seq, first.outcome, true));
    let refused = verdict(rig.ask(rig.gift(1, 2, 400)));
    assert!(format!("{:?}", refused.outcome).contains("one-a-day"), "{:?}", refused.outcome);
}

/// Whatever a restart is made from: checkpoint and tail, or the journal alone.
#[test]
fn a_top_up_before_a_restart_is_not_done_again_after_it() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    let seq = rig.done(rig.top_up(1, 200));
    let rig = rig.restart();
    assert_eq!(rig.checkpoint.head(), rig.journal.head(), "the checkpoint holds it");
    let refused = verdict(rig.ask(rig.top_up(1, 200)));
    assert!(
        matches!(refused.outcome, Outcome::Refused(Refusal::Repeated { seq: given, .. }) if given == seq),
        "{:?}",
        refused.outcome
    );
    for checkpoint in [&rig.checkpoint, &MemoryCheckpoint::new()] {
        let state = load(checkpoint, &rig.journal).state;
        let (own, row) = state.find_subscriber(msisdn(1)).expect("a row");
        let key = RepeatKey { sender: own, recipient: own, amount: Amount::try_new(200).expect("positive") };
        assert_eq!(state.repeat(&key).map(|repeat| repeat.seq), Some(seq));
        assert!(state.recents_of(row).is_empty(), "nobody is their own recipient");
        assert_eq!(row.airtime.balance_minor, 200);
    }
}

#[test]
fn a_journal_that_lost_its_tail_is_refused() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    rig.done(rig.gift(1, 2, 500));
    let Rig { engine, journal, checkpoint, .. } = rig;
    engine.stop().expect("stops well");
    journal.cut_after(Seq(3));
    let fault = recover(&mut checkpoint.clone(), &journal.reader(), journal.head(), IDS, &mut |_| {});
    assert!(matches!(fault, Err(RecoverFault::TailLost { journal: Seq(3), .. })), "{fault:?}");
}

#[test]
fn a_checkpoint_of_another_journal_is_refused() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    let Rig { engine, checkpoint, .. } = rig;
    engine.stop().expect("stops well");
    let other = Rig::with_two_later(5);
    other.done(other.gift(1, 2, 500));
    let journal = other.journal.clone();
    let fault = recover(&mut checkpoint.clone(), &journal.reader(), journal.head(), IDS, &mut |_| {});
    assert!(matches!(fault, Err(RecoverFault::OtherJournal { .. })), "{fault:?}");
}

#[test]
fn damage_is_refused_wherever_it_is() {
    let rig = Rig::with_two();
    rig.done(rig.gift(1, 2, 500));
    let head = rig.journal.head();
    for seq in 1..=head.seq.0 {
        let seq = Seq(seq);
        let whole = rig.journal.reader().find(seq).expect("readable").expect("there");
        for at in [0, 1, 20, whole.bytes.len() / 2, whole.bytes.len() - 1] {
            let at = at.min(whole.bytes.len() - 1);
            rig.journal.damage(seq, |bytes| bytes[at] ^= 0x40);
            let fault = fold(&rig.journal.reader(), IDS, &mut |_| {});
            assert!(
                matches!(fault, Err(RecoverFault::Journal(FoldFault::Journal(ReadFault::Damaged { seq: named, .. }))) if named == whole.first_seq),
                "{fault:?}"
            );
            rig.journal.damage(seq, |bytes| bytes[at] ^= 0x40);
        }
    }
    assert!(fold(&rig.journal.reader(), IDS, &mut |_| {}).is_ok());
}

#[test]
fn a_follower_gets_every_batch_once_in_order_from_memory_or_disk() {
    use domain::verdict::Entry;
    use engine::follower::{Follow, FollowFault};
    use engine::journal::Batch;
    use std::sync::Mutex;

    struct Counter(Arc<Mutex<Vec<u64>>>, bool);
    impl Follow for Counter {
        fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
            self.1 = !self.1;
            if self.1 {
                return Err(FollowFault(String::from("told to fail every other time")));
            }
            let seqs = batch.iter().map(|(seq, _): (Seq, &Entry)| seq.0);
            self.0.lock().expect("not poisoned").extend(seqs);
            Ok(())
        }
        fn idle(&mut self) -> Result<(), FollowFault> {
            Ok(())
        }
        fn end(&mut self) -> Result<(), FollowFault> {
            Ok(())
        }
    }

    // Restarted, the entries so far are on disk only.
    let mut rig = Rig::with_two().restart();
    let seen = Arc::new(Mutex::new(Vec::new()));
    rig.engine.follow("counter", Seq::ZERO, Box::new(Counter(Arc::clone(&seen), true))).expect("starts");
    rig.done(rig.gift(1, 2, 500));
    let head = rig.journal.head().seq.0;
    rig.engine.stop().expect("stops well");
    assert_eq!(*seen.lock().expect("not poisoned"), (1..=head).collect::<Vec<_>>());
}
