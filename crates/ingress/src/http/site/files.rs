//! The table of a site's paths. URLs are clean: `/about` is `about.html` or `about/index.html`, and each page has one address.

use std::{collections::HashMap, sync::Arc};

use http::HeaderValue;
use types::{
    Digest,
    site::{Site, SiteEncoding, SiteFile},
};

/// The file that answers for its folder.
const INDEX: &str = "index.html";
/// For files whose name changes with their bytes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For all others: kept, and asked after each time, which costs no bytes.
const CHECKED: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

/// What a site answers with, by path.
pub(crate) struct Files {
    paths: HashMap<Box<str>, Place>,
    fallback: Option<Arc<File>>,
}

/// What stands at a path.
#[derive(Clone)]
enum Place {
    File(Arc<File>),
    /// The page has another address: its path.
    Moved(Arc<str>),
}

/// What answers to a request.
pub(crate) enum Found {
    /// This file.
    File(Arc<File>),
    /// The page is there: the path, as it stands in a URL.
    Moved(Arc<str>),
}

/// A file with everything that a response says of it.
pub(crate) struct File {
    pub(crate) content_type: HeaderValue,
    pub(crate) cache_control: HeaderValue,
    /// The bytes as they are.
    pub(crate) plain: Representation,
    /// The same in content codings, smallest first.
    pub(crate) encoded: Vec<(SiteEncoding, Representation)>,
}

/// One form of a file's bytes.
pub(crate) struct Representation {
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    pub(crate) etag: HeaderValue,
}

impl Files {
    /// The table of a revision's site.
    pub(crate) fn new(site: &Site) -> Self {
        let files: Vec<(&str, Arc<File>)> =
            site.files.iter().map(|(path, file)| (path.as_str(), Arc::new(File::new(path, file)))).collect();
        let mut paths = HashMap::with_capacity(files.len() * 2);
        for (path, file) in &files {
            let page = page(path);
            paths.insert(path.to_owned().into(), Place::File(Arc::clone(file)));
            let Some(address) = page else { continue };
            paths.insert((*path).into(), Place::Moved(escaped(&address)));
            // A folder without its slash would break the relative links of its page.
            if let Some(folder) = address.strip_suffix('/').filter(|folder| !folder.is_empty()) {
                paths.entry(folder.into()).or_insert_with(|| Place::Moved(escaped(&address)));
            }
            paths.insert(address.into(), Place::File(Arc::clone(file)));
        }
        let fallback = site.fallback.as_deref().and_then(|name| files.iter().find(|(path, _)| *path == name));
        Self { paths, fallback: fallback.map(|(_, file)| Arc::clone(file)) }
    }

    /// What stands at the path of a request, which begins with a slash.
    pub(crate) fn find(&self, path: &str) -> Option<Found> {
        let path = path.strip_prefix('/')?;
        let place = if path.contains('%') { self.paths.get(&*decoded(path)?) } else { self.paths.get(path) };
        Some(match place? {
            Place::File(file) => Found::File(Arc::clone(file)),
            Place::Moved(address) => Found::Moved(Arc::clone(address)),
        })
    }

    /// The file for paths that nothing else answers to.
    pub(crate) fn fallback(&self) -> Option<Found> {
        self.fallback.clone().map(Found::File)
    }
}

impl File {
    fn new(path: &str, file: &SiteFile) -> Self {
        let value = |text: &str| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let encoded = file.variants.iter().map(|variant| {
            (variant.encoding, Representation { digest: variant.digest, bytes: variant.bytes, etag: value(&variant.etag()) })
        });
        Self {
            content_type: value(&file.content_type),
            cache_control: if is_fingerprinted(path) { FOREVER } else { CHECKED },
            plain: Representation { digest: file.digest, bytes: file.bytes, etag: value(&file.etag()) },
            encoded: encoded.collect(),
        }
    }
}

/// The clean address of a page, without the slash in front; nothing for files that are no pages.
fn page(path: &str) -> Option<String> {
    if path == INDEX {
        return Some(String::new());
    }
    match path.strip_suffix(INDEX).filter(|folder| folder.ends_with('/')) {
        Some(folder) => Some(folder.to_owned()),
        None => path.strip_suffix(".html").filter(|page| !page.is_empty() && !page.ends_with('/')).map(str::to_owned),
    }
}

/// Whether the name holds a fingerprint of its bytes, as bundlers write it: `app.4f3a9c21.js`, `index-BvXq81Zk.css`.
fn is_fingerprinted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    let Some(at) = stem.rfind(['.', '-']) else { return false };
    let mark = &stem[at + 1..];
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (digits, upper) = (mark.bytes().any(|b| b.is_ascii_digit()), mark.bytes().any(|b| b.is_ascii_uppercase()));
    mark.len() >= 8 && mark.bytes().all(fits) && (digits || upper)
}

/// A path as a URL has it, with the slash in front.
fn escaped(path: &str) -> Arc<str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte);
    let mut url = String::from("/");
    for byte in path.bytes() {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.into()
}

/// A path with its escapes read (RFC 3986 §2.1); `None` if it is not text then. What it decodes to is only looked up, never joined to a
/// folder.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn site(names: &[&str], fallback: Option<&str>) -> Files {
        let file = |name: &&str| {
            let digest = Digest::from_bytes(*blake3::hash(name.as_bytes()).as_bytes());
            let file = SiteFile { digest, bytes: 1, content_type: "text/html".into(), variants: Vec::new() };
            ((*name).to_owned(), file)
        };
        let files: BTreeMap<_, _> = names.iter().map(file).collect();
        Files::new(&Site { fallback: fallback.map(str::to_owned), files })
    }

    fn found(files: &Files, path: &str) -> String {
        match files.find(path) {
            None => "none".into(),
            Some(Found::Moved(to)) => format!("to {to}"),
            Some(Found::File(file)) => {
                let named = |name: &&str| *blake3::hash(name.as_bytes()).as_bytes() == *file.plain.digest.as_bytes();
                let names = ["index.html", "about.html", "docs/index.html", "docs/a b.html", "app.js"];
                names.iter().find(|name| named(name)).map_or("other".into(), |name| (*name).to_string())
            }
        }
    }

    #[test]
    fn every_page_has_one_clean_address() {
        let files = site(&["index.html", "about.html", "docs/index.html", "docs/a b.html", "app.js"], None);
        for (path, expected) in [
            ("/", "index.html"),
            ("/index.html", "to /"),
            ("/about", "about.html"),
            ("/about.html", "to /about"),
            ("/docs/", "docs/index.html"),
            ("/docs", "to /docs/"),
            ("/docs/index.html", "to /docs/"),
            ("/docs/a%20b", "docs/a b.html"),
            ("/docs/a%20b.html", "to /docs/a%20b"),
            ("/app.js", "app.js"),
            ("/about/", "none"),
            ("/../etc/passwd", "none"),
            ("/%2e%2e/etc/passwd", "none"),
            ("/%zz", "none"),
            ("/missing", "none"),
        ] {
            assert_eq!(found(&files, path), expected, "{path}");
        }
    }

    #[test]
    fn names_with_a_fingerprint_are_kept_for_ever() {
        for name in ["app.4f3a9c21.js", "assets/index-BvXq81Zk.css"] {
            assert!(is_fingerprinted(name), "{name}");
        }
        for name in ["index.html", "jquery-3.js", "my-component.js", "v1.2.css", "a.b"] {
            assert!(!is_fingerprinted(name), "{name}");
        }
    }
}
