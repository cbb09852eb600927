//! `sonmul doctor`: looks at everything that a server needs, and says in one line each what is wrong and what to do.
//!
//! Guarantees: nothing is changed; a link that a running server holds is not disturbed: the server says how it does.
//! Without a server the links are tried, as it would use them, and let go.
//! Bounded by: [`probe::WITHIN`] for each link, all at the same time.

mod probe;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use api::admin::LinkView;
use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::exit::{Exit, Outcome};
use crate::keys::load_tag_keys;
use crate::print;

use super::{DataArg, block_on};

/// See `sonmul doctor --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ends with 0 when all is well, with 2 when the configuration or a key is wrong, with 3 when the server or a \
link is down.

Example:
  sonmul doctor --data sonmul-data
  sonmul doctor --json"
)]
pub(crate) struct DoctorArgs {
    /// Print JSON: a line for each finding
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What: `configuration`, `keys`, `server`, `operators`, or a link's name.
    what: String,
    /// Nothing to do.
    ok: bool,
    /// One sentence: how it does, or what is wrong and what to do.
    says: String,
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn well(what: &str, says: impl Into<String>) -> Self {
        Self { what: String::from(what), ok: true, says: says.into(), exit: Exit::Ok }
    }

    fn ill(what: &str, exit: Exit, says: impl Into<String>) -> Self {
        Self { what: String::from(what), ok: false, says: says.into(), exit }
    }

    fn link(view: LinkView) -> Self {
        let LinkView { name, kind, address, up, says, .. } = view;
        let says = format!("{kind} {address}: {says}");
        Self { what: name, ok: up, says, exit: if up { Exit::Ok } else { Exit::Unreachable } }
    }
}

/// Looks at everything.
pub(crate) fn run(args: &DoctorArgs) -> Outcome {
    let data = args.data.dir();
    let mut findings = Vec::new();
    let config = match Config::load(&data) {
        Ok(config) => {
            let links = config.links.common().count();
            findings.push(Finding::well("configuration", format!("{} names {links} links", data.display())));
            Some(config)
        }
        Err(failure) => {
            findings.push(Finding::ill("configuration", failure.exit, failure.to_string()));
            None
        }
    };
    findings.push(keys(&data));
    let served = block_on(async { Ok(server(args).await) })?;
    match served {
        Ok(Served { findings: of_server, links }) => {
            findings.extend(of_server);
            findings.extend(links.into_iter().map(Finding::link));
        }
        Err(down) => {
            findings.push(down);
            if let Some(config) = &config {
                let links = block_on(async { Ok(probe::links(&config.links).await) })?;
                findings.extend(links.into_iter().map(Finding::link));
            }
        }
    }
    show(&findings, args.json)?;
    // The configuration is what everything else stands on.
    let exits = [Exit::Usage, Exit::Damaged, Exit::Fault, Exit::Refused, Exit::Unreachable];
    Ok(exits.into_iter().find(|exit| findings.iter().any(|finding| finding.exit == *exit)).unwrap_or(Exit::Ok))
}

fn keys(data: &Path) -> Finding {
    let open = std::fs::metadata(data).is_ok_and(|data| data.permissions().mode() & 0o007 != 0);
    match load_tag_keys(data) {
        Err(failure) => Finding::ill("keys", failure.exit, failure.to_string()),
        Ok(_) if open => {
            let says = format!("everybody may enter {0}: `chmod o-rwx {0}`", data.display());
            Finding::ill("keys", Exit::Usage, says)
        }
        Ok((_, ids)) => Finding::well("keys", format!("{} live", ids.len())),
    }
}

/// What a running server says.
struct Served {
    findings: Vec<Finding>,
    links: Vec<LinkView>,
}

async fn server(args: &DoctorArgs) -> Result<Served, Finding> {
    let admin = args.data.admin();
    let asked = async {
        let status = admin.get("/v1/status").await?.ok()?;
        let links = admin.get("/v1/links").await?.ok()?;
        Outcome::Ok((status, links))
    };
    let (status, links) = asked.await.map_err(|failure| {
        let says = format!("{failure}; the links are tried without it");
        Finding::ill("server", Exit::Unreachable, says)
    })?;
    let links: Vec<LinkView> = serde_json::from_value(links).unwrap_or_default();
    let seq = status.get("seq").map(Value::to_string).unwrap_or_default();
    let server = match status.get("closed").and_then(Value::as_str) {
        None => Finding::well("server", format!("takes dials; the journal ends at entry {seq}")),
        Some("clock") => {
            let says = "takes nothing: its clock stepped. Set the clock right, or `sonmul status --accept-clock`";
            Finding::ill("server", Exit::Unreachable, says)
        }
        Some("disk") => {
            let says = "takes nothing: its disk is full. Free some space on it; then it goes on by itself";
            Finding::ill("server", Exit::Unreachable, says)
        }
        Some(why) => Finding::ill("server", Exit::Unreachable, format!("takes nothing: {why}; see its log")),
    };
    let operators = match status.get("operators").and_then(Value::as_array) {
        Some(operators) if !operators.is_empty() => {
            let name = |operator: &Value| operator.get("name").and_then(Value::as_str).map(String::from);
            let names: Vec<String> = operators.iter().filter_map(name).collect();
            Finding::well("operators", names.join(", "))
        }
        _ => Finding::ill("operators", Exit::Refused, "none is loaded: `sonmul operator load FILE`"),
    };
    let findings = [Some(server), slowed(&status), Some(operators)].into_iter().flatten().collect();
    Ok(Served { findings, links })
}

/// Said only while it is so.
fn slowed(status: &Value) -> Option<Finding> {
    status.get("slowed").and_then(Value::as_bool).filter(|slowed| *slowed)?;
    let refused = status.get("ussd_ids_refused").map(Value::to_string).unwrap_or_default();
    let says = format!(
        "some are answered busy, {refused} since the start: more come than can be remembered for ten minutes. Where there \
         is memory for them raise ussd_ids_max"
    );
    Some(Finding::ill("dials", Exit::Unreachable, says))
}

fn show(findings: &[Finding], json: bool) -> Outcome<()> {
    let width = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
    for Finding { what, ok, says, .. } in findings {
        let word = if *ok { "ok " } else { "BAD" };
        print::line(&match json {
            true => serde_json::json!({ "what": what, "ok": ok, "says": says }).to_string(),
            false => format!("{word}  {what:width$}  {says}"),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::slowed;
    use serde_json::json;

    #[test]
    fn dials_that_are_slowed_down_are_told_with_what_to_do() {
        let told = slowed(&json!({ "slowed": true, "ussd_ids_refused": 7 })).expect("a finding");
        assert!(!told.ok, "it is no small thing");
        assert!(told.says.contains("7 since the start") && told.says.contains("raise ussd_ids_max"), "{}", told.says);
        assert!(slowed(&json!({ "slowed": false, "ussd_ids_refused": 7 })).is_none());
        assert!(slowed(&json!({})).is_none());
    }
}
