//! The simulator: one seed makes a world of subscribers, a faulty network, crashing machines and a wrong clock around the
//! real decider, and named invariants are judged after every event.
//!
//! For: `sonmul sim` and the tests of this crate.
//!
//! Guarantees: the same seed gives the same run; a [`Violation`] names seed, step and invariant, and [`replay`] shows the
//! way there. Planted bugs ([`Plant`]) prove that the invariants see something.
//!
//! Beside the worlds, [`load`] has stand-ins for the far side of a link, which do use sockets and threads.
//!
//! Deliberately not here: files, screens; and in the worlds no threads, sockets or clock. Wire formats and edges are simulated by
//! their own crates' tests.

mod calendar;
mod dice;
mod events;
mod hands;
pub mod invariant;
pub mod load;
mod machine;
mod network;
mod oracle;
mod phone;
mod plant;
mod profiles;
mod program;
mod runs;
mod server;
mod staff;
mod trace;
mod world;

pub use invariant::Violation;
pub use plant::Plant;
pub use runs::{Totals, replay, run_many};
pub use world::{STEPS, Summary, World, WorldConfig};
