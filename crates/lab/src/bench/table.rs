//! Rows of the bench: medians with their spread, the goal beside them, and the ratio to a baseline of the same run.

use serde::Serialize;

/// One measured figure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// Stable name.
    pub(super) name: String,
    /// Unit of the values.
    pub(super) unit: &'static str,
    /// Every run, in order; none: it could not be measured, and a note says why.
    pub(super) runs: Vec<u64>,
    /// The goal of docs/benchmarks.md.
    pub(super) goal: Option<Goal>,
    /// What goes with it: spread, processor time, what was refused.
    pub(super) notes: Vec<String>,
}

/// A bound on the median.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Goal {
    AtLeast(u64),
    AtMost(u64),
}

impl Row {
    pub(super) fn new(name: impl Into<String>, unit: &'static str, runs: Vec<u64>, goal: Option<Goal>) -> Self {
        Self { name: name.into(), unit, runs, goal, notes: Vec::new() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Those of them that there are.
    pub(super) fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    pub(super) fn median(&self) -> u64 {
        median(&self.runs)
    }

    fn verdict(&self) -> &'static str {
        match self.goal {
            None => "",
            Some(_) if self.runs.is_empty() => "not measured",
            Some(Goal::AtLeast(goal)) if self.median() >= goal => "met",
            Some(Goal::AtMost(goal)) if self.median() <= goal => "met",
            Some(_) => "MISSED",
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            None => String::new(),
            Some(Goal::AtLeast(goal)) => format!("≥ {}", grouped(goal)),
            Some(Goal::AtMost(goal)) => format!("≤ {}", grouped(goal)),
        }
    }
}

/// The middle one; the lower of two.
pub(super) fn median(runs: &[u64]) -> u64 {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// Prints rows as a Markdown table; figures of a second are also given as multiples of the two baselines.
pub(super) fn print(machine: &str, rows: &[Row]) {
    println!("Machine: {machine}");
    println!("\n| what | median | least – most | goal | | notes |\n|---|---:|---:|---:|---|---|");
    for row in rows {
        if row.runs.is_empty() {
            println!("| {} | – | – | {} | {} | {} |", row.name, row.goal_text(), row.verdict(), row.notes.join("; "));
            continue;
        }
        let (least, most) = (row.runs.iter().min().copied(), row.runs.iter().max().copied());
        println!(
            "| {} | {} {} | {} – {} | {} | {} | {} |",
            row.name,
            grouped(row.median()),
            row.unit,
            grouped(least.unwrap_or(0)),
            grouped(most.unwrap_or(0)),
            row.goal_text(),
            row.verdict(),
            row.notes.join("; "),
        );
    }
}

/// Digits in groups of three.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `a / b` with two decimals, without floats.
pub(super) fn ratio(a: u64, b: u64) -> String {
    if b == 0 {
        return String::from("–");
    }
    let hundredths = u128::from(a) * 100 / u128::from(b);
    format!("{}.{:02} ×", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::{grouped, median, ratio};

    #[test]
    fn figures_read_well() {
        assert_eq!((grouped(0), grouped(999), grouped(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!((median(&[5, 1, 3]), median(&[4, 1]), median(&[])), (3, 1, 0));
        assert_eq!((ratio(300, 200), ratio(1, 0)), ("1.50 ×".into(), "–".into()));
    }
}
