//! The GSM 7-bit default alphabet and its basic extension table (3GPP TS 23.038 §6.2.1), packed for USSD and unpacked
//! for SMPP.
//!
//! **For:** reading what a phone typed and writing what it shows.
//!
//! **Guarantees:** decoding is total but for the errors named; encoding fails only for a letter that the alphabet has
//! not. A decoded `String` is reserved once at its largest and no copy of the septets is made on the way, so a caller
//! who wipes it (it may hold a password) has wiped every copy that this module made.
//!
//! **Bounded by:** its input: an octet in makes at most three octets out.
//!
//! **Not here:** national language tables (they need a user data header, which USSD has not), transliteration, and the
//! choice between this alphabet and UCS-2 (see [`crate::text`]).

/// Announces that the next septet is one of the extension table.
const ESCAPE: u8 = 0x1B;
/// Fills the seven spare bits at the end of packed text, which would otherwise read as `@`.
const CARRIAGE_RETURN: u8 = 0x0D;
/// Septets are the low seven bits.
const SEPTET_MASK: u8 = 0x7F;

/// TS 23.038 §6.2.1: the index is the septet.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// TS 23.038 §6.2.1.1: (septet after the escape, letter).
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Marks a letter below U+0100 that the basic table has not.
const ABSENT: u8 = 0xFF;

/// The basic table turned round for letters below U+0100: encoding a screen must not search 128 letters for each of
/// its own.
const LATIN: [u8; 256] = {
    let mut table = [ABSENT; 256];
    let mut septet: u8 = 0;
    while septet <= SEPTET_MASK {
        let letter = BASIC[septet as usize] as usize;
        if letter < table.len() && septet != ESCAPE {
            table[letter] = septet;
        }
        septet += 1;
    }
    table
};

/// The Greek capitals: the only letters of the basic table at or above U+0100.
const GREEK: std::ops::Range<u8> = 0x10..0x1B;

/// Why text or octets are not GSM 7-bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Gsm7Error {
    /// Neither table has this letter. It is shown so that whoever wrote the text can find it; every character that a
    /// password can have is in the table.
    #[error("the GSM 7-bit alphabet has no {letter:?}")]
    NoSuchLetter {
        /// The first such letter.
        letter: char,
    },
    /// More septets were announced than the octets hold.
    #[error("{announced} septets announced, {held} held")]
    Truncated {
        /// Septets that the caller asked for.
        announced: usize,
        /// Septets that the octets can hold.
        held: usize,
    },
    /// An octet of unpacked text has its top bit set.
    #[error("unpacked text has an octet above 7F")]
    NotSeptet,
}

/// How a letter is written.
#[derive(Clone, Copy)]
enum Code {
    Basic(u8),
    Extended(u8),
}

fn code_of(letter: char) -> Option<Code> {
    if let Ok(latin) = u8::try_from(letter) {
        let septet = LATIN[usize::from(latin)];
        if septet != ABSENT {
            return Some(Code::Basic(septet));
        }
    } else if let Some(septet) = GREEK.clone().find(|&septet| BASIC[usize::from(septet)] == letter) {
        return Some(Code::Basic(septet));
    }
    EXTENSION.iter().find(|(_, extended)| *extended == letter).map(|&(septet, _)| Code::Extended(septet))
}

/// Hands the septets of `text` to `sink`, an extension letter as two.
fn each_septet(text: &str, mut sink: impl FnMut(u8)) -> Result<(), Gsm7Error> {
    for letter in text.chars() {
        match code_of(letter).ok_or(Gsm7Error::NoSuchLetter { letter })? {
            Code::Basic(septet) => sink(septet),
            Code::Extended(septet) => {
                sink(ESCAPE);
                sink(septet);
            }
        }
    }
    Ok(())
}

/// How many septets `text` takes, an extension letter counting two; `None` if a letter has no GSM 7-bit form.
///
/// Counts the letters and not the carriage return that [`encode`] may add.
#[must_use]
pub fn septets(text: &str) -> Option<usize> {
    let mut count = 0;
    each_septet(text, |_| count += 1).ok()?;
    Some(count)
}

/// Collects septets into octets, the first septet in the lowest bits (TS 23.038 §6.1.2.1.1).
struct Packer {
    octets: Vec<u8>,
    /// Bits that do not fill an octet yet, lowest first.
    pending: u16,
    pending_bits: u32,
    count: usize,
    last: Option<u8>,
}

impl Packer {
    fn push(&mut self, septet: u8) {
        self.pending |= u16::from(septet) << self.pending_bits;
        self.pending_bits += 7;
        self.count += 1;
        self.last = Some(septet);
        if 8 <= self.pending_bits {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let [low, high] = self.pending.to_le_bytes();
        self.octets.push(low);
        self.pending = u16::from(high);
        self.pending_bits = self.pending_bits.saturating_sub(8);
    }

    /// TS 23.038 §6.1.2.3.1: seven spare bits become a carriage return; text that itself ends in one on an octet
    /// boundary gets a second, because the receiver drops the last.
    fn finish(mut self) -> Vec<u8> {
        let seven_spare = self.count % 8 == 7;
        let ends_in_return = self.count.is_multiple_of(8) && self.last == Some(CARRIAGE_RETURN);
        if seven_spare || ends_in_return {
            self.push(CARRIAGE_RETURN);
        }
        if 0 < self.pending_bits {
            self.flush();
        }
        self.octets
    }
}

/// Packs `text` for USSD: eight septets in seven octets, with the carriage-return padding of TS 23.038 §6.1.2.3.1.
///
/// Text of 8n septets that ends in a carriage return comes out one octet longer and reads back with two of them,
/// which the standard defines to mean the same as one.
///
/// # Errors
/// [`Gsm7Error::NoSuchLetter`].
pub fn encode(text: &str) -> Result<Vec<u8>, Gsm7Error> {
    let octets = Vec::with_capacity(text.len() * 2);
    let mut packer = Packer { octets, pending: 0, pending_bits: 0, count: 0, last: None };
    each_septet(text, |septet| packer.push(septet))?;
    Ok(packer.finish())
}

/// Writes `text` one septet to an octet, as SMSCs expect it under SMPP `data_coding` 0.
///
/// # Errors
/// [`Gsm7Error::NoSuchLetter`].
pub fn encode_unpacked(text: &str) -> Result<Vec<u8>, Gsm7Error> {
    let mut octets = Vec::with_capacity(text.len() * 2);
    each_septet(text, |septet| octets.push(septet))?;
    Ok(octets)
}

/// The septet that starts at bit 7 × `index`; zeros beyond the end.
fn septet_at(octets: &[u8], index: usize) -> u8 {
    // Eight septets fill seven octets, so splitting the index first keeps the product from overflowing.
    let bit = index % 8 * 7;
    let start = index / 8 * 7 + bit / 8;
    let octet = |at: usize| octets.get(at).copied().unwrap_or(0);
    let pair = u16::from_le_bytes([octet(start), octet(start + 1)]);
    let [low, _] = (pair >> (bit % 8)).to_le_bytes();
    low & SEPTET_MASK
}

/// Reads septets as letters. An escape before a septet that the extension table has not means the basic letter, and an
/// escape before an escape or the end a blank (TS 23.038 §6.2.1.1).
fn letters(septets: impl Iterator<Item = u8>, count: usize) -> String {
    // Two octets a septet are enough: the only letter of three, the euro sign, takes two septets.
    let mut text = String::with_capacity(count * 2);
    let mut escaped = false;
    for septet in septets {
        let basic = BASIC[usize::from(septet & SEPTET_MASK)];
        if escaped {
            let extended = EXTENSION.iter().find(|&&(code, _)| code == septet).map(|&(_, letter)| letter);
            text.push(if septet == ESCAPE { ' ' } else { extended.unwrap_or(basic) });
            escaped = false;
        } else if septet == ESCAPE {
            escaped = true;
        } else {
            text.push(basic);
        }
    }
    if escaped {
        text.push(' ');
    }
    text
}

/// Reads packed text. With `septets` given, exactly so many are read; without, as many as the octets hold, and the
/// carriage return that ends them on an octet boundary is padding and dropped (TS 23.038 §6.1.2.3.1).
///
/// # Errors
/// [`Gsm7Error::Truncated`] if `septets` is more than the octets hold.
pub fn decode_packed(octets: &[u8], septets: Option<usize>) -> Result<String, Gsm7Error> {
    let held = octets.len() + octets.len() / 7;
    let count = match septets {
        Some(announced) if held < announced => {
            return Err(Gsm7Error::Truncated { announced, held });
        }
        Some(announced) => announced,
        None => {
            let padded = 0 < held && held.is_multiple_of(8) && septet_at(octets, held - 1) == CARRIAGE_RETURN;
            held - usize::from(padded)
        }
    };
    Ok(letters((0..count).map(|index| septet_at(octets, index)), count))
}

/// Reads text that has one septet to an octet.
///
/// # Errors
/// [`Gsm7Error::NotSeptet`] if an octet is above 0x7F.
pub fn decode_unpacked(octets: &[u8]) -> Result<String, Gsm7Error> {
    if octets.iter().any(|&octet| SEPTET_MASK < octet) {
        return Err(Gsm7Error::NotSeptet);
    }
    Ok(letters(octets.iter().copied(), octets.len()))
}

#[cfg(test)]
mod tests;
