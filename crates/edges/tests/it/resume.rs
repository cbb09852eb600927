//! A dialogue that was dropped, and a caller who dials again.

use crate::fake::{ALICE, DAVE, PASSWORD, SPARE_CARD};
use crate::line::Line;
use crate::phone::World;
use expect_test::expect;
use wire::text::Budget;

#[tokio::test]
async fn a_dropped_dialogue_goes_on_in_both_languages_and_budgets() {
    let mut all = String::new();
    for (caller, budget) in [(ALICE, Budget::USSD), (DAVE, Budget::USSD), (ALICE, Budget::USSD_OSMOHLR)] {
        for inputs in [
            &["*999#", "1", "1921112222", "500", "!"][..],
            &["*999#", "1", "1921112222", "!"],
            &["*999*500*12#", "!"],
            &["*999#", "2", "200", "!"],
            &["*999#", "5", SPARE_CARD, "!"],
        ] {
            let world = World::new();
            let mut line = Line::new(world.link(2, budget, true), caller);
            line.talk(inputs).await;
            world.fake.later(60);
            all.push_str(&line.talk(&["*999#"]).await);
        }
        all.push('\n');
    }
    expect![[r#"
        > *999#
        192…222에게 500원 보내던중이였습니다.
        계속하려면 암호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        192…222에게 보내던중이였습니다. 금액을 넣으십시오.
        0 차림표 00 끝
        > *999#
        500원 보내던중이였습니다. 받을 사람의 번호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        내 손전화에 200원 넣던중이였습니다.
        계속하려면 암호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        카드를 등록하던중이였습니다. 카드에 찍힌 암호를 넣으십시오.
        0 차림표 00 끝

        > *999#
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit
        > *999#
        You were sending airtime to 192...222. Enter the amount.
        0 menu 00 exit
        > *999#
        You were sending 500 won. Enter the recipient's phone number.
        0 menu 00 exit
        > *999#
        You were putting 200 won on your own phone. Enter the card's password.
        0 menu 00 exit
        > *999#
        You were binding a card. Enter the six-digit password printed on it.
        0 menu 00 exit

        > *999#
        192…222에게 500원 보내던중이였습니다.
        계속하려면 암호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        192…222에게 보내던중이였습니다. 금액을 넣으십시오.
        0 차림표 00 끝
        > *999#
        500원 보내던중이였습니다. 받을 사람의 번호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        내 손전화에 200원 넣던중이였습니다.
        계속하려면 암호를 넣으십시오.
        0 차림표 00 끝
        > *999#
        카드를 등록하던중이였습니다. 카드에 찍힌 암호를 넣으십시오.
        0 차림표 00 끝

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn the_password_is_all_that_is_typed_again() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999#", "1", "1921112222", "500", "!"]).await;
    let all = line.talk(&["*999#", "482914", PASSWORD]).await;
    expect![[r#"
        > *999#
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit
        > 482914
        Wrong password. Tries left: 2
        Enter it again.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt A-0B
    "#]]
    .assert_eq(&all);
    assert_eq!(world.fake.given(), [(8_501_921_112_222, 500)]);
    assert!(line.dial("*999#").await.text.starts_with("1 Give"), "it was done: nothing is left");
}

#[tokio::test]
async fn each_state_goes_on_from_where_it_was() {
    let mut all = String::new();
    for (dropped, again) in [
        // 0 is the menu, and 00 leaves for good.
        (&["*999#", "1", "1921112222", "500"][..], &["*999#", "", "0", "0"][..]),
        (&["*999#", "1", "1921112222", "500"], &["*999#", "00", "*999#"]),
        (&["*999#", "1", "1921112222"], &["*999#", "abc", "300", "482913"]),
        (&["*999*500*12#"], &["*999#", "12", "1921112222", "482913"]),
        // Beyond the first screen 0 goes back as ever.
        (&["*999#", "2"], &["*999#", "2"]),
        (&["*999#", "2", "200"], &["*999#", "482913"]),
        (&["*999#", "5", SPARE_CARD], &["*999#", "730518"]),
    ] {
        let world = World::new();
        let mut line = world.line(DAVE);
        line.talk(dropped).await;
        all.push_str(&format!("{} … dropped\n", dropped.join(" ")));
        for part in again.split_inclusive(|input| *input == "00") {
            all.push_str(&line.talk(part).await);
        }
        all.push('\n');
    }
    expect![[r#"
        *999# 1 1921112222 500 … dropped
        > *999#
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit
        > 
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit
        > 0
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 0
        END Goodbye.

        *999# 1 1921112222 500 … dropped
        > *999#
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit
        > 00
        END Goodbye.
        > *999#
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal

        *999# 1 1921112222 … dropped
        > *999#
        You were sending airtime to 192...222. Enter the amount.
        0 menu 00 exit
        > abc
        That is no amount. Enter it in digits only.
        0 back 00 exit
        > 300
        To: 0192 111 2222
        Amount: 300 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 300 won to 0192 111 2222.
        Left on the card: 1700 won
        Receipt 9-D3

        *999*500*12# … dropped
        > *999#
        You were sending 500 won. Enter the recipient's phone number.
        0 menu 00 exit
        > 12
        That is no phone number. Enter the recipient's phone number again.
        0 back 00 exit
        > 1921112222
        To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        *999# 2 … dropped
        > *999#
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 2
        Enter the amount in won, digits only.
        0 back 00 exit

        *999# 2 200 … dropped
        > *999#
        You were putting 200 won on your own phone. Enter the card's password.
        0 menu 00 exit
        > 482913
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won

        *999# 5 4929939187355598 … dropped
        > *999#
        You were binding a card. Enter the six-digit password printed on it.
        0 menu 00 exit
        > 730518
        END Card 00000003 is bound to this phone. It holds 1000 won.
        Its printed password is the one to give with.

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn what_does_not_go_on_starts_over() {
    let menu = "1 Give";
    for dropped in [
        &["*999#"][..],
        &["*999#", "1"],
        &["*999#", "3"],
        &["*999#", "7"],
        &["*999#", "6", PASSWORD],
        &["*999#", "6", PASSWORD, "590274"],
        &["*999#", "8"],
        // Ended by the caller, by us, and by a verdict.
        &["*999#", "1", "1921112222", "500", "00"],
        &["*999*500*1921112222#", PASSWORD],
        &["*999*500*1921112222#", "111111", "111112", "111113"],
    ] {
        for released in [true, false] {
            let world = World::new();
            let mut line = world.line(DAVE);
            line.talk(dropped).await;
            if released {
                line.released();
            }
            let screen = line.dial("*999#").await;
            assert!(screen.text.starts_with(menu), "{dropped:?}: {}", screen.text);
        }
    }
}

#[tokio::test]
async fn a_minute_after_it_was_dropped_it_is_forgotten() {
    // (how long after the last input, whether the switch said so): idle for 30 s, and a minute more.
    for (later_s, released, resumes) in [
        (0, false, true),
        (29, false, true),
        (90, false, true),
        (91, false, false),
        (60, true, true),
        (61, true, false),
    ] {
        let world = World::new();
        let mut line = world.line(DAVE);
        line.talk(&["*999#", "1", "1921112222", "500"]).await;
        if released {
            line.released();
        }
        world.fake.later(later_s);
        let screen = line.dial("*999#").await;
        assert_eq!(screen.text.starts_with("You were sending"), resumes, "{later_s} s: {}", screen.text);
    }
    // A frame that came too late ends the session and not what may go on.
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999#", "1", "1921112222", "500"]).await;
    world.fake.later(31);
    let all = line.enter(PASSWORD).await.text;
    expect!["The time is over. Please dial again from the start."].assert_eq(&all);
    assert_eq!(world.fake.given(), []);
    assert!(line.dial("*999#").await.text.starts_with("You were sending"));
    // Released, it takes nothing more, whoever types.
    let mut line = world.line(DAVE);
    line.session = 10;
    line.talk(&["*999#", "0", "1", "1921112222", "500", "!"]).await;
    assert!(!line.enter(PASSWORD).await.goes_on);
    assert_eq!(world.fake.given(), []);
}

#[tokio::test]
async fn the_same_string_without_password_goes_on_and_another_one_does_not() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*12#", "1921112222"]).await;
    let again = line.dial("*999*500*12#").await.text;
    expect![[r#"
        You were sending 500 won to 192...222.
        Enter the card's password to send it.
        0 menu 00 exit"#]]
    .assert_eq(&again);
    // Dropped once more, and now something else is asked for: that is what counts.
    let other = line.dial("*999*300*1933334444#").await.text;
    expect![[r#"
        To: 0193 333 4444
        Amount: 300 won
        Enter the card's password to send.
        0 back 00 exit"#]]
    .assert_eq(&other);
    let menu = line.talk(&["*999#", "0"]).await;
    expect![[r#"
        > *999#
        You were sending 300 won to 193...444.
        Enter the card's password to send it.
        0 menu 00 exit
        > 0
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
    "#]]
    .assert_eq(&menu);
    assert!(line.dial("*999*0*1#").await.text.starts_with("Enter the card's password"));
    assert!(line.dial("*999#").await.text.starts_with("1 Give"));
}

#[tokio::test]
async fn only_the_same_caller_on_the_same_link_goes_on() {
    let world = World::new();
    world.line(DAVE).talk(&["*999#", "1", "1921112222", "500", "!"]).await;
    let mut elsewhere = Line::new(world.link(3, Budget::USSD, true), DAVE);
    assert!(elsewhere.dial("*999#").await.text.starts_with("1 Give"));
    let mut other = world.line(ALICE);
    assert!(other.dial("*999#").await.text.starts_with("1 전화돈 보내기"));
}

#[tokio::test]
async fn a_repeated_first_frame_gets_the_same_offer() {
    let world = World::new();
    let mut phone = world.phone(DAVE);
    phone.talk(&["*999#", "1", "1921112222", "500"]).await;
    let offer = phone.dial("*999#").await;
    assert!(offer.contains("You were sending"), "{offer}");
    assert_eq!(phone.again().await, offer);
    let given = phone.enter(PASSWORD).await;
    assert!(given.starts_with("END Sent: 500 won"), "{given}");
    assert_eq!(phone.again().await, given);
    assert_eq!(world.fake.given().len(), 1);
}
