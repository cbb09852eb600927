//! How values read in a text: money, minutes, numbers, times, dial strings.
//!
//! Guarantees: no float, no locale of the machine; a time is in the operator's zone and as short as it can be said on the
//! day it is read. Deliberately not here: sentences (the `.ftl` files).

use domain::ids::Language;
use domain::number::Msisdn;
use domain::receipt::{Seq, receipt};
use domain::rules::limit::{Kind, Limit, Measure, Subject, Window};
use domain::rules::{LimitName, Rules};
use domain::time::{BusinessDate, Timestamp};

use super::message::Message;
use super::{Args, Voice};
use crate::say::FullForm;

const MINUTES_IN_HOUR: i64 = 60;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A language's name in its own letters, for those who can't read the others: on the screen to choose one.
pub(super) const fn own_name(language: Language) -> &'static str {
    match language {
        Language::Korean => "조선말",
        Language::English => "English",
    }
}

/// A language's name on a screen in another one, in that one's letters: a single word in Hangul would cost the whole screen
/// more than half of its room, and an old handset shows it as boxes. English writes the name as it sounds, for who looks for
/// it does not read English.
const fn name_in(language: Language, of: Language) -> &'static str {
    match (language, of) {
        (Language::English, Language::Korean) => "Chosonmal",
        (Language::Korean | Language::English, of) => own_name(of),
    }
}

/// Names and words of rules stand in the order of [`Language::ALL`].
fn in_language(names: &[String], language: Language) -> &str {
    let place = Language::ALL.iter().position(|known| *known == language);
    place.and_then(|place| names.get(place)).map_or("", String::as_str)
}

impl Voice<'_> {
    /// An amount with its unit: `500 won`, `500원`, `12.50 won`; whole units without their zeros.
    pub fn money(&self, minor: i64) -> String {
        let number = self.units(minor);
        let unit = self.unit();
        match self.language {
            Language::Korean => format!("{number}{unit}"),
            Language::English => format!("{number} {unit}"),
        }
    }

    /// The amount's digits alone.
    pub(super) fn units(&self, minor: i64) -> String {
        let unit = &self.rules.unit;
        let (whole, rest) = (minor / unit.minor_per_unit(), minor % unit.minor_per_unit());
        match rest {
            0 => whole.to_string(),
            rest => format!("{whole}.{:0width$}", rest.abs(), width = usize::from(unit.minor_digits)),
        }
    }

    /// The unit's name.
    pub(super) fn unit(&self) -> &str {
        in_language(&self.rules.unit.names, self.language)
    }

    /// What people call the operator.
    pub(super) fn operator(&self) -> String {
        String::from(in_language(&self.rules.display_names, self.language))
    }

    /// The talk that an amount buys: `2 h 5 min`, `2시간 5분`.
    pub fn minutes(&self, minor: i64) -> String {
        let minutes = self.rules.tariff.minutes(minor);
        let (h, min) = (minutes / MINUTES_IN_HOUR, minutes % MINUTES_IN_HOUR);
        match (self.language, h, min) {
            (Language::Korean, 0, min) => format!("{min}분"),
            (Language::Korean, h, 0) => format!("{h}시간"),
            (Language::Korean, h, min) => format!("{h}시간 {min}분"),
            (Language::English, 0, min) => format!("{min} min"),
            (Language::English, h, 0) => format!("{h} h"),
            (Language::English, h, min) => format!("{h} h {min} min"),
        }
    }

    /// A number as people in the country write it.
    pub fn number(&self, msisdn: Msisdn) -> String {
        self.rules.numbers.national(msisdn)
    }

    /// Enough of a number to recognise it by: `191…678`. GSM 7-bit has no `…`.
    pub(super) fn short(&self, msisdn: Msisdn) -> String {
        let short = self.rules.numbers.short(msisdn);
        match self.language {
            Language::Korean => short,
            Language::English => short.replace('…', "..."),
        }
    }

    /// A receipt number.
    pub(super) fn receipt(seq: Seq) -> String {
        receipt(seq)
    }

    /// An instant: the time alone on the same day, the year only when it is another one.
    pub fn when(&self, at: Timestamp) -> String {
        let time = self.time(at);
        let (day, today) = (self.rules.date(at), self.rules.date(self.now));
        if day == today { time } else { format!("{} {time}", self.date(day)) }
    }

    /// The time of an instant that is minutes ago, without its day.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let civil = self.rules.zone.civil(at);
        format!("{:02}:{:02}", civil.hour(), civil.minute())
    }

    /// A day: the year only when it is another one.
    pub fn date(&self, date: BusinessDate) -> String {
        let (civil, today) = (date.civil(), self.rules.date(self.now).civil());
        let (year, month, day) = (civil.year(), civil.month(), civil.day());
        let month_name = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
        match (self.language, year == today.year()) {
            (Language::Korean, true) => format!("{month}월 {day}일"),
            (Language::Korean, false) => format!("{year}.{month}.{day}"),
            (Language::English, true) => format!("{day} {month_name}"),
            (Language::English, false) => format!("{day} {month_name} {year}"),
        }
    }

    /// A whole dial string with words in the fields' places.
    pub fn dial(&self, form: FullForm) -> String {
        let word = |message| self.texts.word(self.language, message);
        let (amount, number) = (word(Message::WordAmount), word(Message::WordNumber));
        let (password, new) = (word(Message::WordPassword), word(Message::WordNewPassword));
        let code = self.rules.service_code;
        match form {
            FullForm::Give => self.rules.dial.gift.filled(code, &amount, &number, &password),
            FullForm::ShowCards => format!("*{code}*0*1*{password}#"),
            FullForm::ChangePassword => format!("*{code}*0*2*{password}*{new}*{new}#"),
            FullForm::Freeze => format!("*{code}*0*3*{password}#"),
            FullForm::Bind => format!("*{code}*0*4*{}*{password}#", word(Message::WordCardNumber)),
            FullForm::TopUp => format!("*{code}*0*5*{amount}*{password}#"),
            FullForm::Undo => format!("*{code}*0*6*{password}#"),
        }
    }

    /// What opens the menu.
    pub(super) fn menu_dial(&self) -> String {
        format!("*{}#", self.rules.service_code)
    }

    /// Names of the operator's other languages, in the letters of this one; of the only one where there is no other.
    pub(super) fn other_languages(&self) -> String {
        let languages = &self.rules.standing.languages;
        let others = languages.iter().copied().filter(|other| *other != self.language);
        let others: Vec<_> = others.map(|other| name_in(self.language, other)).collect();
        if others.is_empty() { String::from(own_name(self.language)) } else { others.join("/") }
    }

    /// The languages to choose from, numbered.
    pub(super) fn languages(&self) -> String {
        let numbered = (1..).zip(&self.rules.standing.languages);
        let lines: Vec<_> = numbered.map(|(number, language)| format!("{number} {}", own_name(*language))).collect();
        lines.join("\n")
    }

    /// The greetings to choose from, and none of them as the last, in the numbers of the dial string: a list, and one row
    /// for narrow screens. Empty but for none where the menu doesn't ask.
    pub(super) fn occasions(&self) -> [(&'static str, String); 2] {
        let standing = &self.rules.standing;
        let asked = if standing.ask_occasion == Some(true) { standing.occasions.as_slice() } else { &[] };
        let names = asked.iter().map(|name| self.texts.occasion(self.language, name).unwrap_or_else(|| name.clone()));
        let words: Vec<String> = names.chain([self.texts.word(self.language, Message::WordNoOccasion)]).collect();
        let numbered = |blank: &str| (1..).zip(&words).map(|(n, word)| format!("{n}{blank}{word}")).collect::<Vec<_>>();
        [("list", numbered(" ").join("\n")), ("row", numbered("").join(" "))]
    }

    /// A limit in words; its public name when the rules don't know it any more.
    pub(super) fn limit(&self, name: &LimitName) -> String {
        match find_limit(self.rules, name, self.now) {
            Some(limit) => self.limit_words(limit),
            None => String::from(name.as_str()),
        }
    }

    /// What a limit says, from what it is and not from what somebody called it.
    pub(super) fn limit_words(&self, limit: &Limit) -> String {
        let window = match limit.window {
            Window::BusinessDay => self.format(Message::WindowDay, Args::none()),
            Window::CalendarMonth => self.format(Message::WindowMonth, Args::none()),
            Window::Days(days) => self.format(Message::WindowDays, Args::of([("days", days.to_string())])),
        };
        let ceiling = match limit.measure {
            Measure::Count => self.format(Message::CeilingCount, Args::of([("count", limit.ceiling.to_string())])),
            Measure::Total => self.money(limit.ceiling),
        };
        let message = match (limit.kind, limit.subject) {
            // Free minutes are no ceiling that anybody hears of.
            (Kind::Call, _) => return String::from(limit.name.as_str()),
            (Kind::TopUp, _) => Message::LimitTopUp,
            (Kind::Gift, Subject::Sender) => Message::LimitSender,
            (Kind::Gift, Subject::Recipient) => Message::LimitRecipient,
            (Kind::Gift, Subject::Pair) => Message::LimitPair,
            (Kind::Gift, Subject::Card) => Message::LimitCard,
        };
        self.format(message, Args::of([("window", window), ("ceiling", ceiling)]))
    }
}

/// The limit of that name in force, or the latest one that had it.
fn find_limit<'a>(rules: &'a Rules, name: &LimitName, now: Timestamp) -> Option<&'a Limit> {
    let named = |limit: &&Limit| limit.name == *name;
    let in_force = rules.period(now).and_then(|period| period.limits.iter().find(named));
    in_force.or_else(|| rules.periods.iter().rev().find_map(|period| period.limits.iter().find(named)))
}
