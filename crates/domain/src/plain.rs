//! Texts that people write and other people read: names and reasons.
//!
//! Deliberately not here: how long they may be (each has its own ceiling).

/// Whether a text is one line that is shown as it is written: without control characters, without line and paragraph
/// separators, and without the characters that turn the direction of what follows (Unicode Standard Annex #9), which would
/// have a receipt or a motion read otherwise.
pub(crate) fn is_plain(text: &str) -> bool {
    let turns =
        |c| matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || turns(c))
}
