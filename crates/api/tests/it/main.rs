//! The interface as its callers see it: a real engine over a journal in memory, a real socket.

#[cfg(test)]
mod batches;
#[cfg(test)]
mod cards;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod office;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod subscribers;
#[cfg(test)]
mod world;
