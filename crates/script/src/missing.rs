//! What a person is told of an import that can't be followed.

use std::{collections::BTreeSet, path::Path};

use oxc_resolver::{JSONError, ResolveError};
use oxc_span::Span;
use types::{Code, Place, Problem};

use crate::{builtin, file, format::Format, module, syntax::Import};

/// The file that imports, as a problem shows it.
pub(crate) struct Importer<'a> {
    /// The app's folder.
    pub(crate) root: &'a Path,
    pub(crate) path: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    /// How the entry leads to it, if it is of a package: `api.ts → node_modules/x/index.js`.
    pub(crate) way: Option<String>,
}

impl Importer<'_> {
    fn problem(&self, code: Code, import: &Import, message: String) -> Problem {
        let mut problem = Problem::new(code, message).at(self.at(import));
        problem.notes.extend(self.way.as_ref().map(|way| format!("it is reached by {way}")));
        problem
    }

    /// `E0314`: a person's own file asks for a module that only Node.js has.
    pub(crate) fn builtin(&self, import: &Import) -> Problem {
        let Import { specifier, .. } = import;
        let instead = builtin::alternative(specifier).unwrap_or_default();
        self.problem(Code::E0314, import, format!("{} imports {specifier:?}, a module of Node.js", self.name)).help(instead)
    }

    /// The place of an import.
    pub(crate) fn at(&self, import: &Import) -> Place {
        self.place(Span::new(import.start, import.end))
    }

    /// A place in the file.
    pub(crate) fn place(&self, span: Span) -> Place {
        Place::in_text(self.name, self.text, span.start as usize, span.end as usize)
    }

    /// `E0313`: the module is there, and what is wanted of it is not.
    pub(crate) fn not_exported(&self, import: &Import, name: &str, span: Span, known: &BTreeSet<String>) -> Problem {
        let Import { specifier, .. } = import;
        let message = match name {
            "default" => format!("{} imports the default of {specifier:?}, which has none", self.name),
            name => format!("{} imports {name:?} from {specifier:?}, which does not export it", self.name),
        };
        let mut problem = Problem::new(Code::E0313, message).at(self.place(span));
        let alike = known.iter().map(|known| (strsim::jaro_winkler(known, name), known)).filter(|(rate, _)| *rate >= ALIKE);
        let alike = alike.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known);
        let listed: Vec<&str> = known.iter().map(String::as_str).take(SHOWN).collect();
        let more = if known.len() > SHOWN { ", …" } else { "" };
        problem.help = Some(match alike.filter(|_| name != "default") {
            Some(alike) => format!("{alike:?}"),
            None if known.is_empty() => "it exports nothing".to_owned(),
            None => format!("it exports {}{more}", listed.join(", ")),
        });
        problem
    }

    /// `E0313`: nothing is there.
    pub(crate) fn missing(&self, import: &Import, error: &ResolveError) -> Problem {
        let Import { specifier, .. } = import;
        if import.start == import.end {
            return self.jsx(import);
        }
        if matches!(error, ResolveError::Json(_) | ResolveError::TsconfigLoadFailed { .. }) {
            return unusable(self.root, error).note(format!("{} imports {specifier:?}", self.name));
        }
        if let ResolveError::PackagePathNotExported { subpath, package_json_path, .. } = error {
            let package = module::package(specifier).unwrap_or(specifier);
            let message = format!("{} imports {specifier:?}, which the package {package} does not export", self.name);
            return self
                .problem(Code::E0313, import, message)
                .note(format!("`exports` of its package.json has no {subpath:?} for a worker or a browser"))
                .help(exports(package_json_path, package));
        }
        let scheme = specifier.split_once(':').filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if let Some((scheme, rest)) = scheme {
            return self.elsewhere(import, scheme, rest);
        }
        match module::package(specifier) {
            Some(package) => self.not_installed(import, package, error),
            None => self.no_file(import, error),
        }
    }

    fn not_installed(&self, import: &Import, package: &str, error: &ResolveError) -> Problem {
        let Import { specifier, .. } = import;
        let near = self.path.ancestors().skip(1).map(|folder| folder.join("node_modules").join(package)).find(|at| at.exists());
        if let Some(near) = near {
            let message = format!("{} imports {specifier:?}, which the package {package} does not have", self.name);
            let problem = self.problem(Code::E0313, import, message);
            return match error {
                ResolveError::NotFound(_) => problem.note(format!("the package is in {}", shown(&near))),
                other => problem.note(other.to_string()),
            };
        }
        let message = format!("{} imports {specifier:?}, and no package {package} is installed", self.name);
        let listed = self.path.ancestors().skip(1).any(|folder| lists(&folder.join("package.json"), package));
        let help = if listed { "npm install".to_owned() } else { format!("npm install {package}") };
        self.problem(Code::E0313, import, message).help(help)
    }

    fn no_file(&self, import: &Import, error: &ResolveError) -> Problem {
        let Import { specifier, .. } = import;
        let problem =
            self.problem(Code::E0313, import, format!("{} imports {specifier:?}, and there is no such file", self.name));
        let folder = self.path.parent().unwrap_or(self.path).join(specifier);
        let near =
            folder.parent().zip(folder.file_name()).and_then(|(folder, wanted)| nearest(folder, &wanted.to_string_lossy()));
        let problem = match error {
            ResolveError::NotFound(_) | ResolveError::ExtensionAlias(..) => problem,
            other => problem.note(other.to_string()),
        };
        let Some(near) = near else { return problem };
        let before = specifier.rsplit_once('/').map_or("./", |(before, _)| before);
        problem.help(format!("\"{}/{near}\"", before.trim_end_matches('/')))
    }

    /// An address that another platform would load from.
    fn elsewhere(&self, import: &Import, scheme: &str, rest: &str) -> Problem {
        let Import { specifier, .. } = import;
        let name = self.name;
        let (message, help) = match scheme {
            "npm" => {
                let package = module::package(rest).unwrap_or(rest);
                let package = package.rsplit_once('@').filter(|(name, _)| !name.is_empty()).map_or(package, |(name, _)| name);
                (format!("{name} imports {specifier:?}: packages are imported by their names"), format!("npm install {package}"))
            }
            "jsr" => {
                (format!("{name} imports {specifier:?}: packages are imported by their names"), format!("npx jsr add {rest}"))
            }
            "http" | "https" => (
                format!("{name} imports {specifier:?}: nothing is fetched to build a function"),
                "save the file beside yours, or install its package".to_owned(),
            ),
            _ => (
                format!("{name} imports {specifier:?}, a module of another platform"),
                "what a function may use is in `env`, the second argument of its handlers".to_owned(),
            ),
        };
        self.problem(Code::E0313, import, message).help(help)
    }

    /// JSX needs a package that nobody named.
    fn jsx(&self, import: &Import) -> Problem {
        let Import { specifier, .. } = import;
        let package = module::package(specifier).unwrap_or(specifier);
        self.problem(Code::E0313, import, format!("{} has JSX, which needs {specifier:?}", self.name))
            .note("another library: /** @jsxImportSource preact */ in the file's first line, or jsxImportSource in tsconfig.json")
            .help(format!("npm install {package}"))
    }

    /// `E0313`: one specifier that is to be two things.
    pub(crate) fn twofold(&self, import: &Import, formats: [Format; 2]) -> Problem {
        let Import { specifier, .. } = import;
        let [one, other] = formats.map(Format::as_str);
        self.problem(Code::E0313, import, format!("{} imports {specifier:?} as {one} and as {other}", self.name))
            .help(format!("write one of them as \"{specifier}?{other}\""))
    }

    /// `E0313`: a file that no import reads.
    pub(crate) fn unreadable(&self, import: &Import, path: &Path) -> Problem {
        let Import { specifier, .. } = import;
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
        let problem = |message: String| self.problem(Code::E0313, import, message);
        match (extension.as_str(), import.wants.as_deref()) {
            (_, Some(wanted)) => {
                problem(format!("{} imports {specifier:?} with the type {wanted:?}, which there is not", self.name))
                    .help("with { type: \"json\" }, \"text\" or \"bytes\"")
            }
            ("wasm", None) => problem(format!("{} imports {specifier:?}: JavaScript functions run no WebAssembly", self.name))
                .note("its bytes: with { type: \"bytes\" }")
                .help("make it a function of its own whose path is the .wasm file, and call env.NAME.fetch(request)"),
            ("node", None) => problem(format!("{} imports {specifier:?}, machine code for Node.js", self.name)),
            _ => problem(format!("{} imports {specifier:?}, and nothing says how to read it", self.name))
                .help(format!("import x from {specifier:?} with {{ type: \"text\" }}, or \"bytes\"")),
        }
    }
}

/// The most names that are listed.
const SHOWN: usize = 8;
/// How much alike two names are of which one may be meant by the other.
const ALIKE: f64 = 0.85;

/// `E0313`: a `package.json` or `tsconfig.json` that can't be used.
pub(crate) fn unusable(root: &Path, error: &ResolveError) -> Problem {
    if let ResolveError::TsconfigLoadFailed { source, .. } = error {
        return unusable(root, source);
    }
    let ResolveError::Json(JSONError { path, message, line, column }) = error else {
        return Problem::new(Code::E0313, format!("tsconfig.json can't be used: {error}"));
    };
    let name = module::name(root, path, Format::Json);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    file::not_json(Code::E0313, &name, &text, message, (*line, *column))
}

/// The last parts of a path, which say enough.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.rfind("node_modules").map_or(text.as_ref(), |at| &text[at..]).to_owned()
}

fn package_json(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Whether a `package.json` asks for the package.
fn lists(path: &Path, package: &str) -> bool {
    let Some(json) = package_json(path) else { return false };
    ["dependencies", "devDependencies"].iter().any(|key| json.get(key).is_some_and(|list| list.get(package).is_some()))
}

/// What a package exports, in a line.
fn exports(package_json_path: &Path, package: &str) -> String {
    let json = package_json(package_json_path).unwrap_or_default();
    let names = json.get("exports").and_then(|exports| exports.as_object()).into_iter().flatten().map(|(name, _)| name.as_str());
    let names: Vec<String> =
        names.filter(|name| name.starts_with('.')).map(|name| format!("{package}{}", name.trim_start_matches('.'))).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    match names.len() {
        0 => format!("import {package:?}"),
        _ => format!("it exports {}{more}", names[..names.len().min(SHOWN)].join(", ")),
    }
}

/// The name in a folder that is most like the wanted one.
fn nearest(folder: &Path, wanted: &str) -> Option<String> {
    const LOOKED_AT: usize = 1_000;
    let entries = std::fs::read_dir(folder).ok()?.flatten().take(LOOKED_AT);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let rated = names.map(|name| (strsim::jaro_winkler(&name, wanted), name)).filter(|(rate, _)| *rate >= ALIKE);
    rated.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, name)| name)
}
