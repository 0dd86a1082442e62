//! The request's body on its way to the guest: what breaks it off is noted, since that and not the guest is then at fault.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use ports::{Body, BodyError};
use types::Code;

use crate::scope::LiveScope;

/// A request body that tells its scope how it failed.
pub(super) struct RequestBody {
    inner: Body,
    scope: Arc<LiveScope>,
}

impl RequestBody {
    /// Wraps a body that can fail; one that is whole stays as it is.
    pub(super) fn wrap(inner: Body, scope: &Arc<LiveScope>) -> Body {
        match inner {
            Body::Stream(_) => Body::stream(Self { inner, scope: scope.clone() }),
            whole => whole,
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Err(error))) = &polled {
            let code = match error {
                BodyError::TooLarge { .. } => Some(Code::E0405),
                BodyError::Idle => Some(Code::E0407),
                BodyError::Gone | BodyError::Broken(_) => None,
            };
            self.scope.slot.blame_client(code);
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
