//! The two doors of a server: HTTP on loopback for aggregators, `admin.sock` for the operator's staff.
//!
//! Guarantees: the socket is its owner's alone until it has its group; a socket that a dead server left is replaced, for
//! only the holder of the data directory's lock comes here.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::limited::{From, Limited, with_addresses};
use super::process::{give_to_group, group_id};
use crate::admin::SOCKET;
use crate::config::HTTP_ADDR;
use crate::exit::{Exit, OrExit, Outcome};

/// A door that is open.
#[derive(Debug)]
pub(crate) struct Door {
    task: JoinHandle<std::io::Result<()>>,
    /// Taken away when it closes.
    file: PathBuf,
}

impl Door {
    /// Waits until requests under way are answered, at most so long.
    pub(crate) async fn closed(self, within: Duration) {
        let abort = self.task.abort_handle();
        match tokio::time::timeout(within, self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, file = %self.file.display(), "it did not close well"),
            Ok(Err(_)) => tracing::error!(file = %self.file.display(), "it ended on an assertion"),
            Err(_) => {
                tracing::warn!(file = %self.file.display(), "requests were still under way: they are dropped");
                abort.abort();
            }
        }
        if let Err(error) = std::fs::remove_file(&self.file) {
            tracing::debug!(%error, "nothing to take away");
        }
    }
}

/// Resolves when the server is told to stop.
pub(crate) async fn stopping(mut stop: watch::Receiver<bool>) {
    // Whoever could tell is gone: that is a stop as well.
    let _told = stop.wait_for(|stop| *stop).await;
}

/// Opens the HTTP edge and writes where into `http.addr`.
pub(crate) async fn http(
    data: &Path,
    address: SocketAddr,
    connections_max: usize,
    router: Router,
    stop: watch::Receiver<bool>,
) -> Outcome<(SocketAddr, Door)> {
    let listener = TcpListener::bind(address).await.or_exit_with(Exit::Usage, || format!("http.listen {address}"))?;
    let bound = listener.local_addr()?;
    let file = data.join(HTTP_ADDR);
    write_addr(&file, bound)?;
    let service = with_addresses(router).into_make_service_with_connect_info::<From>();
    let served = axum::serve(Limited::new(listener, connections_max), service).with_graceful_shutdown(stopping(stop));
    Ok((bound, Door { task: tokio::spawn(async move { served.await }), file }))
}

fn write_addr(file: &Path, bound: SocketAddr) -> Outcome<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o640).open(file);
    let mut opened = opened.with_context(|| format!("{} can't be written", file.display()))?;
    Ok(writeln!(opened, "{bound}")?)
}

/// Opens `admin.sock`: 0600, or 0660 with a group.
pub(crate) fn admin(data: &Path, group: Option<&str>, router: Router, stop: watch::Receiver<bool>) -> Outcome<Door> {
    let file = data.join(SOCKET);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} is in the way", file.display())).or_exit(Exit::Fault);
        }
        _ => {}
    }
    let listener = UnixListener::bind(&file).with_context(|| format!("{} can't be made", file.display()))?;
    let mode = match group {
        None => 0o600,
        Some(group) => {
            let group = group_id(group)?;
            // The group must be able to pass through the directory, too.
            give_to_group(data, group)?;
            give_to_group(&file, group)?;
            0o660
        }
    };
    std::fs::set_permissions(&file, Permissions::from_mode(mode))?;
    let served = api::serve_unix(listener, router, stopping(stop));
    Ok(Door { task: tokio::spawn(served), file })
}
