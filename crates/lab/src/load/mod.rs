//! The far sides of the edges: a flood of dials, a stand-in HLR and Debian's real one, a stand-in SMSC.
//!
//! **For:** the bench, and the tests that prove the edges against a peer that we did not write. A single phone behind an HLR
//! is in `sonmul::gsup`, because `sonmul dial --msc` has it too.
//!
//! **Guarantees:** a connection that ends wakes everybody who waits on it. Nothing here prints a dialled string or a screen.
//!
//! **Bounded by:** the window of a flood, sessions of the stand-in ([`hlr::HlrConfig::sessions_max`]).
//!
//! **Deliberately not here:** the edges themselves.

pub mod flood;
pub mod hlr;
pub mod osmo;
pub mod smsc;

/// What keeps a real peer from starting.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file, or a process's start.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says. Part of the text above, so no source: whoever prints the chain would say it twice.
        error: std::io::Error,
    },
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
