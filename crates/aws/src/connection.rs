//! One connection from its first byte to its last, on one task.

use std::{sync::Arc, time::Duration};

use futures_util::future::select;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use ports::Clock;
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch};
use types::Elapsed;

use crate::{
    front::Front,
    wire::{Activity, Wire},
};

/// How long a socket is read out after the last answer, so that closing it doesn't destroy the answer on its way.
const LINGER: Duration = Duration::from_secs(2);
/// How much is read out at most: clients that send without asking first have this much on its way.
const LINGER_BYTES: usize = 16 << 20;

/// Serves one connection to its end.
pub(crate) async fn serve(front: Arc<Front>, stream: TcpStream, mut draining: watch::Receiver<bool>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (clock, limits) = (Arc::clone(&front.settings.clock), front.settings.limits.clone());
    let activity = Arc::new(Activity::new(Arc::clone(&clock)));
    let wire = TokioIo::new(Wire { stream, activity: Arc::clone(&activity) });
    let service = service_fn(|request| {
        let (front, open) = (Arc::clone(&front), activity.open());
        async move { Ok::<_, std::convert::Infallible>(front.serve(request, open).await) }
    });
    let mut served = http1::Builder::new()
        .max_buf_size(limits.head.as_usize().max(64 << 10))
        .half_close(false)
        .header_read_timeout(None)
        .serve_connection(wire, service);
    // Judged often enough that no bound is passed by more than a quarter.
    let pause = limits.head_time.min(limits.connection_idle_time) / 4;
    let mut told = false;
    loop {
        let tick = clock.sleep_until(after(&*clock, pause));
        tokio::select! {
            _ = &mut served => break,
            _ = draining.wait_for(|draining| *draining), if !told => {
                told = true;
                std::pin::Pin::new(&mut served).graceful_shutdown();
            }
            () = tick => if activity.is_over(&limits) {
                return;
            }
        }
    }
    linger(&*clock, served.into_parts().io.into_inner().stream).await;
}

fn after(clock: &dyn Clock, span: Duration) -> u64 {
    clock.monotonic_ns().saturating_add(Elapsed::from(span).ns())
}

/// Reads out what the peer still sends: closing a socket with unread bytes resets the connection, and a reset overtakes the answer.
async fn linger(clock: &dyn Clock, mut stream: TcpStream) {
    let read_out = async {
        let (mut scratch, mut read) = (vec![0; 64 << 10], 0);
        while let Ok(length @ 1..) = stream.read(&mut scratch).await {
            read += length;
            if read > LINGER_BYTES {
                break;
            }
        }
    };
    select(std::pin::pin!(read_out), clock.sleep_until(after(clock, LINGER))).await;
}
