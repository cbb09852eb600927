use std::collections::HashSet;

use super::{EN, KO, Message, TextFault, Texts, Voice};
use crate::testing::{at, msisdn, rules, rules_with};
use domain::ids::Language;
use domain::refusal::Refusal;
use domain::rules::Rules;
use expect_test::expect;
use wire::text::Budget;

fn voice<'a>(texts: &'a Texts, rules: &'a Rules, language: Language) -> Voice<'a> {
    Voice { texts, rules, language, budget: Budget::USSD, now: at("2026-11-22T05:00:00Z") }
}

#[test]
fn every_text_of_both_profiles_fits_every_screen() {
    let texts = Texts::embedded();
    let asks = ("ask_occasion = false", "ask_occasion = true");
    for (profile, replace) in [("koryolink", &[][..]), ("koryolink", &[asks]), ("kangsong", &[]), ("kangsong", &[asks])]
    {
        for budget in [Budget::USSD, Budget::USSD_OSMOHLR] {
            let problems = texts.check(&rules_with(profile, replace), budget).err().unwrap_or_default();
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(lines.is_empty(), "{profile} {budget:?}:\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn both_languages_have_the_same_texts_and_no_others() {
    for source in [KO, EN] {
        let ids: Vec<&str> = source
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" ="))
            .map(|(id, _)| id)
            .filter(|id| !id.starts_with("greeting-") && !id.starts_with("occasion-"))
            .collect();
        let known: HashSet<&str> = Message::ALL.iter().map(|message| message.id()).collect();
        for id in &ids {
            assert!(known.contains(id), "{id} is said nowhere");
        }
        assert_eq!(ids.len(), known.len());
    }
}

#[test]
fn a_refusals_text_has_its_public_name() {
    let (texts, rules) = (Texts::embedded(), rules("koryolink"));
    let voice = voice(&texts, &rules, Language::English);
    for refusal in super::check::refusals(&voice) {
        let id = voice.refusal(&refusal).message.id();
        let (prefix, name) = (format!("refusal-{}", refusal.name()), refusal.name());
        let of_its_own = id == prefix || id.starts_with(&format!("{prefix}-"));
        // What the office alone is told has one text for all of it: no phone can ask for such things.
        let office = matches!(refusal, Refusal::Office(_)) && id == "refusal-office-only";
        assert!(of_its_own || office || name == "card-not-usable", "{name} reads {id}");
    }
}

#[test]
fn a_profile_whose_texts_do_not_fit_is_refused() {
    let texts = Texts::embedded();
    let long = rules_with("koryolink", &[("ko = \"원\"", "ko = \"원원원원원원원원원원원원원원원원원원원원\"")]);
    let problems = texts.check(&long, Budget::USSD).expect_err("too long");
    assert!(problems.iter().all(|problem| problem.language == Language::Korean));
    assert!(problems.iter().any(|problem| matches!(problem.fault, TextFault::TooLong(_))));
    let letters = rules_with("koryolink", &[("en = \"won\"", "en = \"₩\"")]);
    let problems = texts.check(&letters, Budget::USSD).expect_err("letters");
    assert!(problems.iter().all(|problem| matches!(problem.fault, TextFault::NotGsm7(_))));
    let occasion = rules_with("koryolink", &[("\"exam\"", "\"anniversary\"")]);
    let problems = texts.check(&occasion, Budget::USSD).expect_err("no such greeting");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["text greeting-anniversary in ko: is missing", "text greeting-anniversary in en: is missing"]);
}

#[test]
fn missing_texts_and_unfilled_variables_are_found() {
    let texts = Texts {
        korean: super::bundle(Language::Korean, &KO.replace("\nbusy = ", "\nbussy = ")),
        english: super::bundle(Language::English, &EN.replace("Receipt { $receipt }", "Receipt { $recipt }")),
    };
    let problems = texts.check(&rules("koryolink"), Budget::USSD).expect_err("broken");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        text busy in ko: is missing
        text refusal-repeated-top-up in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text last-given in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text given in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text held in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text given-fee in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text held-fee in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-gift in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-gift-greeting in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-gave in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-topped-up in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-gave-fee in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-topped-up-fee in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-held in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-undone in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-hold-voided in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-hold-voided-full in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-hold-voided-card in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-hold-voided-sender in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt
        text sms-hold-voided-closed in en: has a variable that nothing fills: Resolver error: Unknown variable: $recipt"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn money_and_minutes() {
    let texts = Texts::embedded();
    let mut all = String::new();
    for minor_digits in ["0", "2"] {
        let rules = rules_with("koryolink", &[("minor_digits = 0", &format!("minor_digits = {minor_digits}"))]);
        for language in Language::ALL {
            let voice = voice(&texts, &rules, language);
            let line = |minor| format!("{} ({})", voice.money(minor), voice.minutes(minor));
            all.push_str(&format!("{}\n", [0, 3, 4, 105, 240, 500, 48_000, i64::MAX].map(line).join(" | ")));
        }
    }
    expect![[r#"
        0원 (0분) | 3원 (0분) | 4원 (1분) | 105원 (26분) | 240원 (1시간) | 500원 (2시간 5분) | 48000원 (200시간) | 9223372036854775807원 (38430716820228232시간 31분)
        0 won (0 min) | 3 won (0 min) | 4 won (1 min) | 105 won (26 min) | 240 won (1 h) | 500 won (2 h 5 min) | 48000 won (200 h) | 9223372036854775807 won (38430716820228232 h 31 min)
        0원 (0분) | 0.03원 (0분) | 0.04원 (0분) | 1.05원 (0분) | 2.40원 (0분) | 5원 (1분) | 480원 (2시간) | 92233720368547758.07원 (384307168202282시간 19분)
        0 won (0 min) | 0.03 won (0 min) | 0.04 won (0 min) | 1.05 won (0 min) | 2.40 won (0 min) | 5 won (1 min) | 480 won (2 h) | 92233720368547758.07 won (384307168202282 h 19 min)
    "#]].assert_eq(&all);
}

#[test]
fn times_are_the_operators_and_as_short_as_today_allows() {
    let (texts, rules) = (Texts::embedded(), rules("koryolink"));
    let mut all = String::new();
    for language in Language::ALL {
        let voice = voice(&texts, &rules, language);
        let times = ["2026-11-22T05:15:00Z", "2026-11-22T14:59:00Z", "2026-11-22T15:00:00Z", "2026-12-31T15:00:00Z"];
        all.push_str(&format!("{}\n", times.map(|time| voice.when(at(time))).join(" | ")));
        let numbers = ["8501912345678", "8613800138000", "850191234"];
        all.push_str(&format!("{}\n", numbers.map(|number| voice.number(msisdn(number))).join(" | ")));
    }
    expect![[r#"
        14:15 | 23:59 | 11월 23일 00:00 | 2027.1.1 00:00
        0191 234 5678 | +8613800138000 | 0191234
        14:15 | 23:59 | 23 Nov 00:00 | 1 Jan 2027 00:00
        0191 234 5678 | +8613800138000 | 0191234
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_text_past_every_measure_says_so_and_is_not_cut() {
    let (texts, rules) = (Texts::embedded(), rules("koryolink"));
    let amount = domain::money::Amount::try_new(i64::MAX).expect("positive");
    let say = crate::say::Say::Did(crate::say::Did::Given {
        to: msisdn("8501921112222"),
        amount,
        fee_minor: i64::MAX,
        left_minor: i64::MAX,
        seq: domain::receipt::Seq(u64::MAX),
    });
    for (language, budget) in
        [(Language::Korean, Budget::USSD_OSMOHLR), (Language::English, Budget { septets: 80, ucs2: 40 })]
    {
        let voice = Voice { budget, ..voice(&texts, &rules, language) };
        let text = voice.say(&say);
        assert!(!text.contains("922"), "{text}");
        assert!(!text.is_empty());
    }
}

#[test]
fn the_smallest_budget_of_the_links_in_use() {
    assert_eq!(super::smallest([]), Budget::USSD);
    assert_eq!(super::smallest([Budget::USSD, Budget::USSD_OSMOHLR, Budget::USSD]), Budget::USSD_OSMOHLR);
    let mixed = [Budget { septets: 100, ucs2: 70 }, Budget::USSD_OSMOHLR, Budget { septets: 400, ucs2: 400 }];
    assert_eq!(super::smallest(mixed), Budget { septets: 100, ucs2: 56 });
}

#[test]
fn a_menu_that_asks_for_greetings_has_their_names() {
    let texts = Texts::embedded();
    let asks = ("ask_occasion = false", "ask_occasion = true");
    let rules = rules_with("koryolink", &[asks]);
    for budget in [Budget::USSD, Budget::USSD_OSMOHLR] {
        assert_eq!(texts.check(&rules, budget), Ok(()));
    }
    let other = rules_with("koryolink", &[asks, ("\"exam\"", "\"anniversary\"")]);
    let problems = texts.check(&other, Budget::USSD).expect_err("no such name");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(lines.contains(&String::from("text occasion-anniversary in ko: is missing")), "{lines:?}");
}

/// The menu is what most people read first: a name in Hangul would make UCS-2 of it and leave room for the short form only.
#[test]
fn the_english_menu_is_gsm_7_and_whole_on_every_screen() {
    let (texts, rules) = (Texts::embedded(), rules("koryolink"));
    for budget in [Budget::USSD, Budget::USSD_OSMOHLR] {
        let voice = Voice { budget, ..voice(&texts, &rules, Language::English) };
        let menu = voice.say(&crate::say::Say::Menu);
        assert_eq!(wire::text::choose(&menu), wire::text::Coding::Gsm7, "{menu}");
        assert!(menu.starts_with("1 Give\n2 My phone\n") && menu.ends_with("\n8 Chosonmal"), "{menu}");
    }
    let menu = voice(&texts, &rules, Language::Korean).say(&crate::say::Say::Menu);
    assert!(menu.ends_with("8 English"), "{menu}");
}

/// [`Texts::check`] looks at both forms of every English text: one letter from outside costs half the screen.
#[test]
fn a_letter_outside_gsm_7_is_found_in_either_form() {
    for (from, to) in [
        ("Password? 0 back 00 exit", "Password… 0 back 00 exit"),
        ("Careful: before", "Careful – before"),
        ("Airtime { $amount } ({ $minutes }) from { $from }. Receipt", "Airtime { $amount } – { $from }. Receipt"),
        ("Happy birthday!", "Happy birthday ♥"),
        ("occasion-wedding = wedding", "occasion-wedding = wédding—"),
    ] {
        assert!(EN.contains(from), "{from}");
        let texts = Texts {
            korean: super::bundle(Language::Korean, KO),
            english: super::bundle(Language::English, &EN.replace(from, to)),
        };
        let rules = rules_with("koryolink", &[("ask_occasion = false", "ask_occasion = true")]);
        let problems = texts.check(&rules, Budget::USSD).expect_err(to);
        assert!(problems.iter().all(|problem| matches!(problem.fault, TextFault::NotGsm7(_))), "{to}: {problems:?}");
    }
}
