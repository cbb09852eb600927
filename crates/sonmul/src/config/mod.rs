//! `DIR/sonmul.toml`: what this server is, in one file. Every limit has a name, a default and a reason here.
//!
//! Guarantees: a key that nobody reads, a value out of bounds and a link that is there twice are errors that name the
//! line. Secrets are not in it: aggregators' keys stand there as hashes.
//!
//! Deliberately not here: the rules of operators (they are state, loaded by a command).

mod limits;
mod links;
mod raw;
mod template;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::exit::{Exit, Failure, OrExit, Outcome};
pub(crate) use limits::{Limits, half, word};
pub(crate) use links::{Aggregator, Common, Hlr, Letters, Links, Smsc};
pub(crate) use template::template;

/// Its name in the data directory.
pub(crate) const FILE: &str = "sonmul.toml";
/// What a data directory is called when nothing is said.
pub(crate) const DATA: &str = "sonmul-data";
/// The file in the data directory that says where the HTTP edge listens.
pub(crate) const HTTP_ADDR: &str = "http.addr";
/// Where the HTTP edge listens when nothing is said.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:7929";
/// Longest configuration that is read.
const LEN_MAX: usize = 1 << 20;

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the HTTP edge listens. Loopback.
    pub(crate) listen: SocketAddr,
    /// Who besides the owner may use `admin.sock`.
    pub(crate) admin_group: Option<String>,
    /// Profiles whose files are compared with what is loaded.
    pub(crate) profiles: Vec<PathBuf>,
    /// Connections to networks and aggregators.
    pub(crate) links: Links,
    /// Ceilings and times.
    pub(crate) limits: Limits,
}

/// What is wrong with the configuration, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct ConfigError {
    /// Counted from 1.
    pub(crate) line: usize,
    /// One sentence.
    pub(crate) what: String,
}

impl Config {
    /// Reads the configuration of a data directory.
    pub(crate) fn load(data: &Path) -> Outcome<Self> {
        let path = data.join(FILE);
        let text = std::fs::read_to_string(&path).or_exit_with(Exit::Usage, || {
            let (path, data) = (path.display(), data.display());
            format!("{path} can't be read; `sonmul init {data}` makes a data directory")
        })?;
        let mut config =
            Self::parse(&text).map_err(|error| Failure::new(Exit::Usage, format!("{}, {error}", path.display())))?;
        for profile in &mut config.profiles {
            *profile = data.join(&*profile);
        }
        for file in config.links.files() {
            *file = data.join(&*file);
        }
        Ok(config)
    }

    /// Reads a configuration's text. Paths stay as written.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let place = Place(text);
        if text.len() > LEN_MAX {
            return Err(place.at(0, format!("a configuration has at most {LEN_MAX} octets")));
        }
        let raw: raw::Config = toml::from_str(text).map_err(|error| {
            place.at(error.span().map_or(0, |span| span.start), error.message().replace('\n', "; "))
        })?;
        let listen = listen(&place, &raw.http)?;
        let limits = limits::read(&place, &raw.limits)?;
        let links = links::read(&place, &raw, &limits)?;
        let profiles = raw.profiles.into_iter().map(PathBuf::from).collect();
        Ok(Self { listen, admin_group: raw.admin_group, profiles, links, limits })
    }
}

/// Finds lines.
struct Place<'a>(&'a str);

impl Place<'_> {
    fn at(&self, offset: usize, what: impl Into<String>) -> ConfigError {
        let line = self.0.bytes().take(offset).filter(|octet| *octet == b'\n').count() + 1;
        ConfigError { line, what: what.into() }
    }

    fn of<T>(&self, value: &Spanned<T>, what: impl Into<String>) -> ConfigError {
        self.at(value.span().start, what)
    }
}

fn listen(place: &Place<'_>, raw: &raw::Http) -> Result<SocketAddr, ConfigError> {
    let wrong = |what: &str| place.of(&raw.listen, what);
    let listen: SocketAddr = raw
        .listen
        .get_ref()
        .parse()
        .map_err(|_| wrong("write an address and a port, for example \"127.0.0.1:7929\""))?;
    if listen.ip().is_loopback() {
        Ok(listen)
    } else {
        Err(wrong(
            "HTTP listens on loopback unless TLS is configured, and this version has no TLS yet: write \
             \"127.0.0.1:7929\" and put a reverse proxy with TLS before it",
        ))
    }
}
