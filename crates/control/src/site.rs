//! The site of a revision: which files a deployment may bring, and the index that is made of them once, at deployment, with everything
//! compressed ahead that gets smaller by it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ports::StoreError;
use types::{
    App, ByteCount, Code, Digest, Problem, Revision, limits,
    site::{Site, SiteEncoding, SiteFile, SiteVariant},
    wire::api::{Artifact, SitePlan},
};

use crate::core::Control;

/// Files of one deployment that are compressed at once. Each may have `limits::SITE_FILE` in memory.
const COMPRESSED_AT_ONCE: usize = 2;
/// Below this a header of a compressed response costs what is saved.
const COMPRESSED_BYTES_MIN: u64 = 256;
/// What is stored must be smaller than this part of the file, in percent.
const COMPRESSED_PERCENT_MAX: u64 = 95;
/// Of 11: the last steps cost many times the time for a percent.
const BROTLI_QUALITY: u32 = 9;
const BROTLI_WINDOW_LOG2: u32 = 22;
/// Of 22.
const ZSTD_LEVEL: i32 = 15;

/// Judges the files of a deployment.
///
/// # Errors
/// `E0116` if a path can't be one of a site, there are too many or too large files, or the fallback is not among them.
pub(crate) fn check(app: &App, files: &BTreeMap<String, Artifact>) -> Result<(), Problem> {
    let Some(site) = &app.site else {
        return match files.keys().next() {
            None => Ok(()),
            Some(path) => Err(Problem::new(Code::E0709, format!("there is a file {path:?} of a site, and the app has no site"))),
        };
    };
    if files.len() > limits::SITE_FILES {
        return Err(Problem::limit(Code::E0116, "site files", files.len(), limits::SITE_FILES));
    }
    if let Some(path) = files.keys().find(|path| !is_path(path)) {
        let message = format!("{path:?} is not a path of a site: parts with / between them, none of them . or ..");
        return Err(Problem::new(Code::E0116, message));
    }
    if let Some((path, file)) = files.iter().find(|(_, file)| file.bytes > limits::SITE_FILE.0) {
        return Err(Problem::limit(Code::E0116, path, ByteCount(file.bytes), limits::SITE_FILE));
    }
    let all = files.values().fold(0_u64, |all, file| all.saturating_add(file.bytes));
    if all > limits::SITE_BYTES.0 {
        return Err(Problem::limit(Code::E0116, "site bytes", ByteCount(all), limits::SITE_BYTES));
    }
    match &site.fallback {
        Some(fallback) if !files.contains_key(fallback) => {
            Err(Problem::new(Code::E0116, format!("the site has no file {fallback:?}, which is its fallback")))
        }
        _ => Ok(()),
    }
}

fn is_path(path: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(|c: char| c.is_control() || c == '\\');
    path.len() <= 1_024 && path.split('/').all(part)
}

/// What changes of a site. One that goes with all its files is a change too.
pub(crate) fn plan(app: &App, before: Option<&Site>, files: &BTreeMap<String, Artifact>) -> Option<SitePlan> {
    if app.site.is_none() && before.is_none() {
        return None;
    }
    let none = BTreeMap::new();
    let before = before.map_or(&none, |site| &site.files);
    let count = |count: usize| count as u64;
    let (added, changed) = files.iter().fold((0, 0), |(added, changed), (path, file)| match before.get(path) {
        None => (added + 1, changed),
        Some(old) if old.digest != file.digest => (added, changed + 1),
        Some(_) => (added, changed),
    });
    let removed = count(before.keys().filter(|path| !files.contains_key(*path)).count());
    let bytes = files.values().map(|file| file.bytes).sum();
    Some(SitePlan { files: count(files.len()), bytes, added, changed, removed })
}

impl Control {
    /// The site of a revision.
    ///
    /// # Errors
    /// `Missing` and `Damaged` if its index can't be read.
    pub(crate) async fn site_of(&self, revision: &Revision) -> Result<Option<Arc<Site>>, StoreError> {
        let Some(digest) = &revision.parts.site else { return Ok(None) };
        let index = self.blob.get(digest).await?;
        let index = index.ok_or_else(|| StoreError::Missing(format!("the index {digest} of the site")))?;
        let unreadable = |error: serde_json::Error| StoreError::Damaged(format!("the index of the site: {error}"));
        Ok(Some(Arc::new(serde_json::from_slice(&index).map_err(unreadable)?)))
    }

    /// Makes the index of a site from files that are stored, and stores it; what the site before had compressed is taken from it.
    ///
    /// # Errors
    /// `E0301` for a file that was not uploaded, `E0306` for one that is larger than was said, `E06` for what the store says.
    pub(crate) async fn index_site(
        &self,
        app: &App,
        files: &BTreeMap<String, Artifact>,
        before: Option<&Site>,
    ) -> Result<Option<Digest>, Problem> {
        let Some(settings) = &app.site else { return Ok(None) };
        let known: BTreeMap<(&Digest, &str), &SiteFile> = before
            .into_iter()
            .flat_map(|site| site.files.values())
            .map(|file| ((&file.digest, file.content_type.as_str()), file))
            .collect();
        let (mut indexed, mut new) = (BTreeMap::new(), Vec::new());
        for (path, file) in files {
            let content_type = content_type(path);
            match known.get(&(&file.digest, content_type.as_str())) {
                Some(known) => drop(indexed.insert(path.clone(), SiteFile::clone(known))),
                None => new.push((path.clone(), file.digest, content_type)),
            }
        }
        let made: Vec<(String, SiteFile)> = stream::iter(new)
            .map(async |(path, digest, content_type)| {
                let file = self.index_file(&path, &digest, content_type).await?;
                Ok::<_, Problem>((path, file))
            })
            .buffer_unordered(COMPRESSED_AT_ONCE)
            .try_collect()
            .await?;
        indexed.extend(made);
        let site = Site { fallback: settings.fallback.clone(), files: indexed };
        let index = serde_json::to_vec(&site).map_err(|error| Problem::new(Code::E0513, format!("the site's index: {error}")))?;
        Ok(Some(self.blob.put(index.into()).await?))
    }

    async fn index_file(&self, path: &str, digest: &Digest, content_type: String) -> Result<SiteFile, Problem> {
        let gone = || Problem::new(Code::E0301, format!("the file {path:?} of the site was not uploaded"));
        let bytes = self.blob.get(digest).await?.ok_or_else(gone)?;
        let size = ByteCount(bytes.len() as u64);
        if size > limits::SITE_FILE {
            return Err(Problem::limit(Code::E0116, path, size, limits::SITE_FILE));
        }
        let mut variants = Vec::new();
        if gets_smaller(&content_type) && size.0 >= COMPRESSED_BYTES_MIN {
            let broke_off = |error| Problem::new(Code::E0513, format!("compressing {path:?} broke off: {error}"));
            let compressed = tokio::task::spawn_blocking(move || compress(&bytes)).await.map_err(broke_off)?;
            for (encoding, compressed) in compressed {
                let bytes = compressed.len() as u64;
                variants.push(SiteVariant { encoding, digest: self.blob.put(compressed).await?, bytes });
            }
            variants.sort_by_key(|variant| variant.bytes);
        }
        Ok(SiteFile { digest: *digest, bytes: size.0, content_type, variants })
    }
}

/// The distinct files of a deployment's site.
pub(crate) fn distinct(files: &BTreeMap<String, Artifact>) -> BTreeSet<Digest> {
    files.values().map(|file| file.digest).collect()
}

/// The media type by the file's name, with the charset that browsers would guess at otherwise.
fn content_type(path: &str) -> String {
    let guess = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
    // RFC 9239: text/javascript is the type of scripts.
    let kind = if guess == "application/javascript" { "text/javascript" } else { guess };
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

/// Whether bytes of this type are worth a try: images, fonts, archives and films are compressed already.
fn gets_smaller(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    let named = [
        "application/json",
        "application/manifest+json",
        "application/wasm",
        "application/xml",
        "application/pdf",
        "application/octet-stream",
        "font/ttf",
        "font/otf",
        "application/vnd.ms-fontobject",
        "image/bmp",
        "image/x-icon",
        "image/vnd.microsoft.icon",
    ];
    kind.starts_with("text/") || kind.ends_with("+xml") || kind.ends_with("+json") || named.contains(&kind)
}

/// The bytes in each coding in which they are enough smaller.
fn compress(bytes: &Bytes) -> Vec<(SiteEncoding, Bytes)> {
    let brotli = || {
        let mut out = brotli::CompressorWriter::new(Vec::new(), 64 << 10, BROTLI_QUALITY, BROTLI_WINDOW_LOG2);
        out.write_all(bytes).ok()?;
        Some(out.into_inner())
    };
    let gzip = || {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).ok()?;
        out.finish().ok()
    };
    let zstd = || zstd::bulk::compress(bytes, ZSTD_LEVEL).ok();
    let all = [(SiteEncoding::Br, brotli()), (SiteEncoding::Gzip, gzip()), (SiteEncoding::Zstd, zstd())];
    let smaller = |out: &Vec<u8>| (out.len() as u64) * 100 <= bytes.len() as u64 * COMPRESSED_PERCENT_MAX;
    all.into_iter().filter_map(|(encoding, out)| Some((encoding, out.filter(smaller)?.into()))).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn types_are_guessed_by_name() {
        for (path, kind) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.js", "text/javascript; charset=utf-8"),
            ("x.css", "text/css; charset=utf-8"),
            ("p.png", "image/png"),
            ("d.json", "application/json"),
            ("m.wasm", "application/wasm"),
            ("i.svg", "image/svg+xml"),
            ("LICENSE", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), kind, "{path}");
        }
    }

    #[test]
    fn what_is_compressed_is_smaller_and_the_same_again() {
        let text = Bytes::from("a line that comes again and again\n".repeat(200));
        let compressed = compress(&text);
        assert_eq!(compressed.len(), 3);
        for (encoding, bytes) in compressed {
            assert!(bytes.len() < text.len() / 10, "{encoding:?}");
            let mut back = Vec::new();
            match encoding {
                SiteEncoding::Br => brotli::Decompressor::new(&bytes[..], 4096).read_to_end(&mut back).expect("brotli"),
                SiteEncoding::Gzip => flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut back).expect("gzip"),
                SiteEncoding::Zstd => zstd::Decoder::new(&bytes[..]).expect("zstd").read_to_end(&mut back).expect("zstd"),
            };
            assert_eq!(back, text, "{encoding:?}");
        }
        let noise: Vec<u8> = (0..4096_u32).map(|i| (blake3::hash(&i.to_le_bytes()).as_bytes())[0]).collect();
        assert!(compress(&noise.into()).is_empty(), "what does not get smaller is not kept");
    }

    #[test]
    fn paths_stay_inside() {
        for good in ["index.html", "a/b.c", ".well-known/x", "ü/ö.txt"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/..", "a/./b", "a\\b", "a\0", "a/"] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
