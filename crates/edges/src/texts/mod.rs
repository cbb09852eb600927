//! What phones read: every screen and SMS, in every language, from the `.ftl` files beside this one.
//!
//! **For:** [`crate::flow`] and [`crate::notice`], which say; `sonmul operator load`, which checks a profile first.
//!
//! **Guarantees:** rendering parses nothing and never panics. A text that does not fit gives way to its `.short` form, and
//! past what [`Texts::check`] measured to a sentence that says so: a cut amount would be a wrong one. No text shows
//! anything that somebody typed, and an amount or a number that has the shape of a password is left out of questions.
//!
//! **Bounded by:** the [`Budget`] of a [`Voice`].
//!
//! **Deliberately not here:** which screen it is ([`crate::say::Say`]).

mod check;
mod did;
mod message;
mod refusal;
mod resumed;
mod screen;
mod sms;
mod values;

use domain::ids::Language;
use domain::rules::Rules;
use domain::time::Timestamp;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;
use wire::text::{Budget, fits};

use crate::port::GiftLine;
use crate::say::{Line, Say};

pub use check::{TextFault, TextProblem};
pub use message::Message;
pub(crate) use sms::SenderSms;

const KO: &str = include_str!("ko.ftl");
const EN: &str = include_str!("en.ftl");
/// The form of a text for narrow screens.
const SHORT: &str = "short";

type Bundle = FluentBundle<FluentResource>;

/// The texts of every language, ready to be filled in. Shared by all threads.
pub struct Texts {
    korean: Bundle,
    english: Bundle,
}

/// What fills a text's variables.
pub(crate) struct Args(FluentArgs<'static>);

impl Args {
    fn none() -> Self {
        Self(FluentArgs::new())
    }

    fn of<const N: usize>(values: [(&'static str, String); N]) -> Self {
        let mut args = FluentArgs::with_capacity(N);
        for (name, value) in values {
            // Strings and never numbers: no locale groups their digits.
            args.set(name, FluentValue::from(value));
        }
        Self(args)
    }
}

/// A text with what fills it.
pub(crate) struct Said {
    message: Message,
    args: Args,
}

impl Said {
    fn plain(message: Message) -> Self {
        Self { message, args: Args::none() }
    }

    fn new<const N: usize>(message: Message, values: [(&'static str, String); N]) -> Self {
        Self { message, args: Args::of(values) }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::embedded()
    }
}

impl Texts {
    /// The texts that are built in.
    pub fn embedded() -> Self {
        Self { korean: bundle(Language::Korean, KO), english: bundle(Language::English, EN) }
    }

    /// The one screen that is said where no operator is known whose rules could fill anything in.
    pub fn no_service(&self, language: Language) -> String {
        self.pattern(language, Message::NoService.id(), None, &Args::none(), &mut Vec::new()).unwrap_or_default()
    }

    const fn bundle(&self, language: Language) -> &Bundle {
        match language {
            Language::Korean => &self.korean,
            Language::English => &self.english,
        }
    }

    fn word(&self, language: Language, message: Message) -> String {
        self.pattern(language, message.id(), None, &Args::none(), &mut Vec::new()).unwrap_or_default()
    }

    /// A greeting for an SMS, when there is one for an occasion of that name.
    fn greeting(&self, language: Language, occasion: &str) -> Option<String> {
        self.pattern(language, &format!("greeting-{occasion}"), None, &Args::none(), &mut Vec::new())
    }

    /// What the menu calls an occasion, when it has a name for it.
    fn occasion(&self, language: Language, occasion: &str) -> Option<String> {
        self.pattern(language, &format!("occasion-{occasion}"), None, &Args::none(), &mut Vec::new())
    }

    /// Fills in a text or one of its attributes; `None` when there is none.
    fn pattern(
        &self,
        language: Language,
        id: &str,
        attribute: Option<&str>,
        args: &Args,
        errors: &mut Vec<FluentError>,
    ) -> Option<String> {
        let bundle = self.bundle(language);
        let message = bundle.get_message(id)?;
        let pattern = match attribute {
            None => message.value()?,
            Some(attribute) => message.get_attribute(attribute)?.value(),
        };
        Some(bundle.format_pattern(pattern, Some(&args.0), errors).into_owned())
    }
}

/// A text that can't be parsed is left out here and found missing by [`Texts::check`].
fn bundle(language: Language, source: &str) -> Bundle {
    let language: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Isolation marks have no letters on a phone, and no text here mixes directions.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(String::from(source)).unwrap_or_else(|(partial, _)| partial);
    bundle.add_resource_overriding(resource);
    bundle
}

/// Who speaks: one operator in one language on one sort of screen, at one instant.
#[derive(Clone, Copy)]
pub struct Voice<'a> {
    /// The texts.
    pub texts: &'a Texts,
    /// Whose names, units, numbers and zone.
    pub rules: &'a Rules,
    /// In which language.
    pub language: Language,
    /// How much fits.
    pub budget: Budget,
    /// Now: days and years that are today's are left out.
    pub now: Timestamp,
}

impl Voice<'_> {
    /// One screen.
    pub fn say(&self, say: &Say) -> String {
        self.fit(&self.screen(say))
    }

    /// As many lines as fit, and how many: with the way to the next page below where there is one and `dialogue` allows
    /// to ask for it. At least one line is shown.
    pub fn page(&self, lines: &[Line], dialogue: bool) -> (String, usize) {
        let lines: Vec<String> = lines.iter().map(|line| self.line(line)).collect();
        let footer = if dialogue { self.format(Message::More, Args::none()) } else { String::new() };
        for shown in (1..=lines.len()).rev() {
            let mut text = lines.get(..shown).unwrap_or_default().join("\n");
            if shown < lines.len() && dialogue {
                text.push('\n');
                text.push_str(&footer);
            }
            if fits(&text, self.budget) {
                return (text, shown);
            }
        }
        (self.fit(&Said::plain(Message::TooLong)), lines.len())
    }

    /// The recipient's SMS, with a greeting where one was chosen and exists.
    pub fn gift_sms(&self, gift: &GiftLine, occasion: Option<&str>) -> String {
        let greeting = occasion.and_then(|occasion| self.texts.greeting(self.language, occasion));
        self.fit(&self.sms(gift, greeting))
    }

    fn format(&self, message: Message, args: Args) -> String {
        let text = self.texts.pattern(self.language, message.id(), None, &args, &mut Vec::new());
        text.unwrap_or_else(|| String::from(message.id()))
    }

    fn fit(&self, said: &Said) -> String {
        let form =
            |attribute| self.texts.pattern(self.language, said.message.id(), attribute, &said.args, &mut Vec::new());
        let fitting = |text: &String| fits(text, self.budget);
        let fitted = form(None).filter(fitting).or_else(|| form(Some(SHORT)).filter(fitting));
        fitted.unwrap_or_else(|| self.format(Message::TooLong, Args::none()))
    }
}

/// The budget that every screen has to fit: the smallest of those of the links in use, alphabet by alphabet. Without a link it
/// is [`Budget::USSD`], which none is larger than.
pub fn smallest(budgets: impl IntoIterator<Item = Budget>) -> Budget {
    budgets.into_iter().fold(Budget::USSD, Budget::smaller)
}

#[cfg(test)]
mod tests;
