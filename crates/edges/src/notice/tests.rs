use super::{Sms, notices};
use crate::testing::{at, desk, keys, msisdn, rules};
use crate::texts::Texts;
use domain::command::{Body, Dialled, Gift, Language};
use domain::id::CommandId;
use domain::money::Amount;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::verdict::{Done, Effects, Entry, Outcome, Verdict};
use engine::answer::Directory;
use expect_test::expect;
use std::sync::Arc;
use wire::text::{Budget, fits};

fn entry(occasion: Option<u8>, outcome: Outcome) -> Entry {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let body = Body::Gift(Gift {
        caller: desk.caller,
        recipient: Dialled::Value(msisdn("8501921112222")),
        amount: Dialled::Value(Amount::try_new(500).expect("positive")),
        proof: desk.proof("482913"),
        swapped: false,
        occasion,
    });
    Entry { id: CommandId::internal(0, 0), body, verdict: Verdict { outcome, effects: Effects::default() } }
}

fn given(language: Language) -> Outcome {
    Outcome::Done(Done::Given { left_minor: 1_500, fee_minor: 0, language })
}

fn sms(occasion: Option<u8>, outcome: Outcome) -> Option<Sms> {
    let directory = Directory { operators: vec![Arc::new(rules("koryolink"))], ..Directory::default() };
    let now = at("2026-11-22T05:00:00Z");
    notices(&Texts::embedded(), &directory, Seq(1_234_567), now, &entry(occasion, outcome))
}

#[test]
fn the_recipient_hears_of_a_gift_in_their_language() {
    let mut all = String::new();
    for language in Language::ALL {
        for occasion in 0..=7 {
            let sms = sms(Some(occasion).filter(|occasion| *occasion != 0), given(language)).expect("an SMS");
            assert_eq!((sms.to, sms.seq), (msisdn("8501921112222"), Seq(1_234_567)));
            assert!(fits(&sms.text, Budget::SMS));
            all.push_str(&format!("{}\n", sms.text));
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
fn nobody_hears_of_anything_else() {
    assert_eq!(sms(None, Outcome::Refused(Refusal::NoCard)), None);
    assert_eq!(sms(None, Outcome::Done(Done::PasswordChanged)), None);
}

#[test]
fn debug_hides_the_text() {
    let sms = sms(None, given(Language::English)).expect("an SMS");
    assert!(!format!("{sms:?}").contains("500"));
}
