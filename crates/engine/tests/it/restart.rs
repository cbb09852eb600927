//! Checkpoint, tail, and what a start refuses.

use std::sync::Arc;

use domain::money::Amount;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::state::RepeatKey;
use domain::verdict::Outcome;
use engine::checkpoint::{Checkpoint, Collector};
use engine::checkpointer::{CheckpointConfig, Checkpointer, kept_of};
use engine::journal::{Journal, JournalReader, ReadFault};
use engine::memory::MemoryCheckpoint;
use engine::recover::{RecoverFault, fold, recover};
use engine::replica::FoldFault;

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

/// Nothing differs: state, head, and how many ids are remembered.
#[track_caller]
fn same(one: &engine::replica::Replica, other: &engine::replica::Replica) {
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
