//! The configuration as written: names and shapes only, with the places of values that are checked later.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) admin_group: Option<String>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    #[serde(default)]
    pub(super) http: Http,
    #[serde(default)]
    pub(super) aggregator: Vec<Aggregator>,
    #[serde(default)]
    pub(super) hlr: Vec<Hlr>,
    #[serde(default)]
    pub(super) smsc: Vec<Smsc>,
    #[serde(default)]
    pub(super) limits: BTreeMap<Spanned<String>, Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    #[serde(default = "default_listen")]
    pub(super) listen: Spanned<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: default_listen() }
    }
}

fn default_listen() -> Spanned<String> {
    Spanned::new(0..0, String::from(super::DEFAULT_LISTEN))
}

/// What every link says, borrowed from its table.
pub(super) struct Common<'a> {
    pub(super) name: &'a Spanned<String>,
    pub(super) link: &'a Spanned<u16>,
    pub(super) operators: &'a Spanned<Vec<String>>,
    pub(super) ranges: &'a [Spanned<String>],
    pub(super) wrong_passwords_burst: Option<u32>,
    pub(super) wrong_passwords_per_min: Option<u32>,
    pub(super) session_idle_s: Option<&'a Spanned<u32>>,
    pub(super) session_total_s: Option<&'a Spanned<u32>>,
    pub(super) answer_within_ms: Option<&'a Spanned<u32>>,
}

/// A table of a link: what every link says, and what only this kind does. (`flatten` and unknown keys don't go together.)
macro_rules! link_table {
    ($(#[$doc:meta])* $table:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $table {
            name: Spanned<String>,
            link: Spanned<u16>,
            operators: Spanned<Vec<String>>,
            #[serde(default)]
            ranges: Vec<Spanned<String>>,
            #[serde(default)]
            wrong_passwords_burst: Option<u32>,
            #[serde(default)]
            wrong_passwords_per_min: Option<u32>,
            #[serde(default)]
            session_idle_s: Option<Spanned<u32>>,
            #[serde(default)]
            session_total_s: Option<Spanned<u32>>,
            #[serde(default)]
            answer_within_ms: Option<Spanned<u32>>,
            $($(#[$attribute])* pub(super) $field: $type,)*
        }

        impl $table {
            pub(super) fn common(&self) -> Common<'_> {
                Common {
                    name: &self.name,
                    link: &self.link,
                    operators: &self.operators,
                    ranges: &self.ranges,
                    wrong_passwords_burst: self.wrong_passwords_burst,
                    wrong_passwords_per_min: self.wrong_passwords_per_min,
                    session_idle_s: self.session_idle_s.as_ref(),
                    session_total_s: self.session_total_s.as_ref(),
                    answer_within_ms: self.answer_within_ms.as_ref(),
                }
            }
        }
    };
}

link_table! {
    /// An HTTP aggregator.
    Aggregator {
        key_hash: Spanned<String>,
        sources: Vec<Spanned<String>>,
    }
}

link_table! {
    /// An OsmoHLR that we are an EUSE of.
    Hlr {
        #[serde(default = "default_gsup")]
        gsup: Spanned<String>,
        #[serde(default = "default_ctrl")]
        ctrl: Spanned<String>,
        #[serde(default = "default_euse")]
        euse: Spanned<String>,
        #[serde(default = "default_guard_s")]
        guard_s: Spanned<u32>,
    }
}

fn default_gsup() -> Spanned<String> {
    Spanned::new(0..0, String::from("127.0.0.1:4222"))
}

fn default_ctrl() -> Spanned<String> {
    Spanned::new(0..0, String::from("127.0.0.1:4259"))
}

fn default_euse() -> Spanned<String> {
    Spanned::new(0..0, String::from("airtime"))
}

fn default_guard_s() -> Spanned<u32> {
    Spanned::new(0..0, 30)
}

link_table! {
    /// An SMSC, or a USSD gateway that speaks SMPP.
    Smsc {
        address: Spanned<String>,
        system_id: Spanned<String>,
        #[serde(default)]
        password_file: Option<Spanned<String>>,
        #[serde(default)]
        system_type: String,
        #[serde(default = "default_true")]
        sms: bool,
        #[serde(default)]
        ussd: bool,
        #[serde(default)]
        source: String,
        #[serde(default)]
        window: Option<Spanned<u32>>,
        #[serde(default)]
        submits_per_s_max: Option<Spanned<u32>>,
        #[serde(default)]
        enquire_link_s: Option<Spanned<u32>>,
        #[serde(default)]
        response_within_ms: Option<Spanned<u32>>,
        #[serde(default)]
        binds: Option<Spanned<u32>>,
        #[serde(default = "default_true")]
        receipts: bool,
        #[serde(default = "default_true")]
        reference: bool,
        #[serde(default)]
        letters: Letters,
        #[serde(default)]
        gateway: Gateway,
        #[serde(default)]
        tls: Option<Tls>,
    }
}

/// How letters are sent in an SMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Letters {
    /// The SMSC's default alphabet is GSM 7-bit; UCS-2 where a letter needs it.
    #[default]
    Gsm7,
    /// The SMSC's default alphabet is ASCII; UCS-2 where a letter needs it.
    Ascii,
    /// UCS-2 always.
    Ucs2,
}

/// How a USSD gateway differs from others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gateway {
    /// Put before callers' national numbers.
    pub(crate) country_code: Option<String>,
    /// The service code always stands in `destination_addr`.
    pub(crate) code_in_destination: bool,
    /// Text in `data_coding` 0x0F is packed.
    pub(crate) gsm7_packed: bool,
    /// Sessions end with a notification.
    pub(crate) end_with_notify: bool,
}

/// TLS towards an SMSC.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) ca_file: Spanned<String>,
    #[serde(default)]
    pub(super) server_name: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) cert_file: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) key_file: Option<Spanned<String>>,
}

const fn default_true() -> bool {
    true
}
