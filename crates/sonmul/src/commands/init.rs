//! `sonmul init`: a data directory with its keys and its configuration, and nothing else.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use edges::aggregator::key_hash;
use store::DataDir;

use crate::config::{self, DEFAULT_LISTEN};
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::keys::{hex, local_key_path, make_tag_key, random_hex, write_secret};
use crate::{faults, print};

/// See `sonmul init --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Makes DIR (mode 0710), DIR/keys/tag-1.key and DIR/aggregator-local.key (mode 0600) and DIR/sonmul.toml.
Nothing is overwritten. Keep a copy of DIR/keys apart from backups: without it no password opens any card again.

Example:
  sonmul init sonmul-data
  sonmul serve --data sonmul-data"
)]
pub(crate) struct InitArgs {
    /// The directory to make; an empty one may be there
    #[arg(value_name = "DIR", default_value = config::DATA)]
    dir: PathBuf,
    /// Where the HTTP edge listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = DEFAULT_LISTEN)]
    listen: String,
    /// Whose subscribers `sonmul dial` may speak for; may be given again
    #[arg(long, value_name = "NAME", default_values = OPERATORS)]
    operator: Vec<String>,
}

/// The profiles that ship with Sonmul.
pub(crate) const OPERATORS: [&str; 2] = ["koryolink", "kangsong"];

/// Makes the directory and says what to do next.
pub(crate) fn run(args: &InitArgs) -> Outcome {
    init(&args.dir, &args.listen, &args.operator, "")?;
    let dir = args.dir.display();
    print::line(&format!("{dir} is ready: keys, sonmul.toml"))?;
    print::line(&format!("Keep a copy of {dir}/keys apart from backups. Next: sonmul serve --data {dir}"))?;
    Ok(Exit::Ok)
}

/// The same without a word; `limits` are lines for the end of the configuration.
///
/// # Errors
/// When `dir` holds something already, can't be made, or the configuration would not be valid.
pub fn init(dir: &Path, listen: &str, operators: &[String], limits: &str) -> Outcome<()> {
    // Before anything is made, so that a wrong address leaves nothing behind.
    let sample = config::template(listen, &"0".repeat(64), operators);
    config::Config::parse(&sample).map_err(|error| Failure::new(Exit::Usage, error.what))?;
    let made = DataDir::create(dir).map_err(faults::store)?;
    make_tag_key(dir)?;
    let key = random_hex()?;
    write_secret(&local_key_path(dir), &key)?;
    let hash = hex(&key_hash(&key));
    write_config(dir, &format!("{}{limits}", config::template(listen, &hash, operators)))?;
    drop(made);
    Ok(())
}

fn write_config(dir: &Path, text: &str) -> Outcome<()> {
    let path = dir.join(config::FILE);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(&path)
        .or_exit_with(Exit::Usage, || format!("{} can't be made", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
