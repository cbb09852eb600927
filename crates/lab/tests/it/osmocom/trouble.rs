//! What goes wrong on the way through a real HLR, and what it costs: nothing twice.

use std::time::Duration;

use edges::euse::EuseConfig;
use sonmul::gsup::switch::Cancel;
use sonmul::gsup::{GsupError, Shown};
use wire::ss::ErrorCode;

use super::entity::Entity;
use super::world::{CARD_VALUE, Edge, Network, PASSWORD, World, euse_config, gift, imsi, msc, msisdn, national, osmo};
use super::{line, screen, soon, until};

/// The guard of the HLRs that are waited for here, and an edge that answers before it.
const GUARD_S: u32 = 3;

fn hasty(config: EuseConfig) -> EuseConfig {
    EuseConfig { guard_s: GUARD_S, answer_within_ms: 1_500, ctrl_within_ms: 1_000, ..config }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_put_down_in_the_middle() {
    let world = World::new(2);
    let network = Network::new(&world, 2).await;
    for (dropped, how) in [Cancel::End, Cancel::Error(ErrorCode::USSD_BUSY)].into_iter().enumerate() {
        let (first, mut dialogue) = network.msc.dial(imsi(1), "*999#").await.expect("answered");
        // Whoever dials again soon is asked whether to go on.
        assert_eq!(line(&first).contains("You were sending 200"), dropped > 0, "{}", line(&first));
        if dropped > 0 {
            assert!(matches!(screen("the menu", dialogue.answer("0")).await, Shown::Asks(_)));
        }
        for typed in ["1", &national(2), "200"] {
            assert!(matches!(screen(typed, dialogue.answer(typed)).await, Shown::Asks(_)), "{typed}");
        }
        dialogue.cancel(how).expect("sent");
    }
    assert_eq!(world.books(1).await, (CARD_VALUE, 0));
    assert!(network.dial(1, &gift(100, 2)).await.starts_with("ends: Sent"));
    assert_eq!(world.books(1).await, (CARD_VALUE - 100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_answers_after_the_guard() {
    let world = World::new(2);
    let network = Network::with(&world, 2, GUARD_S, hasty).await;
    let (_, mut dialogue) = network.msc.dial(imsi(1), "*999#").await.expect("answered");
    for typed in ["1", &national(2), "200"] {
        assert!(matches!(screen(typed, dialogue.answer(typed)).await, Shown::Asks(_)), "{typed}");
    }
    // The guard itself is what is waited for: nobody is told when it expires.
    tokio::time::sleep(Duration::from_secs(u64::from(GUARD_S) + 1)).await;
    let late = screen("the password, too late", dialogue.answer(PASSWORD)).await;
    assert_eq!(line(&late), "failed Some(60)");
    assert_eq!(world.books(1).await, (CARD_VALUE, 0), "the edge never heard the password");
    assert!(network.dial(1, &gift(100, 2)).await.starts_with("ends: Sent"));
    assert_eq!(world.books(1).await, (CARD_VALUE - 100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_slower_than_the_guard() {
    let world = World::with(2, 300);
    let network = Network::with(&world, 2, GUARD_S, hasty).await;
    // Only the decider knows what a caller reads; the edge remembers it from an answer.
    assert!(network.dial(1, &format!("*999*0*1*{PASSWORD}#")).await.starts_with("ends: "));
    world.gate.send_replace(false);
    let waiting = network.dial(1, &gift(500, 2)).await;
    assert_eq!(waiting, "ends: Not known yet. In 5 minutes your balance shows whether it was sent.");
    world.gate.send_replace(true);
    soon("the gift is posted", async {
        while world.books(1).await != (CARD_VALUE - 500, 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let again = network.dial(1, &gift(500, 2)).await;
    assert!(again.starts_with("ends: Sent: 500 won"), "told, not charged again: {again}");
    assert_eq!((world.books(1).await, world.books(2).await), ((CARD_VALUE - 500, 0), (CARD_VALUE, 500)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hlr_dies_in_the_middle_of_a_dialogue() {
    let world = World::with(2, 300);
    let mut network = Network::new(&world, 2).await;
    let (_, mut dialogue) = network.msc.dial(imsi(1), "*999#").await.expect("answered");
    for typed in ["1", &national(2), "200"] {
        assert!(matches!(screen(typed, dialogue.answer(typed)).await, Shown::Asks(_)), "{typed}");
    }
    network.hlr.kill();
    assert!(matches!(soon("the connection ends", dialogue.shown()).await, Err(GsupError::Gone)));
    until("the edge sees it", || network.edge.status.hlr().up_since.is_none()).await;
    network.hlr.start_again().await.expect("starts");
    network.edge.up().await;
    // A fresh switch: its session numbers begin where those of the first began.
    network.msc = msc(&network.hlr).await;
    assert_eq!(world.books(1).await, (CARD_VALUE, 0));
    assert!(network.dial(1, &gift(200, 2)).await.starts_with("ends: Sent"));
    assert_eq!((world.books(1).await, world.books(2).await), ((CARD_VALUE - 200, 0), (CARD_VALUE, 200)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hlr_dies_while_a_gift_is_under_way() {
    let world = World::with(2, 300);
    let mut network = Network::new(&world, 2).await;
    world.gate.send_replace(false);
    let mut dialogue = network.msc.begin(imsi(1), &gift(500, 2)).expect("sent");
    until("the edge has the dial", || network.edge.status.counts().dials == 1).await;
    network.hlr.kill();
    world.gate.send_replace(true);
    assert!(matches!(soon("the connection ends", dialogue.shown()).await, Err(GsupError::Gone)));
    network.hlr.start_again().await.expect("starts");
    network.edge.up().await;
    network.msc = msc(&network.hlr).await;
    // The same string in a session of the same number: the lost screen, or that it was sent already.
    let again = network.dial(1, &gift(500, 2)).await;
    assert!(again.starts_with("ends: Sent") || again.contains("already"), "{again}");
    assert_eq!((world.books(1).await, world.books(2).await), ((CARD_VALUE - 500, 0), (CARD_VALUE, 500)));
    // And in a session of another number.
    let once_more = network.dial(1, &gift(500, 2)).await;
    assert!(once_more.contains("already"), "{once_more}");
    assert_eq!(world.books(1).await, (CARD_VALUE - 500, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_entity_has_the_name() {
    let world = World::new(2);
    let dir = tempfile::tempdir().expect("a directory");
    let hlr = osmo(&dir, 2, 30).await;
    let mut squatter = Entity::connect(hlr.gsup, "airtime").await;
    let config = EuseConfig { renew_idle_s: 1, ..euse_config(10, hlr.gsup, hlr.ctrl) };
    let edge = Edge::start(&world, config);
    edge.up().await;
    let msc = msc(&hlr).await;
    let mut dialogue = msc.begin(imsi(1), &gift(500, 2)).expect("sent");
    let heard = squatter.hear().await;
    squatter.end(&heard, "mine").await;
    assert_eq!(line(&screen("the squatter", dialogue.shown()).await), "ends: mine");
    drop(squatter);
    // The edge registers anew when it hears nothing for long enough, and then the name is its own.
    let mut seen = Vec::new();
    soon("the edge gets the name", async {
        loop {
            let (shown, _) = msc.dial(imsi(1), &gift(500, 2)).await.expect("answered");
            let line = line(&shown);
            if line.starts_with("ends: Sent") {
                break;
            }
            seen.push(line);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    // Until then nobody has it: OsmoHLR gives the name to no connection that came second.
    assert!(seen.iter().all(|line| line == "error 34"), "{seen:?}");
    assert_eq!(world.books(1).await, (CARD_VALUE - 500, 0));
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hlrs_at_once() {
    let world = World::new(4);
    let (first_dir, second_dir) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (first, mut second) = (osmo(&first_dir, 4, 30).await, osmo(&second_dir, 4, 30).await);
    let edges =
        [(10, &first), (11, &second)].map(|(link, hlr)| Edge::start(&world, euse_config(link, hlr.gsup, hlr.ctrl)));
    for edge in &edges {
        edge.up().await;
    }
    let switches = [msc(&first).await, msc(&second).await];
    // The same session numbers of the same SIM on both, at the same time: two callers' dialogues for all we know.
    let mut open = Vec::new();
    for switch in &switches {
        let (shown, dialogue) = switch.dial(imsi(1), "*999#").await.expect("answered");
        assert!(matches!(shown, Shown::Asks(_)));
        open.push(dialogue);
    }
    for (dialogue, to) in open.iter_mut().zip([2, 3]) {
        for typed in ["1", &national(to), "200"] {
            assert!(matches!(screen(typed, dialogue.answer(typed)).await, Shown::Asks(_)), "{typed}");
        }
    }
    for dialogue in &mut open {
        assert!(line(&screen("the password", dialogue.answer(PASSWORD)).await).starts_with("ends: Sent"));
    }
    assert_eq!(world.books(1).await, (CARD_VALUE - 400, 0));
    assert_eq!((world.books(2).await.1, world.books(3).await.1), (200, 200));
    // One is gone: the other doesn't notice.
    second.kill();
    let (shown, _) = switches[0].dial(imsi(4), &gift(100, 1)).await.expect("answered");
    assert!(line(&shown).starts_with("ends: "));
    assert_eq!(world.books(4).await, (CARD_VALUE - 100, 0));
    until("the other link is down", || edges[1].status.hlr().up_since.is_none()).await;
    assert!(edges[0].status.is_up());
    assert_eq!(msisdn(1), world.subscriber(1).await.msisdn);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_stops_answers_what_it_has() {
    let world = World::new(2);
    let network = Network::new(&world, 2).await;
    world.gate.send_replace(false);
    let mut dialogue = network.msc.begin(imsi(1), &gift(500, 2)).expect("sent");
    until("the edge has the dial", || network.edge.status.counts().dials == 1).await;
    let Network { edge, hlr, msc, _dir } = network;
    let ((), shown) = tokio::join!(edge.stop(), async {
        world.gate.send_replace(true);
        screen("the gift", dialogue.shown()).await
    });
    assert!(line(&shown).starts_with("ends: Sent"));
    // Then nobody is there.
    let gone = loop {
        let (shown, _) = msc.dial(imsi(1), "*999#").await.expect("answered");
        let line = line(&shown);
        if !line.starts_with("ends: Busy") {
            break line;
        }
    };
    assert_eq!(gone, "error 34", "{}", hlr.log());
    assert_eq!(world.books(1).await, (CARD_VALUE - 500, 0));
}
