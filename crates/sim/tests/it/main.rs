//! The simulator's own tests: worlds that hold, planted bugs that are caught, load that is valid; and the GSUP edge against a
//! real HLR.

mod osmocom;
mod plants;
mod worlds;
