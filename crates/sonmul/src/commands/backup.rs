//! `sonmul backup` and `sonmul restore`: a data directory copied beside a running server, and made again.
//!
//! Guarantees: keys are never copied; a restored directory starts only when the keys that it needs were brought back from
//! their own place. The configuration is copied: it holds hashes of keys, and no key.

use std::path::PathBuf;

use serde_json::json;
use store::DataDir;
use store::backup::backup as copy;
use store::restore::restore as make;

use crate::config;
use crate::exit::{Exit, OrExit, Outcome};
use crate::keys::{key_ids, tag_dir};
use crate::progress::Progress;
use crate::serve::FOLLOWERS;
use crate::{faults, print};

use super::DataArg;

/// See `sonmul backup --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "TO may hold an older backup of the same directory: segments that were copied before are not copied again. Keys
are not in it: keep DIR/keys elsewhere.

Example:
  sonmul backup /mnt/backup/sonmul --data sonmul-data"
)]
pub(crate) struct BackupArgs {
    /// The directory of the backup
    to: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// See `sonmul restore --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every file and the whole chain are checked. Put the keys that it names into DIR/keys (mode 0600, directory 0700)
before the first start. SMS start paused, so that nothing is sent twice: see `sonmul serve --resume-followers`.

Example:
  sonmul restore /mnt/backup/sonmul sonmul-data"
)]
pub(crate) struct RestoreArgs {
    /// The directory of the backup
    from: PathBuf,
    /// The data directory to make
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Copies.
pub(crate) fn backup(args: &BackupArgs) -> Outcome {
    let data = args.data.dir();
    let dir = DataDir::open_shared(&data).map_err(faults::store)?;
    let keys = key_ids(&data)?;
    let mut progress = Progress::new("copying", None);
    let manifest = copy(&dir, &args.to, &keys, &mut |done, _| progress.set(done as u64)).map_err(faults::store)?;
    drop(progress);
    let (from, to) = (data.join(config::FILE), args.to.join(config::FILE));
    std::fs::copy(&from, &to).or_exit_with(Exit::Fault, || format!("{} can't be copied", from.display()))?;
    let (seq, segments) = (manifest.head.seq.0, manifest.segments.len());
    if args.json {
        print::json(&json!({ "head": seq, "segments": segments, "keys": keys }))?;
    } else {
        let (to, keys) = (args.to.display(), tag_dir(&data));
        print::line(&format!("{to} holds {seq} entries in {segments} segments; {} is not in it", keys.display()))?;
    }
    Ok(Exit::Ok)
}

/// Makes.
pub(crate) fn restore(args: &RestoreArgs) -> Outcome {
    let mut progress = Progress::new("checking", None);
    let restored = make(&args.from, &args.dir, &FOLLOWERS, &mut |done| progress.set(done)).map_err(faults::store)?;
    drop(progress);
    let (from, to) = (args.from.join(config::FILE), args.dir.join(config::FILE));
    std::fs::copy(&from, &to).or_exit_with(Exit::Fault, || format!("{} can't be copied", from.display()))?;
    let absent: Vec<_> =
        restored.absent.iter().map(|gap| json!({ "first": gap.first.0, "last": gap.last.0 })).collect();
    let (dir, seq) = (args.dir.display(), restored.head.seq.0);
    if args.json {
        print::json(&json!({ "head": seq, "keys": restored.key_ids, "absent": absent }))?;
        return Ok(Exit::Ok);
    }
    print::line(&format!("{dir} holds {seq} entries"))?;
    for gap in &restored.absent {
        print::line(&format!("entries {} to {} were archived", gap.first, gap.last))?;
    }
    let keys: Vec<String> = restored.key_ids.iter().map(|id| format!("{dir}/keys/tag-{id}.key")).collect();
    print::line(&format!("Before the first start bring back: {}", keys.join(", ")))?;
    Ok(Exit::Ok)
}
