//! The far sides of the edges: a fake MSC with many phones, a stand-in HLR and Debian's real one, a stand-in SMSC.
//!
//! **For:** `sonmul bench`, `sonmul dial --msc`, and the tests that prove the edge against a peer that we did not write.
//!
//! **Guarantees:** what is sent is what OsmoMSC sends (facts/protocols: sessions from [`FIRST_SESSION`], invoke 59, result
//! 60). A connection that ends wakes everybody who waits on it. Nothing here prints a dialled string or a screen.
//!
//! **Bounded by:** dialogues of a switch, octets that wait to be sent ([`OUTBOX_LEN_MAX`]), screens that nobody fetches
//! ([`msc::SCREENS_MAX`]), sessions of the stand-in ([`hlr::HlrConfig::sessions_max`]).
//!
//! **Deliberately not here:** the edge itself; location updates, authentication, SMS and everything else that a real
//! switch does with its HLR.

pub mod flood;
pub mod hlr;
pub mod msc;
pub mod osmo;
mod outbox;
pub mod smsc;
pub mod switch;

pub use outbox::OUTBOX_LEN_MAX;
pub use switch::{FIRST_SESSION, Shown};

use wire::ipa::{FrameError, NameError};

/// What keeps a load generator or a stand-in from going on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The connection, or a process's start.
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
    /// More than [`OUTBOX_LEN_MAX`] octets wait for a peer that reads none.
    #[error("the peer reads nothing: {OUTBOX_LEN_MAX} octets wait for it")]
    Stuck,
    /// A string of more than 160 octets, or one that makes a component too long for short lengths.
    #[error("the string is too long to be dialled")]
    TooLong,
    /// The dialogue waits for no answer.
    #[error("nothing was asked, or the dialogue is over")]
    NotAsked,
    /// A frame that is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A name that can't be registered.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no real HLR here.
    #[error("osmo-hlr is not installed: apt-get install osmo-hlr")]
    NoOsmo,
    /// The real HLR.
    #[error("{0}")]
    Osmo(String),
}

/// Names what was tried.
fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> LoadError {
    let what = what.into();
    move |error| LoadError::Io { what, error }
}
