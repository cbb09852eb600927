//! Serving the router on a Unix socket, with the peer's uid as the kernel tells it.
//!
//! Guarantees: the uid comes from `SO_PEERCRED`, never from the request. Stopping lets requests under way finish, for
//! [`DRAIN_S`] at most.
//!
//! Deliberately not here: the socket's file, its mode and its group (sonmul makes the listener).

use core::time::Duration;
use std::io;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;
use tokio::sync::oneshot;

/// How long requests under way may take after the shutdown began: a command's own deadline is as long.
pub const DRAIN_S: u64 = 30;

/// Who is at the other end of a connection; `None` when the kernel did not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|peer| peer.uid()) }
    }
}

/// Serves `router` on `listener` until `shutdown` resolves and requests under way are answered.
///
/// # Errors
/// When the listener can't be served.
pub async fn serve_unix(
    listener: UnixListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (tell, began) = oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        let _gone = tell.send(());
    };
    let service = router.into_make_service_with_connect_info::<Peer>();
    let served = axum::serve(listener, service).with_graceful_shutdown(shutdown);
    let overdue = async move {
        if began.await.is_err() {
            // The server ended by itself: its result counts.
            core::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_secs(DRAIN_S)).await;
    };
    tokio::select! {
        ended = async { served.await } => ended,
        () = overdue => {
            tracing::warn!(waited_s = DRAIN_S, "requests on admin.sock were still under way: they are dropped");
            Ok(())
        }
    }
}
