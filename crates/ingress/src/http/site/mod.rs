//! Static sites: which path is which file, and the file as a response.
//!
//! A site belongs to a revision, so files and functions switch together. [`files`] is the table of paths, made once a revision with all
//! that a response needs but the bytes; [`cache`] holds the bytes of what is asked for often; [`answer`] picks the representation.

mod answer;
mod cache;
mod files;

pub(crate) use answer::{Asked, Served};
pub(crate) use cache::SiteCache;
pub(crate) use files::{Files, Found};
