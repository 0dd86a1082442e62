//! Reading a request's body whole, where something is to be decided before any function runs. `Received` bounds it.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ports::{Body, BodyError};
use types::{ByteCount, Code, Problem};

/// All bytes of the body.
///
/// # Errors
/// `E0405`, `E0407`, `E0406` or `E0511`, by how it broke off.
pub(crate) async fn read(body: Body) -> Result<Bytes, Problem> {
    match body {
        Body::Empty => Ok(Bytes::new()),
        Body::Whole(bytes) => Ok(bytes),
        stream => stream.collect().await.map(http_body_util::Collected::to_bytes).map_err(broken),
    }
}

fn broken(error: BodyError) -> Problem {
    match error {
        BodyError::TooLarge { allowed } => {
            Problem::limit(Code::E0405, "request body", format!("more than {}", ByteCount(allowed)), ByteCount(allowed))
        }
        BodyError::Idle => Problem::new(Code::E0407, "nothing came of the body for too long"),
        BodyError::Gone => Problem::new(Code::E0511, "the client went away"),
        BodyError::Broken(what) => Problem::new(Code::E0406, what),
    }
}
