//! Opens connections: to addresses that were judged, under the name that was called.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::{Either, select};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use ports::{Body, Clock};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use types::{Elapsed, journal::Failure, limits};

use crate::{
    failure::{describe, failed},
    pool::Sender,
    target::Target,
    tls::Tls,
};

/// Addresses of one host that are tried at most.
const TRIES: usize = 8;

/// Ends with the future, or with nothing once the time has come.
pub(crate) async fn until<T>(clock: &dyn Clock, deadline_ns: u64, future: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(future), clock.sleep_until(deadline_ns)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// The time that far from now.
pub(crate) fn after(clock: &dyn Clock, span: Duration) -> u64 {
    clock.monotonic_ns().saturating_add(Elapsed::from(span).ns())
}

/// Connects to the first of the addresses that answers.
///
/// # Errors
/// `E0209` with what the last address said.
pub(crate) async fn connect(
    clock: &dyn Clock,
    tls: &Tls,
    target: &Target,
    addresses: &[IpAddr],
    deadline_ns: u64,
) -> Result<(Sender, SocketAddr), Failure> {
    let (stream, address) = tcp(clock, target, addresses, deadline_ns).await?;
    let shaken = async { if target.https { by_tls(tls, target, stream).await } else { http1(stream).await } };
    let sender =
        until(clock, deadline_ns, shaken).await.ok_or_else(|| failed(format!("tls: no answer from {address} in time")))??;
    Ok((sender, address))
}

async fn tcp(
    clock: &dyn Clock,
    target: &Target,
    addresses: &[IpAddr],
    deadline_ns: u64,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let tried = &addresses[..addresses.len().min(TRIES)];
    let mut last = failed(format!("dns: {} has no address", target.host));
    for (index, ip) in tried.iter().enumerate() {
        let address = SocketAddr::new(*ip, target.port);
        let now = clock.monotonic_ns();
        // Each address has an equal part of what time is left, so that a dead one doesn't take the others' time.
        let part = deadline_ns.saturating_sub(now) / (tried.len() - index) as u64;
        let error = match until(clock, now.saturating_add(part), TcpStream::connect(address)).await {
            Some(Ok(stream)) => {
                // Requests are written whole: waiting for more to send would only delay them.
                let _unsupported = stream.set_nodelay(true);
                return Ok((stream, address));
            }
            Some(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("connection refused by {address}")
            }
            Some(Err(error)) => format!("connecting to {address}: {error}"),
            None => format!("connecting to {address}: no answer for {}", Elapsed::from_ns(part)),
        };
        last = failed(error);
    }
    Err(last)
}

async fn by_tls(tls: &Tls, target: &Target, stream: TcpStream) -> Result<Sender, Failure> {
    let config = tls.config().await.map_err(|error| failed(format!("tls: {error}")))?;
    let name = target.host.strip_suffix('.').unwrap_or(&target.host).to_owned();
    let name = ServerName::try_from(name).map_err(|error| failed(format!("tls: {error}")))?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    let stream = connected.map_err(|error| failed(format!("tls: {}", describe(&error))))?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") { http2(stream).await } else { http1(stream).await }
}

async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Failure> {
    let header_block = limits::HEADER_BLOCK.as_usize();
    let mut builder = http1::Builder::new();
    builder.max_header_size(header_block).max_buf_size(2 * header_block);
    let (sender, connection) =
        builder.handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|error| failed(describe(&error)))?;
    // The connection is driven until its sender and the response that is being read are gone.
    tokio::spawn(async move { drop(connection.await) });
    Ok(Sender::Http1(sender))
}

async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Failure> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let header_list = u32::try_from(limits::HEADER_BLOCK.0).unwrap_or(u32::MAX);
    builder.timer(TokioTimer::new()).max_header_list_size(header_list);
    let (sender, connection) =
        builder.handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|error| failed(describe(&error)))?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(Sender::Http2(sender))
}
