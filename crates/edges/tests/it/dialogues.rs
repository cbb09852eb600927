use crate::fake::{ALICE, DAVE, SPARE_CARD, SPARE_PASSWORD};
use crate::phone::World;
use expect_test::expect;

#[tokio::test]
async fn a_one_shot_gift_in_both_languages() {
    let world = World::new();
    let korean = world.phone(ALICE).talk(&["*999*500*1921112222*482913#"]).await;
    expect![[r#"
        > *999*500*1921112222*482913#
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
    "#]]
    .assert_eq(&korean);
    let english = world.phone(DAVE).talk(&["*999*300*01933334444*482913*2#"]).await;
    expect![[r#"
        > *999*300*01933334444*482913*2#
        END Sent: 300 won to 0193 333 4444.
        Left on the card: 1700 won
        Receipt A-0B
    "#]]
    .assert_eq(&english);
    assert_eq!(world.fake.given(), [(8_501_921_112_222, 500), (8_501_933_334_444, 300)]);
}

#[tokio::test]
async fn the_whole_menu_in_korean() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    let mut all = String::new();
    for inputs in [
        &["*999#", "1", "01921112222", "500", "482913"][..],
        &["*999#", "2", "200", "482913"],
        &["*999#", "3", "482913"],
        &["*999#", "4", "482913"],
        &["*999#", "5", SPARE_CARD, SPARE_PASSWORD],
        &["*999#", "6", "482913", "590274", "590274"],
        &["*999#", "7", "590274"],
        &["*999#", "8", "2"],
        &["*999#", "0"],
    ] {
        all.push_str(&phone.talk(inputs).await);
        all.push('\n');
        world.fake.later(30);
    }
    expect![[r#"
        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 1
        CON 받을 사람의 손전화번호를 넣으십시오.
        0 뒤로 00 끝
        > 01921112222
        CON 금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 500
        CON 받을 사람: 0192 111 2222
        금액: 500원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 2
        CON 금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 200
        CON 내 손전화에 200원 넣기.
        암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 내 손전화에 200원 넣었습니다.
        전화돈 200원 (50분)
        카드 잔고 1300원

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 3
        CON 카드의 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 전화돈 200원 (50분)
        오늘 보낼수 있는 금액 0원
        카드 00000001 1300원

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 4
        CON 카드의 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 11월 22일 보냄 500원 0192 111 2222

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 5
        CON 카드번호 16자리를 넣으십시오.
        0 뒤로 00 끝
        > 4929939187355598
        CON 카드에 찍힌 암호 6자리를 넣으십시오.
        0 뒤로 00 끝
        > 730518
        END 카드 00000003 등록되였습니다.
        잔고 1000원. 보내는 암호는 카드에 찍힌 암호입니다.

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 6
        CON 지금 쓰는 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        CON 새 암호 6자리를 넣으십시오.
        0 뒤로 00 끝
        > 590274
        CON 새 암호를 한번 더 넣으십시오.
        0 뒤로 00 끝
        > 590274
        END 암호를 바꾸었습니다.

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 7
        CON 카드를 정지합니다. 다시 쓰려면 손전화 봉사소에 가야 합니다.
        정지하려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 590274
        END 카드 00000001 정지되였습니다. 다시 쓰려면 손전화 봉사소에 가십시오.

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 8
        CON 1 조선말
        2 English
        0 뒤로 00 끝
        > 2
        END Screens are in English from now on.

        > *999#
        CON 1 Give
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
async fn the_whole_menu_in_english() {
    let world = World::new();
    let mut phone = world.phone(DAVE);
    let mut all = String::new();
    for inputs in [
        &["*999#", "1", "01921112222", "500", "482913"][..],
        &["*999#", "2", "200", "482913"],
        &["*999#", "3", "482913"],
        &["*999#", "4", "482913"],
        &["*999#", "5", SPARE_CARD, SPARE_PASSWORD],
        &["*999#", "6", "482913", "590274", "590274"],
        &["*999#", "7", "590274"],
        &["*999#", "8", "1"],
        &["*999#", "00"],
    ] {
        all.push_str(&phone.talk(inputs).await);
        all.push('\n');
        world.fake.later(30);
    }
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
        > 01921112222
        CON Enter the amount in won, digits only.
        0 back 00 exit
        > 500
        CON To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 2
        CON Enter the amount in won, digits only.
        0 back 00 exit
        > 200
        CON 200 won to your own phone. Enter the card's password.
        0 back 00 exit
        > 482913
        END Your phone got 200 won.
        Airtime 200 won (50 min)
        Left on the card: 1300 won

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 3
        CON Enter the card's password.
        0 back 00 exit
        > 482913
        END Airtime 200 won (50 min)
        May be sent today: 0 won
        Card 00000002: 1300 won

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 4
        CON Enter the card's password.
        0 back 00 exit
        > 482913
        END 22 Nov sent 500 won to 0192 111 2222

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 5
        CON Enter the 16 digits of the card number.
        0 back 00 exit
        > 4929939187355598
        CON Enter the six-digit password printed on the card.
        0 back 00 exit
        > 730518
        END Card 00000003 is bound to this phone. It holds 1000 won.
        Its printed password is the one to give with.

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 6
        CON Enter the password that you use now.
        0 back 00 exit
        > 482913
        CON Enter a new password of six digits.
        0 back 00 exit
        > 590274
        CON Enter the new password once more.
        0 back 00 exit
        > 590274
        END The password is changed.

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 7
        CON This freezes the card; only the service centre can undo it. Enter its password to freeze it.
        0 back 00 exit
        > 590274
        END Card 00000002 is frozen. The service centre can make it usable again.

        > *999#
        CON 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 8
        CON 1 조선말
        2 English
        0 back 00 exit
        > 1
        END 조선말로 보여줍니다.

        > *999#
        CON 1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 00
        END 끝났습니다.

    "#]]
    .assert_eq(&all);
}
