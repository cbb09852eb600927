//! What needs randomness that can be foretold, or places that are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::to_bytes;
use domain::ids::{OperatorId, Staff};
use domain::number::CardNumber;
use domain::receipt::Seq;
use domain::testing;
use engine::clock::SystemClock;
use engine::handle::{Engine, EngineConfig, Parts};
use engine::ids::IdsConfig;
use engine::journal::Journal;
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::recover;
use serde_json::{Value, json};

use super::ask::Asked;
use super::cards::issue_all;
use super::issue::Dice;
use super::problem::Problem;
use super::{Admin, AdminParts, operators};

fn admin(dice: Dice) -> Admin {
    let journal = MemoryJournal::new();
    let reader = Arc::new(journal.reader());
    let (from, head) = (Arc::clone(&reader), journal.head());
    let load = move || recover(&mut MemoryCheckpoint::new(), &*from, head, IdsConfig::of_each(1_000), &mut |_| {});
    let parts = Parts {
        loaded: load().expect("an empty journal"),
        journal: Box::new(journal),
        reader,
        clock: Arc::new(SystemClock::new()),
        refold: Box::new(load),
        config: EngineConfig::default(),
    };
    let handle = Engine::start(parts).expect("a thread").handle();
    let keys = Arc::new(testing::keys());
    Admin::new(
        AdminParts {
            handle,
            keys,
            check_rules: Arc::new(|_| Ok(())),
            links: Arc::new(Vec::new),
            find_sms: Arc::new(|_| Ok(Vec::new())),
            press: Arc::new(NoPress),
            version: "",
        },
        dice,
    )
}

/// Nothing is printed here.
struct NoPress;

impl super::Press for NoPress {
    fn begin(&self, _: &super::PressOrder) -> Result<Box<dyn super::CardSink>, String> {
        Err(String::from("there is no press here"))
    }

    fn discard(&self, _: domain::ids::BatchId) {}
}

/// Card numbers come from these draws; the last one is repeated for ever. Everything else is random.
fn drawing(draws: &'static [u64]) -> Dice {
    let next = AtomicUsize::new(0);
    Dice::loaded(move |octets| {
        let at = next.load(Ordering::Relaxed).min(draws.len() - 1);
        match <&mut [u8; 8]>::try_from(&mut *octets) {
            Ok(number) => {
                *number = draws[at].to_be_bytes();
                next.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => getrandom::fill(octets)?,
        }
        Ok(())
    })
}

async fn loaded(dice: Dice) -> Admin {
    let admin = admin(dice);
    let rules = operators::parse_profile(testing::KORYOLINK, &admin.parts.check_rules).expect("a profile");
    let body = operators::command(Staff(7), rules, None);
    admin.decide(&asked(&admin), body).await;
    assert!(admin.operator("koryolink").is_ok());
    admin
}

fn asked(admin: &Admin) -> Asked {
    Asked { staff: Staff(7), id: admin.dice.id(admin.handle().now()).expect("an id") }
}

async fn issue(admin: &Admin, asked: &Asked) -> Result<Value, Problem> {
    let passwords = [testing::password("482913")];
    let shown = issue_all(admin, asked, OperatorId(0), testing::minor(1_000), &passwords).await?;
    let body = to_bytes(shown.into_body(), 1 << 20).await.expect("a body");
    Ok(serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn a_number_that_is_taken_is_replaced_under_an_id_of_the_servers_own() {
    let admin = loaded(drawing(&[5, 5, 5, 6])).await;
    assert_eq!(issue(&admin, &asked(&admin)).await.expect("cards").pointer("/seq"), Some(&json!(2)));
    let again = asked(&admin);
    let told = issue(&admin, &again).await.expect("cards");
    // Entries 3 and 4 are refused tries with the number that is taken.
    assert_eq!(told.pointer("/seq"), Some(&json!(5)));
    let number = CardNumber::from_payload(100_000_000_000_006).expect("15 digits").get().to_string();
    assert_eq!(told.pointer("/cards/0/number"), Some(&json!(number)));
    let refused = engine::history::entry(&*admin.handle().reader(), Seq(3)).expect("a journal").expect("an entry");
    assert_eq!(refused.entry.id, again.id);
    // Asked again under its own id, the caller hears where the cards are and not what became of the first try.
    let Err(Problem::CardsIssued(Some(earlier))) = issue(&admin, &again).await else { panic!("no cards") };
    assert_eq!(earlier.seq, Seq(5));
}

#[tokio::test]
async fn numbers_that_are_taken_for_ever_end_in_a_fault() {
    let admin = loaded(drawing(&[5])).await;
    assert!(issue(&admin, &asked(&admin)).await.is_ok());
    assert!(matches!(issue(&admin, &asked(&admin)).await, Err(Problem::Fault(_))));
}
