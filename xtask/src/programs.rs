//! The components that tests deploy: built from `examples/` and `tests/programs/` into `target/programs`.
//!
//! What a build depends on is hashed, and the outcome kept under that hash in the cache folder: a clone that changes nothing compiles
//! nothing.

mod javascript;
mod malformed;
mod python;
mod rust;

use crate::paths::{Paths, make_folder};
use crate::rust_wasi::RustWasi;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Programs that are built together, from the same sources with the same tools.
struct Group {
    name: &'static str,
    /// What the outcome depends on: files and folders in the checkout, relative to its root.
    sources: &'static [&'static str],
    /// The names of the components, without `.wasm`.
    programs: &'static [&'static str],
    /// Names the tools and their versions.
    tools: fn(&Builder) -> Result<String>,
    /// Writes one `.wasm` for each program into a folder.
    build: fn(&Builder, &Path) -> Result<()>,
}

/// What a group needs to build.
struct Builder<'a> {
    paths: &'a Paths,
    rust: &'a RustWasi,
}

/// How many builds the cache folder keeps: some weeks of work on all groups, at up to 40 MB each.
const KEPT_MAX: usize = 32;

const GROUPS: [Group; 6] = [rust::HELLO, rust::SHOP, rust::THUMBNAILS, rust::TESTS, javascript::GROUP, python::GROUP];

/// Brings `target/programs` up to date.
pub(crate) fn build_all(paths: &Paths, rust: &RustWasi) -> Result<()> {
    let _lock = paths.lock_cache()?;
    let builder = Builder { paths, rust };
    make_folder(&paths.programs())?;
    for group in &GROUPS {
        group.ensure(&builder).with_context(|| format!("cannot build the programs of {}", group.name))?;
    }
    malformed::write_all(paths).context("cannot write the malformed programs")?;
    forget_oldest(&paths.cache.join("programs"))
}

impl Group {
    fn ensure(&self, builder: &Builder) -> Result<()> {
        let kept = builder.paths.cache.join("programs").join(self.hash(builder)?);
        let cached = self.programs.iter().all(|program| kept.join(program).with_extension("wasm").exists());
        if !cached {
            let partial = kept.with_extension("partial");
            let _ = fs::remove_dir_all(&partial);
            make_folder(&partial)?;
            (self.build)(builder, &partial)?;
            let _ = fs::remove_dir_all(&kept);
            fs::rename(&partial, &kept).with_context(|| format!("cannot keep {}", kept.display()))?;
        }
        for program in self.programs {
            let file = format!("{program}.wasm");
            let source = kept.join(&file);
            let bytes = fs::metadata(&source).with_context(|| format!("{} was not built", source.display()))?.len();
            place(&source, &builder.paths.programs().join(&file))?;
            eprintln!("{program:>15}  {:>7} KB{}", bytes / 1000, if cached { "  cached" } else { "" });
        }
        Ok(())
    }

    fn hash(&self, builder: &Builder) -> Result<String> {
        let mut hash = blake3::Hasher::new();
        hash.update(self.name.as_bytes()).update((self.tools)(builder)?.as_bytes());
        for source in self.sources {
            let root = &builder.paths.root;
            for file in sources_under(&root.join(source))? {
                let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                hash.update(file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes());
                hash.update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
            }
        }
        Ok(hash.finalize().to_hex()[..32].to_owned())
    }
}

/// Makes room in the cache, by age of build.
fn forget_oldest(kept: &Path) -> Result<()> {
    let mut builds = entries(kept)?;
    builds.sort_by_key(|build| fs::metadata(build).and_then(|about| about.modified()).ok());
    for build in builds.iter().rev().skip(KEPT_MAX) {
        fs::remove_dir_all(build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    Ok(())
}

/// Every file under a path, in a fixed order, without what builds leave behind.
fn sources_under(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in entries(path)? {
        let name = entry.file_name().unwrap_or_default();
        if entry.is_file() {
            files.push(entry);
        } else if name != "target" && name != "node_modules" && name != "__pycache__" {
            files.extend(sources_under(&entry)?);
        }
    }
    Ok(files)
}

/// The files directly in a folder, in a fixed order.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|entry| entry.is_file()).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_list = || format!("cannot list {}", folder.display());
    let entries = fs::read_dir(folder).with_context(cannot_list)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().with_context(cannot_list)?;
    paths.sort();
    Ok(paths)
}

/// Puts a file where tests read it, whole or not at all: a test may be reading the one before it.
fn place(source: &Path, target: &Path) -> Result<()> {
    let unchanged = fs::read(target).is_ok_and(|old| fs::read(source).is_ok_and(|new| old == new));
    if unchanged {
        return Ok(());
    }
    let partial = target.with_extension("partial");
    fs::copy(source, &partial).with_context(|| format!("cannot copy {}", source.display()))?;
    fs::rename(&partial, target).with_context(|| format!("cannot write {}", target.display()))
}
