//! Scenarios as text: who does what when, and what they hear.
//!
//! ```text
//! koryolink from 2020-06-08                        loads a profile; `| …` lines after it are rules, see `profile`
//! 191…001 has a card with 1000                     declarations: nothing is said
//! 191…002 is known since 2020-01-01                also: is nobody yet · has SIM 467…
//! 2020-06-08 23:59  191…001 gives 500 to 191…002   acts: a line is said for each
//! ```
//!
//! Times are the operator's (or instants, `2015-08-14T15:15:00Z`); a line without one happens when the line above did. Every
//! number in a script that an operator owns is imported first, unless it *is nobody yet*. Acts may end with
//! `password 111111`, `over 2` (a link), `via kangsong`, `swapped`, `times 3`; the password is 482913 otherwise, the link 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::Expect;

use super::profile;
use super::say;

use crate::card::Voiding;
use crate::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Dialled, Gift, ImportSubscribers,
    IssueCards, LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, SubscriberChange, TopUp,
};
use crate::ids::{CardId, Language, OperatorId, Serial, Staff};
use crate::money::Amount;
use crate::number::{Imsi, Msisdn};
use crate::password::Password;
use crate::receipt::Seq;
use crate::testing::{self, PASSWORD, World, card_number, seconded};
use crate::time::{BusinessDate, Timestamp, Zone};
use crate::verdict::{Outcome, Verdict};

pub(super) const STAFF: Staff = Staff(1000);
/// Whoever approves what [`STAFF`] proposes.
pub(super) const SECOND: Staff = Staff(1001);

/// Plays a script and compares what is said.
#[track_caller]
pub(super) fn check(script: &str, expected: Expect) {
    expected.assert_eq(&play(script).said);
}

/// Plays a script.
pub(super) fn play(script: &str) -> Stage {
    let lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_head = |line: &str| line.starts_with('|') || line.split_whitespace().nth(1) == Some("from");
    let heads = lines.iter().take_while(|line| is_head(line)).count();
    let (head, rest) = lines.split_at(heads);
    let mut stage = Stage::open(head);
    stage.import_everybody(rest);
    let mut rest = rest.iter().peekable();
    while let Some(line) = rest.next() {
        let mut rules = Vec::new();
        while let Some(rule) = rest.next_if(|line| line.starts_with('|')) {
            rules.push(rule.trim_start_matches('|').trim());
        }
        stage.line(line, &rules);
    }
    stage
}

/// What acts may end with.
struct Extras<'a> {
    password: &'a str,
    link: u16,
    sim: Option<Imsi>,
    via: Option<&'a str>,
    times: u32,
    swapped: bool,
}

/// A script being played.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) said: String,
    /// The answer to the latest act.
    pub(super) outcome: Option<Outcome>,
    zone: Zone,
    numbers_made: u64,
}

impl Stage {
    /// Loads what the first lines say.
    fn open(head: &[&str]) -> Self {
        let date = head.first().and_then(|line| line.split_whitespace().nth(2)).expect("PROFILE from DATE");
        let date: jiff::civil::Date = date.trim_end_matches(':').parse().expect("a date");
        let mut stage: Option<Self> = None;
        let mut lines = head.iter().peekable();
        while let Some(line) = lines.next() {
            let name = line.split_whitespace().next().expect("a name");
            let mut keys = Vec::new();
            while let Some(key) = lines.next_if(|line| line.starts_with('|')) {
                keys.push(key.trim_start_matches('|').trim());
            }
            let zone = profile::rules(name, &keys).zone;
            let stage = stage.get_or_insert_with(|| Self {
                world: World::new(zone.start_of(BusinessDate::from_civil(date))),
                said: String::new(),
                outcome: None,
                zone,
                numbers_made: 0,
            });
            stage.done(&load(name, &keys));
        }
        stage.expect("a profile")
    }

    /// Imports the numbers that the script mentions, with what it declares of them.
    fn import_everybody(&mut self, lines: &[&str]) {
        let mut people: BTreeMap<Msisdn, NewSubscriber> = BTreeMap::new();
        let mut nobody = Vec::new();
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches([',', ';'])).collect();
            let imports = words.contains(&"imports");
            for msisdn in words.iter().filter(|_| !imports).filter_map(|word| number(word)) {
                let new = NewSubscriber { msisdn, imsi: None, language: None, since: None, airtime: None };
                people.entry(msisdn).or_insert(new);
            }
            match words.as_slice() {
                [who, "is", "nobody", ..] => nobody.extend(number(who)),
                [who, "is", "known", "since", date] => {
                    let date: jiff::civil::Date = date.parse().expect("a date");
                    let since = self.zone.start_of(BusinessDate::from_civil(date));
                    people.get_mut(&number(who).expect("a number")).expect("somebody").since = Some(since);
                }
                [who, "has", "SIM", imsi] => {
                    people.get_mut(&number(who).expect("a number")).expect("somebody").imsi = Imsi::parse(imsi).ok();
                }
                _ => {}
            }
        }
        let operators: Vec<OperatorId> = self.world.state.operators().map(|(id, _)| id).collect();
        for operator in operators {
            let rules = Arc::clone(&self.world.state.operator(operator).expect("an operator").rules);
            let own = |new: &&NewSubscriber| rules.numbers.is_own(new.msisdn) && !nobody.contains(&new.msisdn);
            let subscribers: Vec<NewSubscriber> = people.values().filter(own).copied().collect();
            self.done(&Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator, subscribers }));
        }
    }

    /// Does something that must succeed.
    fn done(&mut self, body: &Body) -> Verdict {
        let verdict = self.world.act(body);
        assert!(matches!(verdict.outcome, Outcome::Done(_)), "{}: {:?}", body.name(), verdict.outcome);
        verdict
    }

    /// Plays one line, with the rules that stand after it.
    pub(super) fn line(&mut self, line: &str, rules: &[&str]) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let words = self.clock(&words);
        match words {
            [_, "is", "nobody", "yet"] | [_, "is", "known", ..] | [_, "has", "SIM", _] => {}
            [who, "has", "a", "card", "with", value, extras @ ..] => self.has_a_card(who, value, &read_extras(extras)),
            ["keys", "rotate"] => self.world.rotate_keys(),
            ["keys", "retire"] => self.world.retire_older_key(),
            _ => {
                let from = words.iter().position(|word| is_extra(word)).unwrap_or(words.len());
                let (act, extras) = words.split_at(from);
                let extras = read_extras(extras);
                for _ in 0..extras.times {
                    self.act(act, &extras, rules);
                }
            }
        }
    }

    /// Sets the clock to what the line begins with.
    fn clock<'a, 'b>(&mut self, words: &'a [&'b str]) -> &'a [&'b str] {
        if let [instant, rest @ ..] = words
            && let Ok(at) = Timestamp::parse(instant)
        {
            self.world.at = at;
            return rest;
        }
        let (date, time, rest) = match words {
            [date, time, rest @ ..] if date.parse::<jiff::civil::Date>().is_ok() => {
                (date.parse().expect("a date"), *time, rest)
            }
            [time, rest @ ..] if time.parse::<jiff::civil::Time>().is_ok() => {
                (self.zone.civil(self.world.at).date(), *time, rest)
            }
            _ => return words,
        };
        let time: jiff::civil::Time = time.parse().expect("a time");
        self.world.at = self.zone.instant(date.to_datetime(time));
        rest
    }

    fn has_a_card(&mut self, who: &str, value: &str, extras: &Extras<'_>) {
        let msisdn = number(who).expect("a number");
        let operator = self.world.operator_of(msisdn);
        self.done(&self.issue(operator, &[value], extras.password));
        self.numbers_made += 1;
        let card = format!("card-{}", self.world.state.rows().1);
        self.done(&self.bind(who, &card, extras));
    }

    fn act(&mut self, words: &[&str], extras: &Extras<'_>, rules: &[&str]) {
        let body = self.body(words, extras, rules).unwrap_or_else(|| panic!("no such act: {words:?}"));
        let verdict = self.world.act(&body);
        // Whoever loads rules or voids a card in a script has somebody beside them who approves.
        let verdict = match seconded(&verdict, SECOND) {
            Some(approval) if !words.contains(&"proposes") => self.world.act(&approval),
            _ => verdict,
        };
        if let Body::IssueCards(issue) = &body {
            self.numbers_made += issue.cards.len() as u64;
        }
        let said = match &body {
            Body::ShowGifts(_) if matches!(verdict.outcome, Outcome::Done(_)) => self.history(&body),
            _ => say::outcome(&verdict.outcome, &body, &self.zone),
        };
        self.said += &said;
        self.said += "\n";
        self.outcome = Some(verdict.outcome);
    }

    fn body(&self, words: &[&str], extras: &Extras<'_>, rules: &[&str]) -> Option<Body> {
        match words {
            ["care", rest @ ..] => care(rest),
            [name, "loads"] => Some(load(name, rules)),
            [name, "imports", lines @ ..] => self.import(name, lines),
            [name, "issues", values @ ..] => Some(self.issue(self.operator(name)?, values, extras.password)),
            [card, "expires"] => Some(Body::ExpireCard(CardId(serial(card)?.0 - 1))),
            [who, rest @ ..] => self.subscriber(who, rest, extras),
            [] => None,
        }
    }

    fn subscriber(&self, who: &str, words: &[&str], extras: &Extras<'_>) -> Option<Body> {
        let mut caller = Caller { imsi: extras.sim, ..self.world.caller(number(who)?, extras.link) };
        if let Some(name) = extras.via {
            caller.operator = self.operator(name).unwrap_or(OperatorId(99));
        }
        let proof = |digits| self.world.proof(&caller, digits);
        let proved = Proved { caller, proof: proof(extras.password) };
        Some(match words {
            ["gives", units, "to", to] => Body::Gift(Gift {
                caller,
                recipient: Dialled::from(number(to)),
                amount: amount(units),
                proof: proved.proof,
                swapped: extras.swapped,
                occasion: None,
            }),
            ["tops", "up", units] => Body::TopUp(TopUp { caller, amount: amount(units), proof: proved.proof }),
            ["asks", "balance"] => Body::ShowCards(proved),
            ["asks", "history"] => Body::ShowGifts(proved),
            ["freezes"] => Body::Freeze(proved),
            ["undoes"] => Body::Undo(proved),
            ["binds", card] => self.bind(who, card, extras),
            ["changes", old, "to", new, again @ ..] => {
                let new = self.new_password(&caller, new, again.last().unwrap_or(new));
                Body::ChangePassword(ChangePassword { caller, old: proof(*old), new })
            }
            ["speaks", tag] => Body::SetLanguage(SetLanguage { caller, language: Language::from_tag(tag)? }),
            _ => return None,
        })
    }

    /// What an edge sees in the two that were typed.
    fn new_password(&self, caller: &crate::command::Caller, new: &str, again: &str) -> NewPassword {
        match (Password::parse(new), self.world.holder_tag(caller, new)) {
            (Ok(_), _) if new != again => NewPassword::Differ,
            (Ok(password), _) if password.is_trivial() => NewPassword::Trivial,
            (Ok(_), Some(tag)) => NewPassword::Tag(tag),
            _ => NewPassword::Malformed,
        }
    }

    fn bind(&self, who: &str, card: &str, extras: &Extras<'_>) -> Body {
        let mut caller = Caller { imsi: extras.sim, ..self.world.caller(number(who).expect("a number"), extras.link) };
        if let Some(name) = extras.via {
            caller.operator = self.operator(name).expect("an operator");
        }
        let known = serial(card).and_then(|serial| self.world.state.card_of_serial(serial));
        let number = match card {
            "?" => Dialled::Malformed,
            _ => Dialled::Value(known.map_or(card_number(999), |(_, card)| card.facts.number)),
        };
        Body::Bind(Bind {
            caller,
            number,
            proof: self.world.card_proof(caller.operator, number, extras.password),
            holder_tag: self.world.holder_tag(&caller, extras.password),
        })
    }

    fn issue(&self, operator: OperatorId, values: &[&str], password: &str) -> Body {
        let cards = (self.numbers_made + 1..).zip(values).map(|(n, value)| {
            let (n, value) =
                value.split_once('#').map_or((n, *value), |(n, value)| (n.parse().expect("a card"), value));
            let number = card_number(n);
            let password = testing::password(password);
            let tag = self.world.keys.current().card(operator, number, &password);
            NewCard { number, tag, value: minor(value).expect("an amount") }
        });
        Body::IssueCards(IssueCards { staff: STAFF, operator, cards: cards.collect() })
    }

    fn import(&self, operator: &str, words: &[&str]) -> Option<Body> {
        let line = |words: &[&str]| {
            let (who, rest) = words.split_first()?;
            let msisdn = number(who)?;
            let mut new = NewSubscriber { msisdn, imsi: None, language: None, since: None, airtime: None };
            for pair in rest.chunks(2) {
                match pair {
                    ["with", airtime] => new.airtime = minor(airtime),
                    ["SIM", imsi] => new.imsi = Imsi::parse(imsi).ok(),
                    ["in", tag] => new.language = Language::from_tag(tag),
                    _ => return None,
                }
            }
            Some(new)
        };
        let subscribers = words.split(|word| *word == "and").map(line).collect::<Option<_>>()?;
        let operator = self.operator(operator).unwrap_or(OperatorId(99));
        Some(Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator, subscribers }))
    }

    fn operator(&self, name: &str) -> Option<OperatorId> {
        self.world.state.operators().find(|(_, operator)| operator.rules.operator == name).map(|(id, _)| id)
    }

    /// Walks the caller's chain from the entry just made: newest first.
    fn history(&self, body: &Body) -> String {
        let (id, row) = self.world.state.find_subscriber(body.caller().expect("a caller").msisdn).expect("somebody");
        let mut seq = row.latest;
        let mut names = Vec::new();
        while seq != Seq::ZERO {
            let at = usize::try_from(seq.0).expect("a place") - 1;
            let entry = self.world.journal[at].entry();
            let refused = matches!(entry.verdict.outcome, Outcome::Refused(_));
            names.push(format!("{}{}", entry.body.name(), if refused { " (refused)" } else { "" }));
            let effects = &entry.verdict.effects;
            let named = effects.named().find(|named| named.subscriber == id);
            seq = named.expect("an entry of the chain names them").prev;
        }
        names.join(" < ")
    }
}

fn load(name: &str, lines: &[&str]) -> Body {
    let rules = Arc::new(profile::rules(name, lines));
    Body::LoadRules(LoadRules { staff: STAFF, rules, file_hash: [7; 32], from: Some(Timestamp::MIN) })
}

fn care(words: &[&str]) -> Option<Body> {
    let subscriber = |who: &str, change| {
        Some(Body::ChangeSubscriber(ChangeSubscriber { staff: STAFF, msisdn: number(who)?, change }))
    };
    let card = |card: &str, change| Some(Body::ChangeCard(ChangeCard { staff: STAFF, serial: serial(card)?, change }));
    match words {
        ["bars", who] => subscriber(who, SubscriberChange::Bar),
        ["unbars", who] => subscriber(who, SubscriberChange::Unbar),
        ["unlocks", who] => subscriber(who, SubscriberChange::Unlock),
        ["releases", who] => subscriber(who, SubscriberChange::Release),
        ["gives", who, "SIM", imsi] => subscriber(who, SubscriberChange::ChangeImsi(Imsi::parse(imsi).ok()?)),
        ["speaks", tag, "to", who] => subscriber(who, SubscriberChange::SetLanguage(Language::from_tag(tag)?)),
        ["freezes", which] => card(which, CardChange::Freeze),
        ["thaws", which] => card(which, CardChange::Thaw),
        ["voids", which] => card(which, CardChange::Void(Voiding::Lost)),
        ["unblocks", which] => card(which, CardChange::UnblockBinding),
        _ => None,
    }
}

/// `card-3`.
fn serial(word: &str) -> Option<Serial> {
    word.strip_prefix("card-")?.parse().ok().map(Serial)
}

fn minor(word: &str) -> Option<Amount> {
    Amount::try_new(word.parse().ok()?)
}

/// `?` and 0 are malformed.
fn amount(word: &str) -> Dialled<Amount> {
    Dialled::from(minor(word))
}

fn is_extra(word: &str) -> bool {
    matches!(word, "password" | "over" | "with-sim" | "via" | "swapped" | "times")
}

fn read_extras<'a>(words: &[&'a str]) -> Extras<'a> {
    let mut extras = Extras { password: PASSWORD, link: 1, sim: None, via: None, times: 1, swapped: false };
    let mut words = words;
    loop {
        words = match words {
            [] => return extras,
            ["password", digits, rest @ ..] => {
                extras.password = *digits;
                rest
            }
            ["over", link, rest @ ..] => {
                extras.link = link.parse().expect("a link");
                rest
            }
            ["with-sim", imsi, rest @ ..] => {
                extras.sim = Some(Imsi::parse(imsi).expect("an identity"));
                rest
            }
            ["via", name, rest @ ..] => {
                extras.via = Some(*name);
                rest
            }
            ["swapped", rest @ ..] => {
                extras.swapped = true;
                rest
            }
            ["times", n, rest @ ..] => {
                extras.times = n.parse().expect("a number");
                rest
            }
            other => panic!("not understood: {other:?}"),
        };
    }
}

/// `191…001` is 850 191 0000 001.
pub(super) fn number(short: &str) -> Option<Msisdn> {
    let (prefix, suffix) = short.split_once('…')?;
    Msisdn::parse(&format!("850{prefix}{suffix:0>7}")).ok()
}
