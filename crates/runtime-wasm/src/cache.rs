//! Compiled code on disk.
//!
//! `<data>/aot/<compatibility>/<digest>.cwasm` holds it, `<digest>.mac` a keyed hash of it, `<digest>.lines` its source lines. Loading compiled code trusts it entirely, so
//! nothing is loaded whose hash doesn't match: what is damaged, cut off, from another machine or written by anyone but us is compiled again.
//! The key lies beside it and guards against damage and mix-ups, not against someone who can read the data folder.
//!
//! A file is hashed when this process first loads it. After that its identity and times of change stand for it: files are only ever
//! replaced by renaming, so the same inode with the same change time holds the same bytes. This keeps loading again, after eviction, at
//! the cost of mapping.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use parking_lot::Mutex;
use ports::Rng;
use types::{Code, Digest, Problem};

const KEY_BYTES: usize = 32;
/// Hexadecimal digits of an engine's hash that name its folder.
const ENGINE_DIGITS: usize = 32;
/// How many folders of other engines one start removes; what remains, the next one does.
const OTHER_ENGINES_MAX: usize = 16;

/// The folder of compiled code for one engine.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    compatibility: blake3::Hash,
    verified: Mutex<HashMap<Digest, Stamp>>,
    temporary: AtomicU64,
}

/// What the cache has for a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Code that may be loaded, and its size in bytes.
    Code(PathBuf, u64),
    /// Nothing.
    Nothing,
    /// Code that may not be loaded.
    Damaged,
}

/// A file's identity and when it last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        let changed = (meta.ctime(), meta.ctime_nsec());
        Ok(Self { device: meta.dev(), inode: meta.ino(), bytes: meta.len(), changed })
    }
}

impl Cache {
    /// Opens the folder under `data`, and makes it and the key if they are not there.
    pub(crate) fn open(data: &Path, compatibility: blake3::Hash, rng: &dyn Rng) -> Result<Self, Problem> {
        let root = data.join("aot");
        let folder = root.join(&compatibility.to_hex()[..ENGINE_DIGITS]);
        make_folder(&folder)?;
        remove_scratch(&folder);
        let (all, current) = (root.clone(), folder.clone());
        // Beside the start, which need not wait for it.
        if let Err(error) = thread::Builder::new().name("old-code".into()).spawn(move || remove_other_engines(&all, &current)) {
            tracing::warn!(%error, "code compiled for other engines is not removed");
        }
        let key_path = root.join("key");
        let key = open_key(&key_path, rng).map_err(|error| failed(&key_path, &error))?;
        Ok(Self { folder, key, compatibility, verified: Mutex::default(), temporary: AtomicU64::new(0) })
    }

    /// Looks the component's code up and checks it. Blocks on the disk.
    pub(crate) fn find(&self, digest: &Digest) -> Found {
        let path = self.path(digest);
        let Ok(mut file) = File::open(&path) else { return Found::Nothing };
        let Ok(stamp) = Stamp::of(&file) else { return Found::Damaged };
        if self.verified.lock().get(digest) != Some(&stamp) {
            let mac = self.mac(digest, &mut file);
            let expected = fs::read(path.with_extension("mac")).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            // Comparing hashes of blake3's own type takes the same time whatever differs.
            match (mac, expected.map(blake3::Hash::from_bytes)) {
                (Ok(mac), Some(expected)) if mac == expected => self.verified.lock().insert(*digest, stamp),
                _ => return Found::Damaged,
            };
        }
        Found::Code(path, stamp.bytes)
    }

    /// Whether there is any code of the component.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// Removes all code that was made of other components than these.
    pub(crate) fn retain(&self, is_kept: impl Fn(&Digest) -> bool) -> usize {
        self.verified.lock().retain(|digest, _| is_kept(digest));
        retain(&self.folder, is_kept)
    }

    /// Removes all code but so many of the newest files. For folders of what can be made again for little.
    pub(crate) fn trim(&self, files_max: usize) {
        let is_code = |path: &Path| path.extension().is_some_and(|extension| extension == "cwasm");
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter(|entry| is_code(&entry.path()))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort_unstable();
        for (_, path) in files.iter().rev().skip(files_max) {
            // What can't be removed only takes space.
            let _ = fs::remove_file(path);
            let _ = fs::remove_file(path.with_extension("mac"));
        }
    }

    /// Two names for files of a compilation in progress: the component, and what becomes of it. They are removed when dropped.
    pub(crate) fn scratch(&self, component: &[u8]) -> Result<Scratch, Problem> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let base = self.folder.join(format!("tmp-{}-{number}", std::process::id()));
        let scratch = Scratch { source: base.with_extension("wasm"), target: base.with_extension("out") };
        write_private(&scratch.source, component).map_err(|error| failed(&scratch.source, &error))?;
        Ok(scratch)
    }

    /// Takes the compiled code in: hashes it, and moves it to its place. Blocks on the disk.
    pub(crate) fn keep(&self, digest: &Digest, scratch: &Scratch) -> Result<(PathBuf, u64), Problem> {
        let path = self.path(digest);
        let keep = || -> io::Result<u64> {
            let mut compiled = File::open(&scratch.target)?;
            let mac = self.mac(digest, &mut compiled)?;
            let mac_path = scratch.target.with_extension("mac");
            write_private(&mac_path, mac.as_bytes())?;
            match fs::rename(scratch.target.with_extension("lines"), path.with_extension("lines")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // The hash first: code without its own hash is found damaged and compiled again, never loaded.
            fs::rename(&mac_path, path.with_extension("mac"))?;
            fs::rename(&scratch.target, &path)?;
            // Renaming changes the file's change time: the stamp is taken after it.
            let stamp = Stamp::of(&compiled)?;
            self.verified.lock().insert(*digest, stamp);
            Ok(stamp.bytes)
        };
        keep().map(|bytes| (path.clone(), bytes)).map_err(|error| failed(&path, &error))
    }

    /// The folder of this engine's files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A hasher with the key, for files of other kinds that this folder holds.
    pub(crate) fn hasher(&self) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(self.compatibility.as_bytes());
        hasher
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.cwasm", digest.to_hex()))
    }

    /// The hash covers which component and which engine it is for, so that one file can't stand in for another.
    fn mac(&self, digest: &Digest, code: &mut File) -> io::Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(digest.as_bytes()).update(self.compatibility.as_bytes());
        let mut buffer = vec![0; 128 << 10];
        loop {
            match code.read(&mut buffer)? {
                0 => return Ok(hasher.finalize()),
                count => hasher.update(&buffer[..count]),
            };
        }
    }
}

/// Files of a compilation in progress.
pub(crate) struct Scratch {
    /// The component.
    pub(crate) source: PathBuf,
    /// Where its code goes.
    pub(crate) target: PathBuf,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already, or of no further use.
        let _ = fs::remove_file(&self.source);
        let _ = fs::remove_file(&self.target);
        let _ = fs::remove_file(self.target.with_extension("lines"));
    }
}

/// Removes the files of a folder that are named by other digests than these. Gives how many.
pub(crate) fn retain(folder: &Path, is_kept: impl Fn(&Digest) -> bool) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_other = |path: &PathBuf| {
        let digest = path.file_stem().and_then(|name| Digest::from_hex(name.to_str()?));
        digest.is_some_and(|digest| !is_kept(&digest))
    };
    // What can't be removed only takes space.
    entries.filter(is_other).filter(|path| fs::remove_file(path).is_ok()).count()
}

/// Removes what compilations left behind that a crash cut off. A node's folder belongs to one process, but replays share theirs: what a
/// living process writes stays.
fn remove_scratch(folder: &Path) {
    let is_dead = |name: &str| {
        let process = name.strip_prefix("tmp-").and_then(|rest| rest.split('-').next());
        process.is_some_and(|id| !Path::new("/proc").join(id).exists())
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_dead(&entry.file_name().to_string_lossy()) {
            // What can't be removed is only in the way of the disk's space.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Removes code that was compiled for other engines, such as the one of the version before: nothing here can load it. Code that another
/// process has mapped stays until that process lets go of it.
fn remove_other_engines(root: &Path, current: &Path) {
    let is_engine = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.len() == ENGINE_DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let others = entries.map(|entry| entry.path()).filter(|path| path != current && is_engine(path));
    for folder in others.take(OTHER_ENGINES_MAX) {
        let folder_shown = folder.display();
        match fs::remove_dir_all(&folder) {
            Ok(()) => tracing::info!(folder = %folder_shown, "code compiled for another engine was removed"),
            Err(error) => tracing::warn!(%error, folder = %folder_shown, "code compiled for another engine could not be removed"),
        }
    }
}

fn open_key(path: &Path, rng: &dyn Rng) -> io::Result<[u8; KEY_BYTES]> {
    match fs::read(path) {
        Ok(bytes) => {
            if let Ok(key) = bytes.try_into() {
                return Ok(key);
            }
            // A key cut off by a crash: a new one makes all code be compiled again.
            fs::remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut key = [0; KEY_BYTES];
    rng.fill(&mut key);
    write_private(path, &key)?;
    Ok(key)
}

/// Makes a folder that is nobody else's business.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Problem> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, &error))
}

pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
}

pub(crate) fn failed(path: &Path, error: &io::Error) -> Problem {
    let code = if error.kind() == io::ErrorKind::StorageFull { Code::E0602 } else { Code::E0601 };
    Problem::new(code, format!("cannot keep compiled code in {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(1..).for_each(|(byte, n)| *byte = n);
        }
    }

    fn cache(data: &Path, engine: &[u8]) -> Cache {
        Cache::open(data, blake3::hash(engine), &Counting).expect("a cache")
    }

    fn kept(cache: &Cache, digest: &Digest) -> PathBuf {
        let scratch = cache.scratch(b"component").expect("a scratch file");
        fs::write(&scratch.target, b"compiled code").expect("written");
        cache.keep(digest, &scratch).expect("kept").0
    }

    #[test]
    fn code_is_found_again_also_by_the_next_process() {
        let data = tempfile::tempdir().expect("a folder");
        let digest = Digest::from_bytes([1; 32]);
        let path = {
            let cache = cache(data.path(), b"engine");
            assert_eq!(cache.find(&digest), Found::Nothing);
            kept(&cache, &digest)
        };
        for _ in 0..2 {
            assert_eq!(cache(data.path(), b"engine").find(&digest), Found::Code(path.clone(), 13));
        }
        assert_eq!(cache(data.path(), b"another engine").find(&digest), Found::Nothing);
    }

    #[test]
    fn files_of_dead_compilations_are_removed_and_those_under_way_stay() {
        let data = tempfile::tempdir().expect("a folder");
        let first = cache(data.path(), b"engine");
        let under_way = first.scratch(b"component").expect("a scratch file");
        // No process has this id: it is above the most that Linux gives.
        let dead = under_way.source.with_file_name("tmp-4194305-0.wasm");
        fs::write(&dead, b"component").expect("written");
        cache(data.path(), b"engine");
        assert!(under_way.source.exists() && !dead.exists());
    }

    #[test]
    fn code_for_other_engines_is_removed_and_nothing_else() {
        let data = tempfile::tempdir().expect("a folder");
        let root = data.path().join("aot");
        let [current, other] = ["a", "b"].map(|digit| root.join(digit.repeat(ENGINE_DIGITS)));
        let foreign = root.join("notes");
        for folder in [&current, &other, &foreign] {
            fs::create_dir_all(folder).expect("made");
            fs::write(folder.join("1.cwasm"), b"code").expect("written");
        }
        fs::write(root.join("key"), [1; KEY_BYTES]).expect("written");
        remove_other_engines(&root, &current);
        assert!(!other.exists());
        assert!([current, foreign, root.join("key")].iter().all(|path| path.exists()));
    }

    #[test]
    fn what_is_retained_can_be_loaded_and_the_rest_is_gone() {
        let data = tempfile::tempdir().expect("a folder");
        let cache = cache(data.path(), b"engine");
        let digests = [1, 2].map(|byte| Digest::from_bytes([byte; 32]));
        let [stays, goes] = digests.map(|digest| kept(&cache, &digest));
        let foreign = stays.with_file_name("notes.cwasm");
        fs::write(&foreign, b"something else").expect("written");
        assert_eq!(cache.retain(|digest| *digest == digests[0]), 2, "the code and its hash");
        assert_eq!(cache.find(&digests[0]), Found::Code(stays, 13));
        assert_eq!(cache.find(&digests[1]), Found::Nothing);
        assert!(foreign.exists() && !goes.exists());
        assert_eq!(cache.find(&digests[1]), Found::Nothing);
    }

    #[test]
    fn the_newest_code_stays_in_a_folder_that_is_trimmed() {
        let data = tempfile::tempdir().expect("a folder");
        let cache = cache(data.path(), b"engine");
        let paths: Vec<PathBuf> = (0..4).map(|n| kept(&cache, &Digest::from_bytes([n; 32]))).collect();
        for (age, path) in paths.iter().enumerate() {
            let file = File::options().write(true).open(path).expect("a file");
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(100 - age as u64)).expect("a time");
        }
        cache.trim(2);
        let left: Vec<bool> = paths.iter().map(|path| path.exists() && path.with_extension("mac").exists()).collect();
        assert_eq!(left, [true, true, false, false]);
    }

    #[test]
    fn code_that_changed_is_never_loaded() {
        let data = tempfile::tempdir().expect("a folder");
        let (one, two) = (Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32]));
        let cache = cache(data.path(), b"engine");
        let (path, other) = (kept(&cache, &one), kept(&cache, &two));

        // Another component's code and hash under this one's name.
        fs::copy(&other, &path).expect("copied");
        fs::copy(other.with_extension("mac"), path.with_extension("mac")).expect("copied");
        assert_eq!(cache.find(&one), Found::Damaged);
        // One byte changed in place, in a process that trusted the file before.
        assert_eq!(cache.find(&two), Found::Code(other.clone(), 13));
        let replaced = data.path().join("replaced");
        fs::write(&replaced, b"compiled cod3").expect("written");
        fs::rename(&replaced, &other).expect("renamed");
        assert_eq!(cache.find(&two), Found::Damaged);
        // The hash is gone.
        let path = kept(&cache, &one);
        fs::remove_file(path.with_extension("mac")).expect("removed");
        assert_eq!(super::tests::cache(data.path(), b"engine").find(&one), Found::Damaged);
    }

    #[test]
    fn a_key_cut_off_is_made_anew() {
        let data = tempfile::tempdir().expect("a folder");
        let digest = Digest::from_bytes([1; 32]);
        kept(&cache(data.path(), b"engine"), &digest);
        fs::write(data.path().join("aot/key"), b"short").expect("written");
        assert!(
            matches!(cache(data.path(), b"engine").find(&digest), Found::Code(..)),
            "this generator makes the same key again"
        );
        fs::write(data.path().join("aot/key"), [9; 32]).expect("written");
        assert_eq!(cache(data.path(), b"engine").find(&digest), Found::Damaged);
    }
}
