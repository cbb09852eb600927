//! Gifts that somebody has to confirm.

use crate::fake::{ALICE, DAVE, PASSWORD, Trouble};
use crate::line::Line;
use crate::phone::World;
use expect_test::expect;
use wire::text::Budget;

const NEVER: &str = "gifts = \"never\"";
pub(crate) const ALWAYS: (&str, &str) = (NEVER, "gifts = \"always\"");
const NEW: (&str, &str) = (NEVER, "gifts = \"new-recipient\"");
const ABOVE: (&str, &str) = (NEVER, "gifts = \"above\"\nabove = 200");
pub(crate) const OCCASION: (&str, &str) = ("ask_occasion = false", "ask_occasion = true");
/// Many gifts on one day.
pub(crate) const MANY: [(&str, &str); 3] = [
    ("ceiling = 1\n", "ceiling = 99\n"),
    ("repeat_window_s = 300", "repeat_window_s = 0"),
    ("dials_per_caller_per_min = 10", "dials_per_caller_per_min = 600"),
];

#[tokio::test]
async fn a_gift_is_confirmed_before_its_password_in_both_languages_and_budgets() {
    let mut all = String::new();
    for (caller, budget) in [(ALICE, Budget::USSD), (DAVE, Budget::USSD), (ALICE, Budget::USSD_OSMOHLR)] {
        let world = World::ruled(&[ALWAYS, MANY[0]]);
        let mut line = Line::new(world.link(2, budget, true), caller);
        all.push_str(&line.talk(&["*999*500*1921112222#", "2", "", "1", PASSWORD]).await);
        // One digit away, and two neighbours that changed places.
        all.push_str(&line.talk(&["*999*500*1921112223#", "0", "300", "00"]).await);
        all.push_str(&line.talk(&["*999*500*1921121222#", "00"]).await);
        // To Bob again: he was meant.
        all.push_str(&line.talk(&["*999*400*1921112222*482913#", "0"]).await);
        all.push_str(&line.talk(&["*999*400*1921112222*482913#", "1"]).await);
        all.push('\n');
        assert_eq!(world.fake.given(), [(8_501_921_112_222, 500), (8_501_921_112_222, 400)]);
    }
    expect![[r#"
        > *999*500*1921112222#
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 2
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 1
        받을 사람: 0192 111 2222
        금액: 500원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
        > *999*500*1921112223#
        주의! 전에는 0192 111 2222
        이번에는 0192 111 2223
        500원 보냅니까?
        1 예 0 아니
        > 0
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 300
        주의! 전에는 0192 111 2222
        이번에는 0192 111 2223
        300원 보냅니까?
        1 예 0 아니
        > 00
        END 끝났습니다.
        > *999*500*1921121222#
        주의! 전에는 0192 111 2222
        이번에는 0192 112 1222
        500원 보냅니까?
        1 예 0 아니
        > 00
        END 끝났습니다.
        > *999*400*1921112222*482913#
        받을 사람: 0192 111 2222
        400원 보냅니까?
        1 예 0 아니
        > 0
        END 보내지 않았습니다.
        > *999*400*1921112222*482913#
        받을 사람: 0192 111 2222
        400원 보냅니까?
        1 예 0 아니
        > 1
        END 보냈습니다. 0192 111 2222, 400원.
        카드 잔고 1100원
        접수번호 A-0B

        > *999*500*1921112222#
        Give 500 won to 0192 111 2222?
        1 yes 0 no
        > 2
        Give 500 won to 0192 111 2222?
        1 yes 0 no
        > 
        Give 500 won to 0192 111 2222?
        1 yes 0 no
        > 1
        To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt 9-D3
        > *999*500*1921112223#
        Careful: before you gave to 0192 111 2222.
        Give 500 won to 0192 111 2223 now?
        1 yes 0 no
        > 0
        Enter the amount in won, digits only.
        0 back 00 exit
        > 300
        Careful: before you gave to 0192 111 2222.
        Give 300 won to 0192 111 2223 now?
        1 yes 0 no
        > 00
        END Goodbye.
        > *999*500*1921121222#
        Careful: before you gave to 0192 111 2222.
        Give 500 won to 0192 112 1222 now?
        1 yes 0 no
        > 00
        END Goodbye.
        > *999*400*1921112222*482913#
        Give 400 won to 0192 111 2222?
        1 yes 0 no
        > 0
        END Nothing was sent.
        > *999*400*1921112222*482913#
        Give 400 won to 0192 111 2222?
        1 yes 0 no
        > 1
        END Sent: 400 won to 0192 111 2222.
        Left on the card: 1100 won
        Receipt A-0B

        > *999*500*1921112222#
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 2
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
        > 1
        받을 사람: 0192 111 2222
        금액: 500원
        보내려면 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
        > *999*500*1921112223#
        전에는 0192 111 2222
        이번 0192 111 2223 500원?
        1예 0아니
        > 0
        금액을 수자로 넣으십시오(단위: 원).
        0 뒤로 00 끝
        > 300
        전에는 0192 111 2222
        이번 0192 111 2223 300원?
        1예 0아니
        > 00
        END 끝났습니다.
        > *999*500*1921121222#
        전에는 0192 111 2222
        이번 0192 112 1222 500원?
        1예 0아니
        > 00
        END 끝났습니다.
        > *999*400*1921112222*482913#
        받을 사람: 0192 111 2222
        400원 보냅니까?
        1 예 0 아니
        > 0
        END 보내지 않았습니다.
        > *999*400*1921112222*482913#
        받을 사람: 0192 111 2222
        400원 보냅니까?
        1 예 0 아니
        > 1
        END 보냈습니다. 0192 111 2222, 400원.
        카드 잔고 1100원
        접수번호 A-0B

    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn which_gifts_are_confirmed() {
    let asks = |screen: &str| screen.ends_with("1 yes 0 no");
    for (replace, amount, expected) in
        [(ALWAYS, 1, true), (ABOVE, 200, false), (ABOVE, 201, true), (NEW, 1, true), ((NEVER, NEVER), 500, false)]
    {
        for password in ["", "*482913"] {
            let world = World::ruled(&[replace]);
            let mut line = world.line(DAVE);
            let screen = line.dial(&format!("*999*{amount}*1921112222{password}#")).await;
            assert_eq!(asks(&screen.text), expected, "{replace:?} {amount}: {}", screen.text);
            // A link that can't ask back confirms nothing.
            let mut one_way = Line::new(world.link(3, Budget::USSD, false), ALICE);
            let screen = one_way.dial(&format!("*999*{amount}*1921112222*482913#")).await;
            assert!(screen.text.starts_with("보냈습니다"), "{}", screen.text);
        }
    }
}

#[tokio::test]
async fn a_recipient_of_before_is_not_new_and_a_near_miss_is() {
    let world = World::ruled(&[NEW, MANY[0], MANY[2]]);
    let mut line = world.line(DAVE);
    assert!(line.talk(&["*999*10*1921112222*482913#", "1"]).await.contains("END Sent"));
    let known = line.talk(&["*999*11*1921112222#", PASSWORD]).await;
    let near = line.talk(&["*999*11*1921112212#"]).await;
    expect![[r#"
        > *999*11*1921112222#
        To: 0192 111 2222
        Amount: 11 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        END Sent: 11 won to 0192 111 2222.
        Left on the card: 1979 won
        Receipt A-0B
        > *999*11*1921112212#
        Careful: before you gave to 0192 111 2222.
        Give 11 won to 0192 111 2212 now?
        1 yes 0 no
    "#]]
    .assert_eq(&(known + &near));
    // The engine says nothing in time: whoever may be new is taken for new.
    world.fake.lock().mute = true;
    let unsure = line.dial("*999*12*1921112222*482913#").await.text;
    world.fake.lock().mute = false;
    expect![[r#"
        Give 12 won to 0192 111 2222?
        1 yes 0 no"#]]
    .assert_eq(&unsure);
    // The ninth recipient after him makes him new again.
    for last in 0..8 {
        let to = 8_501_930_000_010 + last * 11;
        world.fake.subscribe(to);
        let given = line.talk(&[&format!("*999*10*{to}*482913#"), "1"]).await;
        assert!(given.contains("END Sent"), "{given}");
    }
    assert!(line.dial("*999*13*1921112222*482913#").await.text.ends_with("1 yes 0 no"));
}

#[tokio::test]
async fn what_is_refused_anyway_is_not_asked_about() {
    let world = World::ruled(&[ALWAYS]);
    let mut all = String::new();
    for dialled in [
        "*999*501*1921112222*482913#",
        "*999*1921112222*500*482913#",
        "*999*500*1951112222*482913#",
        "*999*500*1911110000*482913#",
        "*999*500*12*482913#",
        "*999*abc*1921112222*482913#",
        "*999*500*1921112222*12#",
    ] {
        let mut line = world.line(DAVE);
        all.push_str(&line.talk(&[dialled]).await);
        world.fake.later(1_000);
        line.session += 100;
    }
    expect![[r#"
        > *999*501*1921112222*482913#
        END The amount is too large. Nothing was sent. The most is 500 won
        > *999*1921112222*500*482913#
        END Amount and number are in each other's place. Nothing was sent. Dial:
        *999*AMOUNT*NUMBER*PASSWORD#
        > *999*500*1951112222*482913#
        END That number is of another network. You can give to numbers of Koryolink only.
        > *999*500*1911110000*482913#
        END That is your own number. For your own phone dial:
        *999*0*5*AMOUNT*PASSWORD#
        > *999*500*12*482913#
        END The recipient's number is not right. Nothing was sent. Check it and dial again.
        > *999*abc*1921112222*482913#
        END The amount is not right. Nothing was sent. Dial it in digits only.
        > *999*500*1921112222*12#
        END Wrong password. Nothing was sent. Tries left before it locks: 2
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn each_prompt_has_its_own_answer_and_pays_once() {
    let world = World::ruled(&[ALWAYS]);
    let mut phone = world.phone(DAVE);
    for (at, input) in ["*999*500*1921112222*482913#", "1"].iter().enumerate() {
        let screen = if at == 0 { phone.dial(input).await } else { phone.enter(input).await };
        assert_eq!(phone.again().await, screen, "{input}");
    }
    assert_eq!(world.fake.given().len(), 1);
    // The yes is lost on its way back: the same frame asks again under its own id.
    world.fake.later(86_400);
    let mut line = world.line(DAVE);
    line.dial("*999*500*1933334444*482913#").await;
    world.fake.trouble(Some(Trouble::AnswerLost));
    assert!(!line.enter("1").await.goes_on);
    world.fake.trouble(None);
    assert!(line.again("1").await.text.starts_with("Sent: 500 won to 0193 333 4444"));
    assert_eq!(world.fake.given().len(), 2);
}

#[tokio::test]
async fn a_dropped_confirmation_is_asked_for_again_and_a_confirmed_gift_is_not() {
    let world = World::ruled(&[ALWAYS, OCCASION]);
    let mut all = String::new();
    for inputs in [
        &["*999#", "1", "1921112222", "500", "!"][..],
        &["*999#", "1", "1921112222", "500", "1", "!"],
        &["*999#", "1", "1921112222", "500", "1", "1", "!"],
        // Tags of a password don't wait for another session.
        &["*999*500*1921112222*482913#", "!"],
    ] {
        for caller in [DAVE, ALICE] {
            let mut line = Line::new(world.link(2, Budget::USSD_OSMOHLR, true), caller);
            line.talk(inputs).await;
            line.session += 100;
            all.push_str(&line.talk(&["*999#", "0", "00"]).await);
        }
        world.fake.later(600);
        all.push('\n');
    }
    expect![[r#"
        > *999#
        You were sending airtime. Choose a greeting.
        1 birthday
        2 wedding
        3 New Year
        4 exam
        5 thanks
        6 get well
        7 none
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
        > 00
        END Goodbye.
        > *999#
        보내던중. 축하말?
        1생일 2결혼 3새해 4시험 5감사 6문병 7없음
        0 차림표 00 끝
        > 0
        1보내기 2내전화 3잔고 4최근5건
        5카드등록 6암호 7정지 8English
        > 00
        END 끝났습니다.

        > *999#
        Give 500 won to 0192 111 2222?
        1 yes 0 no
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
        > 00
        END Goodbye.
        > *999#
        받을 사람: 0192 111 2222
        500원 보냅니까?
        1 예 0 아니
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
        > 00
        END 끝났습니다.

        > *999#
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
        > 00
        END Goodbye.
        > *999#
        192…222에게 500원 보내던중이였습니다.
        계속하려면 암호를 넣으십시오.
        0 차림표 00 끝
        > 0
        1보내기 2내전화 3잔고 4최근5건
        5카드등록 6암호 7정지 8English
        > 00
        END 끝났습니다.

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
        > 00
        END The time is over. Please dial again from the start.
        > *999#
        1보내기 2내전화 3잔고 4최근5건
        5카드등록 6암호 7정지 8English
        > 0
        END 끝났습니다.
        > 00
        END 시간이 지났습니다. 처음부터 다시 거십시오.

    "#]]
    .assert_eq(&all);
    assert_eq!(world.fake.given(), []);
}
