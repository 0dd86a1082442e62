//! Making scripts: once, or again and again.
//!
//! A [`Collector`] remembers what it read: of installed packages their modules and what their imports mean, of the app's own files their
//! modules. So a save costs what changed, however large the packages are.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use types::{
    App, Code, Function, Problem, Script, limits,
    script::{Binding, Module},
    wire::SCRIPT_MAGIC,
};

use crate::{
    binding, depth,
    file::Stamp,
    format::Format,
    parse::{Context, Parsed},
    resolve::{Found, Resolvers},
    walk::Walk,
};

/// A script, and the files that it was made from.
#[derive(Debug, Clone)]
pub struct Collected {
    /// The name of the first module.
    pub entry: String,
    /// All modules, by name.
    pub modules: Vec<Arc<Module>>,
    /// What `env` holds.
    pub bindings: Vec<Binding>,
    /// The handlers that the function's triggers ask for.
    pub handlers: Vec<String>,
    /// The files whose change changes it: modules, and what says how their imports are resolved. Without symbolic links.
    pub files: BTreeSet<PathBuf>,
}

/// As [`Script`] is encoded, without a copy of its modules.
#[derive(serde::Serialize)]
struct Encoded<'a> {
    entry: &'a str,
    modules: Vec<&'a Module>,
    bindings: &'a [Binding],
    handlers: &'a [String],
}

impl Collected {
    /// The script.
    #[must_use]
    pub fn script(&self) -> Script {
        Script {
            entry: self.entry.clone(),
            modules: self.modules.iter().map(|module| Module::clone(module)).collect(),
            bindings: self.bindings.clone(),
            handlers: self.handlers.clone(),
        }
    }

    /// The artifact: [`SCRIPT_MAGIC`], then the script in postcard.
    #[must_use]
    pub fn artifact(&self) -> Vec<u8> {
        let Self { entry, modules, bindings, handlers, files: _ } = self;
        let modules = modules.iter().map(AsRef::as_ref).collect();
        let encoded = Encoded { entry, modules, bindings, handlers };
        postcard::to_extend(&encoded, SCRIPT_MAGIC.to_vec()).expect("a script has only what postcard writes, and a Vec grows")
    }
}

/// Makes a script of the file, once.
///
/// # Errors
/// Every problem that was found, in the order of files and lines: `E0301`, `E0312`, `E0313`, `E0314` and `E0317`.
pub fn collect(entry: &Path, root: &Path, app: &App, function: &Function) -> Result<Collected, Vec<Problem>> {
    Collector::new().collect(entry, root, app, function)
}

/// Makes scripts again and again, and remembers what it read.
pub struct Collector {
    resolvers: Resolvers,
    read: HashMap<Id, Remembered>,
    /// What said how imports of packages are resolved, as it was then.
    manifests: HashMap<PathBuf, Option<Stamp>>,
}

/// What is remembered by: a file, and what it is read as.
pub(crate) type Id = (PathBuf, Format);

pub(crate) struct Remembered {
    pub(crate) stamp: Stamp,
    /// Of the file's bytes.
    pub(crate) digest: blake3::Hash,
    pub(crate) context: Context,
    pub(crate) parsed: Arc<Parsed>,
    /// What its imports mean, if it is of a package.
    pub(crate) targets: Option<Arc<[Found]>>,
    /// The module that was made of it, if it is of a package.
    pub(crate) module: Option<Arc<Module>>,
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector {
    /// One that has read nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { resolvers: Resolvers::new(), read: HashMap::new(), manifests: HashMap::new() }
    }

    /// Makes the script of a function whose first file is `entry`, in an app whose folder is `root`.
    ///
    /// # Errors
    /// As [`collect`].
    pub fn collect(&mut self, entry: &Path, root: &Path, app: &App, function: &Function) -> Result<Collected, Vec<Problem>> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(depth::STACK);
            let spawned = thread.spawn_scoped(scope, || self.collect_here(entry, root, app, function));
            let failed = |error| vec![Problem::new(Code::E0301, format!("the machine gives no thread to read scripts: {error}"))];
            spawned.map_err(failed)?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// On a thread whose stack is large enough for whatever [`depth::too_deep`] lets through.
    fn collect_here(&mut self, entry: &Path, root: &Path, app: &App, function: &Function) -> Result<Collected, Vec<Problem>> {
        let real = |path: &Path| {
            let failed = |error| Problem::new(Code::E0301, format!("{} can't be read: {error}", path.display()));
            path.canonicalize().map_err(|error| vec![failed(error)])
        };
        let (root, entry) = (real(root)?, real(entry)?);
        self.forget(&root);
        let mut walk = self.walk(&root);
        walk.run(&entry);
        if walk.is_gone {
            // A file that a package led to the last time: what its imports mean is found anew.
            self.forget_packages();
            walk = self.walk(&root);
            walk.run(&entry);
        }
        if !walk.problems.is_empty() {
            let mut problems = std::mem::take(&mut walk.problems);
            problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column)));
            // What is wrong with a `tsconfig.json` is found for each file.
            problems.dedup_by_key(|problem| (problem.message.clone(), problem.place.clone()));
            problems.truncate(PROBLEMS);
            return Err(problems);
        }
        let modules = walk.modules();
        let files = walk.files();
        let name = walk.nodes.first().map(|node| node.name.clone()).unwrap_or_default();
        let (bindings, handlers) = (binding::bindings(app, function), binding::handlers(function));
        Ok(Collected { entry: name, modules, bindings, handlers, files })
    }

    fn walk<'a>(&'a mut self, root: &'a Path) -> Walk<'a> {
        Walk::new(root, &self.resolvers, &mut self.read, &mut self.manifests)
    }

    /// Forgets what may have changed on disk: where the app's files lie always, what packages mean only if packages changed.
    fn forget(&mut self, root: &Path) {
        self.resolvers.forget();
        if self.read.len() > REMEMBERED {
            self.read.clear();
        }
        let installed = root.ancestors().flat_map(|folder| {
            let modules = folder.join("node_modules");
            [folder.join("package.json"), modules.join(".package-lock.json"), modules.join(".modules.yaml"), modules]
        });
        for path in installed {
            self.manifests.entry(path).or_insert(None);
        }
        let mut changed = false;
        for (path, before) in &mut self.manifests {
            let now = Stamp::of(path);
            changed |= now != *before;
            *before = now;
        }
        if changed {
            self.forget_packages();
        }
    }

    /// Forgets what the imports of packages mean.
    fn forget_packages(&mut self) {
        for remembered in self.read.values_mut() {
            (remembered.targets, remembered.module) = (None, None);
        }
    }
}

/// The files that are remembered; with more of them the next walk begins anew.
const REMEMBERED: usize = 4 * limits::SCRIPT_MODULES;
/// The most problems that are told at once.
const PROBLEMS: usize = 50;
