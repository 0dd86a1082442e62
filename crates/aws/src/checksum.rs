//! Checksums of what clients send: which ones a request announces, and reading its body so that none of them goes unchecked.
//!
//! The library below hands over checksums and compares none of them, and clients send them last. So the body that a store reads is the
//! one here: it counts and hashes as it passes the bytes on, and ends in an error instead of its end if anything it was promised does
//! not hold. The store publishes nothing of a body that breaks off.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::Stream;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use ports::BodyError;
use s3s::{
    S3Error, S3Result, TrailingHeaders,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256},
    dto::StreamingBlob,
    s3_error,
};

use crate::{error, settings::Verification};

/// The checksums of the S3 API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name under which it is kept, and the end of its header field's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
    /// As clients name it in `x-amz-sdk-checksum-algorithm`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
    fn of_field(field: &str) -> Option<Self> {
        field.trim().to_ascii_lowercase().strip_prefix("x-amz-checksum-").and_then(Self::of_name)
    }
    fn field(self) -> String {
        format!("x-amz-checksum-{}", self.name())
    }
    /// Its length in bytes.
    fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
    /// The bytes of a checksum in base 64; `None` if it is none of this algorithm.
    pub(crate) fn decode(self, value: &str) -> Option<Vec<u8>> {
        BASE64.decode(value.as_bytes()).ok().filter(|bytes| bytes.len() == self.bytes())
    }
}

/// One running checksum.
pub(crate) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }
    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(data),
            Self::Crc32c(hasher) => hasher.update(data),
            Self::Crc64Nvme(hasher) => hasher.update(data),
            Self::Sha1(hasher) => hasher.update(data),
            Self::Sha256(hasher) => hasher.update(data),
        }
    }
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(hasher) => BASE64.encode(&hasher.finalize()),
            Self::Crc32c(hasher) => BASE64.encode(&hasher.finalize()),
            Self::Crc64Nvme(hasher) => BASE64.encode(&hasher.finalize()),
            Self::Sha1(hasher) => BASE64.encode(hasher.finalize().as_ref()),
            Self::Sha256(hasher) => BASE64.encode(hasher.finalize().as_ref()),
        }
    }
}

/// Where the value comes from that a checksum must have.
enum Promise {
    /// The header says it.
    Value(String),
    /// A trailer will say it.
    Trailer,
    /// Nobody says it: it is worked out and kept, since the client named the algorithm.
    Nothing,
}

/// What a request announces of its body.
pub(crate) struct Announced {
    checksums: Vec<(Algorithm, Promise)>,
    md5: Option<Vec<u8>>,
    bytes: Option<u64>,
    trailers: Option<TrailingHeaders>,
}

impl Announced {
    /// Reads the checksum fields, `x-amz-trailer`, `x-amz-sdk-checksum-algorithm` and `content-md5`.
    pub(crate) fn read(headers: &HeaderMap, bytes: Option<i64>, trailers: Option<TrailingHeaders>) -> S3Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut checksums = Vec::new();
        for algorithm in Algorithm::ALL {
            if let Some(value) = text(&algorithm.field()) {
                let value = value.trim();
                if algorithm.decode(value).is_none() {
                    return Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.field()));
                }
                checksums.push((algorithm, Promise::Value(value.to_owned())));
            }
        }
        for field in text("x-amz-trailer").unwrap_or_default().split(',').filter(|field| !field.trim().is_empty()) {
            let algorithm = Algorithm::of_field(field)
                .ok_or_else(|| s3_error!(InvalidRequest, "The value specified in the x-amz-trailer header is not supported"))?;
            if trailers.is_none() {
                return Err(s3_error!(InvalidRequest, "x-amz-trailer needs a payload with trailers (x-amz-content-sha256)"));
            }
            checksums.push((algorithm, Promise::Trailer));
        }
        if let Some(name) = text("x-amz-sdk-checksum-algorithm") {
            let algorithm = Algorithm::of_name(name)
                .ok_or_else(|| s3_error!(InvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid."))?;
            if !checksums.iter().any(|(named, _)| *named == algorithm) {
                checksums.push((algorithm, Promise::Nothing));
            }
        }
        let md5 = text("content-md5").map(|value| BASE64.decode(value.trim().as_bytes()).ok().filter(|md5| md5.len() == 16));
        let md5 = md5.map(|md5| md5.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid.")));
        Ok(Self { checksums, md5: md5.transpose()?, bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()), trailers })
    }
}

/// Why a body was refused, once it was: the store that read it knows no words of S3.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<S3Error>>>);

impl Verdict {
    /// What is wrong with the body, if that is why the store failed.
    pub(crate) fn take(&self) -> Option<S3Error> {
        self.0.lock().take()
    }
    fn is(&self, error: S3Error) -> BodyError {
        let text = error.to_string();
        *self.0.lock() = Some(error);
        BodyError::Broken(text)
    }
}

/// A client's body under verification.
pub(crate) struct Verified {
    inner: Option<StreamingBlob>,
    hashers: Vec<(Algorithm, Promise, Hasher)>,
    md5: Option<(Vec<u8>, Md5)>,
    read: u64,
    bytes: Option<u64>,
    trailers: Option<TrailingHeaders>,
    verification: Verification,
    verdict: Verdict,
    judged: bool,
}

impl Verified {
    /// The body to give to a store, and what will be wrong with it.
    pub(crate) fn body(inner: Option<StreamingBlob>, announced: Announced, verification: Verification) -> (ports::Body, Verdict) {
        let Announced { checksums, md5, bytes, trailers } = announced;
        let verdict = Verdict::default();
        let hashers = checksums.into_iter().map(|(algorithm, promise)| (algorithm, promise, Hasher::new(algorithm))).collect();
        let md5 = md5.map(|md5| (md5, Md5::new()));
        let body = Self { inner, hashers, md5, read: 0, bytes, trailers, verification, verdict: verdict.clone(), judged: false };
        (ports::Body::stream(body), verdict)
    }

    fn take_in(&mut self, data: &[u8]) -> S3Result<()> {
        self.read += data.len() as u64;
        if self.bytes.is_some_and(|bytes| self.read > bytes) {
            return Err(s3_error!(IncompleteBody, "The body is longer than announced"));
        }
        for (.., hasher) in &mut self.hashers {
            hasher.update(data);
        }
        if let Some((_, md5)) = &mut self.md5 {
            md5.update(data);
        }
        Ok(())
    }

    /// The checksums that hold, once all bytes are read.
    fn judge(&mut self) -> S3Result<Vec<(String, String)>> {
        if self.bytes.is_some_and(|bytes| self.read != bytes) {
            return Err(s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            ));
        }
        let trailers = self.trailers.take().and_then(|trailers| trailers.take()).unwrap_or_default();
        let mut held = Vec::new();
        for (algorithm, promise, hasher) in std::mem::take(&mut self.hashers) {
            let promised = match promise {
                Promise::Value(value) => Some(value),
                Promise::Trailer => Some(trailing(&trailers, algorithm)?),
                Promise::Nothing => None,
            };
            let value = hasher.finish();
            if let Some(promised) = promised.filter(|promised| *promised != value)
                && self.verification == Verification::On
            {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match: {promised}, read {value}",
                    algorithm.name()
                ));
            }
            held.push((algorithm.name().to_owned(), value));
        }
        if let Some((promised, md5)) = self.md5.take()
            && promised[..] != md5.finalize()[..]
            && self.verification == Verification::On
        {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        Ok(held)
    }
}

fn trailing(trailers: &HeaderMap, algorithm: Algorithm) -> S3Result<String> {
    let value = trailers.get(algorithm.field()).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = value.filter(|value| algorithm.decode(value).is_some());
    value.map(str::to_owned).ok_or_else(|| s3_error!(InvalidRequest, "The trailer {} is missing or invalid", algorithm.field()))
}

impl Body for Verified {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.judged {
            return Poll::Ready(None);
        }
        let next = match &mut this.inner {
            Some(inner) => ready!(Pin::new(inner).poll_next(cx)),
            None => None,
        };
        let outcome = match next {
            Some(Ok(data)) => match this.take_in(&data) {
                Ok(()) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(error) => Err(error),
            },
            Some(Err(cause)) => Err(error::of_body(cause.as_ref())),
            None => this.judge(),
        };
        this.judged = true;
        Poll::Ready(match outcome {
            Ok(held) if held.is_empty() => None,
            Ok(held) => Some(Ok(ports::checksum_trailers(&held))),
            Err(error) => Some(Err(this.verdict.is(error))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        match self.bytes {
            Some(bytes) => SizeHint::with_exact(bytes.saturating_sub(self.read)),
            None => SizeHint::default(),
        }
    }
}
