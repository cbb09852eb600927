//! Cards on paper: A4 pages of ten cards with cut marks.
//!
//! Guarantees: a card shows its serial openly, as digits and as a QR code of these digits and nothing else; its number
//! and password stand inside the hidden field alone. The field is filled with a spot colour of its own, by which a print shop finds where its scratch-off goes. What does not fit a card
//! is refused before the first one.
//! Bounded by: a batch of cards a document. Deliberately not here: advertising; a QR code that dials or that holds a
//! secret.

use krilla::graphic::Graphic;
use qrcode::{Color, EcLevel, QrCode, Version};
use zeroize::Zeroizing;

use super::batch::Card;
use super::draw::{Area, BLACK, Canvas, GREY, Pdf, Type};
use super::fault::PressFault;
use super::font::Weight;
use super::label::Label;
use super::length::{Mpt, mm10, pt};

/// A4.
const PAGE: (Mpt, Mpt) = (mm10(2100), mm10(2970));
/// The size of a bank card.
const CARD: (Mpt, Mpt) = (mm10(856), mm10(540));
/// Cards beside and above each other.
const GRID: (i32, i32) = (2, 5);
/// Where the first card begins.
const ORIGIN: (Mpt, Mpt) = ((PAGE.0 - GRID.0 * CARD.0) / 2, (PAGE.1 - GRID.1 * CARD.1) / 2);
/// Cards on a page.
const PAGE_CARDS: usize = 10;

/// Between the edge of a card and what is on it.
const PAD: Mpt = pt(9);
/// The right end of what is on a card.
const RIGHT: Mpt = CARD.0 - PAD;
/// The hidden field.
const FIELD: Area = Area(PAD, pt(46), pt(149), pt(78));
/// Between the edge of the hidden field and what is in it.
const FIELD_PAD: Mpt = pt(9);
/// One square of the QR code; 2.4 points are the least that a worn phone camera reads.
const SQUARE: Mpt = pt(5) / 2;
/// Squares of a version 1 code, beside each other.
const QR_SQUARES: i32 = 21;
/// The white around a code that its standard asks for.
const QUIET_SQUARES: i32 = 4;
/// The QR code without the white around it, of which the right part reaches near the edge.
const QR: (Mpt, Mpt) = (CARD.0 - pt(4) - (QR_SQUARES + QUIET_SQUARES) * SQUARE, pt(55) + QUIET_SQUARES * SQUARE);
/// The middle of the right column.
const QR_MIDDLE: Mpt = QR.0 + QR_SQUARES * SQUARE / 2;

/// Makes the sheets of some cards. `title` goes to the foot of each page.
pub(super) fn draw(label: &Label, title: &str, cards: &[Card]) -> Result<Zeroizing<Vec<u8>>, PressFault> {
    let look = Look::of(label)?;
    let mut pdf = Pdf::new(title);
    let pages = cards.len().div_ceil(PAGE_CARDS);
    let mut face = None;
    for (page, cards) in cards.chunks(PAGE_CARDS).enumerate() {
        let foot = Foot { title, page: page + 1, pages };
        pdf.page(PAGE.0, PAGE.1, |canvas| {
            let face = match &mut face {
                Some(face) => face,
                none => none.insert(canvas.record(|canvas| open_side(canvas, &look))),
            };
            marks(canvas);
            foot.draw(canvas, &look, cards);
            for (card, (x, y)) in cards.iter().zip(places()) {
                canvas.at(x, y, |canvas| own_side(canvas, &look, face, card))?;
            }
            Ok(())
        })?;
    }
    pdf.finish()
}

/// Refuses a label that no card has room for.
pub(super) fn check(label: &Label) -> Result<(), PressFault> {
    Look::of(label).map(drop)
}

/// The top left corners of the cards of a page, row by row.
fn places() -> impl Iterator<Item = (Mpt, Mpt)> {
    (0..GRID.1).flat_map(|row| (0..GRID.0).map(move |column| (ORIGIN.0 + column * CARD.0, ORIGIN.1 + row * CARD.1)))
}

/// Texts that are the same on all cards, and how each text looks.
struct Look {
    operator_ko: (String, Type),
    operator_en: (String, Type),
    value_ko: (String, Type),
    value_en: (String, Type),
    bind_ko: (String, Type),
    bind_en: (String, Type),
    caption: Type,
    number: Type,
    password: Type,
    serial: Type,
}

impl Look {
    fn of(label: &Label) -> Result<Self, PressFault> {
        let code = label.service_code;
        let bind_ko = format!("등록: 손전화로 *{code}*0*4*카드번호*암호# 를 거십시오.");
        let bind_en = format!("To bind: dial *{code}*0*4*CARDNUMBER*PASSWORD# on your phone.");
        let operator_en = format!("{} · 전화돈 카드 / airtime card", label.operator_en);
        // What is left of it belongs to the operator's name.
        let value_room = pt(88);
        let name_room = RIGHT - PAD - value_room - pt(6);
        Ok(Self {
            operator_ko: fitted(&label.operator_ko, Weight::Bold, (pt(13), pt(8)), BLACK, name_room)?,
            operator_en: fitted(&operator_en, Weight::Regular, (pt(13) / 2, pt(5)), GREY, name_room)?,
            value_ko: fitted(&label.value_ko(), Weight::Bold, (pt(16), pt(9)), BLACK, value_room)?,
            value_en: fitted(&label.value_en(), Weight::Regular, (pt(13) / 2, pt(5)), GREY, value_room)?,
            bind_ko: fitted(&bind_ko, Weight::Regular, (pt(7), pt(6)), BLACK, RIGHT - PAD)?,
            bind_en: fitted(&bind_en, Weight::Regular, (pt(13) / 2, pt(11) / 2), BLACK, RIGHT - PAD)?,
            caption: Type::new(Weight::Regular, pt(11) / 2, GREY)?,
            number: Type::new(Weight::Bold, pt(25) / 2, BLACK)?,
            password: Type::new(Weight::Bold, pt(16), BLACK)?,
            serial: Type::new(Weight::Bold, pt(14), BLACK)?,
        })
    }
}

/// A text with the largest size between `sizes` at which there is room for it.
fn fitted(
    text: &str,
    weight: Weight,
    (best, least): (Mpt, Mpt),
    ink: u8,
    room: Mpt,
) -> Result<(String, Type), PressFault> {
    let look = Type::new(weight, best, ink)?.fitted(text, room, least);
    let look = look.ok_or_else(|| PressFault::Label(format!("there is no room on a card for '{text}'")))?;
    Ok((String::from(text), look))
}

/// What is the same on every card.
fn open_side(canvas: &mut Canvas<'_, '_>, look: &Look) {
    canvas.text(PAD, pt(20), &look.operator_ko.1, &look.operator_ko.0);
    canvas.text(PAD, pt(57) / 2, &look.operator_en.1, &look.operator_en.0);
    canvas.text_right(RIGHT, pt(20), &look.value_ko.1, &look.value_ko.0);
    canvas.text_right(RIGHT, pt(57) / 2, &look.value_en.1, &look.value_en.0);
    canvas.line((PAD, pt(33)), (RIGHT, pt(33)), pt(1) / 2, 160);

    canvas.text(PAD, pt(83) / 2, &look.caption, "긁는 칸 / scratch field");
    canvas.dashed(FIELD, pt(1) / 2, GREY);
    canvas.text(PAD + FIELD_PAD, pt(59), &look.caption, "카드번호 / card number");
    canvas.text(PAD + FIELD_PAD, pt(93), &look.caption, "암호 / password");

    canvas.text_middle(QR_MIDDLE, pt(83) / 2, &look.caption, "일련번호 / serial");
    canvas.text(PAD, pt(136), &look.bind_ko.1, &look.bind_ko.0);
    canvas.text(PAD, pt(291) / 2, &look.bind_en.1, &look.bind_en.0);
}

/// What is this card's alone, over what is the same on all.
fn own_side(canvas: &mut Canvas<'_, '_>, look: &Look, face: &Graphic, card: &Card) -> Result<(), PressFault> {
    canvas.show(face);
    canvas.text(PAD + FIELD_PAD, pt(74), &look.number, &card.grouped_number());
    canvas.text(PAD + FIELD_PAD, pt(111), &look.password, &card.password());
    let serial = card.serial();
    canvas.text_middle(QR_MIDDLE, pt(55), &look.serial, &serial);
    canvas.squares(QR.0, QR.1, SQUARE, dark(&serial)?);
    // Last, since it goes over the secrets.
    canvas.scratch(FIELD);
    Ok(())
}

/// The dark squares of the code of a serial, as rows of (left, top, width).
fn dark(serial: &str) -> Result<Vec<(i32, i32, i32)>, PressFault> {
    // Eight digits leave room for the strongest correction.
    let code = QrCode::with_version(serial, Version::Normal(1), EcLevel::H)
        .map_err(|_| PressFault::Drawing("a serial does not fit its code"))?;
    let colors = code.to_colors();
    let mut runs: Vec<(i32, i32, i32)> = Vec::with_capacity(128);
    for (top, row) in (0..).zip(colors.chunks(code.width())) {
        for (left, _) in (0..).zip(row).filter(|(_, color)| **color == Color::Dark) {
            match runs.last_mut() {
                Some(run) if run.1 == top && run.0 + run.2 == left => run.2 += 1,
                _ => runs.push((left, top, 1)),
            }
        }
    }
    Ok(runs)
}

/// Cut marks: outside of the cards, and small crosses where four of them meet.
fn marks(canvas: &mut Canvas<'_, '_>) {
    const WIDTH: Mpt = pt(1) / 4;
    let (left, top) = ORIGIN;
    let (right, bottom) = (left + GRID.0 * CARD.0, top + GRID.1 * CARD.1);
    let (near, far, arm) = (pt(4), pt(18), pt(3));
    for x in (0..=GRID.0).map(|column| left + column * CARD.0) {
        canvas.line((x, top - far), (x, top - near), WIDTH, BLACK);
        canvas.line((x, bottom + near), (x, bottom + far), WIDTH, BLACK);
    }
    for y in (0..=GRID.1).map(|row| top + row * CARD.1) {
        canvas.line((left - far, y), (left - near, y), WIDTH, BLACK);
        canvas.line((right + near, y), (right + far, y), WIDTH, BLACK);
    }
    for (x, y) in (1..GRID.0).flat_map(|column| (1..GRID.1).map(move |row| (column, row))) {
        let (x, y) = (left + x * CARD.0, top + y * CARD.1);
        canvas.line((x - arm, y), (x + arm, y), WIDTH, GREY);
        canvas.line((x, y - arm), (x, y + arm), WIDTH, GREY);
    }
}

/// What a page says of itself, under the cards.
struct Foot<'a> {
    title: &'a str,
    page: usize,
    pages: usize,
}

impl Foot<'_> {
    fn draw(&self, canvas: &mut Canvas<'_, '_>, look: &Look, cards: &[Card]) {
        let y = PAGE.1 - pt(16);
        if let [first, ..] = cards
            && let [.., last] = cards
        {
            let text = format!("{} · 일련번호 / serial {} – {}", self.title, first.serial(), last.serial());
            canvas.text(ORIGIN.0 + pt(6), y, &look.caption, &text);
        }
        let text = format!("쪽 / page {} / {}", self.page, self.pages);
        canvas.text_right(PAGE.0 - ORIGIN.0 - pt(6), y, &look.caption, &text);
    }
}
