//! The bucket that an address names: in its path, or, where clients are told to, in its host.

use http::request::Parts;
use s3s::{
    S3Result,
    host::{S3Host, VirtualHost},
};

use crate::encoding::form_decode;

/// What hosts end with that name a bucket: the names of every machine for itself.
const LOCAL: [&str; 2] = [".s3.localhost", ".localhost"];

/// Finds buckets in hosts: `uploads.s3.localhost`, `uploads.localhost`. Any other host names none, and the path does.
pub(crate) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let plain = VirtualHost::new(host);
        Ok(match named(host) {
            Some(bucket) => plain.with_bucket(bucket),
            None => plain,
        })
    }
}

fn named(host: &str) -> Option<&str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bucket = LOCAL.iter().find_map(|end| name.strip_suffix(end))?;
    (!bucket.is_empty() && bucket != "s3").then_some(bucket)
}

/// The bucket that a request names.
pub(crate) fn bucket(head: &Parts) -> Option<String> {
    let host = head.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    if let Some(bucket) = host.and_then(named) {
        return Some(bucket.to_owned());
    }
    let first = head.uri.path().trim_start_matches('/').split('/').next()?;
    form_decode(first).filter(|bucket| !bucket.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_buckets_only_under_localhost() {
        let rows = [
            ("uploads.s3.localhost:4566", Some("uploads")),
            ("uploads.localhost", Some("uploads")),
            ("s3.localhost:4566", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("uploads.example.com", None),
        ];
        for (host, expected) in rows {
            assert_eq!(named(host), expected, "{host}");
        }
    }
}
