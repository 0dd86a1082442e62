//! What an import means: a file, by the rules of Node.js and of packages that are made for workers and browsers.

use std::path::{Path, PathBuf};

use oxc_resolver::{ModuleType, PackageType, ResolveError, ResolveOptions, Resolver, TsconfigDiscovery};

use crate::{builtin, format::System, module, syntax::How, typescript::Dialect};

/// The conditions of a package's `exports` that hold here. The order in which the package names them decides. `node` is not among them:
/// those builds ask for modules of Node.js.
const CONDITIONS: &[&str] = &["dayfly", "workerd", "worker", "browser", "production", "default"];

/// What an import means.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A file.
    File(File),
    /// Nothing, as its package says: `"browser": { "fs": false }`.
    Empty,
    /// A module of Node.js.
    Builtin,
    /// Nothing that can be found.
    Missing(Box<ResolveError>),
}

/// A file that an import means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Without symbolic links.
    pub(crate) path: PathBuf,
    /// What its package says of its modules.
    pub(crate) system: System,
    /// Its package's `package.json`.
    pub(crate) manifest: Option<PathBuf>,
}

/// Finds files.
pub(crate) struct Resolvers {
    own_import: Resolver,
    own_require: Resolver,
    package_import: Resolver,
    package_require: Resolver,
}

impl Resolvers {
    pub(crate) fn new() -> Self {
        let own_import = Resolver::new(own(options("import")));
        let own_require = own_import.clone_with_options(own(options("require")));
        let package_import = own_import.clone_with_options(options("import"));
        let package_require = own_import.clone_with_options(options("require"));
        Self { own_import, own_require, package_import, package_require }
    }

    /// Forgets what lay on disk.
    pub(crate) fn forget(&self) {
        // The four share one cache.
        self.own_import.clear_cache();
    }

    /// What `specifier` means in the file.
    pub(crate) fn resolve(&self, file: &Path, specifier: &str, how: How) -> Found {
        let is_require = how == How::Require;
        let resolver = match (module::is_in_package(file), is_require) {
            (false, false) => &self.own_import,
            (false, true) => &self.own_require,
            (true, false) => &self.package_import,
            (true, true) => &self.package_require,
        };
        match resolver.resolve_file(file, specifier) {
            Ok(resolution) => {
                let package = resolution.package_json();
                // A folder of a package may say another thing than the package: `dist/cjs/package.json`.
                let is_script = matches!(resolution.path().extension().and_then(|it| it.to_str()), Some("js" | "ts"));
                let package_type = package.and_then(|package| package.r#type()).filter(|_| !is_script);
                let system = match (resolution.module_type(), package_type) {
                    (Some(ModuleType::Module), _) | (_, Some(PackageType::Module)) => System::Module,
                    (Some(ModuleType::CommonJs), _) | (_, Some(PackageType::CommonJs)) => System::CommonJs,
                    _ => System::Unsaid,
                };
                let manifest = package.map(|package| package.path().to_owned());
                let path = resolution.into_path_buf();
                Found::File(File { system: System::of(&path, system), path, manifest })
            }
            Err(ResolveError::Ignored(_)) => Found::Empty,
            Err(_) if builtin::alternative(specifier).is_some() => Found::Builtin,
            Err(error) => Found::Missing(Box::new(error)),
        }
    }

    /// What the file's `tsconfig.json` says, if it has one.
    ///
    /// # Errors
    /// What is wrong with the `tsconfig.json`.
    pub(crate) fn dialect(&self, file: &Path) -> Result<Dialect, ResolveError> {
        let found = self.own_import.find_tsconfig(file)?;
        Ok(found.map(|found| Dialect::of(&found.compiler_options)).unwrap_or_default())
    }
}

/// For files of packages.
fn options(how: &str) -> ResolveOptions {
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut condition_names = strings(CONDITIONS);
    condition_names.push(how.to_owned());
    let mut main_fields = strings(&["browser"]);
    if how == "import" {
        condition_names.push("module".into());
        main_fields.push("module".into());
    }
    main_fields.push("main".into());
    ResolveOptions {
        condition_names,
        main_fields,
        alias_fields: vec![strings(&["browser"])],
        extensions: strings(&[".js", ".mjs", ".cjs", ".json", ".ts", ".tsx", ".jsx"]),
        symlinks: true,
        module_type: true,
        node_path: false,
        ..ResolveOptions::default()
    }
}

/// For the app's own files: TypeScript without endings, or with those that its compiler would write.
fn own(options: ResolveOptions) -> ResolveOptions {
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let alias = |from: &str, to: &[&str]| (from.to_owned(), strings(to));
    ResolveOptions {
        extensions: strings(&[".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", ".cts", ".json"]),
        extension_alias: vec![
            alias(".js", &[".js", ".ts", ".tsx"]),
            alias(".jsx", &[".jsx", ".tsx"]),
            alias(".mjs", &[".mjs", ".mts"]),
            alias(".cjs", &[".cjs", ".cts"]),
        ],
        tsconfig: Some(TsconfigDiscovery::Auto),
        ..options
    }
}
