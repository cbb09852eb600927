//! Dials a second over an edge on loopback, and how long they take at half of that: the same dials over HTTP, through a
//! stand-in for an HLR, and through OsmoHLR, in the same world.
//!
//! Only screens that say that the gift was sent count as dials. What else was shown is told beside them.

use std::time::Duration;

use super::callers::Measured;
use super::gsup::{Peer, Peers};
use super::machine::{self, Others};
use super::table::{Goal, Row, grouped};
use super::world::World;
use super::{Plan, http, told};

/// HTTP, in the dialect of Africa's Talking.
pub(super) fn over_http(world: &World, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let (to, source) = (world.server.http, &world.source);
    let note = format!("64 kept-alive connections; callers among {}", grouped(source.subscribers()));
    rows("over the HTTP edge", plan, note, |paced| match paced {
        None => http::flat_out(to, source, plan.other),
        Some(rate) => http::at_rate(to, source, rate, plan.other),
    })
}

/// GSUP, through every peer that was asked for.
pub(super) fn over_gsup(world: &World, peers: &Peers, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mut all = Vec::new();
    for peer in peers.all() {
        told(&format!("dials {}", peer.over()));
        if let Some(why) = peer.missing() {
            let row = Row::new(format!("dials {}", peer.over()), "dials/s", Vec::new(), None);
            all.push(row.note(why));
            continue;
        }
        all.extend(rows(&peer.over(), plan, peer.note(), |paced| dial(world, peers, &peer, paced, plan.other))?);
    }
    Ok(all)
}

fn dial(
    world: &World,
    peers: &Peers,
    peer: &Peer<'_>,
    paced: Option<u64>,
    lasts: Duration,
) -> anyhow::Result<Measured> {
    peers.dial(&world.server, &world.source, peer, paced, lasts)
}

/// What makes a figure doubtful.
pub(super) fn used_by_others(shares: &[u64]) -> String {
    let shares: Vec<_> = shares.iter().map(|share| format!("{share} %")).collect();
    format!("other processes used {} of the processors", shares.join(", "))
}

/// As many as there can be, then half as many.
fn rows(
    over: &str,
    plan: Plan,
    note: String,
    mut run: impl FnMut(Option<u64>) -> anyhow::Result<Measured>,
) -> anyhow::Result<Vec<Row>> {
    let (mut rates, mut refused, mut cpu, mut others) = (Vec::new(), 0, 0, Vec::new());
    for _ in 0..plan.runs {
        let (before, meanwhile) = (machine::cpu_ms(), Others::begin());
        let measured = run(None)?;
        cpu += machine::cpu_ms() - before;
        rates.push(measured.per_second);
        refused += measured.refused;
        others.push(meanwhile.share());
    }
    let all: u64 = rates.iter().sum::<u64>() * plan.other.as_secs();
    let flat_out =
        Row::new(format!("dials {over}, load generator included"), "dials/s", rates, Some(Goal::AtLeast(30_000)));
    let half = flat_out.median() / 2;
    let flat_out = flat_out
        .note(note)
        .note(format!("{} µs of processor time a dial, generator included", cpu * 1_000 / all.max(1)))
        .note(format!("{} refused or not answered, not counted", grouped(refused)))
        .note(used_by_others(&others));
    let (mut p50, mut p99, mut p999) = (Vec::new(), Vec::new(), Vec::new());
    let (mut reached, mut others) = (Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        let meanwhile = Others::begin();
        let mut measured = run(Some(half))?;
        others.push(meanwhile.share());
        p50.push(measured.latencies.at(500));
        p99.push(measured.latencies.at(990));
        p999.push(measured.latencies.at(999));
        reached.push(grouped(measured.per_second));
    }
    let at = |what: &str| format!("answer time at {} dials/s {over}, {what}", grouped(half));
    let reached = format!("from when each dial was due; given: {} a second", reached.join(", "));
    Ok(vec![
        flat_out,
        Row::new(at("p50"), "µs", p50, Some(Goal::AtMost(2_000))).note(reached).note(used_by_others(&others)),
        Row::new(at("p99"), "µs", p99, Some(Goal::AtMost(10_000))),
        Row::new(at("p99.9"), "µs", p999, Some(Goal::AtMost(50_000))),
    ])
}
