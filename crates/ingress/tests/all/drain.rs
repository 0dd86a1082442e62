//! How a gateway stops: nobody who was being served is cut off in time, and nobody waits for ever.

use std::{sync::Arc, time::Duration};

use http::Response;
use ingress::{Framing, GatewayLimits};
use ports::Body;
use tokio::{io::AsyncWriteExt, sync::Semaphore};

use crate::rig::{Functions, PATIENCE, Rig, read};

/// Functions that answer when the gate lets them; each tells when it has begun.
fn held(gate: &Arc<Semaphore>, begun: &Arc<Semaphore>) -> Arc<Functions> {
    let (gate, begun) = (Arc::clone(gate), Arc::clone(begun));
    Functions::new(move |_| {
        let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
        async move {
            begun.add_permits(1);
            gate.acquire().await.expect("the gate is never closed").forget();
            Response::new(Body::from("done"))
        }
    })
}

/// Waits until one more has begun.
async fn next(begun: &Semaphore) {
    let waited = tokio::time::timeout(PATIENCE, begun.acquire()).await;
    waited.expect("the gateway calls the function").expect("it is never closed").forget();
}

#[tokio::test]
async fn open_requests_are_finished_and_idle_connections_closed() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, held(&gate, &begun)).await;
    let (mut busy, mut idle, mut fresh) = (rig.connect().await, rig.connect().await, rig.connect().await);
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    idle.write_all(request).await.expect("the gateway reads");
    gate.add_permits(1);
    next(&begun).await;
    assert!(read(&mut idle, Duration::from_millis(300)).await.text.ends_with("done"));
    fresh.write_all(b"GET / HT").await.expect("the gateway reads");
    busy.write_all(request).await.expect("the gateway reads");
    next(&begun).await;
    rig.drain.begin();
    assert!(read(&mut idle, PATIENCE).await.closed);
    assert!(read(&mut fresh, PATIENCE).await.closed);
    assert!(!rig.served.is_finished(), "a request is still open");
    gate.add_permits(1);
    let talk = read(&mut busy, PATIENCE).await;
    assert!(talk.text.ends_with("done") && talk.closed, "{talk:?}");
    drop((busy, idle, fresh));
    tokio::time::timeout(PATIENCE, rig.served).await.expect("the drain ends").expect("no panic");
    assert!(tokio::net::TcpStream::connect(rig.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let limits = GatewayLimits { drain_time: Duration::from_millis(300), ..GatewayLimits::default() };
    let begun = Arc::new(Semaphore::new(0));
    let rig = Rig::start(limits, Framing::Strict, held(&Arc::new(Semaphore::new(0)), &begun)).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the gateway reads");
    next(&begun).await;
    rig.drain.begin();
    let talk = read(&mut stream, PATIENCE).await;
    assert!(talk.text.is_empty() && talk.closed, "{talk:?}");
    tokio::time::timeout(PATIENCE, rig.served).await.expect("the drain ends").expect("no panic");
}
