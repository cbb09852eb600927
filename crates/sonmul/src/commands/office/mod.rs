//! The operator's business on the command line: one module for each word, all of them over `admin.sock`.
//!
//! Deliberately not here: any sum or rule (the decider has them); money is only read and written with its point.

pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod gift;
pub(crate) mod money;
pub(crate) mod motion;
pub(crate) mod outlet;
pub(crate) mod rate;
pub(crate) mod slip;
pub(crate) mod till;

use serde_json::{Value, json};

use crate::admin::plain;
use crate::exit::{Exit, Failure, Outcome};
use crate::print;

use super::{DataArg, block_on};

/// What every word of the office takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArg,
}

impl Common {
    /// Asks the office for something, and says in `say`'s words what was done.
    pub(crate) fn ask(&self, wish: &Value, say: impl Fn(&Value) -> String) -> Outcome {
        self.post("/v1/office", wish, say)
    }

    /// The same with another endpoint.
    pub(crate) fn post(&self, path: &str, body: &Value, say: impl Fn(&Value) -> String) -> Outcome {
        let answer = block_on(async { self.data.admin().post(path, body).await })?;
        let exit = answer.exit();
        if self.json {
            print::json(&answer.value)?;
            return Ok(exit);
        }
        print::line(&say(&answer.ok()?))?;
        Ok(Exit::Ok)
    }

    /// Proposes something, and says how a second person approves it.
    pub(crate) fn propose(&self, wish: &Value) -> Outcome {
        self.ask(wish, proposed)
    }

    /// What the server shows.
    pub(crate) fn get(&self, path: &str) -> Outcome<Value> {
        let path = String::from(path);
        block_on(async { self.data.admin().get(&path).await })?.ok()
    }

    /// Shows what the office keeps of one kind.
    pub(crate) fn list(&self, kind: &str) -> Outcome {
        print::value(&self.get(&format!("/v1/office/{kind}"))?, self.json)?;
        Ok(Exit::Ok)
    }
}

/// A fact of a verdict as text; empty when it has none.
pub(crate) fn fact(verdict: &Value, name: &str) -> String {
    verdict.pointer(&format!("/done/{name}")).map(plain).unwrap_or_default()
}

/// A whole number of a verdict; 0 when it has none.
pub(crate) fn number(json: &Value, pointer: &str) -> i64 {
    json.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// Digits of a hash that people copy; all of them count when it is approved.
const HASH_SHOWN: usize = 16;

/// How a proposal goes on.
pub(crate) fn proposed(verdict: &Value) -> String {
    let (motion, hash) = (fact(verdict, "motion"), fact(verdict, "hash"));
    let short = hash.get(..HASH_SHOWN).unwrap_or(&hash);
    format!(
        "proposed as motion {motion}; somebody else looks at it and approves it:\n  sonmul motion show {motion}\n  \
         sonmul motion approve {motion} --hash {short}"
    )
}

/// Digits only: a card's number in a serial's place must not travel into a log.
pub(crate) fn serial(text: &str) -> Outcome<String> {
    if (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit()) {
        Ok(String::from(text))
    } else {
        Err(Failure::new(Exit::Usage, "a serial is up to 10 digits, for example 00000007; it is not the card's number"))
    }
}

/// A serial as a number.
pub(crate) fn serial_number(text: &str) -> Outcome<u32> {
    let wrong = || Failure::new(Exit::Usage, "a serial is at most 4294967295");
    serial(text)?.parse().map_err(|_| wrong())
}

/// `{"do": name, …}` with the fields that follow.
pub(crate) fn wish(name: &str, fields: Value) -> Value {
    let mut wish = fields;
    if let Some(object) = wish.as_object_mut() {
        object.insert(String::from("do"), json!(name));
    }
    wish
}
