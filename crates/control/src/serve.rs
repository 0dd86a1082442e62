//! The listener of the control API: HTTP/1.1 with bounds on connections and on the time for a header block, ended by a drain.

use std::{sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use types::limits;

use crate::{api, core::Control};

/// Concurrent connections: the control API serves people and their tools, not traffic.
const CONNECTIONS: usize = 256;
/// After a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves the control API until `stop` ends; then open requests are finished within the drain time, and streams end at once.
pub async fn serve(control: Arc<Control>, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
    let router = api::router(Arc::clone(&control));
    let (permits, graceful) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The peer may be gone, or the process out of handles: neither is a reason to stop, and the pause bounds the loop.
            Err(error) => {
                tracing::warn!(%error, "a connection to the control API was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, router.clone()));
        tokio::spawn(async move {
            // A client that breaks off is its own business.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    control.drain();
    let _ = tokio::time::timeout(limits::DRAIN_TIME, graceful.shutdown()).await;
}

type Served = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<axum::Router>>;

fn connection(stream: TcpStream, router: axum::Router) -> Served {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_TIME)
        .max_headers(limits::HEADER_COUNT)
        .max_buf_size(limits::HEADER_BLOCK.as_usize())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
