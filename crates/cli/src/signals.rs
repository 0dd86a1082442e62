//! The two ways in which a process is asked to end: SIGTERM, and SIGINT as Ctrl-C sends it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::node::RunningNode;

/// Both signals. While this exists neither ends the process by itself.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    /// If the process can't wait for signals.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for either.
    ///
    /// # Cancel safety
    /// No signal is lost when the future is dropped.
    pub(crate) async fn next(&mut self) {
        let Self { terminate, interrupt } = self;
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    }
}

/// Shuts the node down: its open requests may finish. Who asks a second time does not want to wait for them.
pub(crate) async fn shut_down(node: RunningNode) {
    match Signals::new() {
        Ok(mut signals) => tokio::select! {
            () = node.shutdown() => (),
            () = signals.next() => (),
        },
        Err(_) => node.shutdown().await,
    }
}
