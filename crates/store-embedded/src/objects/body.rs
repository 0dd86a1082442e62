//! The bytes of an object as a body: read window by window on threads that may block, one window ahead of whoever takes them.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use ports::{Body, BodyError, StoreError};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{
    block::Opened,
    files::{Files, Pins},
    row::Piece,
};

/// What of an object is wanted: from a byte of its files on, so many.
pub(super) struct Wanted {
    pub(super) pieces: Vec<Piece>,
    pub(super) first: u64,
    pub(super) count: u64,
}

/// Where reading is.
struct Cursor {
    files: Arc<Files>,
    pieces: std::vec::IntoIter<Piece>,
    opened: Option<(Opened, Piece)>,
    /// Within the open piece.
    at: u64,
    left: u64,
}

type Read = Result<(Cursor, Bytes), StoreError>;

/// A body that goes on being read.
struct Reading {
    /// The window that is read ahead; `None` at the end.
    next: Option<JoinHandle<Read>>,
    left: u64,
    handle: Handle,
    _pins: Pins,
}

/// Reads the first window, so that damage in it is an answer and not a body that breaks off.
pub(super) async fn open(files: Arc<Files>, wanted: Wanted, pins: Pins) -> Result<Body, StoreError> {
    let Wanted { pieces, first, count } = wanted;
    if count == 0 {
        return Ok(Body::Empty);
    }
    let mut pieces = pieces.into_iter();
    let (mut at, mut begun) = (first, None);
    for piece in pieces.by_ref() {
        if at < piece.bytes {
            begun = Some(piece);
            break;
        }
        at -= piece.bytes;
    }
    let Some(piece) = begun else { return Err(StoreError::Damaged("an object is larger than its files".into())) };
    let handle = Handle::current();
    let begin = move || {
        let opened = Some((Opened::open(&files, piece)?, piece));
        Cursor { files, pieces, opened, at, left: count }.read()
    };
    let (cursor, bytes) = joined(handle.spawn_blocking(begin).await)?;
    if cursor.left == 0 {
        return Ok(Body::from(bytes));
    }
    let reading = Reading { left: cursor.left, next: Some(handle.spawn_blocking(|| cursor.read())), handle, _pins: pins };
    Ok(Body::stream(Begun { first: Some(bytes), reading }))
}

fn joined(outcome: Result<Read, tokio::task::JoinError>) -> Read {
    outcome.unwrap_or_else(|error| Err(StoreError::Failed(format!("a file task did not finish: {error}"))))
}

impl Cursor {
    /// Reads the next window, of which there must be one.
    fn read(mut self) -> Read {
        loop {
            let (opened, piece) = match self.opened.take() {
                Some(opened) => opened,
                None => {
                    let Some(piece) = self.pieces.next() else {
                        return Err(StoreError::Damaged("an object is larger than its files".into()));
                    };
                    self.at = 0;
                    (Opened::open(&self.files, piece)?, piece)
                }
            };
            if self.at >= piece.bytes {
                continue;
            }
            let end = piece.bytes.min(self.at.saturating_add(self.left));
            let bytes = opened.read(&self.files, self.at, end)?;
            self.at += bytes.len() as u64;
            self.left -= bytes.len() as u64;
            self.opened = Some((opened, piece));
            return Ok((self, bytes));
        }
    }
}

/// The first window, then the others.
struct Begun {
    first: Option<Bytes>,
    reading: Reading,
}

impl http_body::Body for Begun {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let reading = &mut self.reading;
        let Some(next) = &mut reading.next else { return Poll::Ready(None) };
        let read = joined(ready!(Pin::new(next).poll(cx)));
        reading.next = None;
        let (cursor, bytes) = match read {
            Ok(read) => read,
            Err(error) => return Poll::Ready(Some(Err(BodyError::Broken(error.to_string())))),
        };
        reading.left = cursor.left;
        if cursor.left > 0 {
            reading.next = Some(reading.handle.spawn_blocking(|| cursor.read()));
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.reading.next.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        // While a window is read ahead, `left` still counts it.
        SizeHint::with_exact(first + self.reading.left)
    }
}
