//! The workspace's own rules, executed: who may use whom, crates and files, and what the pure crates must never pull in.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

#[expect(unreachable_pub, reason = "the fuzz targets use the same file from another crate")]
#[path = "../../../../fuzz/checks/domain.rs"]
mod checks;

mod floors;
mod seeds;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate may use of ours (docs/design.md, *Crates and floors*). A tenth crate needs a page in docs/adr.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("wire", &[]),
    ("engine", &["domain"]),
    ("store", &["engine", "domain"]),
    ("edges", &["engine", "domain", "wire"]),
    ("api", &["engine", "domain"]),
    ("paper", &["engine", "domain", "api"]),
    ("lab", &["domain", "wire", "engine", "store", "edges", "api", "paper", "sonmul"]),
    ("sonmul", &["domain", "wire", "engine", "store", "edges", "api", "paper"]),
];

/// What must not be in reach of a pure crate, directly or through others.
const NEVER_IN_PURE: [&str; 10] =
    ["tokio", "rusqlite", "axum", "hyper", "tracing", "getrandom", "rand", "reqwest", "tokio-postgres", "uuid"];

struct Metadata {
    /// Normal dependencies of each of our crates, by name.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// Everything reachable by normal dependencies.
    reach: BTreeMap<String, BTreeSet<String>>,
}

fn cargo_metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| String::from("cargo"));
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn metadata() -> Metadata {
    let json = cargo_metadata();
    let name_of: BTreeMap<&str, &str> = json["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (package["id"].as_str().expect("id"), package["name"].as_str().expect("name")))
        .collect();
    let edges: BTreeMap<&str, BTreeSet<&str>> = json["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| {
            let normal =
                node["deps"].as_array().expect("deps").iter().filter(|dep| {
                    dep["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
                });
            (node["id"].as_str().expect("id"), normal.map(|dep| dep["pkg"].as_str().expect("pkg")).collect())
        })
        .collect();
    let members: Vec<&str> =
        json["workspace_members"].as_array().expect("members").iter().map(|id| id.as_str().expect("id")).collect();
    let named = |ids: &BTreeSet<&str>| ids.iter().map(|id| String::from(name_of[id])).collect();
    let direct = members.iter().map(|id| (String::from(name_of[id]), named(&edges[id]))).collect();
    let reach = members
        .iter()
        .map(|id| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&str> = edges[id].iter().copied().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(&edges[next]);
                }
            }
            (String::from(name_of[id]), named(&seen))
        })
        .collect();
    Metadata { direct, reach }
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let Metadata { direct, .. } = metadata();
    let ours: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = direct.keys().map(String::as_str).collect();
    assert_eq!(members, ours, "nine crates; a tenth needs a page in docs/adr");
    for (name, allowed) in MAY_USE {
        let used: BTreeSet<&str> = direct[name].iter().map(String::as_str).filter(|dep| ours.contains(dep)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let extra: Vec<_> = used.difference(&allowed).collect();
        assert!(extra.is_empty(), "{name} may not use {extra:?}");
    }
}

#[test]
fn the_pure_crates_reach_no_clock_no_socket_no_database() {
    let Metadata { reach, .. } = metadata();
    for name in ["domain", "wire"] {
        let found: Vec<_> = NEVER_IN_PURE.iter().filter(|dep| reach[name].contains(**dep)).collect();
        assert!(found.is_empty(), "{name} reaches {found:?}");
    }
}

/// What is for tests must not be in the server: it holds keys that everybody knows.
#[test]
fn no_normal_build_has_the_rig_of_tests() {
    let json = cargo_metadata();
    let ours = |package: &&serde_json::Value| MAY_USE.iter().any(|(name, _)| package["name"] == *name);
    for package in json["packages"].as_array().expect("packages").iter().filter(ours) {
        for dep in package["dependencies"].as_array().expect("dependencies") {
            let is_for_tests = dep["kind"] == "dev";
            let features = dep["features"].as_array().expect("features");
            let has_rig = dep["name"] == "domain" && features.iter().any(|feature| feature == "testing");
            assert!(is_for_tests || !has_rig, "{} takes the rig of tests", package["name"]);
        }
        if package["name"] == "domain" {
            let by_default = &package["features"]["default"];
            assert!(by_default.is_null(), "domain has features by default: {by_default}");
        }
    }
}

#[test]
fn every_crate_is_apache_and_takes_the_workspace_lints() {
    for (name, _) in MAY_USE {
        let path = format!("{}/../{name}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        let manifest = std::fs::read_to_string(&path).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} must take the workspace's lints");
        assert!(manifest.contains("license.workspace = true"), "{name} must take the workspace's licence");
    }
}
