//! The daily check of the books, as a process of its own: `sonmul check --stop` beside this server.
//!
//! Its fold takes as much memory as the server's own for a minute, and a core; in a process of its own both are given back,
//! and what it finds it tells this server like anybody else, over `admin.sock`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::watch;

/// The first one comes so long after the start at the latest: a server that starts every day is checked too.
const FIRST_WITHIN: Duration = Duration::from_secs(600);

/// Checks until the server stops. Zero: never.
pub(super) fn start(data: PathBuf, every: Duration, mut stopped: watch::Receiver<bool>) {
    if every.is_zero() {
        return;
    }
    tokio::spawn(async move {
        let mut wait = every.min(FIRST_WITHIN);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = every;
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                () = check(&data) => {}
            }
        }
    });
}

async fn check(data: &PathBuf) {
    let binary = match std::env::current_exe() {
        Ok(binary) => binary,
        Err(error) => return tracing::error!(%error, "the books are not checked: where is this program?"),
    };
    let mut command = Command::new(binary);
    command.args(["check", "--stop", "--data"]).arg(data).kill_on_drop(true);
    let ran = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().await;
    match ran {
        Ok(ran) if ran.status.success() => tracing::info!("the books agree"),
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.stderr);
            tracing::error!(status = %ran.status, said = said.trim(), "the books don't agree, or could not be checked");
        }
        Err(error) => tracing::error!(%error, "the books are not checked"),
    }
}
