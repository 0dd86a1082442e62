//! Bodies of requests and responses: whole or streamed.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Why a body broke off.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// The peer went away.
    #[error("the peer went away")]
    Gone,
    /// Nothing came for too long.
    #[error("nothing came for too long")]
    Idle,
    /// More came than is allowed.
    #[error("more than {allowed} bytes")]
    TooLarge {
        /// The limit in bytes.
        allowed: u64,
    },
    /// Anything else.
    #[error("{0}")]
    Broken(String),
}

/// What the names of trailers begin with that tell a store of checksums which are known at the end only.
const CHECKSUM_TRAILER: &str = "checksum-";

/// A body's last frame for a store of objects: checksums that were verified while the body was read, as `("crc32", base 64)`.
#[must_use]
pub fn checksum_trailers(checksums: &[(String, String)]) -> Frame<Bytes> {
    let mut trailers = http::HeaderMap::new();
    for (name, value) in checksums {
        let name = http::HeaderName::try_from(format!("{CHECKSUM_TRAILER}{name}"));
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::try_from(value)) {
            trailers.append(name, value);
        }
    }
    Frame::trailers(trailers)
}

/// The checksums in a body's trailers, as [`checksum_trailers`] wrote them.
#[must_use]
pub fn trailing_checksums(trailers: &http::HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().strip_prefix(CHECKSUM_TRAILER)?.to_owned(), value.to_str().ok()?.to_owned()))
    };
    trailers.iter().filter_map(pair).collect()
}

/// A body: nothing, one piece, or a stream.
#[derive(Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// One piece.
    Whole(Bytes),
    /// Pieces as they come.
    Stream(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BodyError> + Send>>),
}

impl Body {
    /// A body that comes in pieces.
    pub fn stream(body: impl http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self::Stream(Box::pin(body))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}
impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}
impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Whole(bytes) }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Body::Empty"),
            Self::Whole(bytes) => write!(f, "Body::Whole({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body::Stream"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match std::mem::take(&mut *self) {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Self::Stream(mut stream) => {
                let polled = stream.as_mut().poll_frame(cx);
                *self = Self::Stream(stream);
                polled
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(_) => false,
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}
