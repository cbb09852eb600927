//! What was asked and not answered: whoever dials again is told what became of it, and pays once.

use crate::fake::{DAVE, PASSWORD, Trouble};
use crate::line::Line;
use crate::phone::World;
use expect_test::expect;
use wire::text::Budget;

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
