//! Two thousand dialogues at once through a real HLR: every phone reads its own screens, and every card is charged once.

use std::collections::HashSet;
use std::sync::Arc;

use sonmul::gsup::Shown;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::world::{CARD_VALUE, Network, PASSWORD, World, gift, imsi, national};
use super::{line, screen, soon};

const CROWD: u64 = 2_000;

fn amount(n: u64) -> u64 {
    100 * (1 + n % 5)
}

fn friend(n: u64) -> u64 {
    n % CROWD + 1
}

fn national_grouped(n: u64) -> String {
    let digits = national(n);
    // As screens show it: 0191 100 0001.
    format!("0{} {} {}", &digits[..3], &digits[3..6], &digits[6..])
}

/// The receipt, after checking that it is this caller's screen.
fn receipt(n: u64, shown: &Shown) -> String {
    let line = line(shown);
    let left = 10_000 - amount(n);
    assert!(line.contains(&national_grouped(friend(n))), "caller {n}: {line}");
    assert!(line.contains(&format!(" {left}")), "caller {n}: {line}");
    line.rsplit(' ').next().map(String::from).expect("a receipt")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_at_once() {
    let world = World::new(CROWD);
    let network = Network::new(&world, CROWD).await;
    let menus = usize::try_from(CROWD / 2).expect("small");
    let barrier = Arc::new(Barrier::new(menus));
    // All begin before anybody is listened to.
    let begun: Vec<_> = (1..=CROWD)
        .map(|n| {
            let string =
                if n.is_multiple_of(4) || n % 4 == 1 { gift(amount(n), friend(n)) } else { String::from("*999#") };
            (n, string == "*999#", network.msc.begin(imsi(n), &string).expect("sent"))
        })
        .collect();
    assert_eq!(begun.iter().filter(|(_, menu, _)| *menu).count(), menus);
    let mut phones = JoinSet::new();
    for (n, menu, mut dialogue) in begun {
        let barrier = Arc::clone(&barrier);
        phones.spawn(async move {
            let mut shown = screen("the first screen", dialogue.shown()).await;
            if menu {
                for (place, typed) in ["1", &national(friend(n)), &amount(n).to_string(), PASSWORD].iter().enumerate() {
                    assert!(matches!(shown, Shown::Asks(_)), "caller {n} before {place}: {}", line(&shown));
                    // Nobody goes on before all have got so far: a thousand sessions are open together.
                    soon("everybody", barrier.wait()).await;
                    shown = screen(typed, dialogue.answer(typed)).await;
                }
            }
            assert!(matches!(shown, Shown::Ends(_)), "caller {n}: {}", line(&shown));
            receipt(n, &shown)
        });
    }
    let mut receipts = HashSet::new();
    while let Some(phone) = phones.join_next().await {
        assert!(receipts.insert(phone.expect("no panic")), "a receipt twice");
    }
    assert_eq!(receipts.len() as u64, CROWD);
    for n in 1..=CROWD {
        let giver = if n == 1 { CROWD } else { n - 1 };
        let got = i64::try_from(amount(giver)).expect("small");
        let gave = i64::try_from(amount(n)).expect("small");
        assert_eq!(world.books(n).await, (CARD_VALUE - gave, got), "subscriber {n}");
    }
    let counts = network.edge.status.counts();
    assert_eq!((counts.dials, counts.answers), (CROWD, CROWD + 4 * menus as u64));
    assert_eq!((counts.malformed, counts.busy, counts.timed_out, counts.dropped_gone), (0, 0, 0, 0));
    assert_eq!((network.msc.strays(), network.msc.open_len()), (0, 0));
}
