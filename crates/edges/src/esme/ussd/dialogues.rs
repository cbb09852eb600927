//! What must be remembered of callers so that gateways which number nothing, or badly, can have dialogues.
//!
//! A typed input needs a mark that a repeated frame shares and a new input does not. `its_session_info` has a sequence
//! number for that, but some gateways leave it out and some send the same one for ever. Where the sequence number moves, it
//! is trusted; where it does not, the flow tells a repeated frame from a new one ([`crate::flow::latest`]), for a frame that
//! comes again after its screen was taken must not cost a try of the password.
//!
//! Sessions that nobody numbers are told apart by the screens that the gateway took: the same string after its screen is
//! dialled anew.
//!
//! Bounded by: [`DIALOGUES_MAX`] places, one per caller; two callers of one place take it from each other, and then the
//! sequence number and the content must do.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use domain::number::Msisdn;
use wire::smpp_ussd::ItsSessionInfo;

/// Callers that are remembered at most, per bind.
pub const DIALOGUES_MAX: usize = 65_536;

#[derive(Clone, Copy, Default)]
struct Row {
    /// 0: free.
    caller: u64,
    session: Option<u8>,
    reference: Option<u16>,
    /// Counts sessions of a caller that nobody numbers.
    epoch: u32,
    began_at: Option<u8>,
    /// The sequence number has been seen to move.
    moved: bool,
    /// Screens that the gateway took.
    shown: u32,
    pssd: bool,
}

/// See the module.
pub(super) struct Dialogues {
    rows: Mutex<Box<[Row]>>,
    hasher: foldhash::quality::RandomState,
}

/// Where an input belongs.
pub(super) struct Typed {
    pub(super) session: Box<[u8]>,
    /// `None`: nothing numbers it.
    pub(super) mark: Option<u64>,
    /// The session began with `PSSD indication`.
    pub(super) pssd: bool,
}

impl Dialogues {
    pub(super) fn new(places: usize) -> Self {
        let rows = vec![Row::default(); places.max(1)].into_boxed_slice();
        Self { rows: Mutex::new(rows), hasher: foldhash::quality::RandomState::default() }
    }

    /// A session begins, perhaps for the second time; its name.
    pub(super) fn begin(
        &self,
        caller: Msisdn,
        info: Option<ItsSessionInfo>,
        reference: Option<u16>,
        pssd: bool,
    ) -> Box<[u8]> {
        self.at(caller, |row| {
            let session = info.map(|info| info.session);
            let known = row.caller == caller.get();
            // Nobody numbers it: the same string after its screen is dialled anew.
            let epoch = if known { row.epoch.wrapping_add(u32::from(0 < row.shown)) } else { 0 };
            let began_at = info.map(ItsSessionInfo::sequence);
            *row = Row { caller: caller.get(), session, reference, epoch, began_at, moved: false, shown: 0, pssd };
            name(row)
        })
    }

    /// Something was typed.
    pub(super) fn typed(
        &self,
        caller: Msisdn,
        info: Option<ItsSessionInfo>,
        reference: Option<u16>,
        text: &str,
    ) -> Typed {
        self.at(caller, |row| {
            let session = info.map(|info| info.session);
            let sequence = info.map(ItsSessionInfo::sequence);
            let same = session.is_none() || row.session.is_none() || session == row.session;
            if row.caller != caller.get() || !same {
                let unknown = Row { caller: caller.get(), session, reference, ..Row::default() };
                let mark = sequence.map(|sequence| self.hasher.hash_one((text, sequence)));
                return Typed { session: name(&unknown), mark, pssd: false };
            }
            row.moved |= sequence.is_some() && sequence != row.began_at;
            let mark = sequence.filter(|_| row.moved).map(|sequence| self.hasher.hash_one((text, sequence)));
            // `reference` is not compared: some number messages with it, and not sessions.
            Typed { session: name(row), mark, pssd: row.pssd }
        })
    }

    fn shown(&self, caller: Msisdn) {
        self.at(caller, |row| {
            if row.caller == caller.get() {
                row.shown = row.shown.saturating_add(1);
            }
        });
    }

    fn at<T>(&self, caller: Msisdn, look: impl FnOnce(&mut Row) -> T) -> T {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = usize::try_from(self.hasher.hash_one(caller) >> 32).unwrap_or_default();
        let place = hash % rows.len();
        match rows.get_mut(place) {
            Some(row) => look(row),
            None => look(&mut Row::default()),
        }
    }
}

/// The session's name for the flow: its number, its reference, or a count of our own.
fn name(row: &Row) -> Box<[u8]> {
    let mut name = Vec::with_capacity(8);
    match row.session {
        Some(session) => name.extend_from_slice(&[b's', session]),
        None => {
            name.push(b'c');
            name.extend_from_slice(&row.epoch.to_be_bytes());
        }
    }
    if let Some(reference) = row.reference {
        name.extend_from_slice(&reference.to_be_bytes());
    }
    name.into_boxed_slice()
}

/// Counts a caller's screen when the gateway takes it.
pub(crate) struct Shown {
    dialogues: Arc<Dialogues>,
    caller: Msisdn,
}

impl Shown {
    pub(super) fn new(dialogues: &Arc<Dialogues>, caller: Msisdn) -> Self {
        Self { dialogues: Arc::clone(dialogues), caller }
    }

    /// The gateway took it.
    pub(crate) fn mark(&self) {
        self.dialogues.shown(self.caller);
    }
}

#[cfg(test)]
mod tests {
    use super::Dialogues;
    use domain::number::Msisdn;
    use wire::smpp_ussd::ItsSessionInfo;

    fn caller(n: u64) -> Msisdn {
        Msisdn::try_new(8_501_910_000_000 + n).expect("a number")
    }

    fn info(session: u8, sequence: u8) -> Option<ItsSessionInfo> {
        ItsSessionInfo::try_new(session, sequence, false).ok()
    }

    #[test]
    fn a_sequence_that_moves_marks_inputs() {
        let dialogues = Dialogues::new(16);
        let session = dialogues.begin(caller(1), info(7, 0), None, false);
        dialogues.shown(caller(1));
        let first = dialogues.typed(caller(1), info(7, 1), None, "590274");
        assert_eq!(first.session, session);
        dialogues.shown(caller(1));
        assert_eq!(dialogues.typed(caller(1), info(7, 1), None, "590274").mark, first.mark, "repeated");
        assert_ne!(dialogues.typed(caller(1), info(7, 2), None, "590274").mark, first.mark, "typed again");
    }

    #[test]
    fn nothing_marks_inputs_where_nothing_moves() {
        for info in [None, info(7, 0)] {
            let dialogues = Dialogues::new(16);
            dialogues.begin(caller(1), info, None, false);
            dialogues.shown(caller(1));
            assert_eq!(dialogues.typed(caller(1), info, None, "590274").mark, None);
        }
    }

    #[test]
    fn names_of_sessions() {
        let dialogues = Dialogues::new(16);
        let begin = |info, reference| dialogues.begin(caller(1), info, reference, false);
        let first = begin(None, None);
        assert_eq!(begin(None, None), first, "starts twice");
        dialogues.shown(caller(1));
        let second = begin(None, None);
        assert_ne!(second, first, "after its screen");
        let numbered = begin(info(7, 0), Some(1));
        assert_ne!(numbered, begin(info(7, 0), Some(2)));
        assert_ne!(numbered, begin(info(8, 0), Some(1)));
        let typed = dialogues.typed(caller(1), info(8, 1), Some(99), "1");
        assert_eq!(typed.session, begin(info(8, 0), Some(1)), "the reference numbers messages");
        assert_ne!(dialogues.typed(caller(1), info(9, 1), None, "1").session, typed.session);
    }

    #[test]
    fn a_flood_of_callers_takes_no_more_room() {
        let dialogues = Dialogues::new(4);
        for n in 0..10_000 {
            dialogues.begin(caller(n), info(1, 0), None, false);
        }
        assert_eq!(dialogues.rows.lock().expect("not poisoned").len(), 4);
        let first = dialogues.typed(caller(0), info(1, 1), None, "1");
        assert_eq!(first.session[..], [b's', 1], "forgotten, and found by its number all the same");
    }
}
