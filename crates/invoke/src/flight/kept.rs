//! A response that is kept until it is known whether it counts: read as the guest writes it, up to a bound.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{Response, response::Parts};
use http_body::Body as _;
use ports::{Body, BodyError};
use types::limits;

/// What came of a response so far.
#[derive(Default)]
pub(super) struct Kept {
    head: Option<Parts>,
    body: Body,
    bytes: BytesMut,
    /// More came than is kept; it was read, so that the guest could go on, and thrown away.
    pub(super) is_cut: bool,
}

impl Kept {
    /// The head is here, and the body is to be read.
    pub(super) fn begin(&mut self, response: Response<Body>) {
        let (head, body) = response.into_parts();
        (self.head, self.body) = (Some(head), body);
    }

    /// Reads what there is of the body; ready at its end, or when it broke off.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => {
                    self.body = Body::Empty;
                    return Poll::Ready(Err(error));
                }
                Some(Ok(frame)) => frame,
            };
            let Ok(data) = frame.into_data() else { continue };
            if self.bytes.len() + data.len() > limits::HELD_RESPONSE.as_usize() {
                self.is_cut = true;
            }
            if !self.is_cut {
                self.bytes.extend_from_slice(&data);
            }
        }
    }

    pub(super) fn head(&self) -> Option<&Parts> {
        self.head.as_ref()
    }
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The response whole, if there was one.
    pub(super) fn into_response(self) -> Option<Response<Body>> {
        let bytes: Bytes = self.bytes.freeze();
        self.head.map(|head| Response::from_parts(head, Body::from(bytes)))
    }
}
