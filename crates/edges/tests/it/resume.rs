//! A dialogue that was dropped, and a caller who dials again.

use crate::fake::{ALICE, DAVE, PASSWORD, SPARE_CARD, Trouble};
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

/// What was submitted and not answered: told on redial, and done once.
#[tokio::test(start_paused = true)]
async fn whoever_dials_again_hears_what_became_of_it() {
    let mut all = String::new();
    for trouble in [Trouble::AnswerLost, Trouble::CommandLost, Trouble::Hangs] {
        for (dropped, later_s) in [
            (&["*999#", "1", "1921112222", "500", PASSWORD][..], 5),
            (&["*999#", "1", "1921112222", "500", PASSWORD], 25),
            (&["*999#", "2", "200", PASSWORD], 5),
            (&["*999#", "6", PASSWORD, "590274", "590274"], 5),
        ] {
            let world = World::new();
            let mut line = world.line(DAVE);
            for (at, input) in dropped.iter().enumerate() {
                world.fake.trouble(Some(trouble).filter(|_| at + 1 == dropped.len()));
                if at == 0 {
                    line.dial(input).await
                } else {
                    line.enter(input).await
                };
            }
            // Still nobody knows: nothing else is begun, and it is not asked for under another id.
            if trouble != Trouble::AnswerLost {
                let screen = line.dial("*999#").await;
                assert!(screen.text.starts_with("Not known yet"), "{}", screen.text);
            }
            world.fake.trouble(None);
            world.fake.later(later_s);
            all.push_str(&format!("{trouble:?}, {later_s} s after {}\n", dropped[1]));
            all.push_str(&line.talk(&["*999#", "0", "0"]).await);
            all.push('\n');
            assert!(world.fake.given().len() <= 1);
            assert!(line.dial("*999#").await.text.starts_with("1 Give"), "told once");
        }
    }
    expect![[r#"
        AnswerLost, 5 s after 1
        > *999#
        Your gift of 500 won to 192...222 was sent at 14:00.
        Receipt 9-D3
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

        AnswerLost, 25 s after 1
        > *999#
        Your gift of 500 won to 192...222 was sent at 14:00.
        Receipt 9-D3
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

        AnswerLost, 5 s after 2
        > *999#
        Your own phone got 200 won at 14:00.
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

        AnswerLost, 5 s after 6
        > *999#
        What you asked for last was done.
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

        CommandLost, 5 s after 1
        > *999#
        Your gift of 500 won to 192...222 was sent at 14:00.
        Receipt 9-D3
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

        CommandLost, 25 s after 1
        > *999#
        What you asked for last was not done. Nothing was sent.
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

        CommandLost, 5 s after 2
        > *999#
        Your own phone got 200 won at 14:00.
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

        CommandLost, 5 s after 6
        > *999#
        What you asked for last was done.
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

        Hangs, 5 s after 1
        > *999#
        Your gift of 500 won to 192...222 was sent at 14:00.
        Receipt 9-D3
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

        Hangs, 25 s after 1
        > *999#
        What you asked for last was not done. Nothing was sent.
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

        Hangs, 5 s after 2
        > *999#
        Your own phone got 200 won at 14:00.
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

        Hangs, 5 s after 6
        > *999#
        What you asked for last was done.
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

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn a_one_shot_dialled_again_after_unknown_is_done_once() {
    let mut all = String::new();
    for (trouble, window_s) in
        [(Trouble::AnswerLost, 300), (Trouble::AnswerLost, 0), (Trouble::CommandLost, 300), (Trouble::CommandLost, 0)]
    {
        for dialled in ["*999*500*1921112222*482913#", "*999*0*5*200*482913#"] {
            for dialogue in [true, false] {
                let window = format!("repeat_window_s = {window_s}");
                let world = World::ruled(&[("repeat_window_s = 300", &window)]);
                let mut line = Line::new(world.link(2, Budget::USSD, dialogue), DAVE);
                world.fake.trouble(Some(trouble));
                line.dial(dialled).await;
                world.fake.trouble(None);
                let transcript = line.talk(&[dialled]).await;
                if dialogue {
                    all.push_str(&format!("{trouble:?} {window_s} {transcript}\n"));
                }
                let left =
                    world.fake.lock().state.find_subscriber(crate::fake::msisdn(DAVE)).map(|(_, row)| row.airtime);
                let topped_up = left.map_or(0, |airtime| airtime.balance_minor);
                assert_eq!(
                    (world.fake.given().len(), topped_up),
                    if dialled.contains("*0*5*") { (0, 200) } else { (1, 0) }
                );
            }
        }
    }
    expect![[r#"
        AnswerLost 300 > *999*500*1921112222*482913#
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        AnswerLost 300 > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won

        AnswerLost 0 > *999*500*1921112222*482913#
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        AnswerLost 0 > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won

        CommandLost 300 > *999*500*1921112222*482913#
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        CommandLost 300 > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won

        CommandLost 0 > *999*500*1921112222*482913#
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        CommandLost 0 > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn a_one_shot_dialled_again_within_the_window_is_told_its_receipt() {
    let world = World::new();
    let mut line = world.line(DAVE);
    let all = line.talk(&["*999*500*1921112222*482913#"]).await + &line.talk(&["*999*500*1921112222*482913#"]).await;
    expect![[r#"
        > *999*500*1921112222*482913#
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3
        > *999*500*1921112222*482913#
        END You sent this at 14:00 already (receipt 9-D3). It was not sent twice.
        You can send it again from 14:05
    "#]]
    .assert_eq(&all);
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_that_nobody_heard_of_is_no_gift() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#"]).await;
    world.fake.trouble(Some(Trouble::AnswerLost));
    line.enter("111111").await;
    world.fake.trouble(None);
    let all = line.talk(&["*999#", "0"]).await;
    expect![[r#"
        > *999#
        What you asked for last was not done. Nothing was sent.
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
    .assert_eq(&all);
    // The same gift with the right one is another try: it goes through.
    world.fake.trouble(Some(Trouble::AnswerLost));
    line.dial("*999*500*1921112222*111111#").await;
    world.fake.trouble(None);
    assert!(line.dial("*999*500*1921112222*482913#").await.text.starts_with("Sent: 500 won"));
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn another_gift_does_not_wait_for_the_last_one() {
    let world = World::new();
    let mut line = world.line(DAVE);
    world.fake.trouble(Some(Trouble::AnswerLost));
    line.dial("*999*100*1921112222*482913#").await;
    world.fake.trouble(None);
    let screen = line.dial("*999*0*1*482913#").await;
    assert!(screen.text.starts_with("Airtime"), "{}", screen.text);
    assert_eq!(world.fake.given().len(), 1);
}

/// The phone went away while its gift was decided: the screen that says so was never shown.
#[tokio::test]
async fn a_release_in_the_middle_of_a_turn_is_told_on_redial() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#"]).await;
    let mut phone = line.clone();
    let turn = tokio::spawn(async move { phone.enter(PASSWORD).await });
    // The fake decider yields once before it decides.
    while world.fake.lock().arrived == 0 {
        tokio::task::yield_now().await;
    }
    line.released();
    assert!(turn.await.expect("no panic").text.starts_with("Sent"));
    let all = line.talk(&["*999#", "1"]).await;
    expect![[r#"
        > *999#
        Your gift of 500 won to 192...222 was sent at 14:00.
        Receipt 9-D3
        0 menu 00 exit
        > 1
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
    "#]]
    .assert_eq(&all);
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn a_redial_while_the_first_turn_is_under_way_waits_for_it() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#"]).await;
    let mut phone = line.clone();
    let turn = tokio::spawn(async move { phone.enter(PASSWORD).await });
    while world.fake.lock().arrived == 0 {
        tokio::task::yield_now().await;
    }
    line.released();
    let screen = line.dial("*999#").await;
    assert!(screen.text.starts_with("Your gift of 500 won to 192...222 was sent"), "{}", screen.text);
    assert!(turn.await.expect("no panic").text.starts_with("Sent"));
}

/// A peer that hangs up while its caller is about to hear: the next dial still hears it.
#[tokio::test(start_paused = true)]
async fn a_turn_dropped_half_way_forgets_nothing() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#"]).await;
    world.fake.trouble(Some(Trouble::AnswerLost));
    line.enter(PASSWORD).await;
    world.fake.trouble(Some(Trouble::Hangs));
    for _ in 0..3 {
        let dropped = tokio::time::timeout(std::time::Duration::from_secs(1), line.dial("*999#")).await;
        assert!(dropped.is_err(), "it waits for the decider");
    }
    world.fake.trouble(None);
    let told = line.dial("*999#").await.text;
    assert!(told.starts_with("Your gift of 500 won to 192...222 was sent"), "{told}");
    assert_eq!(world.fake.given().len(), 1);
}

/// Dials that pile up while the decider hangs: the last of them hears it all the same.
#[tokio::test(start_paused = true)]
async fn dials_that_pile_up_forget_nothing() {
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#"]).await;
    world.fake.trouble(Some(Trouble::AnswerLost));
    line.enter(PASSWORD).await;
    world.fake.trouble(Some(Trouble::Hangs));
    let mut turns = Vec::new();
    for _ in 0..4 {
        let mut phone = line.clone();
        line.session += 1;
        turns.push(tokio::spawn(async move { phone.dial("*999#").await }));
        // So that each has taken the last one's place before the next dials.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    for turn in turns {
        assert!(turn.await.expect("no panic").text.starts_with("Not known yet"));
    }
    world.fake.trouble(None);
    let told = line.dial("*999#").await.text;
    assert!(told.starts_with("Your gift of 500 won to 192...222 was sent"), "{told}");
    assert_eq!(world.fake.given().len(), 1);
}

fn airtime(world: &World, number: &str) -> i64 {
    let inner = world.fake.lock();
    inner.state.find_subscriber(crate::fake::msisdn(number)).map_or(0, |(_, row)| row.airtime.balance_minor)
}

/// The peer finds out afterwards that the last screen went nowhere: what it told of is not done a second time.
#[tokio::test]
async fn a_screen_that_was_not_shown_is_told_on_redial() {
    let top_up = "*999*0*5*200*482913#";
    let world = World::new();
    let mut line = world.line(DAVE);
    let shown = line.dial(top_up).await;
    let seq = shown.seq.expect("it moved money");
    line.link.told(&shown);
    line.unshown();
    assert!(!world.flow.told().is_told(seq), "the SMS has to say it");
    let all = line.talk(&[top_up]).await + &line.talk(&["*999#", "0"]).await;
    expect![[r#"
        > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won
        > *999#
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
    "#]]
    .assert_eq(&all);
    assert_eq!(airtime(&world, DAVE), 200);

    // The menu tells too, once.
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999*500*1921112222#", PASSWORD]).await;
    line.unshown();
    assert!(line.dial("*999#").await.text.starts_with("Your gift of 500 won to 192...222 was sent"));
    assert!(line.dial("*999#").await.text.starts_with("1 Give"));
}

/// A link that never hears whether a screen was shown, as GSUP: whoever dials the string again is told and pays once.
#[tokio::test]
async fn a_redialled_top_up_reads_that_it_was_done_already() {
    let top_up = "*999*0*5*200*482913#";
    let world = World::new();
    let mut line = world.line(DAVE);
    let mut all = String::new();
    for string in [top_up, top_up, "*999*0*5*300*482913#"] {
        all += &line.talk(&[string]).await;
    }
    expect![[r#"
        > *999*0*5*200*482913#
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1800 won
        > *999*0*5*200*482913#
        END You put 200 won on your phone at 14:00 already (receipt 9-D3). It was not done twice.
        You can do it again from 14:05
        > *999*0*5*300*482913#
        END The limit is reached (1 a day to your own phone). Nothing was sent. You can go on from 23 Nov.
    "#]]
    .assert_eq(&all);
    // The menu's way is the same one.
    let again = line.talk(&["*999#", "2", "200", PASSWORD]).await;
    assert!(again.contains("END You put 200 won on your phone at "), "{again}");
    assert_eq!(airtime(&world, DAVE), 200);
    // After the window it is the limit of the day that counts.
    world.fake.later(300);
    assert!(line.dial(top_up).await.text.starts_with("The limit is reached"));
    assert_eq!(airtime(&world, DAVE), 200);
}

/// Nobody read that it was done already: "nothing was sent" would make them pay again.
#[tokio::test]
async fn what_was_refused_as_repeated_is_told_as_done() {
    for (string, says) in [
        ("*999*0*5*200*482913#", "Your own phone got 200 won at "),
        ("*999*500*1921112222*482913#", "Your gift of 500 won to 192...222 was sent"),
    ] {
        let world = World::new();
        let mut line = world.line(DAVE);
        line.talk(&[string]).await;
        line.talk(&[string]).await;
        line.unshown();
        let told = line.dial("*999#").await.text;
        assert!(told.starts_with(says), "{told}");
    }
}

#[tokio::test]
async fn a_screen_that_was_shown_after_all_is_no_news() {
    let top_up = "*999*0*5*200*482913#";
    let world = World::new();
    let mut line = world.line(DAVE);
    line.talk(&["*999#", "2", "200", PASSWORD]).await;
    line.unshown();
    // The network repeats the frame, and this time the screen gets through.
    assert!(line.again(PASSWORD).await.text.starts_with("Your phone got 200 won"));
    assert!(line.dial(top_up).await.text.starts_with("You put 200 won on your phone at "), "another one");
    // While a session goes on there is nothing to tell, and another session's name means nothing.
    line.talk(&["*999#", "2"]).await;
    line.unshown();
    assert!(line.enter("300").await.goes_on);
    assert_eq!(airtime(&world, DAVE), 200);
}

/// The engine says *not done* of an id that it forgot, done or not: nobody may hear that as news.
#[tokio::test]
async fn what_the_engine_forgot_is_not_called_not_done() {
    for (later_s, starts) in [(514, "Your gift of 500 won"), (515, "1 Give")] {
        let world = World::new();
        let mut line = world.line(DAVE);
        line.talk(&["*999*500*1921112222#"]).await;
        world.fake.trouble(Some(Trouble::AnswerLost));
        line.enter(PASSWORD).await;
        world.fake.trouble(None);
        world.fake.later(25 + later_s);
        if later_s == 515 {
            world.fake.forget_ids();
        }
        let screen = line.dial("*999#").await;
        assert!(screen.text.starts_with(starts), "{later_s}: {}", screen.text);
        assert_eq!(world.fake.given().len(), 1);
    }
}
