//! What a dialled string means to one operator: which fields stand where, and which request they make.
//!
//! For: the edges, which cut a string into fields (`wire::dial`) and ask [`DialPlan::read`].
//!
//! Guarantees: reading is total and borrows; what fits no row of the table is `None` and never a guess; neither
//! [`Request`] nor any error prints a field, because a password is among them.
//!
//! Bounded by: the number of fields that `wire::dial` passes on. Reading looks at five at most.
//!
//! Deliberately not here: the bytes, the values of fields ([`parse_amount`] apart), and what happens next.

use core::fmt;

use minicbor::{Decode, Encode};

use super::numbers::NumberPlan;
use super::unit::Unit;
use crate::money::Amount;
use crate::number::{CARD_NUMBER_DIGITS, CardNumber, parse_digits};
use crate::password::PASSWORD_DIGITS;

/// Most digits of a field that reads as an amount when amount and recipient may have been swapped. Longer ones are
/// phone numbers.
pub const SWAPPED_AMOUNT_DIGITS_MAX: usize = 7;

/// What stands at one place of a gift's dial string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Field {
    /// How much, in whole units.
    #[n(0)]
    Amount,
    /// To whom.
    #[n(1)]
    Recipient,
    /// Of one of the caller's cards.
    #[n(2)]
    Password,
}

impl Field {
    /// Every field there is.
    pub const ALL: [Self; 3] = [Self::Amount, Self::Recipient, Self::Password];

    /// Its word in a template.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Amount => "AMOUNT",
            Self::Recipient => "RECIPIENT",
            Self::Password => "PASSWORD",
        }
    }
}

/// Why a text is no [`Template`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A word that is no field, or none between two `*`.
    #[error("a template is made of AMOUNT, RECIPIENT and PASSWORD with * between them")]
    UnknownWord,
    /// Written although it is implied; before the last place it could not be told from a password.
    #[error("leave OCCASION out: it may follow every string with a password, and anywhere else it would be ambiguous")]
    Occasion,
    /// One field at two places.
    #[error("{} stands in the template twice", .0.word())]
    Twice(Field),
    /// No place for the amount.
    #[error("the template has no AMOUNT")]
    NoAmount,
    /// No place for the recipient.
    #[error("the template has no RECIPIENT")]
    NoRecipient,
}

/// The order of a gift's fields: `AMOUNT*RECIPIENT*PASSWORD`. Amount and recipient are always there, the password may be
/// missing: it is asked for in the session then, and there is no place for an occasion.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Template(#[n(0)] Vec<Field>);

impl Template {
    /// Reads an order of fields as a profile writes it.
    ///
    /// # Errors
    /// When a word is unknown, stands there twice, or amount or recipient is missing.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut fields = Vec::with_capacity(Field::ALL.len());
        for word in text.split('*') {
            let known = Field::ALL.into_iter().find(|field| field.word() == word);
            let unknown = if word == "OCCASION" { TemplateError::Occasion } else { TemplateError::UnknownWord };
            let field = known.ok_or(unknown)?;
            if fields.contains(&field) {
                return Err(TemplateError::Twice(field));
            }
            fields.push(field);
        }
        if !fields.contains(&Field::Amount) {
            Err(TemplateError::NoAmount)
        } else if !fields.contains(&Field::Recipient) {
            Err(TemplateError::NoRecipient)
        } else {
            Ok(Self(fields))
        }
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// Whether the password may be dialled along with the gift.
    pub fn takes_password(&self) -> bool {
        self.0.contains(&Field::Password)
    }

    /// The whole string in the template's own words: `*999*AMOUNT*RECIPIENT*PASSWORD#`.
    pub fn example(&self, service_code: u16) -> String {
        self.filled(service_code, Field::Amount.word(), Field::Recipient.word(), Field::Password.word())
    }

    /// The whole string with these texts in the fields' places, for hints: `*999*500*01912345678*PASSWORD#`.
    ///
    /// Give a word for the password, never one that somebody typed.
    pub fn filled(&self, service_code: u16, amount: &str, recipient: &str, password_word: &str) -> String {
        let text = |field: &Field| match field {
            Field::Amount => amount,
            Field::Recipient => recipient,
            Field::Password => password_word,
        };
        let fields: Vec<&str> = self.0.iter().map(text).collect();
        format!("*{service_code}*{}#", fields.join("*"))
    }

    /// The gift that these fields make: without its password, whole, or with an occasion after the password.
    fn read<'a>(&self, fields: &[&'a str]) -> Option<Request<'a>> {
        let takes_password = self.takes_password();
        let short = takes_password && fields.len() + 1 == self.0.len();
        let occasion = if short || fields.len() == self.0.len() {
            None
        } else if takes_password && fields.len() == self.0.len() + 1 {
            Some(*fields.last()?)
        } else {
            return None;
        };
        let at = |wanted: Field| {
            let mut places = self.0.iter().filter(|field| !short || **field != Field::Password);
            fields.get(places.position(|field| *field == wanted)?).copied()
        };
        Some(Request::Give {
            amount: at(Field::Amount)?,
            recipient: at(Field::Recipient)?,
            password: at(Field::Password).and_then(typed),
            occasion,
        })
    }
}

/// How a string began (3GPP TS 22.030 §6.5.2). The edges translate it from `wire::dial`, which this crate can't use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `*SC…#`: what subscribers dial to give.
    Activation,
    /// `*#SC…#`.
    Interrogation,
    /// `**SC…#`.
    Registration,
    /// `##SC…#`.
    Erasure,
    /// `#SC…#`.
    Deactivation,
}

/// What was dialled, its fields as typed: nothing in them is checked yet.
///
/// A password is `None` when its place was left out or left empty; an edge with a dialogue asks for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// The menu.
    Menu,
    /// Give airtime to somebody else.
    Give {
        /// In the amount's place.
        amount: &'a str,
        /// In the recipient's place.
        recipient: &'a str,
        /// In the password's place.
        password: Option<&'a str>,
        /// After the password: the number of a greeting.
        occasion: Option<&'a str>,
    },
    /// The cards on this phone.
    ShowCards {
        /// Of a card.
        password: Option<&'a str>,
    },
    /// Another password.
    ChangePassword {
        /// The one until now; `None`: nothing was dialled along.
        old: Option<&'a str>,
        /// The one from now on; present when `old` is.
        new: Option<&'a str>,
        /// The new one once more; `None` in the alias that takes it once.
        again: Option<&'a str>,
    },
    /// Freeze the card.
    Freeze {
        /// Of the card.
        password: Option<&'a str>,
    },
    /// Bind a bought card to the calling phone.
    Bind {
        /// As printed on the card.
        number: &'a str,
        /// As printed on the card.
        password: Option<&'a str>,
    },
    /// From the card to the caller's own airtime.
    TopUp {
        /// In the amount's place.
        amount: &'a str,
        /// Of the card.
        password: Option<&'a str>,
    },
    /// Undo the latest gift that is still on hold.
    Undo {
        /// Of the card.
        password: Option<&'a str>,
    },
}

impl Request<'_> {
    /// The request's public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Menu => "menu",
            Self::Give { .. } => "give",
            Self::ShowCards { .. } => "show-cards",
            Self::ChangePassword { .. } => "change-password",
            Self::Freeze { .. } => "freeze",
            Self::Bind { .. } => "bind",
            Self::TopUp { .. } => "top-up",
            Self::Undo { .. } => "undo",
        }
    }
}

/// Shows the name only: passwords are among the fields.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.name())
    }
}

/// An operator's dial strings.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DialPlan {
    /// The order of a gift's fields.
    #[n(0)]
    pub gift: Template,
    /// Whether `*#SC*…#`, `**SC*…#`, `##SC*…#` and `*SC*CARDNUMBER*PASSWORD#` are understood too.
    #[n(1)]
    pub aliases: bool,
}

impl DialPlan {
    /// What the fields after the service code ask for; `None` when they fit no template.
    pub fn read<'a>(&self, form: Form, fields: &[&'a str]) -> Option<Request<'a>> {
        match form {
            Form::Activation => self.activation(fields),
            Form::Interrogation => self.alias(|| Some(Request::ShowCards { password: only_password(fields)? })),
            Form::Registration => self.alias(|| change_password_alias(fields)),
            Form::Erasure => self.alias(|| Some(Request::Freeze { password: only_password(fields)? })),
            Form::Deactivation => None,
        }
    }

    fn activation<'a>(&self, fields: &[&'a str]) -> Option<Request<'a>> {
        match fields {
            [] => Some(Request::Menu),
            // 0 is no amount, number or password: whatever the order of fields, it can't begin a gift.
            ["0", rest @ ..] => service(rest),
            // Before the short form of a gift, which has two fields too: no recipient of this operator has 16 digits that
            // begin with 1 to 9, and no amount has 16.
            [number, password] if self.aliases && is_card_and_password(number, password) => {
                Some(Request::Bind { number, password: Some(password) })
            }
            _ => self.gift.read(fields),
        }
    }

    fn alias<'a>(&self, read: impl FnOnce() -> Option<Request<'a>>) -> Option<Request<'a>> {
        if self.aliases { read() } else { None }
    }
}

/// `*SC*0*DIGIT…#`.
fn service<'a>(fields: &[&'a str]) -> Option<Request<'a>> {
    let (digit, rest) = fields.split_first()?;
    match (*digit, rest) {
        ("1", rest) => Some(Request::ShowCards { password: only_password(rest)? }),
        ("2", []) => Some(Request::ChangePassword { old: None, new: None, again: None }),
        ("2", [old, new, again]) => {
            Some(Request::ChangePassword { old: Some(old), new: Some(new), again: Some(again) })
        }
        ("3", rest) => Some(Request::Freeze { password: only_password(rest)? }),
        ("4", [number, rest @ ..]) => Some(Request::Bind { number, password: only_password(rest)? }),
        ("5", [amount, rest @ ..]) => Some(Request::TopUp { amount, password: only_password(rest)? }),
        ("6", rest) => Some(Request::Undo { password: only_password(rest)? }),
        _ => None,
    }
}

/// `**SC*OLD*NEW#` and `**SC*OLD*NEW*NEW#`.
fn change_password_alias<'a>(fields: &[&'a str]) -> Option<Request<'a>> {
    match fields {
        [] => Some(Request::ChangePassword { old: None, new: None, again: None }),
        [old, new] => Some(Request::ChangePassword { old: Some(old), new: Some(new), again: None }),
        [old, new, again] => Some(Request::ChangePassword { old: Some(old), new: Some(new), again: Some(again) }),
        _ => None,
    }
}

/// At most one field, a password; the outer `None` when there are more.
fn only_password<'a>(fields: &[&'a str]) -> Option<Option<&'a str>> {
    match fields {
        [] => Some(None),
        [password] => Some(typed(password)),
        _ => None,
    }
}

/// An empty field proves nothing and probes nothing, so it is a password left out and not a wrong one.
fn typed(field: &str) -> Option<&str> {
    Some(field).filter(|field| !field.is_empty())
}

fn is_card_and_password(number: &str, password: &str) -> bool {
    let six = password.len() == PASSWORD_DIGITS && parse_digits(password).is_some();
    six && number.len() == CARD_NUMBER_DIGITS && CardNumber::parse(number).is_ok()
}

/// Whether amount and recipient stand in each other's place: what should be the amount reads as a phone number of the
/// operator's country and what should be the recipient reads as an amount, and they don't read the right way round too.
pub fn looks_swapped(plan: &NumberPlan, amount_field: &str, recipient_field: &str) -> bool {
    let number_and_amount = |number: &str, amount: &str| plan.plausible(number) && looks_like_amount(amount);
    number_and_amount(amount_field, recipient_field) && !number_and_amount(recipient_field, amount_field)
}

fn looks_like_amount(text: &str) -> bool {
    text.len() <= SWAPPED_AMOUNT_DIGITS_MAX && !text.starts_with('0') && parse_digits(text).is_some()
}

/// The amount that dialled digits stand for: whole units, in ASCII digits alone.
///
/// `None` for anything else: a sign, a fraction, nothing at all, more than fits, and a leading 0, which is how a phone
/// number in the wrong field begins and no amount does.
pub fn parse_amount(unit: &Unit, text: &str) -> Option<Amount> {
    if text.starts_with('0') {
        return None;
    }
    let units = i64::try_from(parse_digits(text)?).ok()?;
    Amount::try_new(units.checked_mul(unit.minor_per_unit())?)
}

#[cfg(test)]
mod tests;
