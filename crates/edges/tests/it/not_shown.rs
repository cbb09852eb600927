//! Answers that no phone has shown, and peers that hang up half way: the next dial hears of them.

use crate::fake::{DAVE, PASSWORD, Trouble};
use crate::phone::World;
use expect_test::expect;

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
    let seq = shown.about.money().expect("it moved money");
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
