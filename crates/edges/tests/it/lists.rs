//! Lists that are longer than a screen, in both budgets.

use crate::fake::{ALICE, DAVE, PASSWORD};
use crate::line::Line;
use crate::phone::World;
use expect_test::expect;
use wire::text::Budget;

/// A number that passes Luhn's check, for each `n` another one.
fn card(n: u64) -> String {
    let head = 453_957_876_362_000 + n;
    let sum: u64 =
        head.to_string().bytes().rev().map(|digit| u64::from(digit - b'0')).enumerate().fold(0, |sum, (at, digit)| {
            let digit = if at % 2 == 0 { digit * 2 } else { digit };
            sum + digit / 10 + digit % 10
        });
    format!("{head}{}", (10 - sum % 10) % 10)
}

/// Alice and Dave with so many cards more, all of one password.
fn world(cards: u64) -> World {
    let more =
        [("ceiling = 1\n", "ceiling = 99\n"), ("card_value_max = 1000000\nissued_per_day_max = 10000000000\n", "")];
    let world = World::ruled(&more);
    for (caller, from) in [(ALICE, 0), (DAVE, 100)] {
        for n in 0..cards {
            world.fake.issue(&card(from + n), PASSWORD, 1_234_567_890);
            world.fake.bind(caller, &card(from + n), PASSWORD);
        }
    }
    world
}

#[tokio::test]
async fn nine_cards_page_and_end() {
    let world = world(8);
    let mut all = String::new();
    for (caller, budget) in [(ALICE, Budget::USSD_OSMOHLR), (DAVE, Budget::USSD)] {
        let mut line = Line::new(world.link(2, budget, true), caller);
        let mut screen = line.dial("*999*0*1*482913#").await;
        while screen.goes_on {
            all.push_str(&format!("{}\n> 0\n", screen.text));
            screen = line.enter("0").await;
        }
        all.push_str(&format!("END {}\n\n", screen.text));
    }
    expect![[r#"
        전화돈 0원 (0분)
        오늘 보낼수 있는 금액 49500원
        0 다음 00 끝
        > 0
        카드 00000001 2000원
        카드 00000004 1234567890원
        0 다음 00 끝
        > 0
        카드 00000005 1234567890원
        0 다음 00 끝
        > 0
        카드 00000006 1234567890원
        0 다음 00 끝
        > 0
        카드 00000007 1234567890원
        0 다음 00 끝
        > 0
        카드 00000008 1234567890원
        0 다음 00 끝
        > 0
        카드 00000009 1234567890원
        0 다음 00 끝
        > 0
        END 카드 00000010 1234567890원
        카드 00000011 1234567890원

        Airtime 0 won (0 min)
        May be sent today: 49500 won
        Card 00000002: 2000 won
        Card 00000012: 1234567890 won
        Card 00000013: 1234567890 won
        Card 00000014: 1234567890 won
        0 more 00 exit
        > 0
        END Card 00000015: 1234567890 won
        Card 00000016: 1234567890 won
        Card 00000017: 1234567890 won
        Card 00000018: 1234567890 won
        Card 00000019: 1234567890 won

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn every_line_is_shown_once_whatever_the_budget() {
    let budgets = [Budget::USSD, Budget::USSD_OSMOHLR, Budget { septets: 60, ucs2: 45 }];
    for cards in [0, 1, 2, 7, 8, 15] {
        let world = world(cards);
        for (budget, caller) in budgets.iter().flat_map(|budget| [(budget, ALICE), (budget, DAVE)]) {
            let mut line = Line::new(world.link(2, *budget, true), caller);
            line.session = u32::try_from(budget.ucs2).expect("small") * 100;
            let mut screen = line.talk_until_the_end("*999*0*1*482913#", "0").await;
            let last = screen.pop().expect("one");
            assert!(!last.goes_on && !last.text.ends_with("exit") && !last.text.ends_with("끝"), "{}", last.text);
            let more = screen
                .iter()
                .all(|screen| screen.text.ends_with("0 more 00 exit") || screen.text.ends_with("0 다음 00 끝"));
            assert!(more, "{cards} {budget:?}");
            let serials: Vec<String> = screen
                .iter()
                .chain([&last])
                .flat_map(|screen| screen.text.lines())
                .filter_map(|text| text.strip_prefix("Card ").or_else(|| text.strip_prefix("카드 ")))
                .map(|text| text.chars().take(8).collect())
                .collect();
            let expected = usize::try_from(cards).expect("small") + 1;
            let mut once = serials.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((serials.len(), once.len()), (expected, expected), "{cards} {budget:?}");
        }
        world.fake.later(86_400);
    }
}

#[tokio::test]
async fn a_list_is_left_in_the_middle() {
    let world = world(8);
    let mut line = world.line(DAVE);
    assert!(line.talk(&["*999*0*1*482913#", "00"]).await.ends_with("END Goodbye.\n"));
    line.talk(&["*999*0*1*482913#", "5"]).await;
    assert!(line.dial("*999*0*1*482913#").await.goes_on);
    // Nothing of it goes on in another session: it takes a password.
    line.released();
    assert!(line.dial("*999#").await.text.starts_with("1 Give"));
    // A link that can't ask back shows what fits, without a way on.
    let mut one_way = Line::new(world.link(3, Budget::USSD_OSMOHLR, false), DAVE);
    let screen = one_way.dial("*999*0*1*482913#").await;
    expect![[r#"
        Airtime 0 won (0 min)
        May be sent today: 49500 won
        Card 00000002: 2000 won
        Card 00000012: 1234567890 won"#]]
    .assert_eq(&screen.text);
    assert!(!screen.goes_on);
}
