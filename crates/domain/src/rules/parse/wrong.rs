//! What is wrong with a profile, at an offset of its text. [`parse`](super::parse) makes a line of the offset.

use core::fmt;
use core::ops::Range as Span;

use toml::Spanned;

/// Something wrong at an offset of the text.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: String,
}

/// Says what is wrong with a value.
pub(super) fn wrong<T>(value: &Spanned<T>, what: impl fmt::Display) -> Wrong {
    wrong_at(&value.span(), what)
}

/// Says what is wrong with a stretch of the text.
pub(super) fn wrong_at(span: &Span<usize>, what: impl fmt::Display) -> Wrong {
    Wrong { at: span.start, what: what.to_string() }
}
