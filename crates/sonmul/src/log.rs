//! The log goes to stderr, so that stdout is data.

use tracing_subscriber::EnvFilter;

use crate::exit::{Exit, Failure, OrExit, Outcome};

/// Starts the log of this process with a filter like `engine=debug,info`.
///
/// # Errors
/// [`Exit::Usage`] for a filter that can't be read; [`Exit::Fault`] when there is a log already.
pub fn start(filter: &str) -> Outcome<()> {
    let filter = EnvFilter::try_new(filter).or_exit_with(Exit::Usage, || format!("--log {filter}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| Failure::new(Exit::Fault, "the log could not be set up"))
}
