//! What is random about a card: its number and its password; and which requests issued cards.
//!
//! Guarantees: numbers and passwords are uniform (draws that would favour some are thrown away); no password given or made
//! is one that people guess first; what is secret is wiped when dropped.
//!
//! Bounded by [`CARDS_ISSUED_MAX`] cards a request, [`ISSUED_REMEMBERED_MAX`] requests remembered.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use domain::TOUCH_MAX;
use domain::id::CommandId;
use domain::number::CardNumber;
use domain::password::Password;
use domain::time::Timestamp;
use uuid::Builder;
use zeroize::Zeroizing;

use super::problem::{Earlier, Problem};

/// Cards in one request: with the position account they touch as many accounts as a command may.
pub(crate) const CARDS_ISSUED_MAX: usize = TOUCH_MAX - 1;
/// Requests that issued cards and are remembered, to say where those cards are.
pub(crate) const ISSUED_REMEMBERED_MAX: usize = 1_024;
/// Draws for one card at most. One in three is thrown away, so that this many in a row mean a broken source.
const DRAWS_MAX: usize = 256;

/// The 15 leading digits of a card number: the first is not 0.
const PAYLOAD_MIN: u64 = 100_000_000_000_000;
const PAYLOADS: u64 = 900_000_000_000_000;
/// The least mask that holds every payload, and every password.
const PAYLOAD_MASK: u64 = (1 << 50) - 1;
const PASSWORDS: u32 = 1_000_000;
const PASSWORD_MASK: u32 = (1 << 20) - 1;

/// Fills octets at random, or says why it can't.
type Fill = dyn Fn(&mut [u8]) -> Result<(), getrandom::Error> + Send + Sync;

/// Where randomness comes from.
pub(crate) struct Dice {
    fill: Box<Fill>,
}

impl Dice {
    /// The operating system's.
    pub(crate) fn system() -> Self {
        Self { fill: Box::new(getrandom::fill) }
    }

    #[cfg(test)]
    pub(crate) fn loaded(fill: impl Fn(&mut [u8]) -> Result<(), getrandom::Error> + Send + Sync + 'static) -> Self {
        Self { fill: Box::new(fill) }
    }

    fn octets<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, Problem> {
        let mut octets = Zeroizing::new([0; N]);
        (self.fill)(&mut *octets).map_err(|error| Problem::gone(&error))?;
        Ok(octets)
    }

    /// A new UUIDv7.
    pub(crate) fn id(&self, now: Timestamp) -> Result<CommandId, Problem> {
        let octets = self.octets::<10>()?;
        let uuid = Builder::from_unix_timestamp_millis(now.ms().unsigned_abs(), &octets).into_uuid();
        CommandId::from_uuid(uuid.as_u128()).map_err(|error| Problem::gone(&error))
    }

    /// A random card number that is not among `taken`.
    fn number(&self, taken: &mut HashSet<CardNumber>) -> Result<CardNumber, Problem> {
        for _ in 0..DRAWS_MAX {
            let draw = u64::from_be_bytes(*self.octets::<8>()?) & PAYLOAD_MASK;
            if draw >= PAYLOADS {
                continue;
            }
            let number = CardNumber::from_payload(PAYLOAD_MIN + draw).map_err(|error| Problem::gone(&error))?;
            if taken.insert(number) {
                return Ok(number);
            }
        }
        Err(Problem::gone(&"the source of randomness repeats itself"))
    }

    /// So many numbers, all different.
    pub(crate) fn numbers(&self, count: usize) -> Result<Vec<CardNumber>, Problem> {
        let mut taken = HashSet::with_capacity(count);
        (0..count).map(|_| self.number(&mut taken)).collect()
    }

    /// A random password that people don't guess first.
    pub(crate) fn password(&self) -> Result<Password, Problem> {
        for _ in 0..DRAWS_MAX {
            let draw = Zeroizing::new(u32::from_be_bytes(*self.octets::<4>()?) & PASSWORD_MASK);
            if *draw >= PASSWORDS {
                continue;
            }
            let digits = Zeroizing::new(format!("{:06}", *draw));
            if let Some(password) = Password::parse(&digits).ok().filter(|password| !password.is_trivial()) {
                return Ok(password);
            }
        }
        Err(Problem::gone(&"the source of randomness repeats itself"))
    }
}

/// Requests that issued cards, the latest ones.
#[derive(Default)]
pub(crate) struct Issued {
    latest: Mutex<VecDeque<(CommandId, Earlier)>>,
}

impl Issued {
    pub(crate) fn remember(&self, id: CommandId, cards: Earlier) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() >= ISSUED_REMEMBERED_MAX {
            latest.pop_front();
        }
        latest.push_back((id, cards));
    }

    pub(crate) fn find(&self, id: CommandId) -> Option<Earlier> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().rev().find(|(known, _)| *known == id).map(|(_, cards)| *cards)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::id::{CommandId, IdKind};
    use domain::ids::Serial;
    use domain::receipt::Seq;
    use domain::time::Timestamp;

    use super::{Dice, Earlier, ISSUED_REMEMBERED_MAX, Issued};

    /// Gives these draws in order, then nothing.
    fn rigged(draws: Vec<Vec<u8>>) -> Dice {
        let next = AtomicUsize::new(0);
        Dice::loaded(move |octets| {
            let draw = draws.get(next.fetch_add(1, Ordering::Relaxed)).ok_or(getrandom::Error::UNEXPECTED)?;
            octets.copy_from_slice(draw);
            Ok(())
        })
    }

    #[test]
    fn draws_past_the_last_password_and_trivial_ones_are_thrown_away() {
        let draws = [1_000_000_u32, 0xFF_FFFF, 111_111, 123_456, 12, 482_913];
        let dice = rigged(draws.iter().map(|draw| draw.to_be_bytes().to_vec()).collect());
        assert_eq!(*dice.password().expect("a password").reveal(), "000012");
        assert_eq!(*dice.password().expect("a password").reveal(), "482913");
        assert!(dice.password().is_err(), "no randomness, no password");
    }

    #[test]
    fn draws_past_the_last_payload_and_repeated_numbers_are_thrown_away() {
        let draws = [900_000_000_000_000_u64, 0, 0, 899_999_999_999_999];
        let dice = rigged(draws.iter().map(|draw| draw.to_be_bytes().to_vec()).collect());
        let numbers: Vec<u64> = dice.numbers(2).expect("numbers").iter().map(|number| number.get() / 10).collect();
        assert_eq!(numbers, [100_000_000_000_000, 999_999_999_999_999]);
    }

    #[test]
    fn a_source_that_repeats_itself_ends_in_a_fault() {
        let stuck = Dice::loaded(|octets| {
            octets.fill(0);
            Ok(())
        });
        assert!(stuck.numbers(2).is_err());
        assert!(stuck.password().is_err());
    }

    #[test]
    fn the_systems_numbers_and_passwords_are_good_and_spread() {
        let dice = Dice::system();
        let numbers = dice.numbers(999).expect("numbers");
        let low = numbers.iter().filter(|number| number.get() < 5_500_000_000_000_000).count();
        assert!((350..650).contains(&low), "half of them lie below the middle: {low}");
        for _ in 0..1_000 {
            assert!(!dice.password().expect("a password").is_trivial());
        }
        let made_at = Timestamp::from_ms(1_800_000_000_000);
        assert_eq!(dice.id(made_at).expect("an id").kind(), IdKind::Program { made_at });
    }

    #[test]
    fn so_many_requests_are_remembered_and_no_more() {
        let issued = Issued::default();
        let id = |n: usize| CommandId::internal(1, n.try_into().expect("small"));
        let cards = |n: usize| Earlier { seq: Seq(n.try_into().expect("small")), first: Serial(1), count: 1 };
        (0..=ISSUED_REMEMBERED_MAX).for_each(|n| issued.remember(id(n), cards(n)));
        assert_eq!(issued.find(id(0)), None);
        assert_eq!(issued.find(id(1)), Some(cards(1)));
        assert_eq!(issued.find(id(ISSUED_REMEMBERED_MAX)), Some(cards(ISSUED_REMEMBERED_MAX)));
    }
}
