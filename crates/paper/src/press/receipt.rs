//! Receipts: on 58 and 80 millimetre rolls, as plain text for a till printer and as a PDF of one page.
//!
//! Guarantees: every line of the text fits the roll, a Hangul syllable taking two columns; what is too long goes on in
//! the next line; what the font lacks is refused for the PDF, never printed as boxes.
//! Deliberately not here: what is sold, and what the words of the rows are.

use domain::ids::Language;
use zeroize::Zeroizing;

use super::draw::{BLACK, Canvas, GREY, Pdf, Type};
use super::fault::PressFault;
use super::font::Weight;
use super::length::{Mpt, mm10, pt};

/// Width of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperMm {
    /// 58 mm: 32 columns.
    Mm58,
    /// 80 mm: 48 columns.
    Mm80,
}

impl PaperMm {
    const fn columns(self) -> usize {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
        }
    }

    const fn width(self) -> Mpt {
        match self {
            Self::Mm58 => mm10(580),
            Self::Mm80 => mm10(800),
        }
    }
}

/// A label and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// On the left.
    pub label: String,
    /// On the right.
    pub value: String,
}

/// What is on a receipt, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What it is a receipt of.
    pub title: String,
    /// Whose.
    pub operator: String,
    /// Where.
    pub outlet: Option<String>,
    /// What was sold and for how much; the last one is what counts.
    pub rows: Vec<Row>,
    /// The receipt number.
    pub receipt: String,
    /// When, on the operator's clock.
    pub at: String,
    /// For the words that are always there.
    pub language: Language,
}

/// Between the edge of the paper and what is on it.
const PAD: Mpt = mm10(40);
/// From one line to the next.
const LINE: Mpt = pt(13);
/// The least size that a till's paper shows.
const SMALLEST: Mpt = pt(5);

impl Receipt {
    /// The words for receipt number and time.
    const fn words(&self) -> (&'static str, &'static str) {
        match self.language {
            Language::Korean => ("접수번호", "시간"),
            Language::English => ("Receipt", "Time"),
        }
    }

    /// Rows above the last one, with those that are always there.
    fn facts(&self) -> Vec<Row> {
        let (number, time) = self.words();
        let row = |label: &str, value: &str| Row { label: String::from(label), value: String::from(value) };
        let before = self.rows.len().saturating_sub(1);
        let mut facts: Vec<Row> = self.rows.iter().take(before).cloned().collect();
        facts.push(row(time, &self.at));
        facts.push(row(number, &self.receipt));
        facts
    }

    /// As lines of text, each with its end.
    pub fn text(&self, paper: PaperMm) -> String {
        let columns = paper.columns();
        let rule = "-".repeat(columns);
        let mut lines: Vec<String> = Vec::new();
        for head in [Some(&self.operator), self.outlet.as_ref(), Some(&self.title)].into_iter().flatten() {
            lines.extend(wrapped(head, columns).into_iter().map(|line| middle(&line, columns)));
        }
        lines.push(rule.clone());
        lines.extend(self.facts().iter().flat_map(|row| across(row, columns)));
        lines.push(rule);
        lines.extend(self.rows.last().into_iter().flat_map(|row| across(row, columns)));
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// As a PDF of one page, as long as it must be.
    pub fn pdf(&self, paper: PaperMm) -> Result<Zeroizing<Vec<u8>>, PressFault> {
        let (width, facts) = (paper.width(), self.facts());
        let head = Type::new(Weight::Bold, pt(11), BLACK)?;
        let plain = Type::new(Weight::Regular, pt(8), BLACK)?;
        let quiet = Type::new(Weight::Regular, pt(8), GREY)?;
        let sum = Type::new(Weight::Bold, pt(10), BLACK)?;
        let room = width - 2 * PAD;
        let lines = 4 + facts.len() + self.rows.len().min(1);
        let height = 2 * PAD + LINE * i32::try_from(lines).unwrap_or(i32::MAX / LINE) + pt(16);
        let mut pdf = Pdf::new(&format!("{} {}", self.title, self.receipt));
        pdf.page(width, height, |canvas| {
            let mut y = PAD + LINE;
            for (text, look) in
                [(Some(&self.operator), head), (self.outlet.as_ref(), plain), (Some(&self.title), plain)]
            {
                let Some(text) = text else { continue };
                canvas.text_middle(width / 2, y, &fit(look, text, room)?, text);
                y += LINE;
            }
            y = ruled(canvas, width, y);
            for row in &facts {
                line(canvas, width, y, row, (quiet, plain))?;
                y += LINE;
            }
            y = ruled(canvas, width, y);
            match self.rows.last() {
                Some(row) => line(canvas, width, y, row, (sum, sum)),
                None => Ok(()),
            }
        })?;
        pdf.finish()
    }
}

/// A line across the paper; where the next text stands.
fn ruled(canvas: &mut Canvas<'_, '_>, width: Mpt, y: Mpt) -> Mpt {
    let at = y - LINE + pt(6);
    canvas.line((PAD, at), (width - PAD, at), pt(1) / 2, GREY);
    y + pt(5)
}

fn line(canvas: &mut Canvas<'_, '_>, width: Mpt, y: Mpt, row: &Row, looks: (Type, Type)) -> Result<(), PressFault> {
    let gap = pt(6);
    let label = fit(looks.0, &row.label, (width - 2 * PAD) / 2)?;
    let room = width - 2 * PAD - label.width(&row.label) - gap;
    canvas.text(PAD, y, &label, &row.label);
    canvas.text_right(width - PAD, y, &fit(looks.1, &row.value, room)?, &row.value);
    Ok(())
}

fn fit(look: Type, text: &str, room: Mpt) -> Result<Type, PressFault> {
    if let Some(missing) = look.lacks(text) {
        let code = u32::from(missing);
        return Err(PressFault::Label(format!("the receipt has a character without a letter, U+{code:04X}")));
    }
    let fitted = look.fitted(text, room, SMALLEST);
    fitted.ok_or_else(|| PressFault::Label(format!("there is no room on the receipt for '{text}'")))
}

/// Columns of a character: whatever is wider than Latin takes two.
fn wide(of: char) -> usize {
    match of {
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' => 2,
        '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' => 2,
        _ => 1,
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(wide).sum()
}

/// A text in lines that fit.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for of in text.chars() {
        if used + wide(of) > columns {
            lines.push(core::mem::take(&mut line));
            used = 0;
        }
        used += wide(of);
        line.push(of);
    }
    lines.push(line);
    lines
}

fn middle(text: &str, room: usize) -> String {
    let before = room.saturating_sub(columns(text)) / 2;
    format!("{}{text}", " ".repeat(before))
}

/// Label on the left, value on the right; below each other when there is no room beside.
fn across(row: &Row, room: usize) -> Vec<String> {
    let used = columns(&row.label) + columns(&row.value);
    if used < room {
        return vec![format!("{}{}{}", row.label, " ".repeat(room - used), row.value)];
    }
    let right = |line: String| format!("{}{line}", " ".repeat(room.saturating_sub(columns(&line))));
    let mut lines = wrapped(&row.label, room);
    lines.extend(wrapped(&row.value, room).into_iter().map(right));
    lines
}

#[cfg(test)]
mod tests {
    use domain::ids::Language;
    use expect_test::expect;

    use super::{PaperMm, Receipt, Row, columns};

    fn receipt(language: Language, outlet: &str) -> Receipt {
        let row = |label: &str, value: &str| Row { label: label.into(), value: value.into() };
        Receipt {
            title: String::from(if language == Language::Korean { "판매 령수증" } else { "Receipt of a sale" }),
            operator: String::from("고려링크"),
            outlet: Some(String::from(outlet)),
            rows: vec![row("Cards", "2"), row("전화돈", "1000 원"), row("Paid", "10.00 USD")],
            receipt: String::from("6-KE"),
            at: String::from("2026-11-27 19:00"),
            language,
        }
    }

    #[test]
    fn a_receipt_of_32_columns() {
        expect![[r#"
                        고려링크
                       광복백화점
                      판매 령수증
            --------------------------------
            Cards                          2
            전화돈                   1000 원
            시간            2026-11-27 19:00
            접수번호                    6-KE
            --------------------------------
            Paid                   10.00 USD
        "#]]
        .assert_eq(&receipt(Language::Korean, "광복백화점").text(PaperMm::Mm58));
    }

    #[test]
    fn no_line_is_wider_than_the_paper() {
        let long = receipt(Language::English, &"광복백화점 Kwangbok ".repeat(5));
        for (paper, room) in [(PaperMm::Mm58, 32), (PaperMm::Mm80, 48)] {
            for line in long.text(paper).lines() {
                assert!(columns(line) <= room, "{line}");
            }
        }
    }
}
