//! Whether a gift is confirmed before it is asked for, and which greeting goes with it.
//!
//! Guarantees: a confirmed gift is the one that the screen named: recipient and amount have no way to change between the yes and
//! the command. The password is asked for after the yes, and one that was dialled along waits as its tags: no digits are kept.
//!
//! Deliberately not here: whom the caller gave to before (the engine's), words ([`crate::texts`]).

use domain::command::{Body, Gift};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::rules::Confirm;

use super::{State, Step};
use crate::desk::Desk;
use crate::say::Say;
use crate::wish::{Greeting, Wish};

/// The greeting that was typed: the numbers are those of the dial string, and the one after the last is none. Not 0, which
/// goes back on every screen.
pub(super) fn chosen_greeting(desk: &Desk<'_>, typed: &str) -> Option<Greeting> {
    let none_at = desk.rules.standing.occasions.len().saturating_add(1);
    match typed.parse::<u8>().ok()? {
        0 => None,
        number if usize::from(number) == none_at => Some(Greeting::Asked(None)),
        number => Some(Greeting::Asked(Some(number))).filter(|_| usize::from(number) < none_at),
    }
}

/// A gift that lacks nothing but, perhaps, a yes and a password.
#[derive(Clone, Copy, Debug)]
pub enum Giving {
    /// Asked for in the dialogue: the password comes after the yes.
    Asked {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// With which greeting.
        greeting: Greeting,
    },
    /// Dialled whole: the password is tags already.
    Dialled(Gift),
}

impl Giving {
    /// Recipient and amount, where both could be read.
    const fn named(&self) -> Option<(Msisdn, Amount)> {
        match self {
            Self::Asked { to, amount, .. } => Some((*to, *amount)),
            Self::Dialled(gift) => match (gift.recipient.value(), gift.amount.value()) {
                (Some(to), Some(amount)) => Some((to, amount)),
                _ => None,
            },
        }
    }

    /// Whether the operator may want a yes; whom the caller gave to before may still make it needless.
    pub(super) fn may_need_confirmation(&self, desk: &Desk<'_>) -> bool {
        let Some((_, amount)) = self.named().filter(|_| desk.dialogue) else { return false };
        match desk.rules.standing.confirm {
            None => false,
            Some(Confirm::Always | Confirm::NewRecipient) => true,
            Some(Confirm::Above(above)) => amount > above,
        }
    }

    /// What comes after the yes.
    pub(super) fn confirmed(self) -> Step {
        match self {
            Self::Asked { to, amount, greeting } => Step::ask(State::Password(Wish::Give { to, amount, greeting })),
            Self::Dialled(gift) => Step::Submit(Body::Gift(gift), None),
        }
    }

    pub(super) fn question(&self, near: Option<Msisdn>) -> Say {
        // Only what is named gets here: see `may_need_confirmation`.
        self.named().map_or(Say::Declined, |(to, amount)| Say::Confirm { to, amount, near })
    }
}

/// Asks for a yes, unless it is needless. `recents`: whom the caller gave to before, newest first; `None` when the engine
/// did not say in time, so that a recipient who may be new is taken for new.
pub fn confirm(desk: &Desk<'_>, giving: Giving, recents: Option<&[Msisdn]>) -> Step {
    let recents = recents.unwrap_or_default();
    let Some((to, _)) = giving.named() else { return giving.confirmed() };
    let known = recents.contains(&to);
    if known && desk.rules.standing.confirm == Some(Confirm::NewRecipient) {
        return giving.confirmed();
    }
    // Whoever was given to before was meant.
    let near = recents.iter().copied().find(|recent| !known && is_near(*recent, to));
    Step::ask(State::Confirm { giving, near })
}

/// Whether two numbers differ in one digit, or in two neighbours that changed places.
pub fn is_near(one: Msisdn, other: Msisdn) -> bool {
    let (one, other) = (one.get().to_string(), other.get().to_string());
    if one.len() != other.len() {
        return false;
    }
    let pairs: Vec<(u8, u8)> = one.bytes().zip(other.bytes()).collect();
    match pairs.iter().filter(|(a, b)| a != b).count() {
        1 => true,
        2 => pairs.windows(2).any(|pair| matches!(pair, [(a, b), (c, d)] if a != b && a == d && b == c)),
        _ => false,
    }
}
