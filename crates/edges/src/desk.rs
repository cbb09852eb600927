//! What one turn of a dialogue may look at, and how typed fields become the typed parts of a command.
//!
//! Guarantees: a password leaves here as tags or as *malformed*; nothing here keeps or prints what was typed.
//! Deliberately not here: which field is which ([`crate::dial`]), what is asked next ([`crate::menu`]).

use domain::command::{Bind, Caller, Dialled, NewPassword, Proved};
use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};
use domain::password::{Password, Proof, TagKeys};
use domain::refusal::Refusal;
use domain::rules::dial::parse_amount;
use domain::rules::{Period, Rules};
use domain::time::Timestamp;

/// Everything that a step reads besides its state and the input: the same desk gives the same step.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The operator whose service code was dialled.
    pub rules: &'a Rules,
    /// The live keys.
    pub keys: &'a TagKeys,
    /// Who is calling.
    pub caller: Caller,
    /// Which owner of the number the caller is.
    pub generation: u16,
    /// Now, by the engine's clock.
    pub now: Timestamp,
    /// Whether the link can ask back.
    pub dialogue: bool,
}

impl Desk<'_> {
    /// Tags of the password in the *holder* domain, or the fact that it is none.
    pub fn proof(&self, typed: &str) -> Proof {
        match Password::parse(typed) {
            Ok(password) => {
                self.keys.proof(|key| key.holder(self.caller.operator, self.caller.msisdn, self.generation, &password))
            }
            Err(_) => Proof::Malformed,
        }
    }

    /// The caller with their proof.
    pub fn proved(&self, typed: &str) -> Proved {
        Proved { caller: self.caller, proof: self.proof(typed) }
    }

    /// A binding: tags in both domains or in neither, because a malformed card number has no tag in the *card* domain.
    pub fn bind(&self, number: Dialled<CardNumber>, typed: &str) -> Bind {
        let caller = self.caller;
        let (Some(card), Ok(password)) = (number.value(), Password::parse(typed)) else {
            return Bind { caller, number, proof: Proof::Malformed, holder_tag: None };
        };
        let proof = self.keys.proof(|key| key.card(caller.operator, card, &password));
        let holder_tag = self.keys.current().holder(caller.operator, caller.msisdn, self.generation, &password);
        Bind { caller, number, proof, holder_tag: Some(holder_tag) }
    }

    /// What is to be seen of a new password at the edge; `again` is the second one typed, where the form has one.
    pub fn new_password(&self, new: &str, again: Option<&str>) -> NewPassword {
        let Ok(password) = Password::parse(new) else { return NewPassword::Malformed };
        let same = |again: &str| Password::parse(again).is_ok_and(|again| again.same(&password));
        if !again.is_none_or(same) {
            NewPassword::Differ
        } else if password.is_trivial() {
            NewPassword::Trivial
        } else {
            let Caller { operator, msisdn, .. } = self.caller;
            NewPassword::Tag(self.keys.current().holder(operator, msisdn, self.generation, &password))
        }
    }

    /// A recipient as typed, of this operator or of another.
    ///
    /// A card number in the recipient's place is malformed even where it would read as a number abroad: what is a number
    /// travels and is kept.
    pub fn recipient(&self, typed: &str) -> Dialled<Msisdn> {
        let card = CardNumber::parse(typed).is_ok();
        Some(typed).filter(|_| !card).and_then(|typed| self.rules.numbers.parse(typed).ok()).into()
    }

    /// An amount as typed.
    pub fn amount(&self, typed: &str) -> Dialled<Amount> {
        parse_amount(&self.rules.unit, typed).into()
    }

    /// A card number as typed.
    pub fn card_number(&self, typed: &str) -> Dialled<CardNumber> {
        CardNumber::parse(typed).ok().into()
    }

    /// The number of a greeting: nothing or 0 is none; the outer `None` when the operator has no such greeting.
    pub fn occasion(&self, typed: Option<&str>) -> Option<Option<u8>> {
        match typed {
            None | Some("" | "0") => Some(None),
            Some(typed) => {
                let known = (1_u8..).zip(&self.rules.standing.occasions);
                known.map(|(number, _)| number).find(|number| number.to_string() == typed).map(Some)
            }
        }
    }

    /// What holds now, when the service is open.
    pub fn open(&self) -> Result<&Period, Refusal> {
        match self.rules.period(self.now) {
            Some(period) if period.closed => Err(Refusal::ServiceClosed { period: Some(period.name.clone()) }),
            Some(period) => Ok(period),
            None => Err(Refusal::ServiceClosed { period: None }),
        }
    }
}
