//! Takes connections, no more than allowed, and lets them go when the node drains.

use std::{sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use types::Elapsed;

use crate::{connection, front::Front, settings::Settings};

/// How long accepting rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);
/// What a connection over the limit is told, in words that clients of S3 wait and try again for.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/xml\r\nretry-after: 1\r\ncontent-length: 96\r\n\
connection: close\r\n\r\n<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Too many connections</Message></Error>";

/// The endpoint that AWS clients speak to.
pub struct Aws {
    front: Arc<Front>,
}

impl Aws {
    /// An endpoint over these stores.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { front: Arc::new(Front::new(settings)) }
    }

    /// Serves until `shutdown` ends: then no new connections are taken and open requests are finished, for `drain_time` at most. The task
    /// ends when all is over.
    pub fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(run(Arc::clone(&self.front), listener, shutdown))
    }
}

async fn run(front: Arc<Front>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
    let limits = front.settings.limits.clone();
    let (drain, draining) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        // What has ended is let go here, where it makes room.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) if connections.len() < limits.connections => {
                connections.spawn(connection::serve(Arc::clone(&front), stream, draining.clone()));
            }
            Ok((stream, _)) => refuse(&stream),
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                front.settings.clock.sleep_until(in_time(&front, REST)).await;
            }
        }
    }
    drop(listener);
    // Without receivers there is nobody to tell.
    let _ = drain.send(true);
    let all_gone = async { while connections.join_next().await.is_some() {} };
    let late = front.settings.clock.sleep_until(in_time(&front, limits.drain_time));
    if let Either::Right(_) = select(std::pin::pin!(all_gone), late).await {
        tracing::warn!("open requests of AWS clients are cut off: the time to drain is over");
    }
    // Dropping the set aborts what is left in it.
}

fn in_time(front: &Front, span: Duration) -> u64 {
    front.settings.clock.monotonic_ns().saturating_add(Elapsed::from(span).ns())
}

/// Says why without waiting: a fresh socket has room for this much, and whoever can't be told is closed without a word.
fn refuse(stream: &TcpStream) {
    let _ = stream.try_write(BUSY);
}

#[cfg(test)]
mod tests {
    use super::BUSY;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(BUSY).expect("text");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        assert_eq!(body.len(), 96);
    }
}
