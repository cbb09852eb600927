//! What is missing or malformed is asked for in the session, before anything is submitted.

use crate::fake::{ALICE, DAVE, SPARE_CARD, SPARE_PASSWORD};
use crate::phone::World;
use expect_test::expect;

#[tokio::test]
async fn what_can_be_seen_to_be_malformed_is_asked_again_before_anything_is_submitted() {
    let world = World::new();
    let before = world.fake.lock().submitted;
    let inputs = [
        "*999#",
        "1",
        "12",
        "01951234567",
        "01912345678",
        "01921112222",
        "abc",
        "501",
        "0",
        "",
        "1921112222",
        "500",
        "0",
        "100",
    ];
    let all = world.phone(DAVE).talk(&inputs).await;
    assert_eq!(world.fake.lock().submitted, before);
    expect![[r#"
        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 1
        CON Enter the recipient's phone number.
        0 back 00 exit
        > 12
        CON That is no phone number. Enter the recipient's phone number again.
        0 back 00 exit
        > 01951234567
        CON That is not a number of Koryolink. Enter another number.
        0 back 00 exit
        > 01912345678
        CON Enter the amount in won, digits only.
        0 back 00 exit
        > 01921112222
        CON That is no amount. Enter it in digits only.
        0 back 00 exit
        > abc
        CON That is no amount. Enter it in digits only.
        0 back 00 exit
        > 501
        CON This amount is not allowed: at least 1 won, at most 500 won. Enter it again.
        0 back 00 exit
        > 0
        CON Enter the recipient's phone number.
        0 back 00 exit
        > 
        CON Enter the recipient's phone number.
        0 back 00 exit
        > 1921112222
        CON Enter the amount in won, digits only.
        0 back 00 exit
        > 500
        CON To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 0
        CON Enter the amount in won, digits only.
        0 back 00 exit
        > 100
        CON To: 0192 111 2222
        Amount: 100 won
        Enter the card's password to send.
        0 back 00 exit
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn the_password_is_asked_for_in_the_session() {
    let world = World::new();
    let all = world.phone(ALICE).talk(&["*999*500*1921112222#", "482914", "482913"]).await;
    expect![[r#"
        > *999*500*1921112222#
        CON 받을 사람: 0192 111 2222
        금액: 500원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482914
        CON 암호가 틀렸습니다. 남은 회수: 2
        암호를 다시 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 A-0B
    "#]]
    .assert_eq(&all);
    let mut phone = world.phone(DAVE);
    let mut all = String::new();
    for inputs in [
        &["*999*500*12#", "1921112222", "482913"][..],
        &["*999*501*1933334444#", "500"],
        &["*999*1933334444*100#", "00"],
        &["*999*0*1#", "482913"],
        &["*999*0*5*50#", "482913"],
        &["*999*0*4*1234#", SPARE_CARD, SPARE_PASSWORD],
        &["*999*0*2#", "482913", "111111", "12", "590274", "590275", "590274", "590274"],
        &["*999*0*3#", "0"],
        &["*999*0*6#", "590274"],
    ] {
        all.push_str(&phone.talk(inputs).await);
        all.push('\n');
        world.fake.later(10);
    }
    expect![[r#"
        > *999*500*12#
        CON That is no phone number. Enter the recipient's phone number again.
        0 back 00 exit
        > 1921112222
        CON To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt B-KG

        > *999*501*1933334444#
        CON This amount is not allowed: at least 1 won, at most 500 won. Enter it again.
        0 back 00 exit
        > 500
        CON To: 0193 333 4444
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit

        > *999*1933334444*100#
        CON Amount and number are in each other's place. Enter the recipient's number first.
        0 back 00 exit
        > 00
        END Goodbye.

        > *999*0*1#
        CON Enter the card's password.
        0 back 00 exit
        > 482913
        END Airtime 0 won (0 min)
        May be sent today: 0 won
        Card 00000002: 1500 won

        > *999*0*5*50#
        CON 50 won to your own phone. Enter the card's password.
        0 back 00 exit
        > 482913
        END Your phone got 50 won.
        Airtime 50 won (12 min)
        Left on the card: 1450 won

        > *999*0*4*1234#
        CON That is no card number. Enter its 16 digits again.
        0 back 00 exit
        > 4929939187355598
        CON Enter the six-digit password printed on the card.
        0 back 00 exit
        > 730518
        END Card 00000003 is bound to this phone. It holds 1000 won.
        Its printed password is the one to give with.

        > *999*0*2#
        CON Enter the password that you use now.
        0 back 00 exit
        > 482913
        CON Enter a new password of six digits.
        0 back 00 exit
        > 111111
        CON This password is too easy to guess. Enter another one.
        0 back 00 exit
        > 12
        CON A password is six digits. Enter the new password again.
        0 back 00 exit
        > 590274
        CON Enter the new password once more.
        0 back 00 exit
        > 590275
        CON The two passwords differ. Enter the new password again.
        0 back 00 exit
        > 590274
        CON Enter the new password once more.
        0 back 00 exit
        > 590274
        END The password is changed.

        > *999*0*3#
        CON This freezes the card; only the service centre can undo it. Enter its password to freeze it.
        0 back 00 exit
        > 0
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal

        > *999*0*6#
        CON Enter the card's password to undo the latest gift.
        0 back 00 exit
        > 590274
        END There is nothing to undo. What was received can't be undone.

    "#]]
    .assert_eq(&all);
}
