//! Up to a thousand cards in memory: what one `cards-….csv` and one `sheets-….pdf` are made of.
//!
//! Guarantees: the digits lie in one buffer that never moves while it fills and is wiped when the batch is dropped or
//! emptied; nothing here can be shown by `Debug`.

use zeroize::{Zeroize, Zeroizing};

use super::fault::PressFault;
use super::label::Label;
use super::{BATCH_CARDS, SERIAL_DIGITS, SERIAL_MAX};

/// Digits of a card number.
pub(super) const NUMBER_DIGITS: usize = 16;
/// Digits of a password.
pub(super) const PASSWORD_DIGITS: usize = 6;
/// First line of a `cards-….csv`.
const HEAD: &str = "serial,number,password,value\n";

/// One card with its secrets. Deliberately without `Debug`.
#[derive(Zeroize)]
pub(super) struct Card {
    serial: u32,
    number: [u8; NUMBER_DIGITS],
    password: [u8; PASSWORD_DIGITS],
}

impl Card {
    /// Takes digits and nothing else.
    pub(super) fn try_new(serial: u32, number: &str, password: &str) -> Result<Self, PressFault> {
        let bad = |what| PressFault::Card { serial, what };
        if serial > SERIAL_MAX {
            return Err(bad("serials have eight digits"));
        }
        Ok(Self {
            serial,
            number: digits(number).ok_or(bad("its number is not sixteen digits"))?,
            password: digits(password).ok_or(bad("its password is not six digits"))?,
        })
    }

    /// The serial as it is printed.
    pub(super) fn serial(&self) -> String {
        format!("{:0SERIAL_DIGITS$}", self.serial)
    }

    /// The number in groups of four.
    pub(super) fn grouped_number(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(NUMBER_DIGITS + 3));
        for (at, digit) in self.number.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                out.push(' ');
            }
            out.push(char::from(*digit));
        }
        out
    }

    /// The password.
    pub(super) fn password(&self) -> Zeroizing<String> {
        Zeroizing::new(self.password.iter().copied().map(char::from).collect())
    }
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let octets: [u8; N] = text.as_bytes().try_into().ok()?;
    octets.iter().all(u8::is_ascii_digit).then_some(octets)
}

/// Cards that wait to be written.
pub(super) struct Batch(Zeroizing<Vec<Card>>);

impl Batch {
    /// Room for all of them at once, so that growing leaves no copy behind.
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(BATCH_CARDS)))
    }

    /// Adds a card; true when the batch is full.
    pub(super) fn push(&mut self, card: Card) -> bool {
        self.0.push(card);
        self.0.len() >= BATCH_CARDS
    }

    /// What is in it.
    pub(super) fn cards(&self) -> &[Card] {
        &self.0
    }

    /// Forgets the cards.
    pub(super) fn wipe(&mut self) {
        // Of a vector, that wipes what is in it and keeps the room.
        self.0.zeroize();
    }

    /// The cards as CSV. No field can hold a comma or a quotation mark.
    pub(super) fn csv(&self, label: &Label) -> Zeroizing<Vec<u8>> {
        let value = label.value();
        let line_len = SERIAL_DIGITS + NUMBER_DIGITS + PASSWORD_DIGITS + value.len() + 4;
        let mut out = Zeroizing::new(Vec::with_capacity(HEAD.len() + line_len * self.0.len()));
        out.extend_from_slice(HEAD.as_bytes());
        for card in self.0.iter() {
            out.extend_from_slice(card.serial().as_bytes());
            out.push(b',');
            out.extend_from_slice(&card.number);
            out.push(b',');
            out.extend_from_slice(&card.password);
            out.push(b',');
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        }
        out
    }
}
