//! What a gateway is made of.

use std::{sync::Arc, time::Duration};

use ports::{Blob, Bus, Clock, Invoker, Rng, Secrets, Unit};
use types::{ByteCount, limits};

/// All that a gateway needs.
pub struct GatewaySettings {
    /// Its limits.
    pub limits: GatewayLimits,
    /// Who judges how messages of HTTP/1 are framed.
    pub framing: Framing,
    /// Runs the functions.
    pub invoker: Arc<dyn Invoker>,
    /// Holds the files of sites.
    pub blob: Arc<dyn Blob>,
    /// Knows who waits for events that come in.
    pub bus: Arc<dyn Bus>,
    /// Makes events durable that come in.
    pub unit: Arc<dyn Unit>,
    /// Has the keys of events and webhooks.
    pub secrets: Arc<dyn Secrets>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Draws which revision gets a request.
    pub rng: Arc<dyn Rng>,
}

/// The gateway's limits. The default is the platform's table.
#[derive(Debug, Clone, Copy)]
pub struct GatewayLimits {
    /// Bytes of a request's body.
    pub request_body: ByteCount,
    /// Bytes of a header block with its names, values and line ends.
    pub header_block: ByteCount,
    /// Fields of a header block.
    pub header_count: usize,
    /// Bytes of a request's target.
    pub uri: ByteCount,
    /// From the first byte of a request to the end of its header block.
    pub header_time: Duration,
    /// Between two bytes of a request's body, while the function waits for them.
    pub body_idle_time: Duration,
    /// A connection without a request on it; also how long a response may wait for a peer that doesn't read.
    pub connection_idle_time: Duration,
    /// Connections at once.
    pub connections: usize,
    /// HTTP/2 streams at once on one connection.
    pub http2_streams: u32,
    /// How long open requests have once the gateway drains.
    pub drain_time: Duration,
}

impl Default for GatewayLimits {
    fn default() -> Self {
        Self {
            request_body: limits::REQUEST_BODY,
            header_block: limits::HEADER_BLOCK,
            header_count: limits::HEADER_COUNT,
            uri: limits::URI,
            header_time: limits::HEADER_TIME,
            body_idle_time: limits::BODY_IDLE_TIME,
            connection_idle_time: limits::CONNECTION_IDLE_TIME,
            connections: limits::CONNECTIONS,
            http2_streams: limits::HTTP2_STREAMS,
            drain_time: limits::DRAIN_TIME,
        }
    }
}

/// Who judges how messages of HTTP/1 are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The gateway's own scanner refuses every head that two parsers could read differently.
    Strict,
    /// hyper alone, which repairs some of them. Only the control runs of the security tests want this.
    Lenient,
}
