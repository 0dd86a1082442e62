//! Puts the pages of `docs/errors` into the program, so that `dayfly explain` needs no network.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../docs/errors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if name.len() == 5 && name.starts_with('E') {
            pages.push((name, fs::read_to_string(&path)?));
        }
    }
    pages.sort();
    let mut code = String::from("pub(super) const PAGES: &[(&str, &str)] = &[\n");
    for (name, page) in pages {
        writeln!(code, "    ({name:?}, {page:?}),").map_err(io::Error::other)?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&variable("OUT_DIR")?).join("error_pages.rs"), code)
}
