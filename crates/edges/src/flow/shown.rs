//! What edges know of a screen's way: shown, not shown, or that the phone has gone before there was one.
//!
//! Guarantees: what a last screen told of is not forgotten before somebody has read it, as far as a peer says so; it errs
//! towards telling twice. Costs a look-up and never waits.
//!
//! Deliberately not here: what a caller hears who dials again ([`super::resume`]).

use domain::number::Msisdn;

use super::{Link, Place};
use crate::port::Decider;
use crate::session::{Key, Screen, Session};

impl<D: Decider> Link<D> {
    /// The screen that this frame got, which is shown once more: whoever reads it need not be told again.
    pub(super) fn said_before(&self, at: &Place<'_>, session: &mut Session) -> Option<Screen> {
        let screen = session.answer(at.mark)?.clone();
        let settled = session.asked.as_ref().is_some_and(|asked| asked.answered);
        if settled && !screen.goes_on && !self.shared.sessions.is_gone(at.key, &at.turn.session) {
            session.asked = None;
        }
        Some(screen)
    }

    /// Says that the phone is known to have shown this screen: the sender needs no SMS about it.
    pub fn told(&self, screen: &Screen) {
        if let Some(seq) = screen.about.money() {
            self.shared.told.mark(seq);
        }
    }

    /// Says that a phone cancelled, lost its network or waited too long, before the session's last screen was shown: what
    /// is typed into that session from now on goes nowhere, and a caller who dials again within
    /// [`RESUME_S`](crate::session::RESUME_S) may go on, or hears what became of what was asked. Costs one look-up; nothing
    /// happens when no such session is open.
    pub fn released(&self, caller: Msisdn, session: &[u8]) {
        let key = Key { link: self.config.id, caller };
        self.shared.sessions.released(key, session, self.shared.decider.now());
    }

    /// Says that the last screen of a session was not shown, or that nobody knows: a cut, a time-out, a refusal by whoever
    /// should have passed it on. Its entry counts as not told, so that the sender gets an SMS, and a caller who dials again
    /// hears what became of what was asked before it can be done twice. Nothing happens while the session goes on.
    pub fn unshown(&self, caller: Msisdn, session: &[u8]) {
        let key = Key { link: self.config.id, caller };
        let Some(cell) = self.shared.sessions.ended(key, session) else { return };
        // A frame that is worked on right now shows the screen once more.
        let Ok(mut session) = cell.try_lock() else { return };
        session.told_seqs().for_each(|seq| self.shared.told.unmark(seq));
        if session.asked.is_none() {
            session.asked = session.told_of.clone();
        }
    }
}
