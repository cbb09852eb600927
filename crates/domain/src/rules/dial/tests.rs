use super::{DialPlan, Form, Request, Template, TemplateError, looks_swapped, parse_amount};
use crate::rules::numbers::NumberPlanParts;
use crate::rules::{NumberPlan, Unit};
use proptest::prelude::{any, prop_assert, proptest};

fn plan(gift: &str) -> DialPlan {
    DialPlan { gift: Template::parse(gift).expect("a template"), aliases: true }
}

/// One line per request. Passwords are printed here and nowhere else: `Debug` hides them.
fn show(request: Option<Request<'_>>) -> String {
    let or = |text: Option<&str>| text.map_or_else(|| "-".to_string(), |text| format!("<{text}>"));
    match request {
        None => "fits no template".into(),
        Some(Request::Menu) => "menu".into(),
        Some(Request::Give { amount, recipient, password, occasion }) => {
            format!("give <{amount}> to <{recipient}> by {} for {}", or(password), or(occasion))
        }
        Some(Request::ChangePassword { old, new, again }) => {
            format!("change-password {} {} {}", or(old), or(new), or(again))
        }
        Some(Request::Bind { number, password }) => format!("bind <{number}> by {}", or(password)),
        Some(Request::TopUp { amount, password }) => format!("top-up <{amount}> by {}", or(password)),
        Some(other @ (Request::ShowCards { password } | Request::Freeze { password } | Request::Undo { password })) => {
            format!("{} by {}", other.name(), or(password))
        }
    }
}

/// Cuts like `wire::dial` does, which this crate can't use.
fn dial(plan: &DialPlan, text: &str) -> String {
    let openings = [
        ("*#", Form::Interrogation),
        ("**", Form::Registration),
        ("##", Form::Erasure),
        ("*", Form::Activation),
        ("#", Form::Deactivation),
    ];
    let (opening, form) = openings.into_iter().find(|(opening, _)| text.starts_with(opening)).expect("an opening");
    let body = text.strip_prefix(opening).and_then(|rest| rest.strip_suffix('#')).expect("a whole string");
    let fields: Vec<&str> = body.split('*').skip(1).collect();
    show(plan.read(form, &fields))
}

#[test]
fn every_row_of_the_table() {
    let table = [
        ("*999#", "menu"),
        ("*999*500*1912345678*482913#", "give <500> to <1912345678> by <482913> for -"),
        ("*999*500*1912345678*482913*1#", "give <500> to <1912345678> by <482913> for <1>"),
        ("*999*500*1912345678#", "give <500> to <1912345678> by - for -"),
        ("*999*0*1*482913#", "show-cards by <482913>"),
        ("*999*0*2*482913*193847*193847#", "change-password <482913> <193847> <193847>"),
        ("*999*0*3*482913#", "freeze by <482913>"),
        ("*999*0*4*4539578763621486*482913#", "bind <4539578763621486> by <482913>"),
        ("*999*0*5*200*482913#", "top-up <200> by <482913>"),
        ("*999*0*6*482913#", "undo by <482913>"),
        // The password left out, or its place left empty: asked for in the session.
        ("*999*0*1#", "show-cards by -"),
        ("*999*0*1*#", "show-cards by -"),
        ("*999*0*2#", "change-password - - -"),
        ("*999*0*3#", "freeze by -"),
        ("*999*0*4*4539578763621486#", "bind <4539578763621486> by -"),
        ("*999*0*5*200#", "top-up <200> by -"),
        ("*999*0*6#", "undo by -"),
        ("*999*500*1912345678*#", "give <500> to <1912345678> by - for -"),
        // Aliases.
        ("*#999*482913#", "show-cards by <482913>"),
        ("*#999#", "show-cards by -"),
        ("**999*482913*193847#", "change-password <482913> <193847> -"),
        ("**999*482913*193847*193847#", "change-password <482913> <193847> <193847>"),
        ("**999#", "change-password - - -"),
        ("##999*482913#", "freeze by <482913>"),
        ("*999*4539578763621486*482913#", "bind <4539578763621486> by <482913>"),
        // Malformed values are fields all the same: each has a refusal of its own.
        ("*999*-5*1.5*x#", "give <-5> to <1.5> by <x> for -"),
        ("*999*1912345678*500*482913#", "give <1912345678> to <500> by <482913> for -"),
    ];
    for (text, expected) in table {
        assert_eq!(dial(&plan("AMOUNT*RECIPIENT*PASSWORD"), text), expected, "{text}");
    }
}

#[test]
fn what_fits_no_template() {
    let texts = [
        "*999*0#",
        "*999*0*#",
        "*999*0*0#",
        "*999*0*7*482913#",
        "*999*0*10*482913#",
        "*999*0*1912345678*482913#",
        "*999*0*1*482913*1#",
        "*999*0*2*482913#",
        "*999*0*2*482913*193847#",
        "*999*0*2*1*2*3*4#",
        "*999*0*3*482913*1#",
        "*999*0*4#",
        "*999*0*4*4539578763621486*482913*1#",
        "*999*0*5#",
        "*999*0*5*200*482913*1#",
        "*999*0*6*1*1#",
        "*999*#",
        "*999*500#",
        "*999*482913#",
        "*999*500*1912345678*482913*1*1#",
        "*#999*482913*1#",
        "**999*482913#",
        "**999*1*2*3*4#",
        "##999*1*1#",
        "#999#",
        "#999*482913#",
    ];
    for text in texts {
        assert_eq!(dial(&plan("AMOUNT*RECIPIENT*PASSWORD"), text), "fits no template", "{text}");
    }
}

#[test]
fn a_bare_card_number_is_16_luhn_valid_digits_and_six() {
    let plan = plan("AMOUNT*RECIPIENT*PASSWORD");
    for text in [
        "*999*4539578763621487*482913#", // check digit
        "*999*453957876362148*482913#",
        "*999*4539578763621486*48291#",
        "*999*4539578763621486*48291x#",
    ] {
        assert!(dial(&plan, text).starts_with("give "), "{text}");
    }
}

#[test]
fn without_aliases_only_the_plain_form_is_understood() {
    let plan = DialPlan { aliases: false, ..plan("AMOUNT*RECIPIENT*PASSWORD") };
    for text in ["*#999*482913#", "**999*482913*193847#", "##999*482913#"] {
        assert_eq!(dial(&plan, text), "fits no template", "{text}");
    }
    assert!(dial(&plan, "*999*4539578763621486*482913#").starts_with("give "));
    assert_eq!(dial(&plan, "*999*0*1*482913#"), "show-cards by <482913>");
}

#[test]
fn templates_in_any_order() {
    let gift = "give <500> to <1912345678> by <482913> for -";
    let occasion = "give <500> to <1912345678> by <482913> for <2>";
    let short = "give <500> to <1912345678> by - for -";
    let table = [
        ("RECIPIENT*AMOUNT*PASSWORD", "*1*1912345678*500*482913#", gift),
        ("RECIPIENT*AMOUNT*PASSWORD", "*1*1912345678*500*482913*2#", occasion),
        ("RECIPIENT*AMOUNT*PASSWORD", "*1*1912345678*500#", short),
        ("PASSWORD*AMOUNT*RECIPIENT", "*1*482913*500*1912345678#", gift),
        ("PASSWORD*AMOUNT*RECIPIENT", "*1*482913*500*1912345678*2#", occasion),
        ("PASSWORD*AMOUNT*RECIPIENT", "*1*500*1912345678#", short),
        ("AMOUNT*PASSWORD*RECIPIENT", "*1*500*482913*1912345678#", gift),
        ("AMOUNT*RECIPIENT", "*1*500*1912345678#", short),
        ("RECIPIENT*AMOUNT", "*1*1912345678*500#", short),
        // Without a place for a password a third field is not taken for an occasion: it may be a password.
        ("AMOUNT*RECIPIENT", "*1*500*1912345678*482913#", "fits no template"),
        ("PASSWORD*AMOUNT*RECIPIENT", "*1*0*6*482913#", "undo by <482913>"),
    ];
    for (template, text, expected) in table {
        assert_eq!(dial(&plan(template), text), expected, "{template} {text}");
    }
}

#[test]
fn impossible_templates() {
    use super::Field::{Amount, Password, Recipient};
    let table = [
        ("", TemplateError::UnknownWord),
        ("AMOUNT**RECIPIENT", TemplateError::UnknownWord),
        ("amount*RECIPIENT", TemplateError::UnknownWord),
        ("AMOUNT*RECIPIENT*PIN", TemplateError::UnknownWord),
        ("AMOUNT*RECIPIENT*OCCASION", TemplateError::Occasion),
        ("AMOUNT*AMOUNT*RECIPIENT", TemplateError::Twice(Amount)),
        ("AMOUNT*RECIPIENT*RECIPIENT", TemplateError::Twice(Recipient)),
        ("PASSWORD*AMOUNT*RECIPIENT*PASSWORD", TemplateError::Twice(Password)),
        ("RECIPIENT*PASSWORD", TemplateError::NoAmount),
        ("AMOUNT*PASSWORD", TemplateError::NoRecipient),
    ];
    for (text, expected) in table {
        assert_eq!(Template::parse(text), Err(expected), "{text}");
    }
}

#[test]
fn examples_for_hints() {
    let template = Template::parse("PASSWORD*AMOUNT*RECIPIENT").expect("a template");
    assert_eq!(template.example(223), "*223*PASSWORD*AMOUNT*RECIPIENT#");
    assert_eq!(template.filled(223, "500", "01912345678", "암호"), "*223*암호*500*01912345678#");
    assert_eq!(Template::parse("AMOUNT*RECIPIENT").expect("a template").example(140), "*140*AMOUNT*RECIPIENT#");
}

#[test]
fn debug_shows_no_field() {
    let request = plan("AMOUNT*RECIPIENT*PASSWORD").read(Form::Activation, &["500", "1912345678", "482913"]);
    assert_eq!(format!("{request:?}"), "Some(Request(give))");
}

#[test]
fn swapped_is_said_only_when_it_reads_that_way_and_no_other() {
    let plan = NumberPlan::try_new(NumberPlanParts {
        country_code: "850".into(),
        trunk_prefix: Some("0".into()),
        ranges: vec![("191".into(), 10)],
        ..NumberPlanParts::default()
    })
    .expect("a plan");
    for (amount, recipient) in [("1912345678", "500"), ("01912345678", "9999999"), ("+8501951234567", "1")] {
        assert!(looks_swapped(&plan, amount, recipient), "{amount} {recipient}");
        assert!(!looks_swapped(&plan, recipient, amount), "{recipient} {amount}");
    }
    let not = [
        ("500", "500"),
        ("1912345678", "1912345678"),
        ("1912345678", "0"),
        ("1912345678", "x"),
        ("1912345678", ""),
        ("1912345678", "10000000"),
        ("191234567", "500"),
        ("8613800138000", "500"),
        ("", ""),
    ];
    for (amount, recipient) in not {
        assert!(!looks_swapped(&plan, amount, recipient), "{amount} {recipient}");
    }
    // Where numbers are as short as amounts, both readings hold and nothing is said.
    let short = NumberPlan::try_new(NumberPlanParts {
        country_code: "960".into(),
        ranges: vec![("7".into(), 7)],
        ..NumberPlanParts::default()
    })
    .expect("a plan");
    assert!(!looks_swapped(&short, "7712345", "7712346"));
    assert!(looks_swapped(&short, "7712345", "500"));
}

#[test]
fn amounts() {
    let unit = |minor_digits| Unit { names: Vec::new(), minor_digits };
    let minor = |minor_digits, text| parse_amount(&unit(minor_digits), text).map(crate::money::Amount::minor);
    assert_eq!(minor(0, "500"), Some(500));
    assert_eq!(minor(2, "5"), Some(500));
    assert_eq!(minor(4, "1"), Some(10_000));
    assert_eq!(minor(0, "9223372036854775807"), Some(i64::MAX));
    for bad in [
        "",
        "0",
        "00",
        "0500",
        "-5",
        "+5",
        "1.5",
        "1,5",
        " 5",
        "5 ",
        "5e2",
        "٥",
        "９",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999999999999999999",
    ] {
        assert_eq!(minor(0, bad), None, "{bad}");
    }
    assert_eq!(minor(2, "92233720368547758"), Some(9_223_372_036_854_775_800));
    assert_eq!(minor(2, "92233720368547759"), None, "over i64 in minor units");
}

proptest! {
    #[test]
    fn any_fields_read_without_panic(fields in proptest::collection::vec(any::<String>(), 0..12), form in 0..5_usize) {
        let forms = [Form::Activation, Form::Interrogation, Form::Registration, Form::Erasure, Form::Deactivation];
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        for template in ["AMOUNT*RECIPIENT*PASSWORD", "PASSWORD*AMOUNT*RECIPIENT", "RECIPIENT*AMOUNT"] {
            let request = plan(template).read(forms[form], &fields);
            prop_assert!(fields.len() <= 5 || request.is_none());
        }
    }

    #[test]
    fn any_text_is_an_amount_or_not(text in any::<String>(), minor_digits in 0..=4_u8) {
        let _ = parse_amount(&Unit { names: Vec::new(), minor_digits }, &text);
    }

    #[test]
    fn any_text_is_a_template_or_not(text in any::<String>()) {
        let _ = Template::parse(&text);
    }
}
