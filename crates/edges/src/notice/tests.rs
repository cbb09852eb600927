use super::notices;
use crate::testing::{at, desk, keys, msisdn, rules, rules_with};
use crate::texts::Texts;
use domain::command::{Body, Dialled, Gift, Proved, TopUp};
use domain::effects::Effects;
use domain::id::CommandId;
use domain::ids::{Language, OperatorId};
use domain::money::Amount;
use domain::office::done::OfficeDone;
use domain::office::hold::HeldGift;
use domain::office::{RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::rules::Rules;
use domain::verdict::{Done, Entry, Outcome, Verdict};
use engine::deliveries::Role;
use expect_test::expect;
use wire::text::{Budget, fits};

fn amount() -> Dialled<Amount> {
    Dialled::Value(Amount::try_new(500).expect("positive"))
}

fn entry(body: Body, outcome: Outcome) -> Entry {
    Entry { id: CommandId::internal(0, 0), body, verdict: Verdict { outcome, effects: Effects::default() } }
}

fn gift(occasion: Option<u8>, outcome: Outcome) -> Entry {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let body = Body::Gift(Gift {
        caller: desk.caller,
        recipient: Dialled::Value(msisdn("8501921112222")),
        amount: amount(),
        proof: desk.proof("482913"),
        swapped: false,
        occasion,
    });
    entry(body, outcome)
}

fn top_up(outcome: Outcome) -> Entry {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let body = Body::TopUp(TopUp { caller: desk.caller, amount: amount(), proof: desk.proof("482913") });
    entry(body, outcome)
}

fn given(language: Language, fee_minor: i64) -> Outcome {
    Outcome::Done(Done::Given { left_minor: 1_500, fee_minor, language })
}

/// Role, number and text of every message of an entry; `language` is the sender's.
fn told(rules: &Rules, language: Language, entry: &Entry) -> Vec<(Role, u64, String)> {
    let (texts, now) = (Texts::embedded(), at("2026-11-22T05:00:00Z"));
    let show = |notice: super::Notice| {
        assert_eq!((notice.key.seq, notice.at), (Seq(1_234_567), now));
        let text = notice.text(&texts, rules, notice.language.unwrap_or(language));
        assert_eq!(text, notice.text(&texts, rules, notice.language.unwrap_or(language)));
        assert!(fits(&text, Budget::SMS), "{text}");
        (notice.key.role, notice.to.get(), text)
    };
    notices(Seq(1_234_567), now, entry).map(show).collect()
}

#[test]
fn the_recipient_hears_of_a_gift_in_their_language() {
    let rules = rules("koryolink");
    let mut all = String::new();
    for language in Language::ALL {
        for occasion in 0..=7 {
            let entry = gift(Some(occasion).filter(|occasion| *occasion != 0), given(language, 0));
            // The sender's language is another matter.
            let told = told(&rules, Language::Korean, &entry);
            let (role, to, text) = told.first().expect("a message");
            assert_eq!((*role, *to, told.len()), (Role::Recipient, 8_501_921_112_222, 2));
            all.push_str(&format!("{text}\n"));
        }
    }
    expect![[r#"
        전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        생일을 축하합니다! 전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        결혼을 축하합니다! 전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        새해를 축하합니다! 전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        시험을 잘 치십시오! 전화돈 500원 (2시간 5분), 0191 234 5678, 접수 15NM7-VZ
        고맙습니다! 전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        빨리 나으십시오! 전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        전화돈 500원 (2시간 5분) 받았습니다. 보낸 번호 0191 234 5678. 접수번호 15NM7-VZ
        You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Happy birthday! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Best wishes for your wedding! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Happy New Year! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Good luck with your exam! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Thank you! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        Get well soon! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
        You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt 15NM7-VZ
    "#]]
    .assert_eq(&all);
}

#[test]
fn the_sender_hears_what_the_screen_said() {
    let cents = rules_with("koryolink", &[("minor_digits = 0", "minor_digits = 2")]);
    let mut all = String::new();
    for rules in [rules("koryolink"), cents] {
        for language in Language::ALL {
            for fee_minor in [0, 5] {
                // The recipient's language is another matter.
                let gave = gift(None, given(Language::English, fee_minor));
                let own = Done::ToppedUp { left_minor: 1_500, fee_minor, airtime_minor: 700 };
                for entry in [gave, top_up(Outcome::Done(own))] {
                    let told = told(&rules, language, &entry);
                    let (role, to, text) = told.last().expect("a message");
                    assert_eq!((*role, *to), (Role::Sender, 8_501_912_345_678));
                    all.push_str(&format!("{text}\n"));
                }
            }
        }
    }
    expect![[r#"
        500원 보냈습니다. 받은 번호 0192 111 2222. 카드 잔고 1500원. 접수번호 15NM7-VZ
        내 손전화에 500원 넣었습니다. 전화돈 700원. 카드 잔고 1500원. 접수번호 15NM7-VZ
        500원 보냈습니다(료금 5원). 받은 번호 0192 111 2222. 카드 잔고 1500원. 접수번호 15NM7-VZ
        내 손전화에 500원 넣었습니다(료금 5원). 전화돈 700원. 카드 잔고 1500원. 접수번호 15NM7-VZ
        You sent 500 won to 0192 111 2222. Left on the card: 1500 won. Receipt 15NM7-VZ
        Your phone got 500 won from your card. Airtime 700 won. Left on the card: 1500 won. Receipt 15NM7-VZ
        You sent 500 won to 0192 111 2222, fee 5 won. Left on the card: 1500 won. Receipt 15NM7-VZ
        Your phone got 500 won from your card, fee 5 won. Airtime 700 won. Left on the card: 1500 won. Receipt 15NM7-VZ
        5원 보냈습니다. 받은 번호 0192 111 2222. 카드 잔고 15원. 접수번호 15NM7-VZ
        내 손전화에 5원 넣었습니다. 전화돈 7원. 카드 잔고 15원. 접수번호 15NM7-VZ
        5원 보냈습니다(료금 0.05원). 받은 번호 0192 111 2222. 카드 잔고 15원. 접수번호 15NM7-VZ
        내 손전화에 5원 넣었습니다(료금 0.05원). 전화돈 7원. 카드 잔고 15원. 접수번호 15NM7-VZ
        You sent 5 won to 0192 111 2222. Left on the card: 15 won. Receipt 15NM7-VZ
        Your phone got 5 won from your card. Airtime 7 won. Left on the card: 15 won. Receipt 15NM7-VZ
        You sent 5 won to 0192 111 2222, fee 0.05 won. Left on the card: 15 won. Receipt 15NM7-VZ
        Your phone got 5 won from your card, fee 0.05 won. Airtime 7 won. Left on the card: 15 won. Receipt 15NM7-VZ
    "#]]
    .assert_eq(&all);
}

fn held_gift() -> HeldGift {
    HeldGift {
        hold: Seq(1_000_000),
        operator: OperatorId(0),
        from: msisdn("8501912345678"),
        to: msisdn("8501921112222"),
        amount: Amount::try_new(500).expect("positive"),
        occasion: Some(1),
    }
}

#[test]
fn a_held_gift_is_told_to_its_recipient_when_it_is_posted() {
    let rules = rules("koryolink");
    let (rules, keys) = (&rules, keys());
    let until = at("2026-11-22T05:05:00Z");
    let desk = desk(rules, &keys);
    let undo = Body::Undo(Proved { caller: desk.caller, proof: desk.proof("482913") });
    let amount = held_gift().amount;
    let undone = Done::Undone { hold: Seq(1_000_000), amount, recipient: held_gift().to, balance_minor: 2_000 };
    let due = || Body::Due(RecordKey::made_by(RecordKind::Hold, Seq(1_000_000)));
    let posted = OfficeDone::HoldPosted { gift: held_gift(), language: Language::English };
    let voided = OfficeDone::HoldVoided {
        gift: held_gift(),
        balance_minor: 2_000,
        why: domain::office::hold::HoldBack::RecipientUnknown,
    };
    let mut all = String::new();
    for language in Language::ALL {
        for entry in [
            gift(Some(1), Outcome::Done(Done::Held { left_minor: 1_500, fee_minor: 0, until })),
            entry(undo.clone(), Outcome::Done(undone.clone())),
            entry(due(), Outcome::Done(posted.clone().into())),
            entry(due(), Outcome::Done(voided.clone().into())),
        ] {
            let told = told(rules, language, &entry);
            let [(role, to, text)] = &told[..] else { panic!("{told:?}") };
            all.push_str(&format!("{} {to}: {text}\n", role.name()));
        }
    }
    expect![[r#"
        sender 8501912345678: 보류 0192 111 2222 500원, 취소 *999*0*6*암호# 접수 15NM7-VZ
        sender 8501912345678: 취소했습니다. 0192 111 2222, 500원. 카드 잔고 2000원. 접수번호 YGJ0-RW
        recipient 8501921112222: Happy birthday! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt YGJ0-RW
        sender 8501912345678: 보내지 못함 0192 111 2222, 500원 되돌림, 잔고 2000원, 접수 YGJ0-RW
        sender 8501912345678: On hold: 500 won to 0192 111 2222, until 14:05. To undo, dial *999*0*6*PASSWORD# Receipt 15NM7-VZ
        sender 8501912345678: Undone: 500 won to 0192 111 2222. On the card: 2000 won. Receipt YGJ0-RW
        recipient 8501921112222: Happy birthday! You got 500 won of airtime (2 h 5 min) from 0191 234 5678. Receipt YGJ0-RW
        sender 8501912345678: Not sent: 0192 111 2222 can't receive now. 500 won is back, on the card: 2000 won. Receipt YGJ0-RW
    "#]].assert_eq(&all);
    let dropped = OfficeDone::Dropped { kind: RecordKind::Quote };
    assert_eq!(told(rules, Language::English, &entry(due(), Outcome::Done(dropped.into()))), []);
}

#[test]
fn nobody_hears_of_anything_else() {
    let rules = rules("koryolink");
    let told = |entry| told(&rules, Language::English, &entry);
    assert_eq!(told(gift(None, Outcome::Refused(Refusal::NoCard))), []);
    assert_eq!(told(top_up(Outcome::Refused(Refusal::NoCard))), []);
    assert_eq!(told(gift(None, Outcome::Done(Done::PasswordChanged))), []);
    let mut malformed = gift(None, given(Language::English, 0));
    if let Body::Gift(gift) = &mut malformed.body {
        gift.recipient = Dialled::Malformed;
    }
    assert_eq!(told(malformed), []);
}
