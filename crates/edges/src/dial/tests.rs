use super::{begin, request};
use crate::desk::Desk;
use crate::menu::Step;
use crate::testing::{at, desk, keys, rules, rules_with, show};
use domain::command::{Body, Dialled, NewPassword};
use domain::password::Proof;
use domain::rules::Rules;
use expect_test::expect;
use proptest::prelude::{any, proptest};

fn dial(rules: &Rules, desk: &Desk<'_>, text: &str) -> Option<Step> {
    let dialled = wire::dial::parse(text.as_bytes()).ok()?;
    Some(begin(desk, &request(rules, &dialled)?))
}

/// What travels on, without tags.
fn say(step: &Step) -> String {
    let value = |dialled: &Dialled<i64>| dialled.value().map_or(String::from("malformed"), |value| value.to_string());
    let proof = |proof: &Proof| match proof {
        Proof::Malformed => "malformed",
        Proof::Tags { older: Some(_), .. } => "two tags",
        Proof::Tags { older: None, .. } => "one tag",
    };
    match step {
        Step::Submit(Body::Gift(gift), None) => format!(
            "give {} to {:?} by {}{}{}",
            value(&gift.amount.value().map(domain::money::Amount::minor).into()),
            gift.recipient,
            proof(&gift.proof),
            if gift.swapped { " swapped" } else { "" },
            gift.occasion.map_or(String::new(), |occasion| format!(" for {occasion}")),
        ),
        Step::Submit(Body::ChangePassword(change), None) => {
            let new = match change.new {
                NewPassword::Malformed => "malformed",
                NewPassword::Differ => "differ",
                NewPassword::Trivial => "trivial",
                NewPassword::Tag(_) => "a tag",
            };
            format!("change {} to {new}", proof(&change.old))
        }
        Step::Submit(Body::Bind(bind), None) => format!("bind {:?} by {}", bind.number, proof(&bind.proof)),
        Step::Submit(Body::TopUp(top_up), None) => format!(
            "top up {} by {}",
            value(&top_up.amount.value().map(domain::money::Amount::minor).into()),
            proof(&top_up.proof)
        ),
        other => show(other),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one of everything, with its text")]
fn every_dial_string() {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let mut all = String::new();
    for text in [
        "*999#",
        "*999*500*1921112222*482913#",
        "*999*500*+8501921112222*482913*6#",
        "*999*500*1921112222*482913*0#",
        "*999*500*1921112222*482913*7#",
        "*999*500*1921112222*482913*01#",
        "*999*500*1921112222*48291#",
        "*999*482913*1921112222*500#",
        "*999*1921112222*500*482913#",
        "*999*x*1921112222*482913#",
        "*999*500*12*482913#",
        "*999*500*9912345678901239*482913#",
        "*999*500*1921112222#",
        "*999*500*1921112222*#",
        "*999*482913*1921112222#",
        "*999*1921112222*500#",
        "*999*500*12#",
        "*999*500*1951234567#",
        "*999*0*1*482913#",
        "*999*0*1#",
        "*999*0*2*482913*590274*590274#",
        "*999*0*2*482913*590274*590275#",
        "*999*0*2*482913*59027*59027#",
        "*999*0*2*482913*111111*111111#",
        "**999*482913*590274#",
        "*999*0*2#",
        "*999*0*3*482913#",
        "*999*0*4*4539578763621486*482913#",
        "*999*0*4*4539578763621487*482913#",
        "*999*0*4*4539578763621486*48291#",
        "*999*0*4*4539578763621486#",
        "*999*0*4*1#",
        "*999*4539578763621486*482913#",
        "*999*0*5*200*482913#",
        "*999*0*5*482913*200#",
        "*999*0*5*200#",
        "*999*0*5*501#",
        "*999*0*6*482913#",
        "*#999*482913#",
        "##999#",
        "#999#",
        "*999*0*7*482913#",
    ] {
        let step = dial(&rules, &desk, text);
        all.push_str(&format!("{text:<40} {}\n", step.as_ref().map_or(String::from("fits no template"), say)));
    }
    expect![[r#"
        *999#                                    ask Menu
        *999*500*1921112222*482913#              give 500 to Value(Msisdn(…222)) by two tags
        *999*500*+8501921112222*482913*6#        give 500 to Value(Msisdn(…222)) by two tags for 6
        *999*500*1921112222*482913*0#            give 500 to Value(Msisdn(…222)) by two tags
        *999*500*1921112222*482913*7#            end Help
        *999*500*1921112222*482913*01#           end Help
        *999*500*1921112222*48291#               give malformed to Value(Msisdn(…222)) by malformed
        *999*482913*1921112222*500#              give malformed to Value(Msisdn(…222)) by malformed
        *999*1921112222*500*482913#              give malformed to Malformed by two tags swapped
        *999*x*1921112222*482913#                give malformed to Value(Msisdn(…222)) by two tags
        *999*500*12*482913#                      give 500 to Malformed by two tags
        *999*500*9912345678901239*482913#        give 500 to Malformed by two tags
        *999*500*1921112222#                     ask AskPassword(Give { to: Msisdn(…222), amount: Amount(500), greeting: Dialled(None) })
        *999*500*1921112222*#                    ask AskPassword(Give { to: Msisdn(…222), amount: Amount(500), greeting: Dialled(None) })
        *999*482913*1921112222#                  ask AskAmount(Some(NotAllowed { min: Amount(1), max: Amount(500), step: Amount(1) }))
        *999*1921112222*500#                     ask AskRecipient(Some(Swapped))
        *999*500*12#                             ask AskRecipient(Some(Malformed))
        *999*500*1951234567#                     ask AskRecipient(Some(Elsewhere))
        *999*0*1*482913#                         submit show-cards
        *999*0*1#                                ask AskPassword(ShowCards)
        *999*0*2*482913*590274*590274#           change two tags to a tag
        *999*0*2*482913*590274*590275#           change two tags to differ
        *999*0*2*482913*59027*59027#             change two tags to malformed
        *999*0*2*482913*111111*111111#           change two tags to trivial
        **999*482913*590274#                     change two tags to a tag
        *999*0*2#                                ask AskOldPassword
        *999*0*3*482913#                         submit freeze
        *999*0*4*4539578763621486*482913#        bind Value(CardNumber(…486)) by two tags
        *999*0*4*4539578763621487*482913#        bind Malformed by malformed
        *999*0*4*4539578763621486*48291#         bind Value(CardNumber(…486)) by malformed
        *999*0*4*4539578763621486#               ask AskPassword(Bind { number: CardNumber(…486) })
        *999*0*4*1#                              ask AskCardNumber { again: true }
        *999*4539578763621486*482913#            bind Value(CardNumber(…486)) by two tags
        *999*0*5*200*482913#                     top up 200 by two tags
        *999*0*5*482913*200#                     top up malformed by malformed
        *999*0*5*200#                            ask AskPassword(TopUp { amount: Amount(200) })
        *999*0*5*501#                            ask AskAmount(Some(NotAllowed { min: Amount(1), max: Amount(500), step: Amount(1) }))
        *999*0*6*482913#                         submit undo
        *#999*482913#                            submit show-cards
        ##999#                                   ask AskPassword(Freeze)
        #999#                                    fits no template
        *999*0*7*482913#                         fits no template
    "#]].assert_eq(&all);
}

#[test]
fn the_order_of_fields_is_the_operators() {
    let rules = rules_with("koryolink", &[("AMOUNT*RECIPIENT*PASSWORD", "PASSWORD*RECIPIENT*AMOUNT")]);
    let keys = keys();
    let step = dial(&rules, &desk(&rules, &keys), "*999*482913*1921112222*500#").expect("a gift");
    assert_eq!(say(&step), "give 500 to Value(Msisdn(…222)) by two tags");
}

#[test]
fn a_closed_service_is_said_before_the_password_is_asked_for() {
    let (rules, keys) = (rules("koryolink"), keys());
    let closed = Desk { now: at("2020-07-02T00:00:00Z"), ..desk(&rules, &keys) };
    for text in ["*999*500*1921112222#", "*999*0*5*200#"] {
        let step = dial(&rules, &closed, text).expect("a step");
        assert!(show(&step).starts_with("end Refused(ServiceClosed"), "{text}");
    }
}

#[test]
fn another_generation_has_other_tags() {
    let (rules, keys) = (rules("koryolink"), keys());
    let desk = desk(&rules, &keys);
    let next = Desk { generation: 2, ..desk };
    let (Some(one), Some(two)) = (desk.proof("482913").current(), next.proof("482913").current()) else {
        panic!("six digits have a tag")
    };
    assert!(!one.opens(&two));
}

proptest! {
    #[test]
    fn any_string_is_a_step_or_fits_no_template(octets in any::<Vec<u8>>(), fields in proptest::collection::vec("[0-9*#+x]{0,17}", 0..9)) {
        let (rules, keys) = (rules("koryolink"), keys());
        let desk = desk(&rules, &keys);
        for text in [String::from_utf8_lossy(&octets).into_owned(), format!("*999*{}#", fields.join("*"))] {
            let _ = dial(&rules, &desk, &text);
        }
    }
}
