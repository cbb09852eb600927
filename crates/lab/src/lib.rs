//! The simulator: one seed makes a world of subscribers, a faulty network, crashing machines and a wrong clock around the
//! real decider, and named invariants are judged after every event.
//!
//! For: `sonmul-lab` ([`cli`]) and the tests of this crate.
//!
//! Guarantees: the same seed gives the same run; a [`Violation`] names seed, step and invariant, and [`replay`] shows the
//! way there. Planted bugs ([`Plant`]) prove that the invariants see something.
//!
//! The simulator has no threads, files, sockets or screens. [`load`] has: it is the far side of the edges, for the bench and
//! for tests against peers that are not ours. [`kills`] has them too: it kills the real server, and [`history`] says whether what
//! clients saw fits the journal.
//!
//! Deliberately not here: product code. The server links nothing of this crate.

#[cfg(feature = "all")]
pub mod bench;
mod calendar;
pub mod campaign;
mod charging;
#[cfg(feature = "all")]
pub mod cli;
mod desk;
mod dice;
mod events;
mod hands;
#[cfg(feature = "all")]
pub mod history;
pub mod invariant;
#[cfg(feature = "all")]
pub mod kills;
#[cfg(feature = "all")]
pub mod load;
mod machine;
mod network;
mod oracle;
mod phone;
mod plant;
mod press;
mod profiles;
mod program;
mod runs;
mod server;
mod settle;
pub mod sometimes;
mod teller;
mod timer;
mod trace;
mod world;

pub use invariant::Violation;
pub use plant::Plant;
pub use runs::{Seeds, Totals, replay, run_many};
pub use world::{STEPS, Summary, World, WorldConfig};
