//! What goes to stdout: data for people as aligned text, for programs as one JSON document or a line for each item.

use std::io::{ErrorKind, Write};

use serde_json::{Map, Value};

use crate::admin::plain;
use crate::exit::Outcome;

/// Writes a line. Whoever closed the pipe has seen enough: that is no failure, and nothing more is printed.
pub fn line(text: &str) -> Outcome<()> {
    written(writeln!(std::io::stdout().lock(), "{text}"))
}

/// Writes without an end of line, at once.
pub fn part(text: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    written(write!(out, "{text}").and_then(|()| out.flush()))
}

fn written(done: std::io::Result<()>) -> Outcome<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => Ok(done?),
    }
}

/// One JSON document on one line.
pub fn json(value: &Value) -> Outcome<()> {
    line(&value.to_string())
}

/// A value for people, or as JSON.
pub fn value(shown: &Value, as_json: bool) -> Outcome<()> {
    if as_json {
        return json(shown);
    }
    for text in lines(shown) {
        line(&text)?;
    }
    Ok(())
}

/// An object as `name  value` lines, a list of objects as a table with a head.
pub fn lines(shown: &Value) -> Vec<String> {
    match shown {
        Value::Array(rows) if rows.is_empty() => vec![String::from("none")],
        Value::Array(rows) if rows.iter().all(Value::is_object) => table(rows),
        Value::Array(rows) => rows.iter().map(plain).collect(),
        Value::Object(object) => fields(object),
        other => vec![plain(other)],
    }
}

fn fields(object: &Map<String, Value>) -> Vec<String> {
    let width = object.keys().map(String::len).max().unwrap_or(0);
    let mut out = Vec::new();
    for (name, value) in object {
        match value {
            Value::Array(rows) if rows.iter().any(Value::is_object) => {
                out.push(format!("{name}:"));
                out.extend(table(rows).into_iter().map(|row| format!("  {row}")));
            }
            Value::Object(inner) if !inner.is_empty() => {
                out.push(format!("{name}:"));
                out.extend(fields(inner).into_iter().map(|row| format!("  {row}")));
            }
            other => out.push(format!("{name:width$}  {}", cell(other))),
        }
    }
    out
}

fn table(rows: &[Value]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut cells: Vec<Vec<String>> = vec![names.iter().map(|name| String::from(*name)).collect()];
    cells.extend(
        rows.iter().map(|row| names.iter().map(|name| row.get(*name).map_or_else(String::new, cell)).collect()),
    );
    let width = |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..names.len()).map(|column| width(column).unwrap_or(0)).collect();
    let pad = |row: &Vec<String>| {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        String::from(padded.join("  ").trim_end())
    };
    cells.iter().map(pad).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::from("-"),
        Value::Array(items) if items.is_empty() => String::from("none"),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(object) => {
            object.iter().map(|(name, value)| format!("{name}={}", cell(value))).collect::<Vec<_>>().join(" ")
        }
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lines;

    #[test]
    fn people_read_columns() {
        let shown = lines(&json!([{"a": 1, "name": "x"}, {"a": 100, "name": null}]));
        assert_eq!(shown, ["a    name", "1    x", "100  -"]);
        let shown = lines(&json!({"seq": 3, "cards": [{"serial": "1"}], "none": []}));
        assert_eq!(shown, ["cards:", "  serial", "  1", "none   none", "seq    3"]);
        assert_eq!(lines(&json!([])), ["none"]);
    }
}
