//! Drawing in whole numbers: a thin layer over `krilla` that takes thousandths of a point.
//!
//! Guarantees: layouts are whole-number arithmetic, the same on every machine; floats exist only where a number is
//! handed to `krilla`. Colours are greys. The origin is the top left corner.
//! Deliberately not here: what a card or a receipt looks like.

use krilla::blend::BlendMode;
use krilla::color::{luma, separation};
use krilla::geom::{Path, PathBuilder, Point, Rect, Transform};
use krilla::graphic::Graphic;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};
use zeroize::Zeroizing;

use super::fault::PressFault;
use super::font::{Face, Weight};
use super::length::{Mpt, pt};

#[expect(clippy::float_arithmetic, reason = "a length for krilla; no money here")]
fn float(length: Mpt) -> f32 {
    // Below 2^24, so that a float holds it.
    length as f32 / 1000.0
}

/// Black.
pub(super) const BLACK: u8 = 0;
/// For what is read second.
pub(super) const GREY: u8 = 90;

/// The spot colour of hidden fields: where a print shop lays its scratch-off.
const SCRATCH: &str = "Scratch";
/// What it looks like where there is no such ink: light, so that a proof can be read.
const SCRATCH_SHOWN: u8 = 214;

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Type {
    face: &'static Face,
    size: Mpt,
    ink: u8,
}

impl Type {
    /// A weight, a size and a grey.
    pub(super) fn new(weight: Weight, size: Mpt, ink: u8) -> Result<Self, PressFault> {
        Ok(Self { face: Face::of(weight)?, size, ink })
    }

    /// How wide a text is.
    pub(super) fn width(&self, text: &str) -> Mpt {
        self.face.width(text, self.size)
    }

    /// The first character of a text that can't be printed.
    pub(super) fn lacks(&self, text: &str) -> Option<char> {
        self.face.lacks(text)
    }

    /// The same, smaller where the text needs it; nothing if it would be smaller than `least`.
    pub(super) fn fitted(self, text: &str, room: Mpt, least: Mpt) -> Option<Self> {
        let mut smaller = self;
        while smaller.width(text) > room {
            smaller.size -= 250;
            if smaller.size < least {
                return None;
            }
        }
        Some(smaller)
    }
}

/// A rectangle: left, top, width, height.
#[derive(Clone, Copy)]
pub(super) struct Area(pub(super) Mpt, pub(super) Mpt, pub(super) Mpt, pub(super) Mpt);

/// A PDF in the making.
pub(super) struct Pdf(Document);

impl Pdf {
    /// An empty one.
    pub(super) fn new(title: &str) -> Self {
        let settings = SerializeSettings { enable_tagging: false, ..SerializeSettings::default() };
        let mut document = Document::new_with(settings);
        document.set_metadata(Metadata::new().title(String::from(title)).creator(String::from("sonmul")));
        Self(document)
    }

    /// Adds a page and draws on it.
    pub(super) fn page<T>(
        &mut self,
        width: Mpt,
        height: Mpt,
        draw: impl FnOnce(&mut Canvas<'_, '_>) -> Result<T, PressFault>,
    ) -> Result<T, PressFault> {
        let size =
            PageSettings::from_wh(float(width), float(height)).ok_or(PressFault::Drawing("a page without size"))?;
        let mut page = self.0.start_page_with(size);
        let mut surface = page.surface();
        let drawn = draw(&mut Canvas(&mut surface));
        surface.finish();
        page.finish();
        drawn
    }

    /// The octets of the PDF, wiped when they are dropped.
    pub(super) fn finish(self) -> Result<Zeroizing<Vec<u8>>, PressFault> {
        // krilla's own words could quote what is on the page.
        self.0.finish().map(Zeroizing::new).map_err(|_| PressFault::Drawing("krilla refused the document"))
    }
}

/// Something to draw on.
pub(super) struct Canvas<'a, 'b>(&'a mut Surface<'b>);

impl Canvas<'_, '_> {
    /// Draws once what many places of the same PDF show.
    pub(super) fn record(&mut self, draw: impl FnOnce(&mut Canvas<'_, '_>)) -> Graphic {
        let mut builder = self.0.stream_builder();
        let mut surface = builder.surface();
        draw(&mut Canvas(&mut surface));
        surface.finish();
        Graphic::new(builder.finish(), false)
    }

    /// Shows what was recorded.
    pub(super) fn show(&mut self, recorded: &Graphic) {
        self.0.draw_graphic(recorded.clone());
    }

    /// Draws with another origin.
    pub(super) fn at<T>(&mut self, x: Mpt, y: Mpt, draw: impl FnOnce(&mut Canvas<'_, '_>) -> T) -> T {
        self.0.push_transform(&Transform::from_translate(float(x), float(y)));
        let drawn = draw(&mut Canvas(self.0));
        self.0.pop();
        drawn
    }

    /// A text from `x` on, standing on `y`.
    pub(super) fn text(&mut self, x: Mpt, y: Mpt, of: &Type, text: &str) {
        self.fill(of.ink);
        let glyphs = of.face.set(text);
        self.0.draw_glyphs(Point::from_xy(float(x), float(y)), &glyphs, of.face.font(), text, float(of.size), false);
    }

    /// A text that ends at `x`.
    pub(super) fn text_right(&mut self, x: Mpt, y: Mpt, of: &Type, text: &str) {
        self.text(x - of.width(text), y, of, text);
    }

    /// A text with `x` in its middle.
    pub(super) fn text_middle(&mut self, x: Mpt, y: Mpt, of: &Type, text: &str) {
        self.text(x - of.width(text) / 2, y, of, text);
    }

    /// A rectangle in the spot colour of hidden fields, over what is there already. Multiplied, so that the black plate
    /// stays as it is and this one is solid: otherwise the layer would have holes in the shape of the digits under it.
    pub(super) fn scratch(&mut self, area: Area) {
        let ink = separation::SeparationColorant::Custom(String::from(SCRATCH));
        let space = separation::SeparationSpace::new(ink, luma::Color::new(SCRATCH_SHOWN).into());
        let paint = krilla::color::Color::from(separation::Color::new(u8::MAX, space)).into();
        if let Some(path) = rectangles([area]) {
            self.0.push_blend_mode(BlendMode::Multiply);
            self.0.set_stroke(None);
            self.0.set_fill(Some(Fill { paint, ..Fill::default() }));
            self.0.draw_path(&path);
            self.0.pop();
        }
    }

    /// The outline of a rectangle, dashed.
    pub(super) fn dashed(&mut self, area: Area, width: Mpt, ink: u8) {
        self.stroke(width, ink, Some(pt(2)));
        if let Some(path) = rectangles([area]) {
            self.0.draw_path(&path);
        }
    }

    /// A line.
    pub(super) fn line(&mut self, from: (Mpt, Mpt), to: (Mpt, Mpt), width: Mpt, ink: u8) {
        self.stroke(width, ink, None);
        let mut path = PathBuilder::new();
        path.move_to(float(from.0), float(from.1));
        path.line_to(float(to.0), float(to.1));
        if let Some(path) = path.finish() {
            self.0.draw_path(&path);
        }
    }

    /// Black squares of a grid, given as (left, top, width) in squares: one path, so that no gap shows between them.
    pub(super) fn squares(&mut self, x: Mpt, y: Mpt, side: Mpt, runs: impl IntoIterator<Item = (i32, i32, i32)>) {
        self.fill(BLACK);
        // In whole squares, so that the coordinates are short.
        let area = |(left, top, width): (i32, i32, i32)| Area(pt(left), pt(top), pt(width), pt(1));
        if let Some(path) = rectangles(runs.into_iter().map(area)) {
            let (side, x, y) = (float(side), float(x), float(y));
            self.0.push_transform(&Transform::from_row(side, 0.0, 0.0, side, x, y));
            self.0.draw_path(&path);
            self.0.pop();
        }
    }

    fn fill(&mut self, ink: u8) {
        self.0.set_stroke(None);
        self.0.set_fill(Some(Fill { paint: luma::Color::new(ink).into(), ..Fill::default() }));
    }

    fn stroke(&mut self, width: Mpt, ink: u8, dash: Option<Mpt>) {
        let dash = dash.map(|dash| StrokeDash { array: vec![float(dash)], offset: 0.0 });
        let line_cap = LineCap::Butt;
        let paint = luma::Color::new(ink).into();
        self.0.set_fill(None);
        self.0.set_stroke(Some(Stroke { paint, width: float(width), line_cap, dash, ..Stroke::default() }));
    }
}

fn rectangles(areas: impl IntoIterator<Item = Area>) -> Option<Path> {
    let mut path = PathBuilder::new();
    for Area(left, top, width, height) in areas {
        path.push_rect(Rect::from_xywh(float(left), float(top), float(width), float(height))?);
    }
    path.finish()
}
