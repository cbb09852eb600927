//! The two typefaces of everything printed, and how wide a text is in them.
//!
//! Guarantees: one lookup for each character, so no shaping: what is printed is ASCII, Latin-1 and whole Hangul
//! syllables, which need none. Widths are whole numbers.
//! Bounded by: the characters of `fonts/subset.sh`. Deliberately not here: kerning, ligatures, Hanja.

use std::ops::Range;
use std::sync::LazyLock;

use krilla::surface::Location;
use krilla::text::{Font, Glyph, GlyphId};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use super::fault::PressFault;
use super::length::Mpt;

/// Noto Sans KR, under the SIL Open Font License (`fonts/OFL.txt`).
static REGULAR: &[u8] = include_bytes!("../../fonts/NotoSansKR-Regular.ttf");
/// Its bold.
static BOLD: &[u8] = include_bytes!("../../fonts/NotoSansKR-Bold.ttf");

/// Units of the em square in both.
const UNITS_PER_EM: u16 = 1000;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// For reading.
    Regular,
    /// For what is looked for.
    Bold,
}

/// A typeface, ready to print with.
pub(super) struct Face {
    font: Font,
    /// By character.
    letters: Vec<Letter>,
}

struct Letter {
    of: char,
    glyph: u32,
    advance: u16,
}

impl Face {
    /// The typeface, read once in a process.
    pub(super) fn of(weight: Weight) -> Result<&'static Self, PressFault> {
        static FACES: LazyLock<[Option<Face>; 2]> = LazyLock::new(|| [Face::read(REGULAR), Face::read(BOLD)]);
        let [regular, bold] = &*FACES;
        let face = match weight {
            Weight::Regular => regular,
            Weight::Bold => bold,
        };
        face.as_ref().ok_or(PressFault::Drawing("a font can't be read"))
    }

    fn read(octets: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(octets).ok()?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        if font.metrics(Size::unscaled(), LocationRef::default()).units_per_em != UNITS_PER_EM {
            return None;
        }
        let mut letters = Vec::new();
        for (of, glyph) in font.charmap().mappings() {
            letters.push(Letter {
                of: char::from_u32(of)?,
                glyph: glyph.to_u32(),
                advance: whole(metrics.advance_width(glyph)?),
            });
        }
        letters.sort_unstable_by_key(|letter| letter.of);
        Some(Self { font: Font::new(octets.into(), 0)?, letters })
    }

    fn letter(&self, of: char) -> Option<&Letter> {
        let at = self.letters.binary_search_by_key(&of, |letter| letter.of).ok()?;
        self.letters.get(at)
    }

    /// The first character of a text that can't be printed.
    pub(super) fn lacks(&self, text: &str) -> Option<char> {
        text.chars().find(|of| self.letter(*of).is_none())
    }

    /// How wide a text is at a size.
    pub(super) fn width(&self, text: &str, size: Mpt) -> Mpt {
        let units: i32 = text.chars().filter_map(|of| self.letter(of)).map(|letter| i32::from(letter.advance)).sum();
        // An em of `size` thousandths of a point has a thousand units.
        units.saturating_mul(size / 10) / 100
    }

    /// A text as glyphs. What can't be printed is left out: see [`Face::lacks`].
    pub(super) fn set(&self, text: &str) -> Vec<Placed> {
        let placed = |(at, of): (usize, char)| {
            let letter = self.letter(of)?;
            let range = at..at + of.len_utf8();
            Some(Placed { glyph: GlyphId::new(letter.glyph), range, advance: letter.advance })
        };
        text.char_indices().filter_map(placed).collect()
    }

    /// What `krilla` calls it.
    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }
}

/// Advances of an unscaled font are whole numbers below 65,536.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, saturating")]
const fn whole(units: f32) -> u16 {
    units as u16
}

/// One glyph of a line.
pub(super) struct Placed {
    glyph: GlyphId,
    range: Range<usize>,
    advance: u16,
}

impl Glyph for Placed {
    fn glyph_id(&self) -> GlyphId {
        self.glyph
    }

    fn text_range(&self) -> Range<usize> {
        self.range.clone()
    }

    #[expect(clippy::float_arithmetic, reason = "krilla asks for advances as floats; no money here")]
    fn x_advance(&self, size: f32) -> f32 {
        f32::from(self.advance) * size / f32::from(UNITS_PER_EM)
    }

    fn x_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_advance(&self, _size: f32) -> f32 {
        0.0
    }

    fn location(&self) -> Option<Location> {
        None
    }
}
