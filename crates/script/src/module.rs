//! The names of modules: paths as people see them.

use std::path::{Component, Path};

use crate::format::Format;

/// The path of a file relative to the app's folder, with slashes; files above it begin with `../`. A file that is imported as something
/// else than its name says is another module: `a.json?text`.
pub(crate) fn name(root: &Path, path: &Path, format: Format) -> String {
    let mut name = relative(root, path);
    // Of a name that says nothing, text is what needs no further word.
    let natural = Format::of(path).unwrap_or(if format == Format::JavaScript { format } else { Format::Text });
    if natural != format {
        name.push('?');
        name.push_str(format.as_str());
    }
    name
}

fn relative(root: &Path, path: &Path) -> String {
    let common = root.components().zip(path.components()).take_while(|(left, right)| left == right).count();
    let up = root.components().count() - common;
    let parts = path.components().skip(common).map(|part| match part {
        Component::Normal(part) => part.to_string_lossy().into_owned(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    std::iter::repeat_n("..".to_owned(), up).chain(parts).collect::<Vec<_>>().join("/")
}

/// Whether the file is of a package that was installed.
pub(crate) fn is_in_package(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "node_modules")
}

/// The package that a specifier names: `@scope/name` of `@scope/name/deep/file.js`; `None` if it names a file.
pub(crate) fn package(specifier: &str) -> Option<&str> {
    if specifier.is_empty() || specifier.starts_with(['.', '/', '#']) || specifier.contains(':') {
        return None;
    }
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    Some(&specifier[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_from_the_apps_folder() {
        let name = |path: &str, format| name(Path::new("/home/app"), Path::new(path), format);
        assert_eq!(name("/home/app/src/a.ts", Format::TypeScript), "src/a.ts");
        assert_eq!(name("/home/shared/a.ts", Format::TypeScript), "../shared/a.ts");
        assert_eq!(name("/home/app/a.json", Format::Text), "a.json?text");
        assert_eq!(name("/home/app/LICENSE", Format::Text), "LICENSE");
        assert_eq!(name("/home/app/LICENSE", Format::Bytes), "LICENSE?bytes");
    }

    #[test]
    fn packages_are_told_from_files() {
        assert_eq!(package("@aws-sdk/client-s3/dist/x.js"), Some("@aws-sdk/client-s3"));
        assert_eq!(package("lodash/add"), Some("lodash"));
        assert_eq!(package("hono"), Some("hono"));
        for file in ["./a", "/a", "#a", "", "https://x.com/a.js", "cloudflare:workers"] {
            assert_eq!(package(file), None, "{file}");
        }
    }
}
