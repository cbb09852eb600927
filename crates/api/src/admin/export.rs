//! The job that makes a batch: cards by bounded commands, their secrets into the printer's file, then the seal.
//!
//! Guarantees: a command whose fate is unknown is asked again under its own id; whatever fails gives the batch up.
//! Bounded by [`EXPORTS_MAX`] jobs at a time, [`CARDS_AT_ONCE`] cards a command, [`TRIES_MAX`] tries of each command.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::TOUCH_MAX;
use domain::command::Body;
use domain::ids::{BatchId, Serial};
use domain::number::CardNumber;
use domain::office::Asked as Wish;
use domain::office::batch::{Batch, BatchCommand, MadeCard};
use domain::office::done::OfficeDone;
use domain::password::Password;
use domain::refusal::Refusal;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, Closed};

use super::Admin;
use super::ask::Asked;
use super::office::body;
use super::press::{CardSink, Pressed};
use super::reply;

/// Exports under way at a time: each keeps a core busy.
pub const EXPORTS_MAX: usize = 1;
/// Cards that one command makes.
pub(crate) const CARDS_AT_ONCE: usize = TOUCH_MAX - 1;
/// Exports that are remembered.
const REMEMBERED_MAX: usize = 256;
/// Times that one command is asked; a disk that is full or a clock that is looked at may take minutes.
const TRIES_MAX: u32 = 600;
/// Between two of them.
const WAIT: Duration = Duration::from_millis(500);

/// How an export does.
#[derive(Clone, Debug)]
pub(crate) enum Export {
    /// Making cards, or the file.
    Running,
    /// Sealed.
    Done(Pressed),
    /// Given up, and why.
    Failed(String),
}

/// Exports of this server's life.
#[derive(Default)]
pub(crate) struct Exports {
    known: Mutex<BTreeMap<BatchId, Export>>,
}

impl Exports {
    pub(crate) fn begin(&self, batch: BatchId) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let running = known.values().filter(|export| matches!(export, Export::Running)).count();
        if running >= EXPORTS_MAX {
            return false;
        }
        while known.len() >= REMEMBERED_MAX {
            known.pop_first();
        }
        known.insert(batch, Export::Running);
        true
    }

    pub(crate) fn end(&self, batch: BatchId, export: Export) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(batch, export);
    }

    pub(crate) fn find(&self, batch: BatchId) -> Option<Export> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&batch).cloned()
    }
}

/// Makes all cards of a batch and seals it.
pub(crate) async fn run(admin: Arc<Admin>, asked: Asked, batch: BatchId, known: Batch, sink: Box<dyn CardSink>) {
    let job = Job { admin: &admin, asked, batch };
    let ended = match job.whole(&known, sink).await {
        Ok(pressed) => {
            tracing::info!(batch = batch.get(), cards = known.ordered, "a batch is sealed");
            Export::Done(pressed)
        }
        Err(why) => {
            tracing::error!(batch = batch.get(), why, "a batch could not be made");
            job.give_up().await;
            Export::Failed(why)
        }
    };
    admin.exports.end(batch, ended);
}

struct Job<'a> {
    admin: &'a Arc<Admin>,
    asked: Asked,
    batch: BatchId,
}

/// Cards with their secrets, before they have serials. Wiped when dropped.
struct Fresh {
    numbers: Vec<CardNumber>,
    passwords: Vec<Password>,
    cards: Vec<MadeCard>,
}

impl Job<'_> {
    async fn whole(&self, known: &Batch, mut sink: Box<dyn CardSink>) -> Result<Pressed, String> {
        let mut made = 0;
        while made < known.ordered {
            let left = usize::try_from(known.ordered - made).unwrap_or(CARDS_AT_ONCE);
            let (back, count) = self.some(known, left.min(CARDS_AT_ONCE), sink).await?;
            sink = back;
            made += count;
        }
        let pressed = tokio::task::spawn_blocking(move || sink.finish()).await.map_err(|ended| ended.to_string())??;
        let seal = BatchCommand::Seal { batch: self.batch, file_hash: pressed.file_hash };
        match self.decided(seal).await? {
            Outcome::Done(_) => Ok(pressed),
            Outcome::Refused(refusal) => Err(format!("the batch could not be sealed: {}", refusal.name())),
        }
    }

    /// Some cards more; numbers that are taken are replaced, as rare as that is.
    async fn some(
        &self,
        known: &Batch,
        count: usize,
        mut sink: Box<dyn CardSink>,
    ) -> Result<(Box<dyn CardSink>, u32), String> {
        for _ in 0..TRIES_MAX {
            let (admin, operator) = (Arc::clone(self.admin), known.operator);
            let fresh = tokio::task::spawn_blocking(move || {
                let numbers = admin.dice.numbers(count)?;
                let passwords = (0..count).map(|_| admin.dice.password()).collect::<Result<Vec<_>, _>>()?;
                let key = admin.parts.keys.current();
                let tagged = |(number, password): (&CardNumber, &Password)| MadeCard {
                    number: *number,
                    tag: key.card(operator, *number, password),
                };
                let cards = numbers.iter().zip(&passwords).map(tagged).collect();
                Ok::<_, super::problem::Problem>(Fresh { numbers, passwords, cards })
            });
            let fresh = fresh.await.map_err(|ended| ended.to_string())?;
            let Fresh { numbers, passwords, cards } = fresh.map_err(|_| String::from("there is no randomness"))?;
            let first = match self.decided(BatchCommand::Make { batch: self.batch, cards }).await? {
                Outcome::Done(Done::Office(done)) => match *done {
                    OfficeDone::CardsMade { first, .. } => first,
                    _ => return Err(String::from("the decider answered something else")),
                },
                Outcome::Refused(Refusal::CardNumberTaken { .. }) => continue,
                Outcome::Refused(refusal) => return Err(format!("cards were refused: {}", refusal.name())),
                Outcome::Done(_) => return Err(String::from("the decider answered something else")),
            };
            let filled = tokio::task::spawn_blocking(move || {
                for (serial, (number, password)) in (first.0..).zip(numbers.iter().zip(&passwords)) {
                    sink.push(Serial(serial), *number, password)?;
                }
                Ok::<_, String>(sink)
            });
            sink = filled.await.map_err(|ended| ended.to_string())??;
            return Ok((sink, u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Err(String::from("random card numbers are taken again and again"))
    }

    /// Asks until there is a verdict.
    async fn decided(&self, command: BatchCommand) -> Result<Outcome, String> {
        let id = self.admin.dice.id(self.admin.handle().now()).map_err(|_| String::from("there is no randomness"))?;
        let wish: Body = body(&self.asked, Wish::Batch(command));
        for _ in 0..TRIES_MAX {
            match self.admin.submit(id, &self.asked, wish.clone()).await {
                Answer::Verdict(reply) => return Ok(reply.outcome),
                Answer::Closed(Closed::Stopping) => return Err(String::from("the server is stopping")),
                Answer::Busy | Answer::Closed(_) | Answer::NotDone | Answer::Unknown => tokio::time::sleep(WAIT).await,
                other => return Err(format!("not decided: {}", reply::answer_name(&other))),
            }
        }
        Err(String::from("the server did not decide for a long time"))
    }

    /// The cards will never exist; nobody needs their file.
    async fn give_up(&self) {
        match self.decided(BatchCommand::Abandon { batch: self.batch }).await {
            Ok(Outcome::Done(_)) => {
                let (admin, batch) = (Arc::clone(self.admin), self.batch);
                let removed = tokio::task::spawn_blocking(move || admin.parts.press.discard(batch)).await;
                if let Err(ended) = removed {
                    tracing::error!(%ended, "the file of a batch that was given up is still there");
                }
            }
            Ok(Outcome::Refused(refusal)) => tracing::warn!(refusal = refusal.name(), "the batch was not given up"),
            Err(why) => tracing::error!(why, "the batch was not given up: do it by hand"),
        }
    }
}
