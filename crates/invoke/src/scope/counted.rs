//! Bodies of outbound calls and of objects, counted as they pass.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use ports::{Body, BodyError};

use super::live::Pen;
use crate::journal::tally::Counts;

/// Where bytes are counted.
type Count = fn(&mut Counts) -> &mut u64;

/// Those of outbound calls.
pub(crate) fn outbound(counts: &mut Counts) -> &mut u64 {
    &mut counts.outbound_bytes
}
/// Those of objects.
pub(crate) fn bucket(counts: &mut Counts) -> &mut u64 {
    &mut counts.services.bucket.bytes.0
}

/// A body whose bytes are counted.
pub(crate) struct CountedBody {
    inner: Body,
    pen: Arc<Pen>,
    count: Count,
}

impl CountedBody {
    /// Wraps a body; an empty one stays as it is.
    pub(crate) fn wrap(inner: Body, pen: &Arc<Pen>, count: Count) -> Body {
        match inner {
            Body::Empty => Body::Empty,
            inner => Body::stream(Self { inner, pen: pen.clone(), count }),
        }
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let bytes = data.len() as u64;
            self.pen.write(|writer| *(self.count)(&mut writer.counts) += bytes);
        }
        polled
    }
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
