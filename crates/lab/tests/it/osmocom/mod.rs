//! The GSUP edge against Debian's osmo-hlr, with our fake MSC on its far side; the stand-in HLR beside the real one; and
//! what tshark says of the octets.
//!
//! Nothing here is skipped: without osmo-hlr or tshark these tests fail and name the package.

mod crowd;
mod dialogues;
mod entity;
mod parity;
mod stand_in;
mod tap;
mod trouble;
mod tshark;
mod world;

use std::time::Duration;

use sonmul::gsup::{GsupError, Shown};

/// Longer than anything here takes, on a machine that does other things as well.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// Awaits, but not for ever.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(WITHIN, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing within {WITHIN:?}"),
    }
}

/// Awaits a screen; one that doesn't come is a failure that says where.
pub(crate) async fn screen<F: Future<Output = Result<Shown, GsupError>>>(what: &str, future: F) -> Shown {
    soon(what, future).await.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Looks again and again, since nobody tells.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A screen as a line, for transcripts.
pub(crate) fn line(shown: &Shown) -> String {
    match shown {
        Shown::Asks(text) => format!("asks: {}", text.replace('\n', " | ")),
        Shown::Ends(text) => format!("ends: {}", text.replace('\n', " | ")),
        Shown::Nothing => String::from("nothing"),
        Shown::Error(error) => format!("error {}", error.0),
        Shown::Rejected(problem) => format!("rejected {problem:?}"),
        Shown::Failed { cause } => format!("failed {cause:02x?}"),
        Shown::Unreadable => String::from("unreadable"),
    }
}
