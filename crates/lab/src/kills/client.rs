//! A client: asks for one thing after the other, and again for what it did not learn.
//!
//! Guarantees: a phone belongs to one client, which makes one call at a time: whatever it dials next, it knows what became of
//! the last thing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sonmul::gsup::FIRST_SESSION;
use tokio::sync::watch;
use uuid::Uuid;

use super::call::{Call, Dialled, Heard, Phone, Posted};
use super::doors::Doors;
use super::place::{OPERATOR, PASSWORD, PHONES, Place, SPARE_CARDS, posted};
use super::{KillConfig, Stage};
use crate::dice::Dice;
use crate::history::Asked;

/// Calls that may be made once more though they were answered.
const RECENT_MAX: usize = 16;
/// Before a call that did not leave is tried again.
const AGAIN: Duration = Duration::from_millis(5);
/// The highest gift of the rules.
const AMOUNT_MAX: u64 = 500;
/// A number that is nobody's at the beginning: imports take those from here on.
const FREE: u32 = 5_000_000;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Http,
    Gsup,
    Staff,
}

/// See the module.
pub(super) struct Client {
    who: String,
    door: Door,
    /// The first phone of its own.
    first: u32,
    /// All phones there are.
    phones: u32,
    dice: Dice,
    /// Calls so far, with the client in the upper bits: the same for no two calls.
    next: u32,
    recent: VecDeque<Call>,
    doors: Arc<Doors>,
    stage: watch::Receiver<Stage>,
}

impl Client {
    /// The `n`th client of a door.
    pub(super) fn new(
        door: Door,
        n: u32,
        config: &KillConfig,
        place: &Place,
        doors: Arc<Doors>,
        stage: watch::Receiver<Stage>,
    ) -> Self {
        let (name, index) = match door {
            Door::Http => ("http", n),
            Door::Gsup => ("gsup", config.clients + n),
            Door::Staff => ("admin", 2 * config.clients + n),
        };
        Self {
            who: format!("{name}-{n}"),
            door,
            first: 1 + index * PHONES,
            phones: place.phones,
            dice: Dice::new(config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(index))),
            next: FIRST_SESSION.wrapping_add((index + 1) << 20),
            recent: VecDeque::new(),
            doors,
            stage,
        }
    }

    /// Asks until the rounds are over and everything is known.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut pending: Option<Call> = None;
        loop {
            let stage = *self.stage.wait_for(|stage| *stage != Stage::Down).await?;
            let (http, settles) = match stage {
                Stage::Down => continue,
                Stage::Up(http) => (http, false),
                Stage::Settle(http) => (http, true),
            };
            let mut call = match pending.take() {
                Some(call) => call,
                None if settles => return Ok(()),
                None => self.draw(),
            };
            let heard = self.doors.call(&self.who, &call, http, &mut self.stage).await?;
            if heard != Heard::NotSent {
                call.begun();
            }
            match heard {
                Heard::NotSent => {
                    pending = Some(call);
                    tokio::time::sleep(AGAIN).await;
                }
                Heard::Unknown { .. } => pending = Some(call),
                Heard::Nothing(answer) => {
                    // Its id has its entry, or never will have one: whatever was asked before is known as well.
                    let is_over = ["id-reused", "not-done", "id-too-old"].contains(&answer.as_str());
                    pending = Some(call).filter(|_| !is_over);
                    tokio::time::sleep(AGAIN).await;
                }
                Heard::Verdict(..) => {
                    if self.recent.len() == RECENT_MAX {
                        self.recent.pop_front();
                    }
                    self.recent.push_back(call);
                }
                Heard::Saw(_) => {}
            }
        }
    }

    /// What comes next: something new, or something that was answered before.
    fn draw(&mut self) -> Call {
        if self.dice.often(100)
            && let Some(again) = self.recent.get(self.dice.index(self.recent.len()))
        {
            return again.clone();
        }
        // Who has just heard an answer looks whether it is there.
        if self.dice.often(100) {
            return Call::Look { path: self.look() };
        }
        self.next = self.next.wrapping_add(1);
        match self.door {
            Door::Http => Call::Http(self.gift()),
            Door::Gsup => Call::Gsup(self.gift()),
            Door::Staff => self.staff(),
        }
    }

    fn any_phone(&mut self) -> Phone {
        Phone(1 + u32::try_from(self.dice.below(u64::from(self.phones))).unwrap_or(0))
    }

    /// A gift of one of its own phones; some are refused.
    fn gift(&mut self) -> Dialled {
        let own = u32::try_from(self.dice.below(u64::from(PHONES))).unwrap_or(0);
        let phone = Phone(self.first + own);
        let to = if self.dice.often(20) { phone } else { self.any_phone() };
        let over = if self.dice.often(30) { AMOUNT_MAX } else { 0 };
        let amount = over + 1 + self.dice.below(100);
        let asked = Asked {
            name: String::from("gift"),
            msisdn: Some(phone.msisdn()),
            recipient: Some(to.msisdn()),
            amount_minor: Some(amount),
            serial: None,
        };
        let dialled = format!("{amount}*{}", to.national());
        let text = format!("{dialled}*{PASSWORD}");
        // The menu itself says no to an amount and a number that can't be, and asks again.
        let asks = self.door == Door::Http && over == 0 && to != phone && self.dice.often(300);
        let first = Some(dialled).filter(|_| asks);
        Dialled { phone, session: self.next, text, first, asked }
    }

    fn staff(&mut self) -> Call {
        match self.dice.weighted(&WISHES).unwrap_or(Wish::Look) {
            Wish::Bar => Call::Staff(self.bar(Uuid::now_v7())),
            Wish::Card => {
                let serial = 1 + self.dice.below(u64::from(SPARE_CARDS));
                let what = if self.dice.often(500) { "freeze" } else { "thaw" };
                let posted = posted(&format!("/v1/cards/{serial}/{what}"), Value::Null, "change-card");
                Call::Staff(Posted { asked: Asked { serial: Some(serial), ..posted.asked }, ..posted })
            }
            Wish::Import => {
                let new = Phone(FREE + (self.next & 0xF_FFFF));
                let line =
                    json!({ "msisdn": new.msisdn(), "language": "en", "airtime_minor": 1 + self.dice.below(500) });
                let body = json!({ "operator": OPERATOR, "subscribers": [line] });
                Call::Staff(posted("/v1/subscribers/import", body, "import-subscribers"))
            }
            Wish::Issue => {
                let body = json!({ "operator": OPERATOR, "value_minor": 1 + self.dice.below(500), "count": 1 });
                Call::Staff(posted("/v1/cards", body, "issue-cards"))
            }
            Wish::Outlet => {
                // Few names, so that some are taken.
                let name = format!("outlet {}", self.dice.below(64));
                let body = json!({ "do": "open-outlet", "operator": OPERATOR, "name": name });
                Call::Staff(posted("/v1/office", body, "open-outlet"))
            }
            Wish::Reuse => {
                // The id of something else, which must not do this as well.
                let used = self.recent.iter().rev().find_map(|call| match call {
                    Call::Staff(posted) => Some(posted.id),
                    Call::Http(_) | Call::Gsup(_) | Call::Look { .. } => None,
                });
                Call::Staff(self.bar(used.unwrap_or_else(Uuid::now_v7)))
            }
            Wish::Look => Call::Look { path: self.look() },
        }
    }

    fn bar(&mut self, id: Uuid) -> Posted {
        let phone = self.any_phone();
        // Barred phones can't give, so most of the time nobody is.
        let what = if self.dice.often(300) { "bar" } else { "unbar" };
        let path = format!("/v1/subscribers/{}/{what}", phone.msisdn());
        let asked = Asked { name: String::from("change-subscriber"), msisdn: Some(phone.msisdn()), ..Asked::default() };
        Posted { id, path, body: Value::Null, asked }
    }

    fn look(&mut self) -> String {
        match self.dice.below(8) {
            0..=2 => String::from("/v1/status"),
            3 => format!("/v1/subscribers/{}", self.any_phone().msisdn()),
            4 => format!("/v1/subscribers/{}", Phone(FREE - 1).msisdn()),
            5 => format!("/v1/cards/{}", 1 + self.dice.below(u64::from(SPARE_CARDS))),
            6 => format!("/v1/card-states?first=1&last={}", 10 + self.dice.below(20_000)),
            _ => String::from("/v1/journal?from=1&most=1"),
        }
    }
}

/// How often staff wants what.
const WISHES: [(u64, Wish); 7] = [
    (25, Wish::Bar),
    (20, Wish::Card),
    (10, Wish::Import),
    (7, Wish::Issue),
    (8, Wish::Outlet),
    (5, Wish::Reuse),
    (25, Wish::Look),
];

/// What staff may want.
#[derive(Clone, Copy)]
enum Wish {
    Bar,
    Card,
    Import,
    Issue,
    Outlet,
    Reuse,
    Look,
}
