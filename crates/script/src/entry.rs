//! The file that a function's path means.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The names of a folder's first file, in the order in which they are looked for.
const INDEX: [&str; 6] = ["index.ts", "index.tsx", "index.mts", "index.js", "index.mjs", "index.jsx"];

/// The file itself, or of a folder what its `package.json` names as `main`, or its `index.ts` or `index.js`.
#[must_use]
pub fn entry(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let main = fs::read(path.join("package.json")).ok().and_then(|text| {
        let package: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(path.join(package.get("main")?.as_str()?))
    });
    let index = INDEX.iter().map(|name| path.join(name));
    main.into_iter().chain(index).find(|file| file.is_file())
}
