//! The Rust toolchain that compiles functions.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;
use types::{Code, Problem};

/// The target that components are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// How to compile for [`TARGET`] on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GuestToolchain {
    /// The active toolchain has the target.
    Active,
    /// This compiler has it: `cargo xtask setup` assembles one where rustup can't add the target.
    Assembled(PathBuf),
}

impl GuestToolchain {
    /// Looks for a toolchain.
    ///
    /// # Errors
    /// `E0310` if there is none.
    pub(crate) async fn find() -> Result<Self, Problem> {
        let printed =
            Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).stderr(Stdio::null()).output().await;
        if let Ok(printed) = printed
            && printed.status.success()
            && Path::new(String::from_utf8_lossy(&printed.stdout).trim()).is_dir()
        {
            return Ok(Self::Active);
        }
        let assembled =
            cache_dir().map(|cache| cache.join("dayfly/toolchains/rust-wasi/bin/rustc")).filter(|rustc| rustc.is_file());
        assembled.map(Self::Assembled).ok_or_else(|| {
            Problem::new(Code::E0310, format!("no Rust toolchain here compiles for {TARGET}"))
                .note("where rustup can't download it, run `cargo xtask setup` in dayfly's sources")
                .help(format!("rustup target add {TARGET}"))
        })
    }

    /// A cargo that uses it.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        // What a cargo that runs us has set for its own build must not reach the guest's.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER"] {
            cargo.env_remove(name);
        }
        if let Self::Assembled(rustc) = self {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }
}

/// The user's cache folder, by the XDG base directory specification.
fn cache_dir() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
}
