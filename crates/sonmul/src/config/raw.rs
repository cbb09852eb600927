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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Aggregator {
    pub(super) name: Spanned<String>,
    pub(super) link: Spanned<u16>,
    pub(super) key_hash: Spanned<String>,
    pub(super) sources: Vec<Spanned<String>>,
    pub(super) operators: Vec<String>,
}
