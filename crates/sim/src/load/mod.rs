//! Stand-ins for the far side of a link, fast enough that they do not limit what is measured against them.
//!
//! For: `sonmul bench`, which runs a real edge against one over loopback.
//!
//! Guarantees: what a stand-in counts, it has read and answered. It is no proof of a protocol: the edges' tests run against
//! peers that are not ours.
//!
//! Bounded by: each stand-in's own ceilings. Deliberately not here: phones, worlds, invariants, and the clock.

pub mod smsc;
