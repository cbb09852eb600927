//! The engine: one decider thread that owns the state, group commit into the journal, and followers.
//!
//! Guarantees: an answer leaves only when its entry is durable; an id gets one verdict; followers see durable entries
//! only, in order, and are never waited for; a failed sync stops the engine.
//!
//! Bounded by `queue_depth` commands waiting, [`journal::APPEND_ENTRIES_MAX`] entries an append, the ids of [`ids::IdsConfig`].
//!
//! Deliberately not here: rules (domain), SQL and files (store), sockets (edges, api).

mod agenda;
pub mod answer;
pub mod checkpoint;
pub mod checkpointer;
pub mod clock;
pub mod decider;
pub mod deliveries;
pub mod directory;
pub mod feed;
pub mod follower;
pub mod handle;
pub mod history;
pub mod ids;
pub mod journal;
pub mod memory;
pub mod outbox;
mod queries;
mod queue;
pub mod recover;
pub mod replica;
mod run;
mod shared;
mod slowed;
mod status;
pub mod timers;
