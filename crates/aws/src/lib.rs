//! The endpoints that existing AWS clients speak: the S3 API, over `ports::Objects`.
//!
//! The library `s3s` reads requests, checks their signatures and writes XML; what the operations mean is here. A request passes
//! `server` (sockets), `front` (what holds for all requests), the library, `auth` (who calls) and one function of `s3`.

mod auth;
mod checksum;
mod conditions;
mod connection;
mod convert;
mod cors;
mod documents;
mod encoding;
mod error;
mod front;
mod host;
mod joined;
mod links;
mod origins;
mod s3;
mod server;
mod settings;
mod signed;
mod wire;

pub use links::Links;
pub use server::Aws;
pub use settings::{Meter, S3Limits, Settings, Used, Verification};
