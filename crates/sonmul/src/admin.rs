//! The administrative interface as its callers see it: `admin.sock` in the data directory (docs/protocols/admin.md).
//!
//! Guarantees: a command that met a broken connection or a busy server is asked again with the same id, so that it is
//! done once or not at all.
//! Bounded by: [`TRIES`] tries. Deliberately not here: what the answers look like for people (each command prints its own).

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::exit::{Exit, Failure, Outcome};
use crate::http::{Ask, Lost, Reply, Target, percent, send};

/// The socket's name in the data directory.
pub(crate) const SOCKET: &str = "admin.sock";
/// A command is asked so often before its answer stays unknown.
const TRIES: u32 = 6;
/// Between two tries; it doubles.
const WAIT: Duration = Duration::from_millis(100);
/// Longest time for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(330);

/// A running server, asked by its staff.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    target: Target,
    socket: PathBuf,
}

/// An answer that is no failure of the connection.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// What the server said.
    pub(crate) value: Value,
}

impl Admin {
    /// The server of a data directory.
    pub(crate) fn new(data: &Path) -> Self {
        let socket = data.join(SOCKET);
        Self { target: Target::Unix(socket.clone()), socket }
    }

    /// Asks a question.
    pub(crate) async fn get(&self, path: &str) -> Outcome<Answer> {
        let reply = send(&self.target, Ask::get(path), ANSWER_WITHIN).await.map_err(|lost| self.unreachable(&lost))?;
        answer(&reply)
    }

    /// Asks for something to be done, under one id however often it has to be asked.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Answer> {
        self.post_text(path, body.to_string()).await
    }

    /// The same with a body that is JSON already.
    pub(crate) async fn post_text(&self, path: &str, body: String) -> Outcome<Answer> {
        let id = uuid::Uuid::now_v7().to_string();
        let headers = vec![("x-correlation-id", id), ("content-type", String::from("application/json"))];
        let ask = Ask::post(path, headers, body);
        let mut wait = WAIT;
        let mut tries = 1;
        loop {
            let ended = match send(&self.target, ask.clone(), ANSWER_WITHIN).await {
                Ok(reply) => {
                    let answer = answer(&reply)?;
                    if tries == TRIES || !matches!(answer.error(), Some("busy" | "unknown")) {
                        return Ok(answer);
                    }
                    None
                }
                Err(lost @ Lost::NoConnection(_)) if tries == 1 => return Err(self.unreachable(&lost)),
                Err(lost) => Some(lost),
            };
            if let Some(lost) = ended.filter(|_| tries == TRIES) {
                return Err(self.unreachable(&lost));
            }
            tries += 1;
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    fn unreachable(&self, lost: &Lost) -> Failure {
        let socket = self.socket.display();
        let what = match lost {
            Lost::NoConnection(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                format!("{socket}: you may not use it; ask for membership in the admin_group of sonmul.toml")
            }
            Lost::NoConnection(_) => format!("{socket}: no server there ({lost}); is `sonmul serve` running?"),
            Lost::Broken(_) | Lost::Late(_) => format!("{socket}: {lost}; whether it was done is not known"),
        };
        Failure::new(Exit::Unreachable, what)
    }
}

fn answer(reply: &Reply) -> Outcome<Answer> {
    let value = serde_json::from_slice(&reply.body).map_err(|_| {
        let what = format!("the server answered {} with something that is no JSON", reply.status);
        Failure::new(Exit::Fault, what)
    })?;
    Ok(Answer { status: reply.status, value })
}

impl Answer {
    /// The name of what is no verdict: `busy`, `closed`, ….
    pub(crate) fn error(&self) -> Option<&str> {
        self.value.get("error").and_then(Value::as_str)
    }

    /// Whether it was done, or found.
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer when it is a good one; what was said and the exit code otherwise.
    pub(crate) fn ok(self) -> Outcome<Value> {
        if self.is_ok() { Ok(self.value) } else { Err(Failure::new(self.exit(), self.said())) }
    }

    /// How a run with this answer ends.
    pub(crate) fn exit(&self) -> Exit {
        match (self.status, self.error()) {
            (200..300, _) => Exit::Ok,
            (_, Some("busy" | "closed" | "not-done" | "unknown")) => Exit::Unreachable,
            (400 | 422, Some(_)) => Exit::Usage,
            (400..500, _) => Exit::Refused,
            _ => Exit::Fault,
        }
    }

    /// What a person reads of an answer that is no good one.
    pub(crate) fn said(&self) -> String {
        let text = |name: &str| self.value.get(name).and_then(Value::as_str);
        if let Some(refusal) = self.value.get("refusal") {
            let name = refusal.get("name").and_then(Value::as_str).unwrap_or("no reason given");
            let facts: Vec<String> = refusal
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| *key != "name")
                .map(|(key, value)| format!("{key}: {}", plain(value)))
                .collect();
            let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
            return format!("refused: {name}{facts}");
        }
        let line = self.value.get("line").map_or_else(String::new, |line| format!("line {line}: "));
        match (text("what"), self.error()) {
            (Some(what), _) => format!("{line}{what}"),
            (None, Some(error)) => String::from(error),
            (None, None) if self.status == 404 => String::from("not found"),
            (None, None) => format!("the server answered {}", self.status),
        }
    }
}

/// A JSON value without quotes.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// One piece of a path, whatever is in it.
pub(crate) fn segment(text: &str) -> String {
    let mut piece = String::new();
    percent(&mut piece, text);
    piece
}
