//! A follower that can't keep up holds nobody up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use domain::receipt::Seq;
use engine::follower::{Follow, FollowFault, FollowStartFault};
use engine::journal::{Batch, Journal};

use crate::rig::Rig;

const WITHIN: Duration = Duration::from_secs(60);

/// Has room only while it is told so.
#[derive(Default)]
struct Room {
    open: Mutex<bool>,
    changed: Condvar,
    idled: AtomicU64,
    ended: AtomicBool,
}

struct Slow {
    room: Arc<Room>,
    took: Sender<Seq>,
}

impl Follow for Slow {
    fn is_ready(&mut self, wait: Duration) -> bool {
        let open = self.room.open.lock().expect("whole");
        let (open, _) = self.room.changed.wait_timeout_while(open, wait, |open| !*open).expect("whole");
        *open
    }

    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        assert!(*self.room.open.lock().expect("whole"), "it was asked first");
        batch.iter().try_for_each(|(seq, _)| self.took.send(seq)).map_err(|gone| FollowFault(gone.to_string()))
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.room.idled.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        self.room.ended.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Room {
    fn set(&self, open: bool) {
        *self.open.lock().expect("whole") = open;
        self.changed.notify_all();
    }
}

#[test]
fn one_without_room_lags_and_catches_up() {
    let mut rig = Rig::empty();
    let (took, taken) = channel();
    let room = Arc::new(Room::default());
    let slow = Slow { room: Arc::clone(&room), took };
    rig.engine.follow("slow", Seq::ZERO, Box::new(slow)).expect("a thread");
    let (quick_took, quick) = channel();
    let open = Arc::new(Room::default());
    open.set(true);
    rig.engine.follow("quick", Seq::ZERO, Box::new(Slow { room: open, took: quick_took })).expect("a thread");
    let rig = rig.filled();
    let head = rig.journal.head().seq;
    // Others have everything, and answers came, while this one has nothing.
    assert_eq!(quick.recv_timeout(WITHIN), Ok(Seq(1)));
    while quick.recv_timeout(WITHIN).expect("follows") < head {}
    assert!(taken.try_recv().is_err());
    room.set(true);
    for seq in 1..=head.0 {
        assert_eq!(taken.recv_timeout(WITHIN), Ok(Seq(seq)));
    }
    rig.engine.stop().expect("stops well");
    assert!(room.ended.load(Ordering::Relaxed));
}

#[test]
fn one_without_room_does_not_keep_the_server_from_stopping() {
    let mut rig = Rig::empty();
    let (took, taken) = channel();
    let room = Arc::new(Room::default());
    rig.engine.follow("slow", Seq::ZERO, Box::new(Slow { room: Arc::clone(&room), took })).expect("a thread");
    let rig = rig.filled();
    rig.engine.stop().expect("stops well");
    assert!(room.ended.load(Ordering::Relaxed), "it may write what it has");
    assert!(taken.try_recv().is_err());
}

/// It would say nothing of the next entries, which get the seqs that it is done with; or, moved back, everything twice when
/// the lost tail is brought back.
#[test]
fn one_that_is_ahead_of_the_journal_is_refused_and_not_moved() {
    let mut rig = Rig::with_two();
    let head = rig.journal.head().seq;
    let follow = |rig: &mut Rig, cursor| {
        let (took, taken) = channel();
        let room = Arc::new(Room::default());
        room.set(true);
        rig.engine.follow("sms", cursor, Box::new(Slow { room, took })).map(|()| taken)
    };
    let refused = follow(&mut rig, head.next()).expect_err("it is ahead");
    let FollowStartFault::Ahead { name, cursor, head: end } = &refused else { panic!("{refused}") };
    assert_eq!((name.as_str(), *cursor, *end), ("sms", head.next(), head));
    assert!(refused.to_string().contains("`sonmul repair --yes`"), "it says what to do: {refused}");
    // At the journal's end it hears of the next entry.
    let taken = follow(&mut rig, head).expect("starts");
    assert_eq!(rig.done(rig.gift(1, 2, 500)), head.next());
    assert_eq!(taken.recv_timeout(WITHIN), Ok(head.next()));
    rig.engine.stop().expect("stops well");
}
