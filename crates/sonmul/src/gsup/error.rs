//! Why a switch or its peer can't go on.

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
    /// Too many octets wait for a peer that reads nothing.
    #[error("the peer reads nothing: {most} octets wait for it")]
    Stuck {
        /// The ceiling.
        most: usize,
    },
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
