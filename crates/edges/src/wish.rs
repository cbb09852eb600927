//! What a caller wants, as far as it is known before the password.
//!
//! Guarantees: plain data; whatever stands in it passed every check that an edge can make.
//! Deliberately not here: how it is asked for ([`crate::menu`]), what a screen says of it ([`crate::say`]).

use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};

use crate::desk::Desk;

/// Everything that a command needs except the password that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Give airtime.
    Give {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// With which greeting.
        greeting: Greeting,
    },
    /// Top up one's own phone.
    TopUp {
        /// How much.
        amount: Amount,
    },
    /// The cards on this phone.
    ShowCards,
    /// The latest gifts.
    ShowGifts,
    /// Freeze the card.
    Freeze,
    /// Bind a card.
    Bind {
        /// Printed on it.
        number: CardNumber,
    },
    /// Take back the latest gift on hold.
    Undo,
}

/// The greeting of a gift, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// As it was dialled along, or none where the menu doesn't ask.
    Dialled(Option<u8>),
    /// As it is chosen in the menu; none until it was asked for.
    Asked(Option<u8>),
}

impl Greeting {
    /// That of a gift which begins in the menu.
    pub fn of_menu(desk: &Desk<'_>) -> Self {
        let standing = &desk.rules.standing;
        let asks = standing.ask_occasion == Some(true) && !standing.occasions.is_empty();
        if asks { Self::Asked(None) } else { Self::Dialled(None) }
    }

    /// The number that the command carries.
    pub const fn occasion(self) -> Option<u8> {
        match self {
            Self::Dialled(occasion) | Self::Asked(occasion) => occasion,
        }
    }
}
