//! Dialled strings, cut into the fields of 3GPP TS 22.030 §6.5.2 (`*SC*SIA*SIB*SIC#`).
//!
//! **For:** the edges, which match the fields against an operator's templates. The same cut serves a string that came
//! as GSM 7-bit text, as UCS-2 or in an HTTP form.
//!
//! **Guarantees:** [`parse`] is total and allocates nothing; the fields borrow from the input. A string that parses
//! has a known form, a service code of two to four digits and at most [`FIELDS_MAX`] fields, none with `*`, `#` or a
//! control character in it. **A password may be among the fields**: neither [`DialString`]'s `Debug` nor any
//! [`DialError`] shows a single character of the input.
//!
//! **Bounded by:** [`DIAL_LEN_MAX`] octets, [`FIELDS_MAX`] fields.
//!
//! **Not here:** what a field means. `-5` and `1.5` are fields like any other, so that a malformed amount gets its own
//! refusal and not a general complaint; which fields are amount, recipient and password is the operator's template. The
//! inputs that HTTP aggregators join by `*` are no dialled string either and are cut by their edge.

use std::fmt;

/// The longest string that [`parse`] reads, in octets: one USSD message carries 182 GSM 7-bit characters (3GPP TS
/// 23.038).
pub const DIAL_LEN_MAX: usize = 182;

/// The most fields after the service code. 3GPP defines three; our longest template has five, and phones pass on
/// what was typed.
pub const FIELDS_MAX: usize = 8;

/// The fewest digits in a service code (3GPP TS 22.030).
pub const SERVICE_CODE_DIGITS_MIN: usize = 2;

/// The most digits in a service code: 3GPP has two or three, some networks route four.
pub const SERVICE_CODE_DIGITS_MAX: usize = 4;

/// What a string begins with (3GPP TS 22.030 §6.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl Form {
    /// Takes the opening off the front of `input`. The two-character openings come first: each begins with a
    /// one-character opening.
    fn take(input: &str) -> Option<(Form, &str)> {
        const OPENINGS: [(&str, Form); 5] = [
            ("*#", Form::Interrogation),
            ("**", Form::Registration),
            ("##", Form::Erasure),
            ("*", Form::Activation),
            ("#", Form::Deactivation),
        ];
        OPENINGS.iter().find_map(|&(opening, form)| input.strip_prefix(opening).map(|rest| (form, rest)))
    }
}

/// A dialled string, cut but not understood. Borrows from what was parsed.
///
/// Its `Debug` shows the form, the service code and *how many* fields there are: a password may be in them. There is no
/// `Display`, so that the whole can't be printed by accident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DialString<'a> {
    /// How the string begins.
    pub form: Form,
    /// The digits after the opening, `10..=9999`.
    pub service_code: u16,
    fields: [&'a str; FIELDS_MAX],
    fields_len: usize,
}

impl<'a> DialString<'a> {
    /// What stands between the `*` after the service code and the last `#`: none to [`FIELDS_MAX`] fields, as typed.
    ///
    /// An empty field is kept as `""`: `*999**5#` has two, `*999*#` has one, `*999#` has none.
    #[must_use]
    pub fn fields(&self) -> &[&'a str] {
        self.fields.get(..self.fields_len).unwrap_or_default()
    }
}

impl fmt::Debug for DialString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialString")
            .field("form", &self.form)
            .field("service_code", &self.service_code)
            .field("fields_len", &self.fields_len)
            .finish()
    }
}

/// Why a string can't be cut. Carries nothing of the input, not even a position: a password may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// More than [`DIAL_LEN_MAX`] octets.
    #[error("the dialled string is too long")]
    TooLong,
    /// Not UTF-8.
    #[error("the dialled string is not text")]
    NotText,
    /// A control character, line ends included.
    #[error("the dialled string has a control character")]
    ControlCharacter,
    /// Begins with neither `*` nor `#` (or is empty).
    #[error("the dialled string begins with neither * nor #")]
    NoOpening,
    /// Does not end in `#`.
    #[error("the dialled string does not end in #")]
    Unterminated,
    /// A `#` between the opening and the last `#`.
    #[error("the dialled string has a # inside")]
    HashInside,
    /// The service code is not two to four ASCII digits, or begins with 0 (`0999` and `999` would be one number).
    #[error("the dialled string has no service code")]
    ServiceCode,
    /// More than [`FIELDS_MAX`] fields.
    #[error("the dialled string has too many fields")]
    TooManyFields,
}

/// Cuts a dialled string into its form, service code and fields.
///
/// # Errors
/// The first of [`DialError`]'s variants, in their order, that holds.
pub fn parse(input: &[u8]) -> Result<DialString<'_>, DialError> {
    if DIAL_LEN_MAX < input.len() {
        return Err(DialError::TooLong);
    }
    let text = std::str::from_utf8(input).map_err(|_| DialError::NotText)?;
    if text.chars().any(char::is_control) {
        return Err(DialError::ControlCharacter);
    }
    let (form, rest) = Form::take(text).ok_or(DialError::NoOpening)?;
    let body = rest.strip_suffix('#').ok_or(DialError::Unterminated)?;
    if body.contains('#') {
        return Err(DialError::HashInside);
    }
    let mut parts = body.split('*');
    let service_code = service_code(parts.next().unwrap_or_default())?;
    let mut fields = [""; FIELDS_MAX];
    let mut fields_len = 0;
    for part in parts {
        *fields.get_mut(fields_len).ok_or(DialError::TooManyFields)? = part;
        fields_len += 1;
    }
    Ok(DialString { form, service_code, fields, fields_len })
}

fn service_code(digits: &str) -> Result<u16, DialError> {
    let plausible = (SERVICE_CODE_DIGITS_MIN..=SERVICE_CODE_DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|octet| octet.is_ascii_digit())
        && !digits.starts_with('0');
    if !plausible {
        return Err(DialError::ServiceCode);
    }
    digits.parse().map_err(|_| DialError::ServiceCode)
}

#[cfg(test)]
mod tests {
    use super::{DIAL_LEN_MAX, DialError, FIELDS_MAX, Form, parse};
    use proptest::prelude::{any, proptest};

    /// One line per string: what it is, or why not.
    fn say(input: &str) -> String {
        match parse(input.as_bytes()) {
            Ok(dial) => format!("{:?} {} {:?}", dial.form, dial.service_code, dial.fields()),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn strings_and_what_they_are() {
        let table = [
            ("*999*500*1912345678*482913#", r#"Activation 999 ["500", "1912345678", "482913"]"#),
            ("*929*200*1951234567*654321*1#", r#"Activation 929 ["200", "1951234567", "654321", "1"]"#),
            ("*999#", "Activation 999 []"),
            ("*#999*482913#", r#"Interrogation 999 ["482913"]"#),
            ("*#999#", "Interrogation 999 []"),
            ("**999*482913*193847*193847#", r#"Registration 999 ["482913", "193847", "193847"]"#),
            ("##999*482913#", r#"Erasure 999 ["482913"]"#),
            ("#999*1#", r#"Deactivation 999 ["1"]"#),
            ("*999*500*+8501912345678*482913#", r#"Activation 999 ["500", "+8501912345678", "482913"]"#),
            ("*999*-5*1.5*x y*전#", r#"Activation 999 ["-5", "1.5", "x y", "전"]"#),
            ("*999**5#", r#"Activation 999 ["", "5"]"#),
            ("*999*#", r#"Activation 999 [""]"#),
            ("*12#", "Activation 12 []"),
            ("*1234*1#", r#"Activation 1234 ["1"]"#),
            ("*999*1*2*3*4*5*6*7*8#", r#"Activation 999 ["1", "2", "3", "4", "5", "6", "7", "8"]"#),
            ("*999*1*2*3*4*5*6*7*8*9#", "TooManyFields"),
            ("*999*1*2*3*4*5*6*7*8*#", "TooManyFields"),
            ("", "NoOpening"),
            ("999#", "NoOpening"),
            (" *999#", "NoOpening"),
            ("*", "Unterminated"),
            ("#", "Unterminated"),
            ("*#", "Unterminated"),
            ("##", "Unterminated"),
            ("###", "ServiceCode"),
            ("**#", "ServiceCode"),
            ("*999", "Unterminated"),
            ("*999*500", "Unterminated"),
            ("*999# ", "Unterminated"),
            ("*999#500#", "HashInside"),
            ("*999##", "HashInside"),
            ("*#999##", "HashInside"),
            ("***999#", "ServiceCode"),
            ("*9#", "ServiceCode"),
            ("*12345#", "ServiceCode"),
            ("*0999#", "ServiceCode"),
            ("*99x#", "ServiceCode"),
            ("*+99#", "ServiceCode"),
            ("*９９９#", "ServiceCode"),
            ("*999*5\r#", "ControlCharacter"),
            ("*999*5\u{85}#", "ControlCharacter"),
            ("*999#\n", "ControlCharacter"),
        ];
        for (input, expected) in table {
            assert_eq!(say(input), expected, "{input:?}");
        }
    }

    #[test]
    fn octets_that_are_not_text() {
        assert_eq!(parse(b"*999*\xff#"), Err(DialError::NotText));
    }

    #[test]
    fn the_longest_string() {
        let fits = format!("*999*{}#", "1".repeat(DIAL_LEN_MAX - 6));
        assert_eq!(fits.len(), DIAL_LEN_MAX);
        assert!(parse(fits.as_bytes()).is_ok());
        let over = format!("*999*{}#", "1".repeat(DIAL_LEN_MAX - 5));
        assert_eq!(parse(over.as_bytes()), Err(DialError::TooLong));
    }

    #[test]
    fn debug_hides_the_fields() {
        let shown = format!("{:?}", parse(b"*999*500*1912345678*482913#"));
        assert_eq!(shown, "Ok(DialString { form: Activation, service_code: 999, fields_len: 3 })");
    }

    proptest! {
        #[test]
        fn no_octets_panic(input in any::<Vec<u8>>()) {
            let _ = parse(&input);
        }

        #[test]
        fn no_dial_like_text_panics(input in "[*#0-9+ x전]{0,40}") {
            if let Ok(dial) = parse(input.as_bytes()) {
                assert!(dial.fields().iter().all(|field| !field.contains(['*', '#'])));
            }
        }

        #[test]
        fn what_was_joined_is_cut_again(
            opening in 0usize..5,
            code in 10u16..=9999,
            fields in proptest::collection::vec("[0-9+.x -]{0,16}", 0..=FIELDS_MAX),
        ) {
            let (mark, form) = [
                ("*", Form::Activation),
                ("*#", Form::Interrogation),
                ("**", Form::Registration),
                ("##", Form::Erasure),
                ("#", Form::Deactivation),
            ][opening];
            let mut typed = format!("{mark}{code}");
            for field in &fields {
                typed.push('*');
                typed.push_str(field);
            }
            typed.push('#');
            let dial = parse(typed.as_bytes()).ok().filter(|dial| dial.form == form && dial.service_code == code);
            assert_eq!(dial.map(|dial| dial.fields().iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()), Some(fields));
        }
    }
}
