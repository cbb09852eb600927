//! What phones see through a real HLR.

use domain::ids::LinkId;
use edges::brake::BrakeConfig;
use edges::flow::{Input, LinkConfig, Turn};
use edges::session::Times;
use expect_test::expect;
use sonmul::gsup::Shown;
use wire::text::{Budget, fits};
use wire::{gsm7, ucs2};
use zeroize::Zeroizing;

use super::entity::Entity;
use super::world::{CARD_VALUE, NUMBERLESS, Network, PASSWORD, World, gift, imsi, msc, msisdn, national, osmo};
use super::{line, screen};

/// A receipt's characters are the entry's number: the rest of a line is not.
fn without_receipt(line: &str) -> String {
    let at = line.find("eceipt ").map(|at| at + 7).or_else(|| line.find("접수번호 ").map(|at| at + "접수번호 ".len()));
    at.map_or_else(|| String::from(line), |at| format!("{}…", &line[..at]))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_string_gives_a_gift() {
    let world = World::new(4);
    let network = Network::new(&world, 4).await;
    let english = network.dial(1, &gift(500, 2)).await;
    let korean = network.dial(2, &gift(300, 3)).await;
    expect![[r#"
        ends: Sent: 500 won to 0191 100 0002. | Left on the card: 9500 won | Receipt …
        ends: 보냈습니다. 0191 100 0003, 300원. | 카드 잔고 9700원 | 접수번호 …
    "#]]
    .assert_eq(&format!("{}\n{}\n", without_receipt(&english), without_receipt(&korean)));
    assert_eq!(world.books(1).await, (CARD_VALUE - 500, 0));
    assert_eq!(world.books(2).await, (CARD_VALUE - 300, 500));
    assert_eq!(world.books(3).await, (CARD_VALUE, 300));
    let counts = network.edge.status.counts();
    assert_eq!((counts.dials, counts.answers, counts.malformed), (2, 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_menu_in_two_languages() {
    let world = World::new(4);
    let network = Network::new(&world, 4).await;
    let mut transcript = String::new();
    for caller in [1, 2] {
        let mut dialogue = network.msc.begin(imsi(caller), "*999#").expect("sent");
        let mut shown = screen("the menu", dialogue.shown()).await;
        transcript += &format!("{}\n", line(&shown));
        for typed in ["1", &national(3), "200", PASSWORD] {
            shown = screen(typed, dialogue.answer(typed)).await;
            transcript += &format!("{}\n", without_receipt(&line(&shown)));
        }
        assert!(matches!(shown, Shown::Ends(_)));
        assert_eq!(world.books(caller).await.0, CARD_VALUE - 200);
    }
    assert_eq!(world.books(3).await, (CARD_VALUE, 400));
    expect![[r#"
        asks: 1 Give | 2 My phone | 3 Balance | 4 Last five | 5 Bind a card | 6 Password | 7 Freeze | 8 Chosonmal
        asks: Enter the recipient's phone number. | 0 back 00 exit
        asks: Enter the amount in won, digits only. | 0 back 00 exit
        asks: To: 0191 100 0003 | Amount: 200 won | Enter the card's password to send. | 0 back 00 exit
        ends: Sent: 200 won to 0191 100 0003. | Left on the card: 9800 won | Receipt …
        asks: 1보내기 2내전화 3잔고 4최근5건 | 5카드등록 6암호 7정지 8English
        asks: 받을 사람의 손전화번호를 넣으십시오. | 0 뒤로 00 끝
        asks: 금액을 수자로 넣으십시오(단위: 원). | 0 뒤로 00 끝
        asks: 받을 사람: 0191 100 0003 | 금액: 200원 | 보내려면 암호를 넣으십시오. | 0 뒤로 00 끝
        ends: 보냈습니다. 0191 100 0003, 200원. | 카드 잔고 9800원 | 접수번호 …
    "#]]
    .assert_eq(&transcript);
}

/// Dials that change nothing, so that they say the same over any link.
const HARMLESS: [&str; 9] = [
    "*999#",
    "*999*0*1*482913#",
    "*999*0*9#",
    "*999*500*1911000002#",
    "*999*1911000002*500*482913#",
    "*999*500*1911999999*482913#",
    "*999*500*1812345678*482913#",
    "*999*501*1911000003*482913#",
    "*999*500*12*482913#",
];

#[tokio::test(flavor = "multi_thread")]
async fn screens_arrive_whole() {
    let world = World::new(4);
    let network = Network::new(&world, 4).await;
    // The same link's screens without a network between.
    let near = world.flow.link(LinkConfig {
        id: LinkId(11),
        name: String::from("near"),
        operators: vec![String::from("koryolink")],
        ranges: Vec::new(),
        budget: Budget::USSD_OSMOHLR,
        dialogue: true,
        times: Times::default(),
        answer_within_ms: 10_000,
        brake: BrakeConfig::default(),
    });
    let (mut septets_most, mut units_most) = (0, 0);
    for caller in [1, 2] {
        for (number, string) in (0_u8..).zip(HARMLESS) {
            let input = Input::Dialled(Zeroizing::new(String::from(string)));
            let turn = Turn { caller: msisdn(caller), imsi: None, session: Box::new([number]), input };
            let said = near.turn(turn).await;
            let mut dialogue = network.msc.begin(imsi(caller), string).expect("sent");
            let shown = screen(string, dialogue.shown()).await;
            let expected = if said.goes_on { Shown::Asks(said.text.clone()) } else { Shown::Ends(said.text.clone()) };
            assert_eq!(line(&shown), line(&expected), "{string}");
            assert!(fits(&said.text, Budget::USSD_OSMOHLR), "{string}");
            match gsm7::septets(&said.text) {
                Some(septets) => septets_most = septets_most.max(septets),
                None => units_most = units_most.max(ucs2::units(&said.text)),
            }
        }
    }
    // Short screens would prove little.
    assert!(90 <= septets_most && 50 <= units_most, "{septets_most} septets, {units_most} units");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_screens_pass_the_real_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let hlr = osmo(&dir, 1, 30).await;
    let mut entity = Entity::connect(hlr.gsup, "airtime").await;
    let msc = msc(&hlr).await;
    let budget = Budget::USSD_OSMOHLR;
    for longest in ["x".repeat(budget.septets), "선".repeat(budget.ucs2)] {
        assert!(fits(&longest, budget) && !fits(&format!("{longest}x"), budget));
        let mut dialogue = msc.begin(imsi(1), "*999#").expect("sent");
        let heard = entity.hear().await;
        entity.ask(&heard, &longest).await;
        assert_eq!(screen("a prompt", dialogue.shown()).await, Shown::Asks(longest.clone()));
        let (shown, ()) = tokio::join!(screen("the end", dialogue.answer("1")), async {
            let heard = entity.hear().await;
            entity.end(&heard, &longest).await;
        });
        assert_eq!(shown, Shown::Ends(longest));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_and_strings_that_nobody_knows() {
    let world = World::new(2);
    let network = Network::new(&world, 2).await;
    let lines = [
        ("unknown IMSI", network.dial(77_777, &gift(500, 2)).await),
        ("no MSISDN", network.dial(NUMBERLESS, &gift(500, 2)).await),
        ("not routed", network.dial(1, "*998*500*1911000002*482913#").await),
        ("an alias not routed", network.dial(1, "*#999*482913#").await),
        ("nonsense that is routed", network.dial(1, "*999*hello#").await),
    ];
    let said: String = lines.iter().map(|(what, line)| format!("{what} -> {line}\n")).collect();
    expect![[r#"
        unknown IMSI -> ends: 등록되지 않은 손전화입니다. 손전화 봉사소에 문의하십시오.
        no MSISDN -> ends: 등록되지 않은 손전화입니다. 손전화 봉사소에 문의하십시오.
        not routed -> error 18
        an alias not routed -> error 18
        nonsense that is routed -> ends: Dial like this: | *999*AMOUNT*NUMBER*PASSWORD# | Menu: *999#
    "#]]
    .assert_eq(&said);
    assert_eq!((world.books(1).await, world.books(2).await), ((CARD_VALUE, 0), (CARD_VALUE, 0)));
    let counts = network.edge.status.counts();
    assert_eq!((counts.unknown_imsi, counts.no_msisdn, counts.dials), (1, 1, 3));
}
