//! The checks of every decoder, for the targets in `fuzz_targets`.

#[path = "../checks/domain.rs"]
pub mod domain;
#[path = "../checks/edges.rs"]
pub mod edges;
#[path = "../checks/wire.rs"]
pub mod wire;
