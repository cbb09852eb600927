//! A month of a small operator: counted, tried under other rules, and drawn.

pub(super) mod world;

use domain::rules::Unit;

use super::balances::{books, liabilities, trial_balance};
use super::fold::Journal;
use super::month::{self, Month, MonthEnd};
use super::table::Table;
use super::tally::Tally;
use super::trial::{Day, Trial};
use super::{chart, tables};
use world::{World, rules};

fn november() -> Month {
    "2026-11".parse().expect("a month")
}

fn csv(table: &Table) -> String {
    let mut out = Vec::new();
    table.csv(&mut out).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

fn counted(journal: &Journal) -> (Tally, MonthEnd, Table) {
    let (mut tally, mut opening) = (Tally::default(), None);
    let end = month::fold(journal, &mut |_| {}, "koryolink", november(), 0, |seen| {
        opening.get_or_insert_with(|| books(seen.state, seen.operator));
        tally.see(&seen);
    });
    let end = end.expect("folded");
    let closing = books(&end.state, end.operator);
    let balance = trial_balance(&opening.expect("an entry"), &tally.turnover, &closing, unit(&end));
    (tally, end, balance)
}

fn unit(end: &MonthEnd) -> &Unit {
    &end.rules().expect("rules").unit
}

#[test]
fn a_month_is_counted() {
    let (_, journal) = World::november().written();
    let (tally, end, balance) = counted(&journal);
    assert!(end.over, "an entry of December follows");
    assert_eq!(
        csv(&tables::money(&tally, &end.state)),
        "currency,outlet,outlet_name,date,sales_minor,refunds_minor,pay_outs_minor,adjusted_minor,deposits_minor,\
         withdrawals_minor\n\
         USD,,,2026-11-03,0,0,500,0,0,0\n\
         USD,1,Pothonggang,2026-11-02,1000,500,0,0,0,0\n"
    );
    assert_eq!(
        csv(&tables::gifts(&tally, end.rules().expect("rules"))),
        "date,occasion,above_minor,up_to_minor,gifts,amount_minor,fees_minor,taxes_minor\n\
         2026-11-02,,50,100,1,60,4,1\n\
         2026-11-02,birthday,50,100,1,100,4,1\n\
         2026-11-03,,200,500,1,300,4,1\n\
         2026-11-05,,200,500,1,500,4,1\n"
    );
    assert_eq!(csv(&tables::refusals(&tally)), "command,refusal,detail,count\ngift,amount-above-maximum,,2\n");
    assert_eq!(
        csv(&tables::breakage(&tally, end.rules().expect("rules"))),
        "date,cards,breakage_minor\n2026-11-29,1,830\n"
    );
    assert_eq!(balance.notes, Vec::<String>::new());
    assert_eq!(
        csv(&balance),
        "unit,account,accounts,opening_minor,debit_minor,credit_minor,balance_minor\n\
         airtime,card,6,3000,2810,1000,1190\n\
         airtime,airtime,3,0,0,960,960\n\
         airtime,held,0,0,0,0,0\n\
         airtime,fee-income,1,0,0,16,16\n\
         airtime,tax-payable,1,0,0,4,4\n\
         airtime,call-income,1,0,0,0,0\n\
         airtime,breakage,1,0,0,830,830\n\
         airtime,refunded,1,0,0,1000,1000\n\
         airtime,position,1,-3000,1000,0,-4000\n\
         airtime,all,15,0,3810,3810,0\n\
         USD,float,1,10000,1000,500,9500\n\
         USD,cash,1,0,1000,1000,0\n\
         USD,cash-position,1,-10000,0,500,-9500\n\
         USD,all,3,0,2000,2000,0\n"
    );
}

#[test]
fn what_is_owed_to_cards() {
    let mut world = World::new();
    world.freeze(2);
    world.on("2026-11-02T01:00:00Z");
    let (_, journal) = world.sold().written();
    let (_, end, _) = counted(&journal);
    assert!(!end.over, "nothing follows");
    let (cards, totals) = liabilities(&end.state, end.operator, unit(&end));
    assert_eq!(
        csv(&cards),
        "serial,state,balance_minor,currency,price_minor,value_minor,pay_out_minor\n\
         00000001,bound,1000,,,,\n\
         00000002,frozen,1000,,,,\n\
         00000003,bound,1000,,,,\n\
         00000004,sold,500,USD,500,500,500\n\
         00000005,sold,500,USD,500,500,500\n"
    );
    assert_eq!(
        csv(&totals),
        "currency,cards,balance_minor,price_minor,value_minor,pay_out_minor\n\
         ,3,3000,,,\n\
         USD,2,1000,1000,1000,1000\n"
    );
}

#[test]
fn a_trial_balance_says_where_it_is_wrong() {
    let mut world = World::new();
    world.on("2026-11-02T01:00:00Z");
    world.gift(2, 1, 50, None);
    // The fee account gets one too many, as no transfer says.
    world.spoil(|entry| entry.verdict.effects.balances[2].after_minor += 1);
    let (_, journal) = world.written();
    let (_, _, balance) = counted(&journal);
    assert_eq!(
        balance.notes,
        [
            "fee-income in airtime: the movements lead to 4, the balances say 5",
            "the accounts in airtime add up to 1, not to 0"
        ]
    );
}

#[test]
fn an_operator_that_is_not_there() {
    let (_, journal) = World::new().written();
    let failure = month::fold(&journal, &mut |_| {}, "kangsong", november(), 0, |_| {}).expect_err("nobody");
    assert!(failure.to_string().contains("no operator is called kangsong"), "{failure}");
}

#[test]
fn charts_show_their_numbers() {
    let (_, journal) = World::november().written();
    let (tally, end, _) = counted(&journal);
    let gifts = chart::gifts(&tally, end.month, "koryolink").expect("drawn");
    let money = chart::money(&tally, end.month, "koryolink").expect("drawn");
    let refusals = chart::refusals(&tally, end.month, "koryolink").expect("drawn");
    let [money] = money.as_slice() else { panic!("one currency") };
    assert_eq!(money.name, "money-usd");
    for (svg, words) in [
        (&gifts.svg, &["koryolink: gifts per day, 2026-11", "2", "30"][..]),
        (&money.svg, &["10.00", "5.00"][..]),
        (&refusals.svg, &["amount-above-maximum", "2"][..]),
    ] {
        assert!(!svg.contains("=\"-"), "nothing has a size below zero: {svg}");
        let texts = texts(svg);
        for word in words {
            assert!(texts.iter().any(|text| text == word), "{word}: {texts:?}");
        }
    }
    // A month without anything is a chart without bars.
    assert!(chart::gifts(&Tally::default(), end.month, "koryolink").is_ok());
    assert!(chart::refusals(&Tally::default(), end.month, "koryolink").is_ok());
}

/// The texts of a well-formed SVG: every element that opens is closed by its own name.
fn texts(svg: &str) -> Vec<String> {
    let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), svg);
    while let Some((before, after)) = rest.split_once('<') {
        if open.last() == Some(&"text") && !before.trim().is_empty() {
            texts.push(String::from(before.trim()));
        }
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().expect("a name");
        match (tag.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name.trim()), "closed in order"),
            (None, true) => {}
            (None, false) => open.push(name),
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    texts
}

#[test]
fn proposed_rules_are_tried_on_a_month() {
    let (_, journal) = World::november().written();
    let proposed = rules(
        "[[period.limit]]\nname = \"a-day\"\nkind = \"gift\"\nsubject = \"sender\"\nmeasure = \"total\"\nceiling = 350\n\
         window = \"business-day\"\n[[period.limit]]\nname = \"two\"\nkind = \"gift\"\nsubject = \"sender\"\n\
         measure = \"count\"\nceiling = 1\nwindow = { days = 30 }\n",
    );
    let (trial, _) = Trial::of(&journal, &mut |_| {}, "koryolink", november(), &proposed).expect("tried");
    let total = trial.total();
    assert_eq!((total.gifts, total.amount, total.refused, total.refused_amount), (4, 960, 2, 560));
    assert_eq!((total.other_fee, total.paid, total.proposed), (0, 10, 10));
    let unit = &proposed.unit;
    assert_eq!(
        csv(&trial.refusals(unit)),
        "refusal,detail,gifts,amount_minor\nlimit-reached,a-day,1,500\nlimit-reached,two,1,60\n"
    );
    assert_eq!(
        csv(&trial.days(unit)),
        "date,gifts,amount_minor,refused,refused_amount_minor,other_fee,fees_paid_minor,fees_proposed_minor\n\
         2026-11-02,2,160,1,60,0,5,5\n\
         2026-11-03,1,300,0,0,0,5,5\n\
         2026-11-05,1,500,1,500,0,0,0\n"
    );
    let (same, _) = Trial::of(&journal, &mut |_| {}, "koryolink", november(), &rules("")).expect("tried");
    assert_eq!(same.total(), Day { gifts: 4, amount: 960, paid: 20, proposed: 20, ..Day::default() });
}
