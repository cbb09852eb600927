//! What is configured of one HLR, and what can't be.

use std::fmt;

use domain::ids::LinkId;
use domain::number::Msisdn;
use wire::text::Budget;

use crate::brake::BrakeConfig;
use crate::flow::LinkConfig;
use crate::session::Times;

/// OsmoHLR's port for GSUP.
pub const GSUP_PORT: u16 = 4222;
/// OsmoHLR's port for its control interface.
pub const CTRL_PORT: u16 = 4259;
/// What stands before the name of every EUSE when it registers.
const NAME_PREFIX: &str = "EUSE-";
/// Seconds that an MSISDN may be remembered for an IMSI (docs/design.md, *Who is calling*).
pub const MSISDN_AGE_MAX_S: u32 = 60;
/// Between our own timer and the HLR's guard: time for the answer to get there.
pub const GUARD_MARGIN_MS: u32 = 1_000;
/// Entries of any table here, at most.
pub const TABLE_MAX: usize = 1 << 22;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `192.0.2.7:4222` or `[2001:db8::1]:4222`; without a port it is `default_port`.
    ///
    /// # Errors
    /// [`EuseConfigError::Endpoint`].
    pub fn parse(text: &str, default_port: u16) -> Result<Self, EuseConfigError> {
        let bad = || EuseConfigError::Endpoint { text: String::from(text) };
        let port = |port: &str| port.parse().ok().filter(|port| *port != 0).ok_or_else(bad);
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, default_port),
            Some((host, rest)) => (host, port(rest.strip_prefix(':').ok_or_else(bad)?)?),
            // More than one colon is an IPv6 address without a port.
            None => match text.split_once(':') {
                Some((host, rest)) if !rest.contains(':') => (host, port(rest)?),
                _ => (text, default_port),
            },
        };
        let written = |octet: u8| octet.is_ascii_alphanumeric() || b".-_:%".contains(&octet);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(written) {
            return Err(bad());
        }
        Ok(Self { host: String::from(host), port })
    }

    /// Name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port, not 0.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// As it is configured.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// One HLR that we are an EUSE of.
#[derive(Clone, Debug)]
pub struct EuseConfig {
    /// Its link: wrong passwords are counted per caller and link.
    pub link: LinkId,
    /// For the log.
    pub name: String,
    /// Where it speaks GSUP.
    pub hlr: Endpoint,
    /// Where it says MSISDNs.
    pub ctrl: Endpoint,
    /// hlr.cfg's `euse airtime`: we register as `EUSE-airtime`.
    pub euse_name: String,
    /// Public names of the operators whose callers it may assert. The first speaks where no service code can be read.
    pub operators: Vec<String>,
    /// Numbers, first and last, that it may assert among those operators' own; empty: all of them.
    pub ranges: Vec<(Msisdn, Msisdn)>,
    /// How long its sessions live.
    pub times: Times,
    /// How many wrong passwords it may bring.
    pub brake: BrakeConfig,
    /// So long after its frame came a phone reads *unknown* at the latest: [`GUARD_MARGIN_MS`] below the guard.
    pub answer_within_ms: u32,
    /// hlr.cfg's `ncss-guard-timeout`: after so long without a frame the HLR drops a session and what we say in it.
    pub guard_s: u32,
    /// A question for an MSISDN is given up after so long; below `answer_within_ms`.
    pub ctrl_within_ms: u32,
    /// The first wait before connecting again.
    pub reconnect_min_ms: u32,
    /// The longest wait before connecting again.
    pub reconnect_max_ms: u32,
    /// An HLR that says nothing for so long is asked whether it is there, and is gone after as long again.
    pub ping_after_s: u32,
    /// A link that hears no dial for so long registers anew, because an HLR gives a name to the first connection only and
    /// not to the second when the first is gone; 0: never.
    pub renew_idle_s: u32,
    /// MSISDNs that are remembered at most.
    pub msisdn_cache_max: usize,
    /// How long: at most [`MSISDN_AGE_MAX_S`].
    pub msisdn_age_max_s: u32,
    /// Dialogues that are remembered at most; more than `in_flight_max`.
    pub dialogues_max: usize,
    /// Frames that are worked on at the same time at most: to others we say that we are busy.
    pub in_flight_max: usize,
}

/// Why a configuration can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EuseConfigError {
    /// Not a host, or not a port.
    #[error("{text:?} is no address: write a host, or a host and a port (127.0.0.1:4222)")]
    Endpoint {
        /// As configured.
        text: String,
    },
    /// The name can't be registered.
    #[error("{euse_name:?} is no name for an EUSE ({error}): write the one of hlr.cfg's line `euse airtime`")]
    Name {
        /// As configured.
        euse_name: String,
        /// Why.
        error: wire::ipa::NameError,
    },
    /// No operator.
    #[error("a link needs at least one operator whose callers it may assert")]
    NoOperator,
    /// The own timer is not below the guard.
    #[error(
        "answer_within_ms is {answer_within_ms}: it must be at least {GUARD_MARGIN_MS} below guard_s, {guard_s} s, which \
         is the HLR's ncss-guard-timeout; an answer after that is dropped in silence"
    )]
    AnswerAfterGuard {
        /// As configured.
        answer_within_ms: u32,
        /// As configured.
        guard_s: u32,
    },
    /// The MSISDN would come too late.
    #[error("ctrl_within_ms is {ctrl_within_ms}: it must be below answer_within_ms, {answer_within_ms}")]
    CtrlAfterAnswer {
        /// As configured.
        ctrl_within_ms: u32,
        /// As configured.
        answer_within_ms: u32,
    },
    /// Cannot wait so.
    #[error(
        "reconnect_min_ms is {reconnect_min_ms}: it must be above 0 and not above reconnect_max_ms, {reconnect_max_ms}"
    )]
    Reconnect {
        /// As configured.
        reconnect_min_ms: u32,
        /// As configured.
        reconnect_max_ms: u32,
    },
    /// A number would be another subscriber's too long.
    #[error(
        "msisdn_age_max_s is {msisdn_age_max_s}: at most {MSISDN_AGE_MAX_S}, or a number that moved is believed for too long"
    )]
    MsisdnAge {
        /// As configured.
        msisdn_age_max_s: u32,
    },
    /// A table without room, or with too much.
    #[error("{what} is {value}: it must be 1 to {max}")]
    Table {
        /// Which setting.
        what: &'static str,
        /// As configured.
        value: usize,
        /// Its largest.
        max: usize,
    },
    /// Dialogues under way would have no place.
    #[error("dialogues_max is {dialogues_max}: it must be above in_flight_max, {in_flight_max}")]
    FewDialogues {
        /// As configured.
        dialogues_max: usize,
        /// As configured.
        in_flight_max: usize,
    },
    /// Never asked, or always.
    #[error("ping_after_s must be above 0")]
    Ping,
}

impl EuseConfig {
    /// The usual settings for an HLR at this host, with its usual ports and the name `airtime`.
    ///
    /// # Errors
    /// [`EuseConfigError::Endpoint`].
    pub fn try_new(link: LinkId, name: &str, host: &str, operators: Vec<String>) -> Result<Self, EuseConfigError> {
        Ok(Self {
            link,
            name: String::from(name),
            hlr: Endpoint::parse(host, GSUP_PORT)?,
            ctrl: Endpoint { port: CTRL_PORT, ..Endpoint::parse(host, CTRL_PORT)? },
            euse_name: String::from("airtime"),
            operators,
            ranges: Vec::new(),
            times: Times::default(),
            brake: BrakeConfig::default(),
            answer_within_ms: 10_000,
            guard_s: 30,
            ctrl_within_ms: 2_000,
            reconnect_min_ms: 200,
            reconnect_max_ms: 10_000,
            ping_after_s: 10,
            renew_idle_s: 60,
            msisdn_cache_max: 65_536,
            msisdn_age_max_s: MSISDN_AGE_MAX_S,
            dialogues_max: 65_536,
            in_flight_max: 8_192,
        })
    }

    /// The name that we register under.
    pub fn registered_name(&self) -> String {
        format!("{NAME_PREFIX}{}", self.euse_name)
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// The first of [`EuseConfigError`]'s variants that holds.
    pub fn check(&self) -> Result<(), EuseConfigError> {
        let &Self { answer_within_ms, guard_s, ctrl_within_ms, reconnect_min_ms, reconnect_max_ms, .. } = self;
        let &Self { dialogues_max, in_flight_max, msisdn_age_max_s, msisdn_cache_max, .. } = self;
        wire::ipa::id_response(&self.registered_name())
            .map_err(|error| EuseConfigError::Name { euse_name: self.euse_name.clone(), error })?;
        if self.euse_name.is_empty() {
            let error = wire::ipa::NameError::Length;
            return Err(EuseConfigError::Name { euse_name: String::new(), error });
        }
        if self.operators.is_empty() {
            return Err(EuseConfigError::NoOperator);
        }
        if u64::from(answer_within_ms) + u64::from(GUARD_MARGIN_MS) > u64::from(guard_s) * 1_000 {
            return Err(EuseConfigError::AnswerAfterGuard { answer_within_ms, guard_s });
        }
        if ctrl_within_ms == 0 || ctrl_within_ms >= answer_within_ms {
            return Err(EuseConfigError::CtrlAfterAnswer { ctrl_within_ms, answer_within_ms });
        }
        if reconnect_min_ms == 0 || reconnect_min_ms > reconnect_max_ms {
            return Err(EuseConfigError::Reconnect { reconnect_min_ms, reconnect_max_ms });
        }
        if msisdn_age_max_s > MSISDN_AGE_MAX_S {
            return Err(EuseConfigError::MsisdnAge { msisdn_age_max_s });
        }
        let tables = [
            ("in_flight_max", in_flight_max),
            ("dialogues_max", dialogues_max),
            ("msisdn_cache_max", msisdn_cache_max),
        ];
        for (what, value) in tables {
            if value == 0 || value > TABLE_MAX {
                return Err(EuseConfigError::Table { what, value, max: TABLE_MAX });
            }
        }
        if dialogues_max <= in_flight_max {
            return Err(EuseConfigError::FewDialogues { dialogues_max, in_flight_max });
        }
        if self.ping_after_s == 0 { Err(EuseConfigError::Ping) } else { Ok(()) }
    }

    pub(super) fn link_config(&self) -> LinkConfig {
        LinkConfig {
            id: self.link,
            name: self.name.clone(),
            operators: self.operators.clone(),
            ranges: self.ranges.clone(),
            budget: Budget::USSD_OSMOHLR,
            dialogue: true,
            times: self.times,
            answer_within_ms: self.answer_within_ms,
            brake: self.brake,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CTRL_PORT, Endpoint, EuseConfig, EuseConfigError, GSUP_PORT};
    use domain::ids::LinkId;

    fn config() -> EuseConfig {
        EuseConfig::try_new(LinkId(1), "test", "127.0.0.1", vec![String::from("koryolink")]).expect("an address")
    }

    #[test]
    fn endpoints() {
        for (text, host, port, shown) in [
            ("127.0.0.1", "127.0.0.1", 4222, "127.0.0.1:4222"),
            ("127.0.0.1:9", "127.0.0.1", 9, "127.0.0.1:9"),
            ("hlr.example.org", "hlr.example.org", 4222, "hlr.example.org:4222"),
            ("hlr:4223", "hlr", 4223, "hlr:4223"),
            ("::1", "::1", 4222, "[::1]:4222"),
            ("[::1]", "::1", 4222, "[::1]:4222"),
            ("[::1]:99", "::1", 99, "[::1]:99"),
        ] {
            let endpoint = Endpoint::parse(text, GSUP_PORT).expect("an endpoint");
            assert_eq!((endpoint.host(), endpoint.port(), endpoint.to_string().as_str()), (host, port, shown));
        }
        for bad in ["", ":1", "a:", "a:0", "a:65536", "a b", "[::1", "[::1]9", "a/b", "[]:1", "a:-1"] {
            let expected = EuseConfigError::Endpoint { text: String::from(bad) };
            assert_eq!(Endpoint::parse(bad, GSUP_PORT), Err(expected), "{bad}");
        }
    }

    #[test]
    fn the_usual_settings_hold() {
        assert_eq!(config().check(), Ok(()));
        assert_eq!((config().hlr.port(), config().ctrl.port()), (GSUP_PORT, CTRL_PORT));
        assert_eq!(config().registered_name(), "EUSE-airtime");
    }

    #[test]
    fn what_can_not_be_is_said() {
        let told = |change: fn(&mut EuseConfig)| {
            let mut config = config();
            change(&mut config);
            config.check().map_or_else(|error| error.to_string(), |()| String::from("taken"))
        };
        let all = [
            told(|config| config.euse_name = String::new()),
            told(|config| config.euse_name = String::from("air time")),
            told(|config| config.operators.clear()),
            told(|config| config.answer_within_ms = 29_001),
            told(|config| config.answer_within_ms = 29_000),
            told(|config| config.ctrl_within_ms = 10_000),
            told(|config| config.reconnect_min_ms = 0),
            told(|config| config.reconnect_max_ms = 199),
            told(|config| config.msisdn_age_max_s = 61),
            told(|config| config.msisdn_cache_max = 0),
            told(|config| config.dialogues_max = usize::MAX),
            told(|config| config.dialogues_max = 8_192),
            told(|config| config.ping_after_s = 0),
        ];
        expect_test::expect![[r#"
            "" is no name for an EUSE (a name has 1 to 64 octets): write the one of hlr.cfg's line `euse airtime`
            "air time" is no name for an EUSE (a name is printable ASCII without blanks): write the one of hlr.cfg's line `euse airtime`
            a link needs at least one operator whose callers it may assert
            answer_within_ms is 29001: it must be at least 1000 below guard_s, 30 s, which is the HLR's ncss-guard-timeout; an answer after that is dropped in silence
            taken
            ctrl_within_ms is 10000: it must be below answer_within_ms, 10000
            reconnect_min_ms is 0: it must be above 0 and not above reconnect_max_ms, 10000
            reconnect_min_ms is 200: it must be above 0 and not above reconnect_max_ms, 199
            msisdn_age_max_s is 61: at most 60, or a number that moved is believed for too long
            msisdn_cache_max is 0: it must be 1 to 4194304
            dialogues_max is 18446744073709551615: it must be 1 to 4194304
            dialogues_max is 8192: it must be above in_flight_max, 8192
            ping_after_s must be above 0
        "#]]
        .assert_eq(&(all.join("\n") + "\n"));
    }
}
