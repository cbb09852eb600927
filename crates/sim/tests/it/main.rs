//! The simulator's own tests: worlds that hold, planted bugs that are caught, and load that is valid.

mod plants;
mod worlds;
