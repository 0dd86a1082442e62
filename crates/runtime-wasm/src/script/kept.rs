//! Scripts' images on disk: one file each, with a keyed hash as compiled code has it.
//!
//! `<aot>/<compatibility>/js-<engine>/<digest>.image`: a magic word, two keyed hashes, two lengths; then the image as a difference from the empty
//! engine's, and what is needed to tell places in the script's text. The second part is read only when something went wrong, so it has a hash of
//! its own. What is damaged, or was made against another empty engine, is made again from the artifact.

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use types::{
    ByteCount, Digest, Problem, limits,
    script::{Module, Script},
};

use super::delta::Delta;
use crate::cache::{self, Cache};

const MAGIC: &[u8; 8] = b"dfimage1";
const HASH: usize = 32;
const HEADER: usize = MAGIC.len() + 2 * HASH + 2 * size_of::<u32>();
/// How the folder of an engine's images begins.
const FOLDER: &str = "js-";
/// The level at which text is compressed.
const LEVEL: i32 = 3;
/// Hexadecimal digits of the engine's digest that name its folder.
const ENGINE_DIGITS: usize = 32;
/// What one file may hold unpacked: the memory, and what compiled modules have around it.
pub(crate) const IMAGE_BYTES: ByteCount = ByteCount(limits::SCRIPT_MEMORY.0 + (1 << 20));
/// What the text may hold unpacked: as much as an artifact, with what encoding adds.
const SOURCES_BYTES: usize = 2 * limits::SCRIPT.0 as usize;

/// The folder of images for one engine.
pub(crate) struct Kept {
    folder: PathBuf,
    hasher: blake3::Hasher,
    temporary: AtomicU64,
}

/// What there is for a script.
pub(crate) enum Found {
    /// Its image.
    Image(Delta),
    /// Nothing.
    Nothing,
    /// Something that can't be used.
    Damaged,
}

/// The fixed beginning of a file.
struct Header {
    hashes: [blake3::Hash; 2],
    lengths: [usize; 2],
}

impl Kept {
    /// The folder below that of compiled code, for the engine of this digest. It is made when there is something to keep.
    pub(crate) fn open(cache: &Cache, engine: &Digest) -> Self {
        let folder = cache.folder().join(format!("{FOLDER}{}", &engine.to_hex()[..ENGINE_DIGITS]));
        let mut hasher = cache.hasher();
        hasher.update(engine.as_bytes());
        Self { folder, hasher, temporary: AtomicU64::new(0) }
    }

    /// Removes the folders of other engines. Nothing of this version reads them.
    pub(crate) fn remove_others(&self) {
        let siblings = self.folder.parent().and_then(|parent| fs::read_dir(parent).ok());
        let is_engine = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLDER));
        let others = siblings.into_iter().flatten().flatten().map(|entry| entry.path());
        for folder in others.filter(|path| *path != self.folder && is_engine(path)) {
            let folder_shown = folder.display();
            match fs::remove_dir_all(&folder) {
                Ok(()) => tracing::info!(folder = %folder_shown, "images of another JavaScript engine were removed"),
                Err(error) => tracing::warn!(%error, folder = %folder_shown, "images of another engine could not be removed"),
            }
        }
    }

    /// Removes the images of other scripts than these. Gives how many.
    pub(crate) fn retain(&self, is_kept: impl Fn(&Digest) -> bool) -> usize {
        cache::retain(&self.folder, is_kept)
    }

    /// The size of the file that there is for the script.
    pub(crate) fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|file| file.len())
    }

    /// Whether there is anything for the script.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.size(digest).is_some()
    }

    /// The script's image, which must have been made against the base of this hash. Blocks on the disk.
    pub(crate) fn find(&self, digest: &Digest, base: &blake3::Hash) -> Found {
        let Ok(mut file) = File::open(self.path(digest)) else { return Found::Nothing };
        let read = |file: &mut File| -> Option<Delta> {
            let Header { hashes, lengths } = Header::read(file)?;
            let packed = read_exactly(file, lengths[0])?;
            (self.image_hash(digest, base, &packed) == hashes[0]).then(|| Delta::unpack(&packed, IMAGE_BYTES)).flatten()
        };
        read(&mut file).map_or(Found::Damaged, Found::Image)
    }

    /// The script as far as telling places needs it; nothing if it can't be read. Blocks on the disk.
    pub(crate) fn sources(&self, digest: &Digest) -> Option<Script> {
        let mut file = File::open(self.path(digest)).ok()?;
        let Header { hashes, lengths } = Header::read(&mut file)?;
        file.seek_relative(i64::try_from(lengths[0]).ok()?).ok()?;
        let packed = read_exactly(&mut file, lengths[1])?;
        if self.sources_hash(digest, &packed) != hashes[1] {
            return None;
        }
        postcard::from_bytes(&zstd::bulk::decompress(&packed, SOURCES_BYTES).ok()?).ok()
    }

    /// Takes an image in. Gives the size of its file. Blocks on the disk.
    pub(crate) fn keep(&self, digest: &Digest, base: &blake3::Hash, delta: &Delta, script: Script) -> Result<u64, Problem> {
        cache::make_folder(&self.folder)?;
        let path = self.path(digest);
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("tmp-{}-{number}.image", std::process::id()));
        let keep = || -> io::Result<u64> {
            let parts = [delta.pack()?, pack_sources(script)?];
            let hashes = [self.image_hash(digest, base, &parts[0]), self.sources_hash(digest, &parts[1])];
            let mut file = MAGIC.to_vec();
            hashes.iter().for_each(|hash| file.extend(hash.as_bytes()));
            parts.iter().for_each(|part| file.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes()));
            parts.iter().for_each(|part| file.extend(part));
            cache::write_private(&temporary, &file)?;
            fs::rename(&temporary, &path)?;
            Ok(file.len() as u64)
        };
        keep().map_err(|error| {
            // It may not even be there.
            let _ = fs::remove_file(&temporary);
            cache::failed(&path, &error)
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.image", digest.to_hex()))
    }

    /// The hash says which script, engine and base it is for, so that one file can't stand in for another.
    fn image_hash(&self, digest: &Digest, base: &blake3::Hash, packed: &[u8]) -> blake3::Hash {
        self.hasher.clone().update(b"image").update(digest.as_bytes()).update(base.as_bytes()).update(packed).finalize()
    }

    fn sources_hash(&self, digest: &Digest, packed: &[u8]) -> blake3::Hash {
        self.hasher.clone().update(b"sources").update(digest.as_bytes()).update(packed).finalize()
    }
}

impl Header {
    fn read(file: &mut File) -> Option<Self> {
        let bytes = read_exactly(file, HEADER)?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let hash = |at: usize| rest[at * HASH..(at + 1) * HASH].try_into().ok().map(blake3::Hash::from_bytes);
        let length = |at: usize| {
            let word = rest[2 * HASH + 4 * at..][..4].try_into().ok();
            word.map(|word| u32::from_le_bytes(word) as usize)
        };
        Some(Self { hashes: [hash(0)?, hash(1)?], lengths: [length(0)?, length(1)?] })
    }
}

/// So many bytes from where the file stands; nothing if it has fewer, before any are allocated.
fn read_exactly(file: &mut File, bytes: usize) -> Option<Vec<u8>> {
    let left = file.metadata().ok()?.len().checked_sub(file.stream_position().ok()?)?;
    if left < bytes as u64 {
        return None;
    }
    let mut read = vec![0; bytes];
    file.read_exact(&mut read).ok()?;
    Some(read)
}

/// What telling places needs: each module's name and the text that people wrote.
fn pack_sources(script: Script) -> io::Result<Vec<u8>> {
    let Script { entry, modules, bindings: _, handlers: _ } = script;
    let strip = |module: Module| {
        let Module { name, kind, code, links: _, exports: _, original } = module;
        let code = if original.is_some() { String::new() } else { code };
        Module { name, kind, code, links: Vec::new(), exports: Vec::new(), original }
    };
    let modules = modules.into_iter().map(strip).collect();
    let stripped = Script { entry, modules, bindings: Vec::new(), handlers: Vec::new() };
    let plain = postcard::to_stdvec(&stripped).map_err(io::Error::other)?;
    zstd::bulk::compress(&plain, LEVEL)
}

#[cfg(test)]
mod tests {
    use types::script::ModuleKind;

    use super::*;

    struct Same;
    impl ports::Rng for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(3);
        }
    }

    fn kept(data: &Path, engine: u8) -> Kept {
        let cache = Cache::open(data, blake3::hash(b"engine"), &Same).expect("a cache");
        Kept::open(&cache, &Digest::from_bytes([engine; 32]))
    }

    fn script() -> Script {
        let (name, code) = ("a.js".to_owned(), "one\ntwo".to_owned());
        let (links, exports) = (vec![("x".into(), "a.js".into())], vec!["y".into()]);
        let module = Module { name, kind: ModuleKind::Module, code, links, exports, original: None };
        Script { entry: "a.js".into(), modules: vec![module], bindings: Vec::new(), handlers: vec!["fetch".into()] }
    }

    #[test]
    fn an_image_and_its_text_are_found_again() {
        let data = tempfile::tempdir().expect("a folder");
        let (base, file) = (vec![1; 10_000], vec![2; 9_000]);
        let (digest, id) = (Digest::from_bytes([7; 32]), blake3::hash(&base));
        let first = kept(data.path(), 1);
        assert!(matches!(first.find(&digest, &id), Found::Nothing) && !first.has(&digest));
        first.keep(&digest, &id, &Delta::between(&base, &file), script()).expect("kept");
        let again = kept(data.path(), 1);
        let Found::Image(delta) = again.find(&digest, &id) else { panic!("it is there") };
        assert_eq!(delta.bytes(), 9_000);
        let text = again.sources(&digest).and_then(|script| script.locate("a.js", 2, 1)).and_then(|place| place.text);
        assert_eq!(text.as_deref(), Some("two"));
        assert!(matches!(again.find(&digest, &blake3::hash(b"another base")), Found::Damaged));
        assert!(matches!(kept(data.path(), 2).find(&digest, &id), Found::Nothing), "another engine has its own");
    }

    #[test]
    fn one_run_reads_the_text_once() {
        use crate::script::{Sources, Texts};
        let data = tempfile::tempdir().expect("a folder");
        let (digest, base) = (Digest::from_bytes([7; 32]), vec![1; 10_000]);
        let kept = std::sync::Arc::new(kept(data.path(), 1));
        kept.keep(&digest, &blake3::hash(&base), &Delta::between(&base, &[2; 9_000]), script()).expect("kept");
        let texts = || Texts::new(Sources::Kept { kept: kept.clone(), digest });
        let first = texts();
        assert!(first.read().is_some());
        fs::remove_file(kept.path(&digest)).expect("removed");
        assert!(first.read().is_some() && texts().read().is_none(), "the control is another run");
    }

    #[test]
    fn no_damaged_image_is_used() {
        let data = tempfile::tempdir().expect("a folder");
        let base = vec![1; 10_000];
        let (digest, id) = (Digest::from_bytes([7; 32]), blake3::hash(&base));
        let kept = kept(data.path(), 1);
        kept.keep(&digest, &id, &Delta::between(&base, &[2; 9_000]), script()).expect("kept");
        let path = kept.path(&digest);
        let whole = fs::read(&path).expect("readable");
        let image_end = HEADER + Header::read(&mut File::open(&path).expect("a file")).expect("a header").lengths[0];
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).expect("writable");
            let found = kept.find(&digest, &id);
            // The hash and the length of the text are the text's matter.
            let of_text = at >= image_end || (40..72).contains(&at) || (76..80).contains(&at);
            assert_eq!(matches!(found, Found::Image(_)), of_text, "byte {at}");
            assert!(kept.sources(&digest).is_none() || !of_text, "byte {at}");
        }
        for end in 0..image_end {
            fs::write(&path, &whole[..end]).expect("writable");
            assert!(matches!(kept.find(&digest, &id), Found::Damaged), "{end}");
        }
        // One script's file under another's name.
        fs::write(kept.path(&Digest::from_bytes([8; 32])), &whole).expect("writable");
        assert!(matches!(kept.find(&Digest::from_bytes([8; 32]), &id), Found::Damaged));
    }
}
