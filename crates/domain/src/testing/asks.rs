//! What people and staff ask, as an edge would say it: passwords are tags already.

use std::sync::Arc;

use crate::command::{
    Bind, Body, Caller, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard, NewSubscriber, Proved, TopUp,
};
use crate::ids::Staff;
use crate::money::Amount;
use crate::number::{CardNumber, Msisdn};
use crate::office::done::OfficeDone;
use crate::office::motion::MotionCommand;
use crate::office::{Asked, Office};
use crate::password::{Proof, TagKeys};
use crate::rules::Rules;
use crate::verdict::{Done, Outcome, Verdict};

use super::{OPERATOR, PASSWORD, minor, password, phone};

const STAFF: Staff = Staff(0);

/// Rules come into force: an operator's first ones at once, later ones once they are [seconded].
pub fn load(rules: Rules) -> Body {
    Body::LoadRules(LoadRules { staff: STAFF, rules: Arc::new(rules), file_hash: [1; 32], from: None })
}

/// A line of an import of which nothing but the number is known.
pub const fn subscriber(msisdn: Msisdn) -> NewSubscriber {
    NewSubscriber { msisdn, imsi: None, language: None, since: None, airtime: None }
}

/// The phones from 1 to `last`, of whom nothing else is known.
pub fn phones(last: u64) -> Vec<NewSubscriber> {
    (1..=last).map(phone).map(subscriber).collect()
}

/// The first operator has these subscribers.
pub const fn import(subscribers: Vec<NewSubscriber>) -> Body {
    Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator: OPERATOR, subscribers })
}

/// The first operator sells cards with so much on each.
pub fn issue(keys: &TagKeys, numbers: impl IntoIterator<Item = CardNumber>, digits: &str, value_minor: i64) -> Body {
    let (current, value) = (keys.current(), minor(value_minor));
    let card = |number| NewCard { number, tag: current.card(OPERATOR, number, &password(digits)), value };
    let cards = numbers.into_iter().map(card).collect();
    Body::IssueCards(IssueCards { staff: STAFF, operator: OPERATOR, cards })
}

/// A phone binds a card, with the password that is printed on it.
pub fn bind(keys: &TagKeys, caller: Caller, number: CardNumber, digits: &str) -> Body {
    let (operator, password) = (caller.operator, password(digits));
    Body::Bind(Bind {
        caller,
        number: Dialled::Value(number),
        proof: keys.proof(|key| key.card(operator, number, &password)),
        holder_tag: Some(keys.current().holder(operator, caller.msisdn, 1, &password)),
    })
}

/// What a first owner of a number proves with a password.
pub fn proof(keys: &TagKeys, caller: &Caller, digits: &str) -> Proof {
    keys.proof(|key| key.holder(caller.operator, caller.msisdn, 1, &password(digits)))
}

/// A caller with their [`PASSWORD`].
pub fn proved(keys: &TagKeys, caller: Caller) -> Proved {
    Proved { caller, proof: proof(keys, &caller, PASSWORD) }
}

/// A gift with the sender's [`PASSWORD`]. An amount below one travels as malformed.
pub fn gift(keys: &TagKeys, caller: Caller, recipient: Msisdn, amount_minor: i64) -> Gift {
    Gift {
        caller,
        recipient: Dialled::Value(recipient),
        amount: Dialled::from(Amount::try_new(amount_minor)),
        proof: proof(keys, &caller, PASSWORD),
        swapped: false,
        occasion: None,
    }
}

/// An own top-up with the holder's [`PASSWORD`].
pub fn top_up(keys: &TagKeys, caller: Caller, amount_minor: i64) -> Body {
    let amount = Dialled::from(Amount::try_new(amount_minor));
    Body::TopUp(TopUp { caller, amount, proof: proof(keys, &caller, PASSWORD) })
}

/// What somebody asks the office.
pub fn asked(staff: Staff, what: Asked) -> Body {
    Body::Office(Box::new(Office { staff, what }))
}

/// What a second person says to a proposal: yes, to the hash that was shown. `None`: nothing was proposed.
pub fn seconded(verdict: &Verdict, by: Staff) -> Option<Body> {
    let Outcome::Done(Done::Office(done)) = &verdict.outcome else { return None };
    let OfficeDone::Proposed { motion, hash } = **done else { return None };
    Some(asked(by, Asked::Motion(MotionCommand::Approve { motion, hash })))
}
