//! A function's response on its way to the client: what belongs to one connection is taken out, and its length told once.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use ports::{Body, BodyError};
use types::{Code, Problem, field::is_hop_by_hop};

use super::{
    problem,
    stall::{Note, note},
    wire::Conn,
};

/// The most that is handed to HTTP/2 at once: a frame of the usual size. What was handed over is out of reach until the peer takes it.
const PIECE: usize = 16 << 10;

/// Counts a request as open for as long as it lives.
pub(crate) struct Open(Arc<Conn>);

impl Open {
    pub(crate) fn new(conn: &Arc<Conn>) -> Self {
        conn.open.fetch_add(1, Ordering::Relaxed);
        conn.served.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(conn))
    }
    pub(crate) fn conn(&self) -> &Conn {
        &self.0
    }
}
impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A response's body; its request is open until it is gone.
pub(crate) struct Sent {
    body: Body,
    /// For HTTP/2: what was not handed over of the last frame.
    pieces: Option<Pieces>,
    _open: Open,
}

#[derive(Default)]
struct Pieces {
    rest: Bytes,
}

impl Pieces {
    /// The next piece. The rest of the data stays.
    fn next(&mut self, mut data: Bytes) -> Frame<Bytes> {
        self.rest = data.split_off(data.len().min(PIECE));
        Frame::data(data)
    }

    fn poll_next(&mut self, body: &mut Body, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next(rest))));
        }
        let frame = Pin::new(body).poll_frame(cx);
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                Poll::Ready(Some(Ok(frame.into_data().map_or_else(|frame| frame, |data| self.next(data)))))
            }
            other => other,
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { body, pieces, .. } = &mut *self;
        let Some(pieces) = pieces else { return Pin::new(body).poll_frame(cx) };
        let frame = pieces.poll_next(body, cx);
        note(if frame.is_pending() { Note::Waits } else { Note::Moved });
        frame
    }
    fn is_end_stream(&self) -> bool {
        self.pieces.as_ref().is_none_or(|pieces| pieces.rest.is_empty()) && self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The response as hyper may send it.
pub(crate) fn finish(response: Response<Body>, method: &Method, version: Version, open: Open) -> Response<Sent> {
    let (mut head, mut body) = response.into_parts();
    if head.status.is_informational() {
        let problem = Problem::new(Code::E0514, format!("the function answered {}, which no response ends with", head.status));
        (head, body) = problem::response(&problem, &HeaderMap::new()).into_parts();
    }
    strip(&mut head.headers);
    if head.headers.contains_key(header::CONTENT_LENGTH) {
        settle_length(&mut head.headers, head.status, &body, method);
    }
    let pieces = (version == Version::HTTP_2).then(Pieces::default);
    note(Note::Moved);
    Response::from_parts(head, Sent { body, pieces, _open: open })
}

/// Takes out what concerns one connection and not the message.
fn strip(headers: &mut HeaderMap) {
    if headers.keys().any(|name| is_hop_by_hop(name.as_str())) {
        let doomed: Vec<HeaderName> = headers.keys().filter(|name| is_hop_by_hop(name.as_str())).cloned().collect();
        for name in doomed {
            headers.remove(name);
        }
    }
}

/// A length that the function gave stays only where hyper can't know better and would not trip over it.
fn settle_length(headers: &mut HeaderMap, status: StatusCode, body: &Body, method: &Method) {
    let bodiless = method == Method::HEAD || status == StatusCode::NOT_MODIFIED;
    let known = body.size_hint().exact();
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let single = values.next().filter(|_| values.next().is_none());
    let valid = single
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let keep = valid && if bodiless { known.is_none_or(|length| length == 0) } else { known.is_none() };
    if !keep {
        headers.remove(header::CONTENT_LENGTH);
    }
}
