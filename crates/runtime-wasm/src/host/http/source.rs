//! A body that comes in, read piece by piece as the guest asks for it. Nothing is read ahead but the one piece that a read cuts in two.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use ports::{Body, BodyError};

/// A body on its way in.
pub(crate) struct Source {
    body: Body,
    /// What is left of the last piece.
    piece: Bytes,
    end: Option<End>,
}

/// How a body ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// As it should, perhaps with trailers.
    Closed(Option<HeaderMap>),
    /// It broke.
    Broken(BodyError),
}

/// What a read gives.
#[derive(Debug)]
pub(crate) enum Read {
    /// Bytes; none if none are here yet.
    Bytes(Bytes),
    /// The end.
    Closed,
    /// The body is broken.
    Broken(BodyError),
}

impl Source {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, piece: Bytes::new(), end: None }
    }

    /// Ready when a read gives bytes or the end.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.piece.is_empty() && self.end.is_none() {
            self.end = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => Some(End::Closed(None)),
                Some(Err(error)) => Some(End::Broken(error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => {
                        self.piece = piece;
                        None
                    }
                    Err(frame) => frame.into_trailers().ok().map(|trailers| End::Closed(Some(trailers))),
                },
            };
        }
        Poll::Ready(())
    }

    /// At most `max` bytes of what is here now.
    pub(crate) fn read(&mut self, max: u64) -> Read {
        let _ = self.poll_readable(&mut Context::from_waker(Waker::noop()));
        if !self.piece.is_empty() {
            let len = usize::try_from(max).unwrap_or(usize::MAX).min(self.piece.len());
            return Read::Bytes(if len == self.piece.len() { std::mem::take(&mut self.piece) } else { self.piece.split_to(len) });
        }
        match &self.end {
            None => Read::Bytes(Bytes::new()),
            Some(End::Closed(_)) => Read::Closed,
            Some(End::Broken(error)) => Read::Broken(error.clone()),
        }
    }

    /// Ready with the end, after what was left unread is thrown away.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<&mut End> {
        self.piece.clear();
        while self.end.is_none() {
            ready!(self.poll_readable(cx));
            self.piece.clear();
        }
        Poll::Ready(self.end.as_mut().expect("the loop ends with an end"))
    }
}

#[cfg(test)]
mod tests {
    use http_body::Frame;

    use super::*;
    use crate::host::http::pipe::Pipe;

    #[test]
    fn reads_are_cut_to_what_is_asked() {
        let mut source = Source::new(Body::from("abcdef"));
        assert!(matches!(source.read(4), Read::Bytes(bytes) if bytes == "abcd"));
        assert!(matches!(source.read(4), Read::Bytes(bytes) if bytes == "ef"));
        assert!(matches!(source.read(4), Read::Closed));
    }

    #[test]
    fn a_read_before_anything_came_gives_no_bytes_and_trailers_come_at_the_end() {
        let pipe = Pipe::new();
        let mut source = Source::new(Body::stream(pipe.body()));
        assert!(matches!(source.read(4), Read::Bytes(bytes) if bytes.is_empty()));
        pipe.push(Bytes::from_static(b"ab"));
        assert!(matches!(source.read(4), Read::Bytes(bytes) if bytes == "ab"));
        let trailers = HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("1"))]);
        pipe.finish(Some(trailers.clone()));
        assert!(matches!(source.read(4), Read::Closed));
        let end = source.poll_end(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(end, Poll::Ready(End::Closed(Some(found))) if *found == trailers));
    }

    #[test]
    fn a_broken_body_says_so() {
        let body = http_body_util::StreamBody::new(futures_util::stream::iter([
            Ok(Frame::data(Bytes::from_static(b"a"))),
            Err(BodyError::Idle),
        ]));
        let mut source = Source::new(Body::stream(body));
        assert!(matches!(source.read(9), Read::Bytes(bytes) if bytes == "a"));
        assert!(matches!(source.read(9), Read::Broken(BodyError::Idle)));
    }
}
