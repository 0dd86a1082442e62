//! Takes connections, no more than allowed, and lets them go when the node drains.

use std::{sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use types::{Code, Elapsed, Problem};

use super::{Drain, Gateway, connection, problem};

/// How long accepting rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);
/// How long a connection over the limit has to take its refusal.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// Connections over the limit that are told why at once; more are closed without a word.
const REFUSALS: usize = 256;

/// Runs until the drain is over.
pub(crate) async fn run(gateway: Arc<Gateway>, listener: TcpListener, drain: Drain) {
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut begun = Box::pin(drain.clone().begun());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut begun => break,
            accepted = listener.accept() => accepted,
        };
        // What has ended is let go here, where it makes room.
        while connections.try_join_next().is_some() {}
        while refusals.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) if connections.len() < gateway.limits.connections => {
                connections.spawn(connection::serve(Arc::clone(&gateway), stream, drain.clone()));
            }
            Ok((stream, _)) if refusals.len() < REFUSALS => drop(refusals.spawn(refuse(Arc::clone(&gateway), stream))),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                gateway.clock.sleep_until(in_time(&gateway, REST)).await;
            }
        }
    }
    drop(listener);
    let all_gone = async { while connections.join_next().await.is_some() {} };
    let late = gateway.clock.sleep_until(in_time(&gateway, gateway.limits.drain_time));
    if let Either::Right(_) = select(std::pin::pin!(all_gone), late).await {
        tracing::warn!("open requests are cut off: the time to drain is over");
    }
    // Dropping the set aborts what is left in it.
}

fn in_time(gateway: &Gateway, span: Duration) -> u64 {
    gateway.clock.monotonic_ns().saturating_add(Elapsed::from(span).ns())
}

async fn refuse(gateway: Arc<Gateway>, mut stream: TcpStream) {
    let allowed = gateway.limits.connections;
    let problem = Problem::new(Code::E0410, format!("the node has too many connections, allowed {allowed}"));
    let answer = problem::raw(&problem);
    let told = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // The peer's request is read out, since closing over it would destroy the answer on its way.
        let mut scratch = [0; 1024];
        while stream.read(&mut scratch).await? > 0 {}
        std::io::Result::Ok(())
    };
    let late = gateway.clock.sleep_until(in_time(&gateway, REFUSAL_TIME));
    select(std::pin::pin!(told), late).await;
}
