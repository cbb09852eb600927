//! A phone behind an HLR, without radio: `sonmul dial --msc` is the switch (GSUP), for trying out docs/operating/osmocom.md.
//!
//! Guarantees: every run is another switch with other session numbers, so that no dial is taken for an earlier one's repeat.
//! Bounded by: [`SHOWN_WITHIN`]. Deliberately not here: location updates and authentication; OsmoHLR wants neither for USSD.

use std::net::SocketAddr;
use std::time::Duration;

use wire::imsi::Imsi;
use wire::ss::ErrorCode;
use zeroize::Zeroizing;

use super::Screen;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::gsup::msc::{Dialogue, Msc, MscConfig};
use crate::gsup::{FIRST_SESSION, GsupError, Shown};

/// Longer than any guard time-out that is likely to be configured.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(super) struct MscPhone {
    hlr: String,
    imsi: Imsi,
    string: Zeroizing<String>,
    /// From the first dial on. The connection lives as long as its dialogue.
    talking: Option<(Msc, Dialogue)>,
}

impl MscPhone {
    /// A phone that is about to dial that string.
    pub(super) fn new(hlr: &str, imsi: &str, string: &str) -> Outcome<Self> {
        let imsi = Imsi::parse(imsi).or_exit(Exit::Usage)?;
        Ok(Self { hlr: String::from(hlr), imsi, string: Zeroizing::new(String::from(string)), talking: None })
    }

    pub(super) async fn dial(&mut self) -> Outcome<Screen> {
        let hlr = &self.hlr;
        let mut addresses = tokio::net::lookup_host(hlr.as_str()).await.or_exit_with(Exit::Usage, || {
            format!("{hlr} is no address: write a host and a port, as in 127.0.0.1:4222")
        })?;
        let hlr: SocketAddr =
            addresses.next().ok_or_else(|| Failure::new(Exit::Usage, format!("{} has no address", self.hlr)))?;
        let msc = Msc::connect(hlr, &config()).await.or_exit(Exit::Unreachable)?;
        let mut dialogue = msc.begin(self.imsi, &self.string).map_err(told)?;
        let shown = within(dialogue.shown()).await?;
        self.talking = Some((msc, dialogue));
        screen(shown)
    }

    pub(super) async fn answer(&mut self, typed: &str) -> Outcome<Screen> {
        let (_, dialogue) = self.talking.as_mut().ok_or_else(|| told(GsupError::NotAsked))?;
        screen(within(dialogue.answer(typed)).await?)
    }
}

/// A switch that was never seen before.
fn config() -> MscConfig {
    // The low octets of a UUIDv7 are random.
    let random = uuid::Uuid::now_v7().as_u128().to_be_bytes();
    let [.., a, b, c, d, e, f] = random;
    let name = format!("MSC-{a:02x}-{b:02x}-{c:02x}-{d:02x}-{e:02x}-{f:02x}");
    let first_session = FIRST_SESSION | u32::from_be_bytes([0, d, e, f]);
    MscConfig { first_session, ..MscConfig::named(&name) }
}

async fn within(shown: impl Future<Output = Result<Shown, GsupError>>) -> Outcome<Shown> {
    match tokio::time::timeout(SHOWN_WITHIN, shown).await {
        Ok(shown) => shown.map_err(told),
        Err(_) => {
            let what =
                format!("the phone saw nothing for {} s: look at the HLR's guard and log", SHOWN_WITHIN.as_secs());
            Err(Failure::new(Exit::Unreachable, what))
        }
    }
}

fn told(error: GsupError) -> Failure {
    let exit = if matches!(error, GsupError::TooLong) { Exit::Usage } else { Exit::Unreachable };
    Failure { exit, error: error.into() }
}

/// What the phone shows; for what it has no words, what it means and what to look at.
fn screen(shown: Shown) -> Outcome<Screen> {
    let ill = |exit, what: &str| Err(Failure::new(exit, String::from(what)));
    match shown {
        Shown::Asks(text) => Ok(Screen { text, ended: false }),
        Shown::Ends(text) => Ok(Screen { text, ended: true }),
        Shown::Error(ErrorCode::SS_NOT_AVAILABLE) => ill(
            Exit::Refused,
            "the HLR has no route for this string (ssNotAvailable): a `ussd route prefix` of hlr.cfg must stand at its \
             beginning, letter for letter",
        ),
        Shown::Error(ErrorCode::SYSTEM_FAILURE) => ill(
            Exit::Unreachable,
            "the HLR has a route for this string, and nobody is there (systemFailure): is `sonmul serve` running with its \
             [[hlr]] table? `sonmul doctor` tells",
        ),
        Shown::Failed { .. } => ill(
            Exit::Unreachable,
            "the HLR does not know this session any more: its guard time-out passed before the answer",
        ),
        Shown::Error(ErrorCode(code)) => {
            Err(Failure::new(Exit::Unreachable, format!("the network answered with error {code} of TS 24.080")))
        }
        Shown::Nothing => ill(Exit::Unreachable, "the session ended without a word"),
        Shown::Rejected(_) | Shown::Unreadable => ill(Exit::Unreachable, "what came back can't be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::{MscPhone, config, screen};
    use crate::exit::Exit;
    use crate::gsup::Shown;
    use wire::ss::ErrorCode;

    #[test]
    fn every_run_is_another_switch() {
        let (one, other) = (config(), config());
        assert_ne!(one.name, other.name);
        assert_eq!(one.name.len(), "MSC-00-00-00-00-00-00".len());
        assert_eq!(one.first_session >> 24, 0x20);
    }

    #[test]
    fn no_imsi() {
        for imsi in ["", "12345", "90170000000000x", "9017000000000012"] {
            assert_eq!(MscPhone::new("127.0.0.1:4222", imsi, "*999#").expect_err(imsi).exit, Exit::Usage);
        }
    }

    #[test]
    fn what_a_phone_has_no_words_for_is_told() {
        let told = |shown| screen(shown).map_or_else(|failure| failure.exit, |_| Exit::Ok);
        assert_eq!(told(Shown::Ends(String::from("given"))), Exit::Ok);
        assert_eq!(told(Shown::Error(ErrorCode::SS_NOT_AVAILABLE)), Exit::Refused);
        for shown in [
            Shown::Error(ErrorCode::SYSTEM_FAILURE),
            Shown::Error(ErrorCode(77)),
            Shown::Failed { cause: Some(0x60) },
            Shown::Nothing,
            Shown::Unreadable,
        ] {
            assert_eq!(told(shown), Exit::Unreachable);
        }
    }
}
