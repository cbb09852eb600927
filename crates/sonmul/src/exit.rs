//! How a run of `sonmul` ends: the documented exit codes, and errors that carry one.

use std::fmt;
use std::process::ExitCode;

/// What a script can tell apart. The numbers are public and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// A business no: the decider refused, or there is no such thing.
    Refused = 1,
    /// The command line, the configuration or an input file is wrong.
    Usage = 2,
    /// The server can't be reached, or is busy.
    Unreachable = 3,
    /// The journal, the checkpoint or a backup is damaged.
    Damaged = 4,
    /// A technical failure: disk, clock, a bug of ours.
    Fault = 70,
}

/// The same as `--help` tells it.
pub const EXIT_HELP: &str = "Exit codes:
  0   done
  1   refused: a business no, or no such thing
  2   the command line, the configuration or an input file is wrong
  3   the server can't be reached or is busy; nothing was done, or asking again with the same id is safe
  4   the journal, the checkpoint or a backup is damaged
  70  a technical failure";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
pub struct Failure {
    /// How the run ends.
    pub exit: Exit,
    /// What is told on stderr.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure that says this.
    pub fn new(exit: Exit, what: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { exit, error: anyhow::Error::msg(what) }
    }
}

/// The whole chain of causes on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:#}", self.exit, self.error)
    }
}

/// What is not said to be anything else is a technical failure.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Fault, error: error.into() }
    }
}

/// Tells a failure on stderr after the program's name; how the process ends.
pub fn ended(program: &str, done: Outcome) -> ExitCode {
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("{program}: {failure}");
            failure.exit.into()
        }
    }
}

/// What a command returns.
pub type Outcome<T = Exit> = Result<T, Failure>;

/// Gives errors an exit code and a context.
pub trait OrExit<T> {
    /// With this exit code.
    ///
    /// # Errors
    /// What was an error before.
    fn or_exit(self, exit: Exit) -> Outcome<T>;
    /// With this exit code, after these words.
    ///
    /// # Errors
    /// What was an error before.
    fn or_exit_with<C: fmt::Display + Send + Sync + 'static>(self, exit: Exit, what: impl FnOnce() -> C) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Outcome<T> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }

    fn or_exit_with<C: fmt::Display + Send + Sync + 'static>(self, exit: Exit, what: impl FnOnce() -> C) -> Outcome<T> {
        self.map_err(|error| Failure { exit, error: error.into().context(what()) })
    }
}
