//! Components in Rust.

use super::{Builder, Group, place};
use crate::run;
use crate::rust_wasi::TARGET;
use anyhow::Result;
use std::path::Path;

pub(super) const HELLO: Group = Group {
    name: "examples/hello",
    sources: &["examples/hello/api"],
    programs: &["hello"],
    tools,
    build: |builder, into| build(builder, "examples/hello/api", "hello", &[("api", "hello")], into),
};

pub(super) const SHOP: Group = Group {
    name: "examples/shop",
    sources: &["wit", "sdk/rust", "examples/shop/functions"],
    programs: &["shop-api", "shop-worker", "shop-thumbs"],
    tools,
    build: |builder, into| {
        let artifacts = [("api", "shop-api"), ("worker", "shop-worker"), ("thumbs", "shop-thumbs")];
        build(builder, "examples/shop/functions", "shop", &artifacts, into)
    },
};

pub(super) const THUMBNAILS: Group = Group {
    name: "examples/thumbnails-js",
    sources: &["wit", "sdk/rust", "examples/thumbnails-js/resize"],
    programs: &["resize"],
    tools,
    // What both depend on is compiled once.
    build: |builder, into| build(builder, "examples/thumbnails-js/resize", "shop", &[("resize", "resize")], into),
};

pub(super) const TESTS: Group = Group {
    name: "tests/programs",
    sources: &[
        "wit",
        "sdk/rust",
        "tests/programs/Cargo.toml",
        "tests/programs/Cargo.lock",
        "tests/programs/guest",
        "tests/programs/hostile",
        "tests/programs/rust-wasip2",
        "tests/programs/rust-wstd",
        "tests/programs/spin",
        "tests/programs/spin-kv",
        "tests/programs/spin-sqlite",
        "tests/programs/state",
    ],
    programs: &["hostile", "rust-wasip2", "rust-wstd", "spin", "spin-kv", "spin-sqlite", "state"],
    tools,
    build: |builder, into| {
        let artifacts = [
            ("hostile", "hostile"),
            ("rust_wasip2", "rust-wasip2"),
            ("rust-wstd", "rust-wstd"),
            ("spin", "spin"),
            ("spin_kv", "spin-kv"),
            ("spin_sqlite", "spin-sqlite"),
            ("state", "state"),
        ];
        build(builder, "tests/programs", "tests", &artifacts, into)
    },
};

fn tools(builder: &Builder) -> Result<String> {
    builder.rust.version()
}

/// Compiles a workspace and takes the components out of it. `artifacts` pairs cargo's name of each with ours.
fn build(builder: &Builder, workspace: &str, target: &str, artifacts: &[(&str, &str)], into: &Path) -> Result<()> {
    let target = builder.paths.guests(target);
    let mut cargo = builder.rust.cargo();
    cargo.args(["build", "--locked", "--release", "--target", TARGET]);
    cargo.env("CARGO_TARGET_DIR", &target).current_dir(builder.paths.root.join(workspace));
    // Paths of this machine stay out of the components.
    cargo.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", format!("--remap-path-prefix={}=.", builder.paths.root.display()));
    run::run(&mut cargo)?;
    for (artifact, program) in artifacts {
        let built = target.join(TARGET).join("release").join(artifact).with_extension("wasm");
        place(&built, &into.join(program).with_extension("wasm"))?;
    }
    Ok(())
}
