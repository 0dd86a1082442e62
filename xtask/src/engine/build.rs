//! Compiles the engine for WASI. Beside Rust's target that takes clang, for QuickJS.

use crate::paths::Paths;
use crate::run::{self, cargo};
use crate::rust_wasi::{RustWasi, TARGET};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The engine's crate.
const CRATE: &str = "sdk/js/engine";

/// QuickJS in C. What other version compiles it makes other bytes: the digests are of this one.
const CLANG: &str = "clang-14";
const ARCHIVER: &str = "llvm-ar-14";

/// The stack of compiled code, in memory below everything else: a script's recursion ends before it does (`machine/limits.rs`).
const STACK_BYTES: u32 = 512 << 10;

/// Builds it, and gives the component's bytes.
pub(super) fn component(paths: &Paths, rust: &RustWasi) -> Result<Vec<u8>> {
    let folder = paths.root.join(CRATE);
    let target = paths.guests("engine");
    let quickjs = quickjs(&folder)?;
    let headers = quickjs.join("vendor/wasi-libc/include");
    let registry = quickjs.parent().context("a crate of the registry has a folder above it")?;
    let header = folder.join("c/wasi.h");
    // Cargo does not see that file, but it sees its digest.
    let header_digest = blake3::hash(&fs::read(&header).with_context(|| format!("cannot read {}", header.display()))?).to_hex();
    let c_flags = [
        "--target=wasm32-wasi".to_owned(),
        format!("-isystem {}", headers.display()),
        format!("-include {} -DDAYFLY_HEADER=0x{}", header.display(), &header_digest[..8]),
        "-mbulk-memory -msign-ext -mnontrapping-fptoint".to_owned(),
        // No path of this machine gets into the file.
        format!("-ffile-prefix-map={}=quickjs", target.display()),
    ];
    let rust_flags = [
        format!("-Clink-arg=-zstack-size={STACK_BYTES}"),
        format!("--remap-path-prefix={}=registry", registry.display()),
        format!("--remap-path-prefix={}=dayfly", paths.root.display()),
    ];
    let mut command = rust.cargo();
    command
        .args(["build", "--release", "--locked", "--lib", "--target", TARGET])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .env("RQUICKJS_SYS_NO_WASI_SDK", "1")
        .env("CC_wasm32_wasip2", CLANG)
        .env("AR_wasm32_wasip2", ARCHIVER)
        .env("CFLAGS_wasm32_wasip2", c_flags.join(" "))
        .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", rust_flags.join(" "));
    run::run(&mut command).context("it takes clang-14 and llvm-14: apt-get install clang-14 llvm-14")?;
    let file = target.join(TARGET).join("release/engine.wasm");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// The tools whose versions decide the bytes.
pub(super) fn tools(rust: &RustWasi) -> Result<Vec<String>> {
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    Ok(vec![first(rust.version()?), first(run::output(Command::new(CLANG).arg("--version"))?)])
}

/// The folder of the crate that carries QuickJS, and headers of WASI's C library.
fn quickjs(folder: &Path) -> Result<PathBuf> {
    let metadata = run::output(cargo().args(["metadata", "--format-version", "1"]).current_dir(folder))?;
    let manifest = metadata
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|text| text.split('"').next())
        .find(|path| path.contains("/rquickjs-sys-"))
        .context("the engine does not depend on rquickjs-sys")?;
    Ok(Path::new(manifest).parent().context("a manifest has a folder")?.to_owned())
}
