//! Names of resources, and what is set of them, of the site and of webhooks.

use std::time::Duration;

use types::{Code, Reach, app::ResourceKind, limits};

use super::{Amount, Leaf, Refusal, Span, quote};
use crate::tree::Value;

const DAY: u64 = 24 * 60 * 60;

pub(crate) static EXPIRE: Span = Span {
    expects: "a duration in a string, such as \"30d\"",
    min: Duration::from_secs(1),
    max: Duration::from_secs(36_500 * DAY),
};
pub(crate) static RETENTION: Span = Span {
    expects: "a duration in a string, such as \"7d\"",
    min: Duration::from_secs(60),
    max: Duration::from_secs(3_650 * DAY),
};
pub(crate) static TOLERANCE: Span =
    Span { expects: "a duration in a string, such as \"5m\"", min: Duration::from_secs(1), max: Duration::from_secs(DAY) };
pub(crate) static PARTITIONS: Amount = Amount { expects: "a whole number, such as 4", min: 1, max: limits::PARTITIONS };

/// What the name of a resource of this kind looks like.
pub(crate) fn expects(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Kv => "a store's name in a string, such as \"sessions\"",
        ResourceKind::Sql => "a database's name in a string, such as \"shop\"",
        ResourceKind::Bucket => "a bucket's name in a string, such as \"uploads\"",
        ResourceKind::Queue => "a queue's name in a string, such as \"mail\"",
        ResourceKind::Stream => "a stream's name in a string, such as \"clicks\"",
        ResourceKind::Secret => "a secret's name in a string, such as \"SIGNING_KEY\"",
        ResourceKind::Event => "a bus's name in a string, such as \"default\"",
    }
}

/// The name of a resource, without its kind.
pub(crate) fn name(kind: ResourceKind, value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Name(kind).text(value)?;
    if is_name(text) {
        return Ok(text.to_owned());
    }
    let bare = text.split_once('.').map_or(text, |(_, name)| name);
    let bare: String = bare.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(63).collect();
    let message = format!("{text:?} is not a name: use 1 to 63 letters, digits, dashes and _, without the kind in front");
    Err(Refusal::new(Code::E0111, message).mend(Some(quote(bare.trim_matches('-'))).filter(|mended| mended.len() > 2)))
}

/// The rule for names of resources, as [`types::Resource`] has it.
pub(crate) fn is_name(text: &str) -> bool {
    format!("kv.{text}").parse::<types::Resource>().is_ok()
}

/// A header's name in lower case.
pub(crate) fn header(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Header.text(value)?;
    // RFC 9110 §5.6.2: a token; HTTP/2 has it in lower case.
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if (1..=128).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Refusal::new(Code::E0105, format!("{text:?} is not the name of a header")))
}

/// What stands before a signature.
pub(crate) fn prefix(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Prefix.text(value)?;
    if text.len() <= 64 && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        Code::E0105,
        format!("{text:?} can't stand before a signature: use at most 64 printable characters of ASCII"),
    ))
}

/// A path below the manifest's folder, with `/`.
pub(crate) fn folder(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Folder.text(value)?;
    let trimmed = text.trim_end_matches('/');
    let plain = |part: &str| !part.is_empty() && part != ".." && !part.contains(['\\', ':']);
    let below = trimmed.strip_prefix("./").unwrap_or(trimmed);
    if below.split('/').all(plain) && !below.contains(char::is_control) && below.len() <= 1_024 {
        return Ok(below.to_owned());
    }
    let message =
        format!("{text:?} is not a path below the manifest's folder: write it with /, without .. and without / in front");
    Err(Refusal::new(Code::E0105, message)
        .mend(Some(text.trim_matches('/')).filter(|meant| meant.split('/').all(plain)).map(quote)))
}

/// An origin whose pages may call: `*`, or a scheme and a host.
pub(crate) fn origin(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Origin.text(value)?;
    if text == "*" || text.parse::<Reach>().is_ok_and(|reach| reach.to_string() == text) {
        return Ok(text.to_owned());
    }
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let scheme = if text.starts_with("http://") { "http" } else { "https" };
    let meant = format!("{scheme}://{}", authority.to_ascii_lowercase());
    let message = format!(
        "{text:?} is not an origin: write a scheme and a host without a path, such as \"https://shop.example.com\", or \"*\""
    );
    Err(Refusal::new(Code::E0105, message).mend(meant.parse::<Reach>().ok().map(|_| quote(&meant))))
}

/// Yes or no.
pub(crate) fn flag(value: &Value) -> Result<bool, Refusal> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Text(text) => {
            let meant = ["true", "false"].into_iter().find(|word| text.eq_ignore_ascii_case(word));
            Err(Leaf::Flag.wrong_type(value).mend(meant))
        }
        value => Err(Leaf::Flag.wrong_type(value)),
    }
}
