//! The Rust toolchain that compiles functions, for `wasm32-wasip2`.
//!
//! Usually rustup has the target or can fetch it. Where that download is refused, Debian has what it takes in packages: a compiler with
//! WebAssembly among its backends, the sources of the standard library and a libc for WASI. From these a toolchain is assembled in the
//! cache folder. Its linkers are those of the rustup toolchain, as Debian packages none that makes components.
//!
//! `dayfly up` looks in the same places, in the same order: the target of the active toolchain, else
//! `CACHE/dayfly/toolchains/rust-wasi/bin/rustc`, given to cargo as `RUSTC`.

use crate::paths::{Paths, make_folder};
use crate::run::{self, cargo};
use crate::{host, programs};
use anyhow::{Context, Result, bail};
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(crate) const TARGET: &str = "wasm32-wasip2";

/// How long rustup may take. Where downloads are refused it can hang rather than fail.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);
/// Raised when the way of assembling changes, so that older results are done again.
const RECIPE: &str = "1";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LIBC: &str = "/usr/lib/wasm32-wasi";
const DEBIAN_STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

pub(crate) enum RustWasi {
    /// The active toolchain compiles for the target by itself.
    Active { rustc: PathBuf },
    /// One that was assembled, as only its compiler knows the target.
    Assembled { rustc: PathBuf },
}

impl RustWasi {
    /// A cargo that compiles for the target.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = cargo();
        if let Self::Assembled { rustc } = self {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }

    /// What decides the outcome of a compilation beside the sources.
    pub(crate) fn version(&self) -> Result<String> {
        let (Self::Active { rustc } | Self::Assembled { rustc }) = self;
        run::output(Command::new(rustc).arg("-vV"))
    }
}

impl Display for RustWasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active { rustc } => write!(f, "{TARGET}: {} has it", rustc.display()),
            Self::Assembled { rustc } => write!(f, "{TARGET}: RUSTC={}", rustc.display()),
        }
    }
}

/// Finds the toolchain, or makes it.
pub(crate) fn ensure(paths: &Paths, from_debian: bool) -> Result<RustWasi> {
    let rustc = PathBuf::from(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    if !from_debian {
        if has_target(&rustc) {
            return Ok(RustWasi::Active { rustc });
        }
        let _lock = paths.lock_cache()?;
        if add_target(paths, &rustc)? && has_target(&rustc) {
            return Ok(RustWasi::Active { rustc });
        }
    }
    let _lock = paths.lock_cache()?;
    assemble(&paths.toolchains().join("rust-wasi")).with_context(|| format!("cannot assemble a toolchain for {TARGET}"))
}

fn has_target(rustc: &Path) -> bool {
    let folder = run::output(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| Path::new(&folder).is_dir())
}

/// Asks rustup, once per version of the compiler. A refusal is written down with its reason, and not asked for again.
fn add_target(paths: &Paths, rustc: &Path) -> Result<bool> {
    let version = run::output(Command::new(rustc).arg("-vV"))?;
    let refusals = paths.toolchains().join("rustup-refused.txt");
    if fs::read_to_string(&refusals).is_ok_and(|text| text.starts_with(&version)) {
        eprintln!("rustup could not add {TARGET} before; to ask again, remove {}", refusals.display());
        return Ok(false);
    }
    if !host::has("rustup") {
        return Ok(false);
    }
    let Err(error) = run::run_within(RUSTUP_LIMIT, Command::new("rustup").args(["target", "add", TARGET])) else {
        return Ok(true);
    };
    eprintln!("{error:#}; going on with Debian's packages");
    make_folder(&paths.toolchains())?;
    fs::write(&refusals, format!("{version}\n\n{error:#}\n")).with_context(|| format!("cannot write {}", refusals.display()))?;
    Ok(false)
}

/// Assembles the toolchain in `home`, unless what is there was made of the same parts.
fn assemble(home: &Path) -> Result<RustWasi> {
    let rustc = home.join("bin/rustc");
    let stamp_path = home.join("made-of.txt");
    if has_debian_parts() && fs::read_to_string(&stamp_path).is_ok_and(|made_of| stamp().is_ok_and(|stamp| stamp == made_of)) {
        return Ok(RustWasi::Assembled { rustc });
    }
    if !has_debian_parts() {
        host::apt_install(&DEBIAN_PACKAGES)?;
    }
    let host_target = host_target()?;
    let linkers = linkers(&host_target)?;
    let scratch = home.with_extension("partial");
    remove(&scratch)?;
    make_folder(&scratch)?;

    let built = build_std(&scratch.join("std"))?;
    let library = scratch.join("lib/rustlib");
    install_std(&built, &library.join(TARGET).join("lib"))?;
    make_folder(&library.join(&host_target))?;
    link(Path::new("/usr/lib/rustlib").join(&host_target).join("lib").as_path(), &library.join(&host_target).join("lib"))?;
    link(&linkers, &library.join(&host_target).join("bin"))?;
    write_wrapper(&scratch.join("bin/rustc"), home)?;
    remove(&scratch.join("std"))?;
    fs::write(scratch.join("made-of.txt"), stamp()?).context("cannot write the stamp")?;

    remove(home)?;
    fs::rename(&scratch, home).with_context(|| format!("cannot move the toolchain to {}", home.display()))?;
    Ok(RustWasi::Assembled { rustc })
}

fn has_debian_parts() -> bool {
    [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_LIBC, DEBIAN_STD_SOURCE].iter().all(|path| Path::new(path).exists())
}

/// Names the parts. The linkers belong to them, because rustup removes a toolchain's old files when it updates it.
fn stamp() -> Result<String> {
    let rustc = run::output(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    let linkers = linkers(&host_target()?)?;
    Ok(format!("recipe {RECIPE}\n{rustc}\n{}\n", linkers.display()))
}

fn host_target() -> Result<String> {
    let version = run::output(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

/// Where the active toolchain keeps `rust-lld` and `wasm-component-ld`.
fn linkers(host_target: &str) -> Result<PathBuf> {
    let sysroot = run::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let folder = Path::new(&sysroot).join("lib/rustlib").join(host_target).join("bin");
    if !folder.join("wasm-component-ld").exists() {
        bail!("{} has no wasm-component-ld; toolchains installed by rustup have it", folder.display());
    }
    Ok(folder)
}

/// Compiles the standard library and answers with the folder that holds its crates.
fn build_std(scratch: &Path) -> Result<PathBuf> {
    make_folder(&scratch.join("src"))?;
    // Lines of the standard library belong into backtraces too.
    let manifest = "[package]\nname = \"sysroot\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
        [profile.release]\nopt-level = 3\npanic = \"abort\"\ndebug = \"line-tables-only\"\n\n[workspace]\n";
    fs::write(scratch.join("Cargo.toml"), manifest).context("cannot write a manifest")?;
    fs::write(scratch.join("src/lib.rs"), "#![no_std]\n").context("cannot write a crate")?;
    let mut build = Command::new(DEBIAN_CARGO);
    build.args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET]).current_dir(scratch);
    // Both unstable flags are allowed to a compiler that believes that it builds itself. Bitcode lets guests optimise across crates.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC).env("CARGO_TARGET_DIR", scratch.join("target"));
    build.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-Cembed-bitcode=yes").env("PATH", path_with_debian_first()?);
    build.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run::run(&mut build)?;
    Ok(scratch.join("target").join(TARGET).join("release/deps"))
}

fn path_with_debian_first() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).context("cannot put /usr/bin first in PATH")
}

/// Lays out the crates and the start-up objects the way the compiler looks for them.
fn install_std(built: &Path, library: &Path) -> Result<()> {
    let self_contained = library.join("self-contained");
    make_folder(&self_contained)?;
    for file in programs::files_in(built)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libsysroot-") {
            copy(&file, &library.join(name))?;
        }
    }
    for file in programs::files_in(Path::new(DEBIAN_LIBC))? {
        if file.extension().is_some_and(|extension| extension == "a" || extension == "o") {
            copy(&file, &self_contained.join(file.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// The compiler is Debian's, told to look for its libraries in `home`.
fn write_wrapper(wrapper: &Path, home: &Path) -> Result<()> {
    make_folder(wrapper.parent().context("the wrapper has no folder")?)?;
    let script = format!("#!/bin/sh\nexec {DEBIAN_RUSTC} --sysroot '{}' \"$@\"\n", home.display());
    fs::write(wrapper, script).with_context(|| format!("cannot write {}", wrapper.display()))?;
    make_executable(wrapper)
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", file.display()))
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {} to {}", at.display(), to.display()))
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> Result<()> {
    bail!("Debian's packages are of no use here: run `rustup target add {TARGET}`")
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> Result<()> {
    bail!("Debian's packages are of no use here: run `rustup target add {TARGET}`")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
