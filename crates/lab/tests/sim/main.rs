//! The simulator's own tests: worlds that hold, planted bugs that are caught. They need no other crate than the engine's, so
//! that they are built in seconds: `cargo nextest run -p lab --no-default-features`.

mod plants;
mod worlds;
