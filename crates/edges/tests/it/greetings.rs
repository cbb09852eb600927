//! Greetings that the menu asks for, where the operator wants it.

use crate::confirm::{MANY, OCCASION};
use crate::fake::{ALICE, DAVE, PASSWORD};
use crate::line::Line;
use crate::phone::World;
use expect_test::expect;
use wire::text::Budget;

#[tokio::test]
async fn the_menu_asks_for_a_greeting_where_the_operator_wants_it() {
    let world = World::ruled(&[OCCASION, MANY[0]]);
    let mut all = String::new();
    for (caller, budget) in [(DAVE, Budget::USSD), (ALICE, Budget::USSD), (ALICE, Budget::USSD_OSMOHLR)] {
        let mut line = Line::new(world.link(2, budget, true), caller);
        let inputs = ["*999#", "1", "1921112222", "100", "8", "x", "2", "0", "7", "0", "0", "150", "1", PASSWORD];
        all.push_str(&line.talk(&inputs).await);
        world.fake.later(600);
    }
    expect![[r#"
        > *999#
        1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 1
        Enter the recipient's phone number.
        0 back 00 exit
        > 1921112222
        Enter the amount in won, digits only.
        0 back 00 exit
        > 100
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > 8
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > x
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > 2
        To: 0192 111 2222
        Amount: 100 won
        Enter the card's password to send.
        0 back 00 exit
        > 0
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > 7
        To: 0192 111 2222
        Amount: 100 won
        Enter the card's password to send.
        0 back 00 exit
        > 0
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > 0
        Enter the amount in won, digits only.
        0 back 00 exit
        > 150
        Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
        0 back 00 exit
        > 1
        To: 0192 111 2222
        Amount: 150 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 150 won to 0192 111 2222.
        Left on the card: 1850 won
        Receipt 9-D3
        > *999#
        1 전화돈 보내기
        2 내 손전화에 넣기
        3 잔고 보기
        4 최근 5건
        5 카드 등록
        6 암호 바꾸기
        7 카드 정지
        8 English
        > 1
        받을 사람의 손전화번호를 넣으십시오.
        0 뒤로 00 끝
        > 1921112222
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 100
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 8
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > x
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 2
        받을 사람: 0192 111 2222
        금액: 100원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 0
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 7
        받을 사람: 0192 111 2222
        금액: 100원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 0
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 0
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 150
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 1
        받을 사람: 0192 111 2222
        금액: 150원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 150원.
        카드 잔고 1850원
        접수번호 A-0B
        > *999#
        1보내기 2내전화 3잔고 4최근5건
        5카드등록 6암호 7정지 8English
        > 1
        받을 사람의 손전화번호를 넣으십시오.
        0 뒤로 00 끝
        > 1921112222
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 100
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 8
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > x
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 2
        받을 사람: 0192 111 2222
        금액: 100원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 0
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 7
        받을 사람: 0192 111 2222
        금액: 100원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 0
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 0
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 150
        축하말을 고르십시오.
        1 생일
        2 결혼
        3 새해
        4 시험
        5 감사
        6 문병
        7 없음
        0 뒤로 00 끝
        > 1
        받을 사람: 0192 111 2222
        금액: 150원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 150원.
        카드 잔고 1700원
        접수번호 B-KG
    "#]]
    .assert_eq(&all);
    // Dialled gifts carry theirs and are not asked.
    let mut line = world.line(DAVE);
    line.session = 100;
    assert!(line.dial("*999*100*1933334444#").await.text.contains("password"));
    let inner = world.fake.lock();
    let gifts = inner.entries.iter().filter_map(|(_, entry)| match entry.body {
        domain::command::Body::Gift(gift) => Some(gift.occasion),
        _ => None,
    });
    assert_eq!(gifts.collect::<Vec<_>>(), [Some(1), Some(1), Some(1)]);
}
