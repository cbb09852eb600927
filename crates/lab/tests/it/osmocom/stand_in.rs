//! The stand-in HLR and the flood of the benchmark, before the real edge.

use std::sync::Arc;
use std::time::Duration;

use lab::load::flood::{FloodConfig, flood};
use lab::load::hlr::{Hlr, HlrConfig, Number};
use sonmul::gsup::Shown;
use tokio::net::TcpStream;
use wire::imsi::Imsi;

use super::soon;
use super::world::{CARD_VALUE, Edge, World, euse_config, gift, imsi, msisdn};

const SUBSCRIBERS: u64 = 200;

fn numbers(asked: &Imsi) -> Number {
    let n = asked.as_str().strip_prefix("90170").and_then(|rest| rest.parse().ok());
    n.filter(|n| (1..=SUBSCRIBERS).contains(n)).map_or(Number::Unknown, |n| Number::Msisdn(msisdn(n).get().to_string()))
}

async fn hlr() -> Hlr {
    let route = |prefix| (String::from(prefix), String::from("airtime"));
    let config = HlrConfig {
        routes: vec![route("*999*"), route("*999#")],
        sessions_max: 10_000,
        guard: Duration::from_secs(30),
        numbers: Arc::new(numbers),
    };
    Hlr::start(config).await.expect("starts")
}

/// Everybody gives 1 won in turn; the books say how often.
async fn floods(attached: bool, paced: Option<u64>) {
    let world = World::new(SUBSCRIBERS);
    let hlr = hlr().await;
    let edge = Edge::start(&world, euse_config(10, hlr.gsup, hlr.ctrl));
    edge.up().await;
    super::until("the entity is routed", || hlr.is_routed("airtime")).await;
    let config = FloodConfig {
        name: String::from("MSC-flood"),
        window: 64,
        paced,
        lasts: Duration::from_millis(500),
        drain: Duration::from_secs(20),
    };
    let mut turn = 0;
    let next = || {
        turn += 1;
        let caller = turn % SUBSCRIBERS + 1;
        (imsi(caller), gift(1, caller % SUBSCRIBERS + 1))
    };
    let mut sent_screens = 0_u64;
    let each = |shown: &Shown, _: Duration| sent_screens += u64::from(matches!(shown, Shown::Ends(_)));
    let flooded = if attached {
        soon("the flood", flood(hlr.attach(), &config, next, each)).await
    } else {
        let stream = TcpStream::connect(hlr.gsup).await.expect("listens");
        soon("the flood", flood(stream, &config, next, each)).await
    };
    let flooded = flooded.expect("goes well");
    assert!(10 < flooded.sent, "{flooded:?}");
    assert_eq!((flooded.ended, flooded.unexpected, flooded.lost), (flooded.sent, 0, 0), "{flooded:?}");
    assert_eq!(sent_screens, flooded.sent);
    let (mut given, mut got) = (0, 0);
    for n in 1..=SUBSCRIBERS {
        let (card, airtime) = world.books(n).await;
        given += CARD_VALUE - card;
        got += airtime;
    }
    let counts = edge.status.counts();
    assert_eq!((given, given.unsigned_abs(), counts.answers), (got, flooded.sent, flooded.sent), "{counts:?}");
    assert_eq!(hlr.sessions_len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_over_a_socket_is_charged_once_each() {
    floods(false, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_flood_without_a_socket_is_charged_once_each() {
    floods(true, Some(500)).await;
}
