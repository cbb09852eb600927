//! What can be asked of the decider. A command is typed: no dialled digits, no password, ever.
//!
//! Every command has an id, an instant after which it is not run any more, and a body. The body is what the journal
//! keeps and what *same content* means.
//!
//! Deliberately not here: parsing (edges), answers (see [`crate::verdict`]).

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::card::Voiding;
use crate::id::CommandId;
use crate::ids::{CardId, Language, LinkId, OperatorId, Serial, Staff};
use crate::money::Amount;
use crate::number::{CardNumber, Imsi, Msisdn};
use crate::office::{Office, RecordKey};
use crate::password::{PasswordTag, Proof};
use crate::rules::Rules;
use crate::time::Timestamp;

/// A phone on a network: who the link says is calling, and whose service code was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Caller {
    /// The operator whose service code was dialled.
    #[n(0)]
    pub operator: OperatorId,
    /// The link that asserts the number.
    #[n(1)]
    pub link: LinkId,
    /// The asserted number.
    #[n(2)]
    pub msisdn: Msisdn,
    /// The SIM, where the link tells it.
    #[n(3)]
    pub imsi: Option<Imsi>,
}

/// A dialled field: its value, or the fact that it did not parse. The digits themselves never travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled<T> {
    /// It parsed.
    Value(T),
    /// It did not.
    Malformed,
}

impl<T: Copy> Dialled<T> {
    /// The value, when there is one.
    pub const fn value(&self) -> Option<T> {
        match *self {
            Self::Value(value) => Some(value),
            Self::Malformed => None,
        }
    }
}

impl<T> From<Option<T>> for Dialled<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Malformed, Self::Value)
    }
}

/// A value is itself, malformed is null.
impl<C, T: Encode<C>> Encode<C> for Dialled<T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Value(value) => value.encode(e, ctx),
            Self::Malformed => e.null()?.ok(),
        }
    }
}

impl<'b, C, T: Decode<'b, C>> Decode<'b, C> for Dialled<T> {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        Option::<T>::decode(d, ctx).map(Self::from)
    }
}

/// A new password as a command carries it: what the edge saw, and its tag when it is good.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum NewPassword {
    /// Not six digits.
    #[n(0)]
    Malformed,
    /// The two typed differ.
    #[n(1)]
    Differ,
    /// One that people guess first.
    #[n(2)]
    Trivial,
    /// A good one, in the *holder* domain, under the current key.
    #[n(3)]
    Tag(#[n(0)] PasswordTag),
}

/// Give airtime from one of the caller's cards to somebody else.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Gift {
    /// Who gives.
    #[n(0)]
    pub caller: Caller,
    /// To whom: a number that parsed under the operator's number plan, of this operator or of another.
    #[n(1)]
    pub recipient: Dialled<Msisdn>,
    /// How much, without the fee.
    #[n(2)]
    pub amount: Dialled<Amount>,
    /// Picks one of the caller's cards and proves it.
    #[n(3)]
    pub proof: Proof,
    /// What stood in the amount's place reads as a recipient and the other way round: said, never guessed.
    #[n(4)]
    pub swapped: bool,
    /// Number of a greeting (1 birthday, 2 wedding, …).
    #[n(5)]
    pub occasion: Option<u8>,
}

/// From one of the caller's cards to the caller's own airtime.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct TopUp {
    /// Whose card and airtime.
    #[n(0)]
    pub caller: Caller,
    /// How much, without the fee.
    #[n(1)]
    pub amount: Dialled<Amount>,
    /// Picks and proves the card.
    #[n(2)]
    pub proof: Proof,
}

/// Something a caller asks with a password and nothing else.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Proved {
    /// Who asks.
    #[n(0)]
    pub caller: Caller,
    /// Picks and proves the card.
    #[n(1)]
    pub proof: Proof,
}

/// Change a card's password.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ChangePassword {
    /// Whose card.
    #[n(0)]
    pub caller: Caller,
    /// The password until now.
    #[n(1)]
    pub old: Proof,
    /// The one from now on.
    #[n(2)]
    pub new: NewPassword,
}

/// Bind a bought card to the calling phone.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Bind {
    /// Whose phone.
    #[n(0)]
    pub caller: Caller,
    /// The number printed on the card. Malformed or unknown reads as a wrong password.
    #[n(1)]
    pub number: Dialled<CardNumber>,
    /// The printed password in the *card* domain.
    #[n(2)]
    pub proof: Proof,
    /// The same password in the *holder* domain under the current key: what the card is opened by from now on.
    #[n(3)]
    pub holder_tag: Option<PasswordTag>,
}

/// Choose the language of the caller's screens.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SetLanguage {
    /// Who.
    #[n(0)]
    pub caller: Caller,
    /// Which.
    #[n(1)]
    pub language: Language,
}

/// Put an operator's rules in force.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct LoadRules {
    /// Who loads them.
    #[n(0)]
    pub staff: Staff,
    /// The rules as parsed.
    #[cbor(n(1), with = "crate::cbor::shared")]
    pub rules: Arc<Rules>,
    /// BLAKE3 of the file they were parsed from.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub file_hash: [u8; 32],
    /// For an operator that has rules: those stay as they are until this instant, or until the new ones are approved,
    /// whatever these say of the time before. `None`: these tell the past as it was, or are refused.
    #[n(3)]
    pub from: Option<Timestamp>,
}

/// One line of a subscriber import.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct NewSubscriber {
    /// The number.
    #[n(0)]
    pub msisdn: Msisdn,
    /// The SIM, where known.
    #[n(1)]
    pub imsi: Option<Imsi>,
    /// Language, where known; the operator's first otherwise.
    #[n(2)]
    pub language: Option<Language>,
    /// Since when the number is in use, where known; now otherwise.
    #[n(3)]
    pub since: Option<Timestamp>,
    /// Airtime to begin with, issued from the operator's position. Only for numbers that are new.
    #[n(4)]
    pub airtime: Option<Amount>,
}

/// Create or update subscribers; at most [`crate::TOUCH_MAX`] at a time.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ImportSubscribers {
    /// Who imports.
    #[n(0)]
    pub staff: Staff,
    /// Whose they are.
    #[n(1)]
    pub operator: OperatorId,
    /// The lines.
    #[n(2)]
    pub subscribers: Vec<NewSubscriber>,
}

/// What care may do to one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SubscriberChange {
    /// No gifts from or by this number any more.
    #[n(0)]
    Bar,
    /// Undo a bar.
    #[n(1)]
    Unbar,
    /// Forget wrong passwords and the lock they led to.
    #[n(2)]
    Unlock,
    /// The SIM changed: gifts rest for `swap_rest_h`.
    #[n(3)]
    ChangeImsi(#[n(0)] Imsi),
    /// The number was given back: the next caller with it is somebody else.
    #[n(4)]
    Release,
    /// Language of screens and SMS.
    #[n(5)]
    SetLanguage(#[n(0)] Language),
}

/// Change one subscriber.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ChangeSubscriber {
    /// Who changes it.
    #[n(0)]
    pub staff: Staff,
    /// Whose number.
    #[n(1)]
    pub msisdn: Msisdn,
    /// How.
    #[n(2)]
    pub change: SubscriberChange,
}

/// One card to issue. Its password is known to its buyer only: here is the tag.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct NewCard {
    /// Random, with its check digit.
    #[n(0)]
    pub number: CardNumber,
    /// Of the printed password in the *card* domain.
    #[n(1)]
    pub tag: PasswordTag,
    /// What is on it.
    #[n(2)]
    pub value: Amount,
}

/// Issue cards that are sold at once; at most [`crate::TOUCH_MAX`] at a time.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct IssueCards {
    /// Who issues them.
    #[n(0)]
    pub staff: Staff,
    /// Whose they are.
    #[n(1)]
    pub operator: OperatorId,
    /// The cards.
    #[n(2)]
    pub cards: Vec<NewCard>,
}

/// What care may do to one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CardChange {
    /// Stop it until it is thawed.
    #[n(0)]
    Freeze,
    /// Let it work again, after identification.
    #[n(1)]
    Thaw,
    /// Stop it for good.
    #[n(2)]
    Void(#[n(0)] Voiding),
    /// Forget wrong passwords at binding.
    #[n(3)]
    UnblockBinding,
}

/// Change one card.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ChangeCard {
    /// Who changes it.
    #[n(0)]
    pub staff: Staff,
    /// Which.
    #[n(1)]
    pub serial: Serial,
    /// How.
    #[n(2)]
    pub change: CardChange,
}

/// What is asked.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Body {
    /// Give airtime.
    #[n(0)]
    Gift(#[n(0)] Gift),
    /// Top up one's own phone.
    #[n(1)]
    TopUp(#[n(0)] TopUp),
    /// The cards on this phone.
    #[n(2)]
    ShowCards(#[n(0)] Proved),
    /// The latest gifts.
    #[n(3)]
    ShowGifts(#[n(0)] Proved),
    /// Another password.
    #[n(4)]
    ChangePassword(#[n(0)] ChangePassword),
    /// Freeze a card.
    #[n(5)]
    Freeze(#[n(0)] Proved),
    /// Bind a card.
    #[n(6)]
    Bind(#[n(0)] Bind),
    /// Take back the latest gift that is still on hold.
    #[n(7)]
    Undo(#[n(0)] Proved),
    /// Another language.
    #[n(8)]
    SetLanguage(#[n(0)] SetLanguage),
    /// Rules of an operator.
    #[n(9)]
    LoadRules(#[n(0)] LoadRules),
    /// Subscribers.
    #[n(10)]
    ImportSubscribers(#[n(0)] ImportSubscribers),
    /// One subscriber.
    #[n(11)]
    ChangeSubscriber(#[n(0)] ChangeSubscriber),
    /// New cards.
    #[n(12)]
    IssueCards(#[n(0)] IssueCards),
    /// One card.
    #[n(13)]
    ChangeCard(#[n(0)] ChangeCard),
    /// A card's time ran out: submitted by a timer.
    #[n(14)]
    ExpireCard(#[n(0)] CardId),
    /// The operator's business.
    #[n(15)]
    Office(#[n(0)] Box<Office>),
    /// The time of a record is over: submitted by a timer.
    #[n(16)]
    Due(#[n(0)] RecordKey),
}

impl Body {
    /// Who is calling, when a phone asks.
    pub const fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Gift(gift) => Some(&gift.caller),
            Self::TopUp(top_up) => Some(&top_up.caller),
            Self::ShowCards(proved) | Self::ShowGifts(proved) | Self::Freeze(proved) | Self::Undo(proved) => {
                Some(&proved.caller)
            }
            Self::ChangePassword(change) => Some(&change.caller),
            Self::Bind(bind) => Some(&bind.caller),
            Self::SetLanguage(set) => Some(&set.caller),
            Self::LoadRules(_)
            | Self::ImportSubscribers(_)
            | Self::ChangeSubscriber(_)
            | Self::IssueCards(_)
            | Self::ChangeCard(_)
            | Self::ExpireCard(_)
            | Self::Office(_)
            | Self::Due(_) => None,
        }
    }

    /// The gift that is asked for; `None`: it is another command.
    pub const fn gift(&self) -> Option<&Gift> {
        match self {
            Self::Gift(gift) => Some(gift),
            Self::TopUp(_)
            | Self::ShowCards(_)
            | Self::ShowGifts(_)
            | Self::ChangePassword(_)
            | Self::Freeze(_)
            | Self::Bind(_)
            | Self::Undo(_)
            | Self::SetLanguage(_)
            | Self::LoadRules(_)
            | Self::ImportSubscribers(_)
            | Self::ChangeSubscriber(_)
            | Self::IssueCards(_)
            | Self::ChangeCard(_)
            | Self::ExpireCard(_)
            | Self::Office(_)
            | Self::Due(_) => None,
        }
    }

    /// The command's public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gift(_) => "gift",
            Self::TopUp(_) => "top-up",
            Self::ShowCards(_) => "show-cards",
            Self::ShowGifts(_) => "show-gifts",
            Self::ChangePassword(_) => "change-password",
            Self::Freeze(_) => "freeze",
            Self::Bind(_) => "bind",
            Self::Undo(_) => "undo",
            Self::SetLanguage(_) => "set-language",
            Self::LoadRules(_) => "load-rules",
            Self::ImportSubscribers(_) => "import-subscribers",
            Self::ChangeSubscriber(_) => "change-subscriber",
            Self::IssueCards(_) => "issue-cards",
            Self::ChangeCard(_) => "change-card",
            Self::ExpireCard(_) => "expire-card",
            Self::Office(office) => office.what.name(),
            Self::Due(_) => "due",
        }
    }
}

/// One thing asked of the decider.
#[derive(Clone, Debug)]
pub struct Command {
    /// Asked again with this id and the same body, the answer is the same.
    pub id: CommandId,
    /// From this instant on it is dropped unjournaled ("not done").
    pub decide_before: Timestamp,
    /// What is asked.
    pub body: Body,
}
