//! How each link does, as its edge sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Admin;

/// One configured link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Its name in the configuration.
    pub name: String,
    /// Its number.
    pub link: u16,
    /// `aggregator`, `hlr` or `smsc`.
    pub kind: String,
    /// Where it leads, or where it comes from.
    pub address: String,
    /// Whether it can be used now.
    pub up: bool,
    /// One sentence: since when, or what is wrong and what to do.
    pub says: String,
    /// What passed over it since the start, by name.
    pub counts: BTreeMap<String, u64>,
}

/// Says how the links do; edges know.
pub type Links = Arc<dyn Fn() -> Vec<LinkView> + Send + Sync>;

/// `GET /v1/links`.
pub(crate) async fn list(State(admin): State<Arc<Admin>>) -> Json<Vec<LinkView>> {
    Json((admin.parts.links)())
}
