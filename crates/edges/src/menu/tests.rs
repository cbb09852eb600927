use super::{State, Step, answered, step};
use crate::say::Line;
use crate::testing::{at, desk, keys, rules, show};
use domain::command::Body;
use domain::ids::Serial;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::verdict::{CardLine, Done, Outcome};
use engine::answer::Reply;
use expect_test::expect;

/// Types the inputs one after the other, from the menu; a line for each step.
fn walk(inputs: &[&str]) -> String {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let mut state = State::Menu;
    let mut lines = Vec::new();
    for input in inputs {
        let next = step(&desk, state.clone(), input);
        lines.push(format!("{input:<16} {}", show(&next)));
        match next {
            Step::Ask(next, _) | Step::Submit(_, Some(next)) => state = next,
            Step::End(_) | Step::Submit(_, None) | Step::Confirm(_) | Step::List(_) | Step::Gifts(_) => break,
        }
    }
    lines.join("\n")
}

#[test]
fn a_gift_step_by_step() {
    let all = walk(&["1", "12", "1951234567", "1912345678", "1921112222", "0x", "482913", "500", "12", "482913"]);
    expect![[r#"
        1                ask AskRecipient(None)
        12               ask AskRecipient(Some(Malformed))
        1951234567       ask AskRecipient(Some(Elsewhere))
        1912345678       ask AskRecipient(Some(Own))
        1921112222       ask AskAmount(None)
        0x               ask AskAmount(Some(Malformed))
        482913           ask AskAmount(Some(NotAllowed { min: Amount(1), max: Amount(500), step: Amount(1) }))
        500              ask AskPassword(Give { to: Msisdn(…222), amount: Amount(500), greeting: Dialled(None) })
        12               submit gift, may try again
        482913           submit gift, may try again"#]]
    .assert_eq(&all);
}

#[test]
fn zero_goes_back_one_screen_and_two_zeros_leave() {
    let mut all = walk(&["1", "1921112222", "500", "0", "0", "0", "00"]);
    for inputs in [
        &["2", "100", "0", "0", "0"][..],
        &["5", "4539578763621486", "0", "0", "0"],
        &["6", "482913", "590274", "0", "0", "0", "0"],
        &["3", "0", "4", "0", "7", "0", "8", "0", "00"],
    ] {
        all.push_str("\n\n");
        all.push_str(&walk(inputs));
    }
    expect![[r#"
        1                ask AskRecipient(None)
        1921112222       ask AskAmount(None)
        500              ask AskPassword(Give { to: Msisdn(…222), amount: Amount(500), greeting: Dialled(None) })
        0                ask AskAmount(None)
        0                ask AskRecipient(None)
        0                ask Menu
        00               end Bye

        2                ask AskAmount(None)
        100              ask AskPassword(TopUp { amount: Amount(100) })
        0                ask AskAmount(None)
        0                ask Menu
        0                end Bye

        5                ask AskCardNumber { again: false }
        4539578763621486 ask AskPassword(Bind { number: CardNumber(…486) })
        0                ask AskCardNumber { again: false }
        0                ask Menu
        0                end Bye

        6                ask AskOldPassword
        482913           ask AskNewPassword(None)
        590274           ask AskRepeat
        0                ask AskNewPassword(None)
        0                ask AskOldPassword
        0                ask Menu
        0                end Bye

        3                ask AskPassword(ShowCards)
        0                ask Menu
        4                ask AskPassword(ShowGifts)
        0                ask Menu
        7                ask AskPassword(Freeze)
        0                ask Menu
        8                ask AskLanguage
        0                ask Menu
        00               end Bye"#]]
    .assert_eq(&all);
}

#[test]
fn nothing_typed_is_no_wrong_password() {
    expect![[r#"
        3                ask AskPassword(ShowCards)
                         ask AskPassword(ShowCards)
                         ask AskPassword(ShowCards)
        482913           submit show-cards, may try again"#]]
    .assert_eq(&walk(&["3", "", " ", "482913"]));
}

#[test]
fn other_choices() {
    let mut all = walk(&["9", "x", "11", "8", "3", "2"]);
    for inputs in [
        &["6", "12", "12", "111111", "590274", "590275", "590274", "590274"][..],
        &["5", "12", "4539578763621486", "1"],
    ] {
        all.push_str("\n\n");
        all.push_str(&walk(inputs));
    }
    expect![[r#"
        9                ask Menu
        x                ask Menu
        11               ask Menu
        8                ask AskLanguage
        3                ask AskLanguage
        2                submit set-language

        6                ask AskOldPassword
        12               ask AskNewPassword(None)
        12               ask AskNewPassword(Some(Malformed))
        111111           ask AskNewPassword(Some(Trivial))
        590274           ask AskRepeat
        590275           ask AskNewPassword(Some(Differ))
        590274           ask AskRepeat
        590274           submit change-password, may try again

        5                ask AskCardNumber { again: false }
        12               ask AskCardNumber { again: true }
        4539578763621486 ask AskPassword(Bind { number: CardNumber(…486) })
        1                submit bind, may try again"#]]
    .assert_eq(&all);
}

#[test]
fn a_closed_service_is_said_before_anything_is_typed() {
    let (rules, keys) = (rules("koryolink"), keys());
    let closed = crate::desk::Desk { now: at("2020-07-02T00:00:00Z"), ..desk(&rules, &keys) };
    for choice in ["1", "2"] {
        expect![[r#"end Refused(ServiceClosed { period: Some("kp-2020-07") })"#]].assert_eq(&show(&step(
            &closed,
            State::Menu,
            choice,
        )));
    }
    assert!(show(&step(&closed, State::Menu, "3")).starts_with("ask"), "a balance may be seen");
}

#[test]
fn what_verdicts_lead_to() {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let body = |wish| match step(&desk, State::Password(wish), "482913") {
        Step::Submit(body, again) => (body, again),
        other => panic!("{other:?}"),
    };
    let cards = Done::Cards {
        cards: vec![CardLine { serial: Serial(1), balance_minor: 5, usable: true }],
        sendable_minor: None,
        airtime_minor: 7,
    };
    let wrong = |tries_left, until| Refusal::WrongPassword { tries_left, locked_until: until };
    let outcomes = [
        Outcome::Done(cards),
        Outcome::Done(Done::Gifts { latest: Seq(3) }),
        Outcome::Done(Done::Frozen { serial: Serial(1) }),
        Outcome::Refused(wrong(2, None)),
        Outcome::Refused(wrong(0, Some(desk.now.plus_s(900)))),
        Outcome::Refused(Refusal::NoCard),
    ];
    let mut all = String::new();
    for outcome in outcomes {
        let language = rules.default_language();
        let reply = Reply { seq: Seq(9), at: desk.now, outcome, language, repeated: false };
        let (show_cards, again) = body(super::Wish::ShowCards);
        all.push_str(&format!("{}\n", show(&answered(&show_cards, again, &reply))));
    }
    let (bind, again) = body(super::Wish::Bind {
        number: domain::number::CardNumber::parse("4539578763621486").expect("a card number"),
    });
    let language = rules.default_language();
    let outcome = Outcome::Refused(wrong(1, None));
    let reply = Reply { seq: Seq(9), at: desk.now, outcome, language, repeated: false };
    all.push_str(&format!("{}\n", show(&answered(&bind, again, &reply))));
    all.push_str(&format!("{}\n", show(&answered(&bind, None, &reply))));
    expect![[r#"
        list 2
        gifts before 3
        end Did(Frozen { serial: Serial(1) })
        ask AskPasswordAgain { tries_left: 2 }
        end Refused(WrongPassword { tries_left: 0, locked_until: Some(Timestamp(1795324500000)) })
        end Refused(NoCard)
        ask AskCardPasswordAgain { tries_left: 1 }
        end CardOrPasswordWrong { tries_left: 1 }
    "#]]
    .assert_eq(&all);
}

#[test]
fn the_rest_of_a_list_waits_for_a_zero() {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let rest = || State::List(vec![Line::Airtime(1), Line::Sendable(2)]);
    assert_eq!(show(&step(&desk, rest(), "0")), "list 2");
    assert_eq!(show(&step(&desk, rest(), "7")), "ask Menu");
    assert_eq!(show(&step(&desk, rest(), "00")), "end Bye");
}

#[test]
fn a_binding_carries_tags_in_both_domains_or_in_neither() {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    for (number, password, tags) in [
        ("4539578763621486", "482913", true),
        ("4539578763621486", "48291", false),
        ("4539578763621487", "482913", false),
    ] {
        let bind = desk.bind(desk.card_number(number), password);
        assert_eq!(bind.proof.current().is_some(), tags);
        assert_eq!(bind.holder_tag.is_some(), tags);
        assert!(Body::Bind(bind).caller().is_some());
    }
}

#[test]
fn numbers_that_people_take_for_each_other() {
    let near = |one, other| super::is_near(crate::testing::msisdn(one), crate::testing::msisdn(other));
    for (one, other, expected) in [
        ("8501912345678", "8501912345679", true),
        ("8501912345678", "8501912345687", true),
        ("8501912345678", "8501921345678", true),
        ("8501912345678", "8501932145678", false),
        ("8501912345678", "8501912345678", false),
        ("8501912345678", "8501912345589", false),
        ("8501912345678", "8501912345786", false),
        ("8501912345678", "85019123456780", false),
        ("8501912345678", "850191234567", false),
    ] {
        assert_eq!((near(one, other), near(other, one)), (expected, expected), "{one} {other}");
    }
}
