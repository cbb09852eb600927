//! Six-digit passwords and the keyed tags that stand for them everywhere past an edge.
//!
//! Guarantees: a [`Password`] can't be printed, serialised or compared, and is wiped when dropped; a tag tells nothing
//! without its key. Six digits have no strength of their own: the key does (docs/design.md, *Passwords and keys*).
//!
//! Deliberately not here: where keys live (files, HSM), randomness.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use minicbor::bytes::{DecodeBytes, EncodeBytes};
use minicbor::{Decode, Encode};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ids::OperatorId;
use crate::number::{CardNumber, Msisdn};

/// Digits of a password.
pub const PASSWORD_DIGITS: usize = 6;
/// Octets of a tag key: one HMAC-SHA-256 output.
pub const KEY_LEN: usize = 32;
/// Octets of a block of SHA-256.
const BLOCK_LEN: usize = 64;
/// Octets of a tag past its key id.
pub const TAG_LEN: usize = 16;

/// Six digits that a person typed. Lives only at an edge, only as long as it takes to make its tags.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Password([u8; PASSWORD_DIGITS]);

/// A text is no password. Holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password is six digits")]
pub struct PasswordError;

impl Password {
    /// Takes six ASCII digits.
    ///
    /// # Errors
    /// When there are not exactly six of them, or one is no digit.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        match <[u8; PASSWORD_DIGITS]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(PasswordError),
        }
    }

    /// One digit repeated, a run up or down, or a pair repeated: what people guess first. Refused as a new password.
    pub fn is_trivial(&self) -> bool {
        let step = |by: i16| self.0.windows(2).all(|w| matches!(w, [a, b] if i16::from(*b) - i16::from(*a) == by));
        let (front, back) = self.0.split_at(PASSWORD_DIGITS / 2);
        let pairs = self.0.chunks_exact(2).all(|pair| self.0.starts_with(pair));
        step(0) || step(1) || step(-1) || front == back || pairs
    }

    /// Whether both are the same six digits, in constant time.
    pub fn same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Gives the digits to the one caller who must show them once: card production.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|d| char::from(*d)).collect())
    }
}

/// Which key made a tag. At most two keys are live at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct KeyId(#[n(0)] pub u8);

/// `key id ‖ HMAC-SHA-256(key, domain ‖ operator ‖ id ‖ password)`, the MAC cut to 16 octets.
///
/// Compared only by [`PasswordTag::opens`], in constant time.
#[derive(Clone, Copy)]
pub struct PasswordTag {
    key: KeyId,
    mac: [u8; TAG_LEN],
}

impl PasswordTag {
    /// Octets of a tag as stored: key id, then MAC.
    pub const LEN: usize = 1 + TAG_LEN;

    /// The key that made it.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Whether both stand for the same password of the same card or subscriber under the same key; constant time.
    pub fn opens(&self, other: &Self) -> bool {
        let same = self.key.0.ct_eq(&other.key.0) & self.mac.ct_eq(&other.mac);
        same.into()
    }

    /// Key id, then MAC: for storage only.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let [key, mac @ ..] = &mut out;
        *key = self.key.0;
        *mac = self.mac;
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let [key, mac @ ..] = bytes;
        Self { key: KeyId(key), mac }
    }
}

/// Shows the key id only.
impl fmt::Debug for PasswordTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordTag(key {})", self.key.0)
    }
}

impl<C> Encode<C> for PasswordTag {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.to_bytes().encode_bytes(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for PasswordTag {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        <[u8; Self::LEN]>::decode_bytes(d, ctx).map(Self::from_bytes)
    }
}

/// One secret key for tags. Wiped when dropped; can't be printed.
pub struct TagKey {
    id: KeyId,
    // The keyed state, so that a tag costs the blocks of its own message only.
    hmac: Hmac<Sha256>,
}

impl TagKey {
    /// Takes over a key's octets.
    pub fn new(id: KeyId, key: &Zeroizing<[u8; KEY_LEN]>) -> Self {
        // HMAC pads a key shorter than its block with zeros (RFC 2104); doing it here leaves no fallible call.
        let mut block = Zeroizing::new([0_u8; BLOCK_LEN]);
        block.split_at_mut(KEY_LEN).0.copy_from_slice(&**key);
        Self { id, hmac: Hmac::<Sha256>::new((&*block).into()) }
    }

    /// Its id.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The tag of a bound card's password: it belongs to the subscriber (MSISDN and generation), whatever the card.
    pub fn holder(&self, operator: OperatorId, msisdn: Msisdn, generation: u16, password: &Password) -> PasswordTag {
        let mut id = [0; 10];
        let (number, rest) = id.split_at_mut(8);
        number.copy_from_slice(&msisdn.get().to_be_bytes());
        rest.copy_from_slice(&generation.to_be_bytes());
        self.tag(b'h', operator, id, password)
    }

    /// The tag of a card's password before it is bound.
    pub fn card(&self, operator: OperatorId, number: CardNumber, password: &Password) -> PasswordTag {
        let mut id = [0; 10];
        let (head, _) = id.split_at_mut(8);
        head.copy_from_slice(&number.get().to_be_bytes());
        self.tag(b'c', operator, id, password)
    }

    fn tag(&self, domain: u8, operator: OperatorId, id: [u8; 10], password: &Password) -> PasswordTag {
        let mut hmac = self.hmac.clone();
        hmac.update(&[domain, operator.0]);
        hmac.update(&id);
        hmac.update(&password.0);
        let full: [u8; 32] = hmac.finalize().into_bytes().into();
        let mut mac = [0; TAG_LEN];
        mac.copy_from_slice(full.split_at(TAG_LEN).0);
        PasswordTag { key: self.id, mac }
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagKey(id {})", self.id.0)
    }
}

/// The live keys: the current one makes new tags, an older one still opens what it made.
#[derive(Debug)]
pub struct TagKeys {
    current: TagKey,
    older: Option<TagKey>,
}

impl TagKeys {
    /// One or two live keys.
    pub const fn new(current: TagKey, older: Option<TagKey>) -> Self {
        Self { current, older }
    }

    /// The key that makes new tags.
    pub const fn current(&self) -> &TagKey {
        &self.current
    }

    /// A command's proof: one tag per live key, the current one first.
    pub fn proof(&self, tag: impl Fn(&TagKey) -> PasswordTag) -> Proof {
        Proof::Tags { current: tag(&self.current), older: self.older.as_ref().map(tag) }
    }
}

/// What a command carries in place of a password.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum Proof {
    /// Something that is not six digits was typed where the password belongs. Counts as a wrong password.
    #[n(0)]
    Malformed,
    /// One tag per live key.
    #[n(1)]
    Tags {
        /// Under the current key.
        #[n(0)]
        current: PasswordTag,
        /// Under the older live key, while there is one.
        #[n(1)]
        older: Option<PasswordTag>,
    },
}

/// How a proof met a stored tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It does not open it.
    No,
    /// Under the current key.
    Current,
    /// Under the older key: the verdict rewrites the tag under the current one.
    Older,
}

impl Proof {
    /// Compares with a stored tag; every comparison is made whatever the others said.
    pub fn opens(&self, stored: &PasswordTag) -> Opened {
        match self {
            Self::Malformed => Opened::No,
            Self::Tags { current, older } => {
                let by_current = current.opens(stored);
                let by_older = older.as_ref().is_some_and(|tag| tag.opens(stored));
                match (by_current, by_older) {
                    (true, _) => Opened::Current,
                    (false, true) => Opened::Older,
                    (false, false) => Opened::No,
                }
            }
        }
    }

    /// The tag under the current key, when the password was well formed.
    pub const fn current(&self) -> Option<PasswordTag> {
        match self {
            Self::Malformed => None,
            Self::Tags { current, .. } => Some(*current),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Opened, Password};
    use crate::ids::OperatorId;
    use crate::number::{CardNumber, Msisdn};
    use crate::testing::{keys, password, tag_key as key, two_keys};

    const ALICE: u64 = 8_501_911_000_001;

    #[test]
    fn six_digits_and_nothing_else() {
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "123 56"] {
            assert!(Password::parse(bad).is_err());
        }
        assert!(Password::parse("482913").is_ok());
    }

    #[test]
    fn trivial_ones_are_known() {
        for trivial in ["000000", "777777", "123456", "654321", "121212", "482482", "012345"] {
            assert!(password(trivial).is_trivial(), "{trivial}");
        }
        for fine in ["482913", "100000", "112233", "123457"] {
            assert!(!password(fine).is_trivial(), "{fine}");
        }
    }

    #[test]
    fn a_tag_belongs_to_one_key_domain_operator_subscriber_generation_and_password() {
        let alice = Msisdn::try_new(ALICE).expect("a number");
        let bob = Msisdn::try_new(ALICE + 1).expect("a number");
        let op = OperatorId(1);
        let base = key(1).holder(op, alice, 1, &password("482913"));
        assert!(base.opens(&key(1).holder(op, alice, 1, &password("482913"))));
        let others = [
            key(2).holder(op, alice, 1, &password("482913")),
            key(1).holder(OperatorId(2), alice, 1, &password("482913")),
            key(1).holder(op, bob, 1, &password("482913")),
            key(1).holder(op, alice, 2, &password("482913")),
            key(1).holder(op, alice, 1, &password("482914")),
            key(1).card(op, CardNumber::from_stored(ALICE), &password("482913")),
        ];
        assert!(others.iter().all(|other| !base.opens(other)));
    }

    #[test]
    fn an_older_live_key_still_opens() {
        let alice = Msisdn::try_new(ALICE).expect("a number");
        let stored = key(1).holder(OperatorId(1), alice, 1, &password("482913"));
        let keys = two_keys();
        let proof = keys.proof(|key| key.holder(OperatorId(1), alice, 1, &password("482913")));
        assert_eq!(proof.opens(&stored), Opened::Older);
        let wrong = keys.proof(|key| key.holder(OperatorId(1), alice, 1, &password("482914")));
        assert_eq!(wrong.opens(&stored), Opened::No);
    }

    #[test]
    fn nothing_prints_digits_or_octets() {
        let alice = Msisdn::try_new(ALICE).expect("a number");
        let proof = keys().proof(|key| key.holder(OperatorId(1), alice, 1, &password("482913")));
        assert_eq!(format!("{proof:?}"), "Tags { current: PasswordTag(key 1), older: None }");
    }
}
