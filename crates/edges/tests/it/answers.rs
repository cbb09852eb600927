use crate::fake::{ALICE, BOB, CARD, DAVE, SPARE_CARD, SPARE_PASSWORD};
use crate::phone::World;
use expect_test::expect;

#[tokio::test]
async fn wrong_passwords_lock_and_say_until_when() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    let mut all = phone.talk(&["*999*500*1921112222*111111#"]).await;
    all.push_str(&phone.talk(&["*999#", "3", "222222", "333333"]).await);
    all.push_str(&phone.talk(&["*999*500*1921112222*482913#"]).await);
    world.fake.later(15 * 60);
    all.push_str(&phone.talk(&["*999*500*1921112222*482913#"]).await);
    all.push_str(&world.phone(DAVE).talk(&["*999#", "5", SPARE_CARD, "111111", "0", SPARE_CARD, SPARE_PASSWORD]).await);
    expect![[r#"
        > *999*500*1921112222*111111#
        END 암호가 틀렸습니다. 아무것도 보내지 않았습니다. 잠기기까지 남은 회수: 2
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
        > 222222
        CON 암호가 틀렸습니다. 남은 회수: 1
        암호를 다시 넣으십시오.
        0 뒤로 00 끝
        > 333333
        END 암호가 틀려 잠겼습니다. 14:15 지나서 다시 거십시오. 암호를 잊었으면 손전화 봉사소에 가십시오.
        > *999*500*1921112222*482913#
        END 암호가 여러번 틀려 잠겼습니다. 14:15 지나서 다시 거십시오. 급하면 손전화 봉사소에 가십시오.
        > *999*500*1921112222*482913#
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 D-SX
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
        > 111111
        CON Wrong card number or password. Tries left: 2
        Enter the password again.
        0 card number 00 exit
        > 0
        CON Enter the 16 digits of the card number.
        0 back 00 exit
        > 4929939187355598
        CON Enter the six-digit password printed on the card.
        0 back 00 exit
        > 730518
        END Card 00000003 is bound to this phone. It holds 1000 won.
        Its printed password is the one to give with.
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    let mut all = String::new();
    for dialled in [
        "*999*501*1921112222*482913#",
        "*999*1921112222*500*482913#",
        "*999*500*1951234567*482913#",
        "*999*500*1929999999*482913#",
        "*999*500*1912345678*482913#",
        "*999*x*1921112222*482913#",
        "*999*500*12*482913#",
        "*999*500*1921112222*482913#",
        "*999*500*1921112222*482913#",
        "*999*500*1933334444*482913#",
    ] {
        all.push_str(&phone.talk(&[dialled]).await);
    }
    world.fake.later(60);
    for dialled in ["*999*0*2*482913*482913*482913#", "*999*0*2*482913*590274*590275#", "*999*0*3*482913#"] {
        all.push_str(&phone.talk(&[dialled]).await);
    }
    all.push_str(&phone.talk(&["*999*500*1921112222*482913#"]).await);
    let mut bob = world.phone(BOB);
    all.push_str(&bob.talk(&["*999*0*1*482913#"]).await);
    all.push_str(&bob.talk(&[&format!("*999*0*4*{CARD}*482913#")]).await);
    expect![[r#"
        > *999*501*1921112222*482913#
        END 금액이 너무 큽니다. 보내지 않았습니다. 최대 500원
        > *999*1921112222*500*482913#
        END 금액과 번호의 자리가 바뀌였습니다. 보내지 않았습니다. 이렇게 거십시오:
        *999*금액*번호*암호#
        > *999*500*1951234567*482913#
        END 다른 통신망의 번호입니다. 고려링크 번호에만 보낼수 있습니다.
        > *999*500*1929999999*482913#
        END 받을수 없는 번호입니다. 보내지 않았습니다. 번호를 확인하고 다시 거십시오.
        > *999*500*1912345678*482913#
        END 자기 번호입니다. 자기 손전화에는 이렇게 넣습니다:
        *999*0*5*금액*암호#
        > *999*x*1921112222*482913#
        END 금액이 틀렸습니다. 보내지 않았습니다. 금액을 수자로만 넣어 다시 거십시오.
        > *999*500*12*482913#
        END 받을 사람의 번호가 틀렸습니다. 보내지 않았습니다. 번호를 확인하고 다시 거십시오.
        > *999*500*1921112222*482913#
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 G-KJ
        > *999*500*1921112222*482913#
        END 이미 14:00 보냈습니다(접수번호 G-KJ). 두번 보내지 않았습니다.
        다시 보낼수 있는 시간: 14:05
        > *999*500*1933334444*482913#
        END 한도에 이르렀습니다(하루 1번). 보내지 않았습니다. 11월 23일 0시부터 다시 할수 있습니다.
        > *999*0*2*482913*482913*482913#
        END 새 암호가 지금 암호와 같습니다. 암호를 바꾸지 않았습니다.
        > *999*0*2*482913*590274*590275#
        END 새 암호 두개가 다릅니다. 암호를 바꾸지 않았습니다.
        > *999*0*3*482913#
        END 카드 00000001 정지되였습니다. 다시 쓰려면 손전화 봉사소에 가십시오.
        > *999*500*1921112222*482913#
        END 정지된 카드입니다. 다시 쓰려면 신분증을 가지고 손전화 봉사소에 가십시오.
        > *999*0*1*482913#
        END 이 손전화에 등록된 카드가 없습니다. 카드를 등록하려면:
        *999*0*4*카드번호*암호#
        > *999*0*4*4539578763621486*482913#
        END 카드번호나 암호가 틀렸습니다. 등록하지 않았습니다. 잠기기까지 남은 회수: 2
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn help_and_strings_that_fit_no_template() {
    let world = World::new();
    let before = world.fake.lock().submitted;
    let mut phone = world.phone(ALICE);
    let mut all = String::new();
    for dialled in ["*999*0*9#", "*999*500#", "*999*500*1921112222*482913*77#", "#999#"] {
        all.push_str(&phone.talk(&[dialled]).await);
    }
    for dialled in ["*998#", "*929#", "*929*500*1951234567*482913#"] {
        all.push_str(&phone.talk(&[dialled]).await);
    }
    all.push_str(&world.phone("8501951234567").talk(&["*999#"]).await);
    all.push_str(&world.phone(DAVE).talk(&["*999*0*9#"]).await);
    assert_eq!(world.fake.lock().submitted, before, "never reaches the decider");
    expect![[r#"
        > *999*0*9#
        END 이렇게 거십시오:
        *999*금액*번호*암호#
        차림표: *999#
        > *999*500#
        END 이렇게 거십시오:
        *999*금액*번호*암호#
        차림표: *999#
        > *999*500*1921112222*482913*77#
        END 이렇게 거십시오:
        *999*금액*번호*암호#
        차림표: *999#
        > #999#
        END 이렇게 거십시오:
        *999*금액*번호*암호#
        차림표: *999#
        > *998#
        END 봉사하지 않는 번호입니다.
        > *929#
        END 봉사하지 않는 번호입니다.
        > *929*500*1951234567*482913#
        END 봉사하지 않는 번호입니다.
        > *999#
        END 고려링크 손전화에서만 쓸수 있습니다.
        > *999*0*9#
        END Dial like this:
        *999*AMOUNT*NUMBER*PASSWORD#
        Menu: *999#
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn lists_have_pages() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    for month in 0..5 {
        let amount = 300 - month;
        let screen = phone.dial(&format!("*999*{amount}*1921112222*482913#")).await;
        assert!(screen.contains("보냈습니다"), "{screen}");
        world.fake.later(31 * 86_400);
    }
    let mut all = phone.talk(&["*999#", "4", "482913", "0", "0"]).await;
    for number in ["4485275742308327", "4556737586899855", "4024007103939509", "4532015112830366"] {
        world.fake.issue(number, SPARE_PASSWORD, 100);
        world.fake.bind(ALICE, number, SPARE_PASSWORD);
    }
    world.fake.later(60);
    all.push_str(&phone.talk(&["*999*0*1*482913#", "0"]).await);
    all.push_str(&phone.talk(&["*999*0*1*482913#", "7", "3", "482913", "00"]).await);
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
        > 4
        CON 카드의 암호를 넣으십시오.
        0 뒤로 00 끝
        > 482913
        CON 3월 26일 보냄 296원 0192 111 2222
        2월 23일 보냄 297원 0192 111 2222
        0 다음 00 끝
        > 0
        CON 1월 23일 보냄 298원 0192 111 2222
        2026.12.23 보냄 299원 0192 111 2222
        0 다음 00 끝
        > 0
        END 2026.11.22 보냄 300원 0192 111 2222
        > *999*0*1*482913#
        CON 전화돈 0원 (0분)
        오늘 보낼수 있는 금액 500원
        카드 00000001 510원
        카드 00000004 100원
        0 다음 00 끝
        > 0
        END 카드 00000005 100원
        카드 00000006 100원
        카드 00000007 100원
        > *999*0*1*482913#
        CON 전화돈 0원 (0분)
        오늘 보낼수 있는 금액 500원
        카드 00000001 510원
        카드 00000004 100원
        0 다음 00 끝
        > 7
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
        CON 전화돈 0원 (0분)
        오늘 보낼수 있는 금액 500원
        카드 00000001 510원
        카드 00000004 100원
        0 다음 00 끝
        > 00
        END 끝났습니다.
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn a_session_ends_when_nothing_is_typed() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    let mut all = phone.talk(&["*999#", "1"]).await;
    world.fake.later(31);
    all.push_str(&phone.enter("01921112222").await);
    all.push_str(&phone.enter("500").await);
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
        END 시간이 지났습니다. 처음부터 다시 거십시오.END 시간이 지났습니다. 처음부터 다시 거십시오."#]]
    .assert_eq(&all);
    assert_eq!(world.fake.given(), []);
}
