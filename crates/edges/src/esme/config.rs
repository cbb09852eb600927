//! What one bind is configured with, checked before anything is connected.

use std::path::PathBuf;

use domain::ids::LinkId;
use zeroize::Zeroizing;

use super::address::Address;

/// Submits in flight at most, whatever is configured.
pub const WINDOW_MAX: u16 = 1_000;

/// A bind's password. No `Debug`, no `Display`; wiped when dropped.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps it.
    #[must_use]
    pub fn new(secret: Zeroizing<String>) -> Self {
        Self(secret)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a bind is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SMS out, receipts in.
    Sms,
    /// USSD sessions from a gateway.
    Ussd,
    /// Both over one bind. SMS leave one slot of the window to screens.
    Both,
}

impl Kind {
    /// Whether SMS may be submitted.
    #[must_use]
    pub const fn sms(self) -> bool {
        matches!(self, Self::Sms | Self::Both)
    }

    /// Whether USSD is served.
    #[must_use]
    pub const fn ussd(self) -> bool {
        matches!(self, Self::Ussd | Self::Both)
    }
}

/// How letters are sent in an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Alphabet {
    /// The SMSC's default alphabet (`data_coding` 0) is GSM 7-bit, one letter an octet: what most SMSCs have. UCS-2
    /// (`data_coding` 8) where a letter needs it.
    #[default]
    Gsm7,
    /// The default alphabet is ASCII: `data_coding` 0 for texts of letters that mean the same in both, UCS-2 otherwise.
    Ascii,
    /// UCS-2 for whatever fits one SMS in it. Longer texts of letters that mean the same in ASCII and GSM 7-bit go as
    /// [`Alphabet::Ascii`] would send them: texts were measured for 160 of those, and nobody could read a text that is not sent.
    Ucs2,
}

/// TLS towards the SMSC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM file with the roots that may have signed the SMSC's certificate. The system's own are never used.
    pub ca_file: PathBuf,
    /// The name in the SMSC's certificate; `None`: the host in `smsc`.
    pub server_name: Option<String>,
    /// PEM files of our certificate chain and its key, where the SMSC wants one.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// How a gateway differs from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UssdConfig {
    /// Put before callers' national numbers (`850`); `None`: callers come with international numbers.
    pub country_code: Option<String>,
    /// The service code always stands in `destination_addr`, also before a text that begins with `*`.
    pub code_in_destination: bool,
    /// Text in `data_coding` 0x0F is packed, eight letters in seven octets, both ways.
    pub gsm7_packed: bool,
    /// Sessions end with a notification (`USSN request`) instead of the answer to what was dialled.
    pub end_with_notify: bool,
    /// Turns worked on at once; the gateway is asked to repeat those beyond.
    pub turns_max: u16,
}

impl Default for UssdConfig {
    fn default() -> Self {
        Self {
            country_code: None,
            code_in_destination: false,
            gsm7_packed: false,
            end_with_notify: false,
            turns_max: 1_024,
        }
    }
}

impl UssdConfig {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_code = |code: &str| {
            (1..=3).contains(&code.len()) && !code.starts_with('0') && code.bytes().all(|octet| octet.is_ascii_digit())
        };
        match &self.country_code {
            Some(code) if !is_code(code) => Err("must be 1 to 3 digits that do not begin with 0"),
            _ => Ok(()),
        }
    }
}

/// One bind. No `Debug`: a password is in it.
#[derive(Clone)]
pub struct EsmeConfig {
    /// Its link: wrong passwords of USSD callers are counted per caller and link.
    pub link: LinkId,
    /// For the log and `doctor`.
    pub name: String,
    /// `host:port`; an IPv6 address stands in brackets.
    pub smsc: String,
    /// `None`: in the clear.
    pub tls: Option<TlsConfig>,
    /// Up to 15 characters.
    pub system_id: String,
    /// Up to 8 characters.
    pub password: Secret,
    /// Up to 12 characters, mostly empty.
    pub system_type: String,
    /// 0x34: SMPP 3.4.
    pub interface_version: u8,
    /// Of `addr_range`.
    pub addr_ton: u8,
    /// Of `addr_range`.
    pub addr_npi: u8,
    /// Which addresses this bind receives for; up to 40 characters, mostly empty.
    pub addr_range: String,
    /// What it is used for.
    pub kind: Kind,
    /// Submits without an answer at most, `1..=`[`WINDOW_MAX`].
    pub window: u16,
    /// After so long without a PDU in either direction the line is tried, 1 to 3,600.
    pub enquire_link_s: u32,
    /// How long the SMSC may take for a connection, a bind or an answer, 100 to 120,000.
    pub response_within_ms: u32,
    /// The first wait before connecting again, at least 10.
    pub reconnect_min_ms: u32,
    /// The longest, at most an hour.
    pub reconnect_max_ms: u32,
    /// The first rest after the SMSC says "slower"; it doubles while it goes on saying so. 10 to 60,000.
    pub throttle_backoff_ms: u32,
    /// What the contract allows; `None`: as fast as the window turns.
    pub submits_per_s_max: Option<u32>,
    /// Whom an SMS comes from.
    pub source: Address,
    /// Type of number of recipients.
    pub dest_ton: u8,
    /// Numbering plan of recipients.
    pub dest_npi: u8,
    /// How letters are sent.
    pub alphabet: Alphabet,
    /// Whether an SMS carries its `user_message_reference`. Switched off for SMSCs that refuse parameters.
    pub send_reference: bool,
    /// USSD's own settings.
    pub ussd: UssdConfig,
}

impl EsmeConfig {
    /// A bind with everything else as most SMSCs take it.
    #[must_use]
    pub fn new(link: LinkId, name: &str, smsc: &str, system_id: &str, password: Secret) -> Self {
        Self {
            link,
            name: String::from(name),
            smsc: String::from(smsc),
            tls: None,
            system_id: String::from(system_id),
            password,
            system_type: String::new(),
            interface_version: 0x34,
            addr_ton: 0,
            addr_npi: 0,
            addr_range: String::new(),
            kind: Kind::Sms,
            window: 10,
            enquire_link_s: 30,
            response_within_ms: 10_000,
            reconnect_min_ms: 1_000,
            reconnect_max_ms: 60_000,
            throttle_backoff_ms: 1_000,
            submits_per_s_max: None,
            source: Address { ton: 0, npi: 0, address: String::new() },
            dest_ton: 1,
            dest_npi: 1,
            alphabet: Alphabet::Gsm7,
            send_reference: true,
            ussd: UssdConfig::default(),
        }
    }

    /// Whether it can work at all.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that can't be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting: &'static str, why: &'static str| {
            Err(ConfigError { name: self.name.clone(), setting, why: String::from(why) })
        };
        let within =
            |text: &str, len_max| text.len() <= len_max && text.bytes().all(|octet| (0x20..0x7F).contains(&octet));
        let Some((host, port)) = self.host_port() else {
            return wrong("smsc", "must be host:port, an IPv6 address in brackets");
        };
        if host.is_empty() || port == 0 {
            return wrong("smsc", "must be host:port, an IPv6 address in brackets");
        }
        if self.system_id.is_empty() || !within(&self.system_id, 15) {
            return wrong("system_id", "must have 1 to 15 printable ASCII characters");
        }
        if !within(self.password.as_str(), 8) {
            return wrong("password", "must have at most 8 printable ASCII characters (SMPP 3.4 has no room for more)");
        }
        if !within(&self.system_type, 12) {
            return wrong("system_type", "must have at most 12 printable ASCII characters");
        }
        if !within(&self.addr_range, 40) {
            return wrong("addr_range", "must have at most 40 printable ASCII characters");
        }
        if !matches!(self.interface_version, 0x33 | 0x34 | 0x50) {
            return wrong("interface_version", "must be 0x33, 0x34 or 0x50");
        }
        if !(1..=WINDOW_MAX).contains(&self.window) {
            return wrong("window", "must be 1 to 1000");
        }
        if !(1..=3_600).contains(&self.enquire_link_s) {
            return wrong("enquire_link_s", "must be 1 to 3600");
        }
        if !(100..=120_000).contains(&self.response_within_ms) {
            return wrong("response_within_ms", "must be 100 to 120000");
        }
        if self.reconnect_min_ms < 10
            || 3_600_000 < self.reconnect_max_ms
            || self.reconnect_max_ms < self.reconnect_min_ms
        {
            return wrong("reconnect_min_ms, reconnect_max_ms", "must be at least 10, at most 3600000, in this order");
        }
        if !(10..=60_000).contains(&self.throttle_backoff_ms) {
            return wrong("throttle_backoff_ms", "must be 10 to 60000");
        }
        if self.submits_per_s_max == Some(0) {
            return wrong("submits_per_s_max", "must be at least 1; leave it out for no ceiling");
        }
        self.source.check_source().or_else(|why| wrong("source", why))?;
        self.ussd.check().or_else(|why| wrong("ussd.country_code", why))
    }

    /// Host without brackets, and port.
    pub(crate) fn host_port(&self) -> Option<(&str, u16)> {
        let (host, port) = self.smsc.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(host) => host.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        Some((host, port.parse().ok()?))
    }
}

/// Why a bind can't work as configured. Never holds the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("esme {name}: {setting}: {why}")]
pub struct ConfigError {
    /// Which bind.
    pub name: String,
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong with it.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::{EsmeConfig, Secret};
    use domain::ids::LinkId;
    use zeroize::Zeroizing;

    fn config() -> EsmeConfig {
        let password = Secret::new(Zeroizing::new(String::from("secret")));
        EsmeConfig::new(LinkId(2), "smsc-1", "smsc.example:2775", "sonmul", password)
    }

    #[test]
    fn every_setting_that_cannot_be_is_named() {
        assert_eq!(config().check(), Ok(()));
        type Change = fn(&mut EsmeConfig);
        let table: [(&str, Change); 22] = [
            ("smsc", |c| c.smsc = "smsc.example".into()),
            ("smsc", |c| c.smsc = ":2775".into()),
            ("smsc", |c| c.smsc = "smsc.example:0".into()),
            ("smsc", |c| c.smsc = "smsc.example:66000".into()),
            ("smsc", |c| c.smsc = "::1:2775".into()),
            ("system_id", |c| c.system_id = String::new()),
            ("system_id", |c| c.system_id = "0123456789abcdef".into()),
            ("system_id", |c| c.system_id = "선물".into()),
            ("password", |c| c.password = Secret::new(Zeroizing::new("123456789".into()))),
            ("system_type", |c| c.system_type = "0123456789abc".into()),
            ("addr_range", |c| c.addr_range = "0".repeat(41)),
            ("interface_version", |c| c.interface_version = 0x35),
            ("window", |c| c.window = 0),
            ("window", |c| c.window = 1_001),
            ("enquire_link_s", |c| c.enquire_link_s = 0),
            ("response_within_ms", |c| c.response_within_ms = 99),
            ("reconnect_min_ms, reconnect_max_ms", |c| c.reconnect_max_ms = 999),
            ("throttle_backoff_ms", |c| c.throttle_backoff_ms = 9),
            ("submits_per_s_max", |c| c.submits_per_s_max = Some(0)),
            ("source", |c| c.source.address = "Sonmul".into()),
            ("source", |c| {
                c.source.ton = 5;
                c.source.address = "Sonmul Sonmul".into();
            }),
            ("ussd.country_code", |c| c.ussd.country_code = Some("0850".into())),
        ];
        for (setting, change) in table {
            let mut config = config();
            change(&mut config);
            let error = config.check().expect_err(setting);
            assert_eq!(error.setting, setting);
            assert!(!error.to_string().contains("secret") && !error.to_string().contains("123456789"), "{error}");
        }
    }

    #[test]
    fn hosts_and_ports() {
        let mut config = config();
        assert_eq!(config.host_port(), Some(("smsc.example", 2775)));
        config.smsc = String::from("[::1]:2776");
        assert_eq!(config.host_port(), Some(("::1", 2776)));
        assert_eq!(config.check(), Ok(()));
    }
}
