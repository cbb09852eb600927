//! Whether every text exists, is filled in and fits, with the longest values that an operator's rules allow.
//!
//! Guarantees: every message of [`Message::ALL`] is measured in every language, or reported; what passes here fits on every
//! screen it is shown on, up to amounts of [`DIGITS_MAX`] digits.
//! Deliberately not here: the flow of a dialogue.

mod samples;

#[cfg(test)]
pub(super) use samples::refusals;

use std::collections::HashSet;

use domain::ids::Language;
use domain::rules::Rules;
use fluent_bundle::FluentError;
use wire::text::{Budget, Coding, choose, fits};

use super::{Args, Message, SHORT, Said, Texts, Voice};

/// Digits of the longest amount that is measured. Ten are the yearly gifts of a whole country's phones.
pub(super) const DIGITS_MAX: u32 = 10;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// The language doesn't have it.
    #[error("is missing")]
    Missing,
    /// A variable that nothing fills, or a reference that leads nowhere.
    #[error("has a variable that nothing fills: {0}")]
    Unfilled(String),
    /// Neither it nor its short form fits.
    #[error("does not fit, nor does a short form of it: {0}")]
    TooLong(String),
    /// It needs letters that the GSM 7-bit alphabet has not.
    #[error("has letters outside the GSM 7-bit alphabet: {0}")]
    NotGsm7(String),
    /// No screen that is measured shows it.
    #[error("is shown on no screen that is measured")]
    NotMeasured,
}

/// A text that can't be used with these rules, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text {id} in {}: {fault}", .language.tag())]
pub struct TextProblem {
    /// In which language.
    pub language: Language,
    /// Its name.
    pub id: String,
    /// What is wrong.
    pub fault: TextFault,
}

impl Texts {
    /// Fills the longest values that these rules allow into every text and measures it: screens against `screen`, the
    /// smallest budget of the links in use, and SMS against [`Budget::SMS`].
    ///
    /// # Errors
    /// Everything that is wrong, in every language.
    pub fn check(&self, rules: &Rules, screen: Budget) -> Result<(), Vec<TextProblem>> {
        let mut problems = Vec::new();
        for language in Language::ALL {
            let now = samples::NOW;
            let voice = Voice { texts: self, rules, language, budget: screen, now };
            Measure { voice, seen: HashSet::new(), problems: &mut problems }.everything();
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

struct Measure<'a, 'p> {
    voice: Voice<'a>,
    seen: HashSet<Message>,
    problems: &'p mut Vec<TextProblem>,
}

impl Measure<'_, '_> {
    fn everything(mut self) {
        self.screens();
        self.limits();
        self.lists();
        self.sms();
        for message in Message::ALL {
            if self.voice.texts.bundle(self.voice.language).get_message(message.id()).is_none() {
                self.fault(message.id(), TextFault::Missing);
            } else if !self.seen.contains(message) {
                self.fault(message.id(), TextFault::NotMeasured);
            }
        }
    }

    fn screens(&mut self) {
        for say in samples::screens(&self.voice) {
            let said = self.voice.screen(&say);
            self.measure(&said);
        }
        self.measure(&Said::plain(Message::NoService));
        self.measure(&Said::plain(Message::TooLong));
    }

    /// Limits of the rules are named on the screens that they were sampled for; their words are looked at here.
    fn limits(&mut self) {
        for limit in samples::limits(self.voice.rules) {
            let refused = Said::new(
                Message::LimitReached,
                [
                    ("limit", self.voice.limit_words(&limit)),
                    ("date", self.voice.date(self.voice.rules.date(samples::FAR))),
                ],
            );
            self.measure(&refused);
        }
        let words = [
            (Message::LimitSender, Args::of([("window", String::new()), ("ceiling", String::new())])),
            (Message::LimitRecipient, Args::of([("window", String::new()), ("ceiling", String::new())])),
            (Message::LimitPair, Args::of([("window", String::new()), ("ceiling", String::new())])),
            (Message::LimitCard, Args::of([("window", String::new()), ("ceiling", String::new())])),
            (Message::LimitTopUp, Args::of([("window", String::new()), ("ceiling", String::new())])),
            (Message::CeilingCount, Args::of([("count", String::new())])),
            (Message::WindowDay, Args::none()),
            (Message::WindowMonth, Args::none()),
            (Message::WindowDays, Args::of([("days", String::new())])),
            (Message::WordAmount, Args::none()),
            (Message::WordNumber, Args::none()),
            (Message::WordPassword, Args::none()),
            (Message::WordNewPassword, Args::none()),
            (Message::WordCardNumber, Args::none()),
            (Message::WordNoOccasion, Args::none()),
        ];
        for (message, args) in words {
            self.measure(&Said { message, args });
        }
    }

    /// A page shows one line at least, with the way to the next below it.
    fn lists(&mut self) {
        let footer = self.voice.format(Message::More, Args::none());
        self.measure(&Said::plain(Message::More));
        for line in samples::lines(&self.voice) {
            let said = self.voice.line_said(&line);
            self.measure(&said);
            let page = format!("{}\n{footer}", self.voice.line(&line));
            if !fits(&page, self.voice.budget) {
                self.fault(said.message.id(), TextFault::TooLong(page));
            }
        }
    }

    fn sms(&mut self) {
        let screen = std::mem::replace(&mut self.voice.budget, Budget::SMS);
        let gift = samples::gift(&self.voice);
        let said = self.voice.sms(&gift, None);
        self.measure(&said);
        let rules = self.voice.rules;
        for occasion in &rules.standing.occasions {
            match self.voice.texts.greeting(self.voice.language, occasion) {
                Some(greeting) => {
                    let said = self.voice.sms(&gift, Some(greeting));
                    self.measure(&said);
                }
                None => self.fault(&format!("greeting-{occasion}"), TextFault::Missing),
            }
        }
        for occasion in rules.standing.occasions.iter().filter(|_| rules.standing.ask_occasion == Some(true)) {
            if self.voice.texts.occasion(self.voice.language, occasion).is_none() {
                self.fault(&format!("occasion-{occasion}"), TextFault::Missing);
            }
        }
        if rules.standing.occasions.is_empty() {
            let said = self.voice.sms(&gift, Some(String::new()));
            self.measure(&said);
        }
        for sms in samples::sender_sms(&self.voice) {
            let said = self.voice.sender_said(&sms);
            self.measure(&said);
        }
        self.voice.budget = screen;
    }

    fn measure(&mut self, said: &Said) {
        self.seen.insert(said.message);
        let Some(text) = self.filled(said, None) else { return };
        let short = self.filled(said, Some(SHORT));
        let Voice { language, budget, .. } = self.voice;
        // One screen names languages in their own letters, whatever the language around them.
        let named = matches!(said.message, Message::AskLanguage);
        let foreign = |text: &&String| language == Language::English && !named && choose(text) != Coding::Gsm7;
        if let Some(text) = [Some(&text), short.as_ref()].into_iter().flatten().find(foreign) {
            self.fault(said.message.id(), TextFault::NotGsm7(text.clone()));
        } else if !fits(&text, budget) {
            let short = short.unwrap_or(text);
            if !fits(&short, budget) {
                self.fault(said.message.id(), TextFault::TooLong(short));
            }
        }
    }

    fn filled(&mut self, said: &Said, attribute: Option<&str>) -> Option<String> {
        let mut errors: Vec<FluentError> = Vec::new();
        let id = said.message.id();
        let text = self.voice.texts.pattern(self.voice.language, id, attribute, &said.args, &mut errors);
        if let Some(error) = errors.first() {
            self.fault(id, TextFault::Unfilled(error.to_string()));
        }
        text
    }

    fn fault(&mut self, id: &str, fault: TextFault) {
        let problem = TextProblem { language: self.voice.language, id: String::from(id), fault };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
