//! The far side of GSUP: a switch with phones, so that a person without a radio network can dial through a real HLR.
//!
//! **For:** `sonmul dial --msc`; the load generator and the stand-in HLR of `lab` use the same parts.
//!
//! **Guarantees:** what is sent is what OsmoMSC sends: sessions from [`FIRST_SESSION`], invoke 59, result 60. A connection
//! that ends wakes everybody who waits on it. Nothing here prints a dialled string or a screen.
//!
//! **Bounded by:** dialogues of a switch, octets that wait to be sent ([`OUTBOX_LEN_MAX`]), screens that nobody fetches
//! ([`msc::SCREENS_MAX`]).
//!
//! **Deliberately not here:** the edge that answers; location updates, authentication, SMS and everything else that a real
//! switch does with its HLR.

pub mod msc;
pub mod outbox;
pub mod switch;

pub use outbox::OUTBOX_LEN_MAX;
pub use switch::{FIRST_SESSION, Shown};

use wire::ipa::{FrameError, NameError};

/// What keeps a switch, or whoever stands in for its peer, from going on.
#[derive(Debug, thiserror::Error)]
pub enum GsupError {
    /// The connection.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says. Part of the text above, so no source: whoever prints the chain would say it twice.
        error: std::io::Error,
    },
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Gone,
    /// The peer did not ask who we are.
    #[error("the peer did not ask for an identity within {within_s} s: is it an HLR's GSUP port?")]
    NoHandshake {
        /// Seconds.
        within_s: u64,
    },
    /// Too many dialogues under way.
    #[error("{most} dialogues are under way already")]
    Full {
        /// The ceiling.
        most: usize,
    },
    /// More than [`OUTBOX_LEN_MAX`] octets wait for a peer that reads nothing.
    #[error("the peer reads nothing: {OUTBOX_LEN_MAX} octets wait for it")]
    Stuck,
    /// A string of more than 160 octets, or one that makes a component too long for short lengths.
    #[error("the string is too long to be dialled")]
    TooLong,
    /// The dialogue waits for no answer.
    #[error("nothing was asked, or the dialogue is over")]
    NotAsked,
    /// The peer's octets are not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A name that can't be registered.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl GsupError {
    /// Names what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
