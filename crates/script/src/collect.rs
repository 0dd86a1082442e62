//! Walks from the entry over all imports, and makes the script of what it finds.
//!
//! A [`Collector`] remembers what it read: of installed packages their modules and what their imports mean, of the app's own files their
//! modules. So a save costs what changed, however large the packages are.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use types::{
    App, ByteCount, Code, Function, Problem, Script, limits,
    script::{Binding, Module},
    wire::SCRIPT_MAGIC,
};

use crate::{
    binding,
    file::{self, Stamp},
    format::{Format, System},
    missing::Importer,
    module,
    parse::{self, Context, Parsed},
    provided,
    resolve::{File, Found, Resolvers},
    syntax::{How, Import},
    typescript::Dialect,
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

/// A module: a file, and what it is read as.
type Id = (PathBuf, Format);

struct Remembered {
    stamp: Stamp,
    context: Context,
    parsed: Arc<Parsed>,
    /// What its imports mean, if it is of a package.
    targets: Option<Vec<Found>>,
    /// The module that was made of it, if it is of a package.
    module: Option<Arc<Module>>,
}

/// A module on the way.
struct Node {
    id: Id,
    name: String,
    parsed: Arc<Parsed>,
    /// The first module that imports it.
    importer: Option<usize>,
    links: BTreeMap<String, Link>,
}

/// What an import leads to.
enum Link {
    Node(Id),
    Provided(String),
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
        let real = |path: &Path| {
            let failed = |error| Problem::new(Code::E0301, format!("{} can't be read: {error}", path.display()));
            path.canonicalize().map_err(|error| vec![failed(error)])
        };
        let (root, entry) = (real(root)?, real(entry)?);
        self.forget(&root);
        let mut walk = Walk {
            root: &root,
            resolvers: &self.resolvers,
            read: &mut self.read,
            manifests: &mut self.manifests,
            nodes: Vec::new(),
            index: HashMap::new(),
            waiting: VecDeque::new(),
            problems: Vec::new(),
            bytes: 0,
            has_new_packages: false,
        };
        walk.run(&entry);
        if !walk.problems.is_empty() {
            let mut problems = std::mem::take(&mut walk.problems);
            problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column)));
            problems.truncate(PROBLEMS);
            return Err(problems);
        }
        let modules = walk.modules();
        let files = walk.files();
        let name = walk.nodes.first().map(|node| node.name.clone()).unwrap_or_default();
        let (bindings, handlers) = (binding::bindings(app, function), binding::handlers(function));
        Ok(Collected { entry: name, modules, bindings, handlers, files })
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
            for remembered in self.read.values_mut() {
                (remembered.targets, remembered.module) = (None, None);
            }
        }
    }
}

/// The files that are remembered; with more of them the next walk begins anew.
const REMEMBERED: usize = 4 * limits::SCRIPT_MODULES;
/// The most problems that are told at once.
const PROBLEMS: usize = 50;

/// One walk from an entry.
struct Walk<'a> {
    root: &'a Path,
    resolvers: &'a Resolvers,
    read: &'a mut HashMap<Id, Remembered>,
    manifests: &'a mut HashMap<PathBuf, Option<Stamp>>,
    nodes: Vec<Node>,
    index: HashMap<Id, usize>,
    waiting: VecDeque<Waiting>,
    problems: Vec<Problem>,
    /// The bytes of all modules so far.
    bytes: u64,
    /// Whether a file of a package was read anew, so that what is known of others may be stale.
    has_new_packages: bool,
}

/// A module that was asked for.
struct Waiting {
    id: Id,
    system: System,
    importer: Option<usize>,
}

impl Walk<'_> {
    fn run(&mut self, entry: &Path) {
        let Some(format) = Format::of(entry) else {
            let name = module::name(self.root, entry, Format::JavaScript);
            self.problems.push(Problem::new(Code::E0301, format!("{name} is no JavaScript or TypeScript")));
            return;
        };
        let system = match self.resolvers.resolve(entry, &entry.to_string_lossy(), How::Import) {
            Found::File(file) => file.system,
            _ => System::of(entry, System::Unsaid),
        };
        self.ask((entry.to_owned(), format), system, None);
        while let Some(waiting) = self.waiting.pop_front() {
            if self.nodes.len() >= limits::SCRIPT_MODULES {
                let measured = format!("more than {}", limits::SCRIPT_MODULES);
                let problem = Problem::limit(Code::E0317, "script modules", measured, limits::SCRIPT_MODULES);
                self.problems.push(problem.help("import parts of packages (lodash-es/add.js), or bundle them to one file"));
                return;
            }
            self.visit(waiting);
            if self.bytes > limits::SCRIPT.0 {
                self.problems.push(self.too_large());
                return;
            }
        }
    }

    fn ask(&mut self, id: Id, system: System, importer: Option<usize>) {
        if !self.index.contains_key(&id) {
            self.index.insert(id.clone(), usize::MAX);
            self.waiting.push_back(Waiting { id, system, importer });
        }
    }

    fn visit(&mut self, Waiting { id, system, importer }: Waiting) {
        let name = module::name(self.root, &id.0, id.1);
        let parsed = match self.parsed(&id, &name, system) {
            Ok(parsed) => parsed,
            Err(problems) => return self.problems.extend(problems),
        };
        self.bytes += parsed.code.len() as u64 + parsed.original.as_ref().map_or(0, |original| original.text.len() as u64);
        let at = self.nodes.len();
        self.index.insert(id.clone(), at);
        self.nodes.push(Node { id, name, parsed: parsed.clone(), importer, links: BTreeMap::new() });
        let targets = self.targets(at);
        for (import, found) in parsed.imports.iter().zip(targets) {
            self.follow(at, import, found);
        }
    }

    /// The file's module, read anew only if the file changed.
    fn parsed(&mut self, id: &Id, name: &str, system: System) -> Result<Arc<Parsed>, Vec<Problem>> {
        let in_package = module::is_in_package(&id.0);
        let dialect = if id.1.is_transformed() { self.dialect(&id.0)? } else { Dialect::default() };
        let context = Context { format: id.1, system, in_package, dialect };
        // Before it is read: what changes meanwhile is read again the next time.
        let stamp = Stamp::of(&id.0)
            .ok_or_else(|| vec![Problem::new(Code::E0301, format!("{name} is gone: it was there a moment ago"))])?;
        if let Some(known) = self.read.get(id)
            && known.stamp == stamp
            && known.context == context
        {
            return Ok(known.parsed.clone());
        }
        let bytes = file::read(&id.0, name).map_err(|problem| vec![problem])?;
        let parsed = Arc::new(parse::parse(name, bytes, &context)?);
        self.has_new_packages |= in_package;
        let remembered = Remembered { stamp, context, parsed: parsed.clone(), targets: None, module: None };
        self.read.insert(id.clone(), remembered);
        Ok(parsed)
    }

    fn dialect(&self, path: &Path) -> Result<Dialect, Vec<Problem>> {
        self.resolvers.dialect(path).map_err(|error| {
            let problem = Problem::new(Code::E0313, format!("tsconfig.json can't be used: {error}"));
            vec![problem.note("it says how TypeScript is read: `paths`, `jsx` and `experimentalDecorators`")]
        })
    }

    /// What a module's imports mean, in their order.
    fn targets(&mut self, at: usize) -> Vec<Found> {
        let (id, parsed) = (&self.nodes[at].id, &self.nodes[at].parsed);
        let remembered = self.read.get_mut(id);
        if let Some(targets) = remembered.as_ref().and_then(|remembered| remembered.targets.as_ref())
            && targets.iter().all(|target| !matches!(target, Found::File(file) if !file.path.exists()))
        {
            return targets.clone();
        }
        let resolve = |import: &Import| match import.specifier.starts_with(provided::PREFIX) {
            true => Found::Empty,
            false => self.resolvers.resolve(&id.0, &import.specifier, import.how),
        };
        let targets: Vec<Found> = parsed.imports.iter().map(resolve).collect();
        let manifests = targets.iter().filter_map(|target| match target {
            Found::File(File { manifest: Some(manifest), .. }) => Some(manifest),
            _ => None,
        });
        for manifest in manifests {
            if !self.manifests.contains_key(manifest) {
                self.manifests.insert(manifest.clone(), Stamp::of(manifest));
            }
        }
        if let Some(remembered) = remembered.filter(|remembered| remembered.context.in_package) {
            remembered.targets = Some(targets.clone());
        }
        targets
    }

    fn follow(&mut self, at: usize, import: &Import, found: Found) {
        let in_package = module::is_in_package(&self.nodes[at].id.0);
        // Packages look for what may not be there, and go on without it. A person's own mistakes are told at once.
        let may_fail = match import.how {
            How::Import => false,
            How::Dynamic => in_package,
            How::Require => import.is_late,
        };
        let link = match found {
            Found::File(file) => match self.format(import, &file.path) {
                Some(format) => {
                    let id = (file.path, format);
                    self.ask(id.clone(), file.system, Some(at));
                    Link::Node(id)
                }
                None if may_fail => Link::Provided(provided::missing(&import.specifier)),
                None => return self.problems.push(self.importer(at).unreadable(import, &file.path)),
            },
            Found::Empty if provided::module(&import.specifier).is_some() => Link::Provided(import.specifier.clone()),
            Found::Empty => Link::Provided(provided::EMPTY.to_owned()),
            Found::Builtin | Found::Missing(_) if may_fail => Link::Provided(provided::missing(&import.specifier)),
            Found::Builtin => return self.problems.push(self.importer(at).builtin(import)),
            Found::Missing(error) => return self.problems.push(self.importer(at).missing(import, &error)),
        };
        match self.nodes[at].links.get(&import.specifier) {
            None => drop(self.nodes[at].links.insert(import.specifier.clone(), link)),
            Some(Link::Node(known)) if matches!(&link, Link::Node(id) if id.0 == known.0 && id.1 != known.1) => {
                self.problems.push(self.importer(at).twofold(import, [known.1, self.asked(import, &known.0)]));
            }
            // A package that has one file for `import` and one for `require` means the same by both.
            Some(_) => {}
        }
    }

    /// What a file that was found is read as by this import.
    fn asked(&self, import: &Import, path: &Path) -> Format {
        self.format(import, path).unwrap_or(Format::Bytes)
    }

    /// What an imported file is read as.
    fn format(&self, import: &Import, path: &Path) -> Option<Format> {
        match &import.wants {
            Some(wanted) => Format::named(wanted),
            // Packages have programs without an ending.
            None => {
                Format::of(path).or((path.extension().is_none() && module::is_in_package(path)).then_some(Format::JavaScript))
            }
        }
    }

    fn importer(&self, at: usize) -> Importer<'_> {
        let node = &self.nodes[at];
        let way = module::is_in_package(&node.id.0).then(|| self.way(at));
        Importer { path: &node.id.0, name: &node.name, text: node.parsed.text(), way }
    }

    /// How the entry leads to a module.
    fn way(&self, at: usize) -> String {
        const SHOWN: usize = 4;
        let mut names = vec![self.nodes[at].name.as_str()];
        let mut next = self.nodes[at].importer;
        while let Some(importer) = next {
            names.push(&self.nodes[importer].name);
            next = self.nodes[importer].importer;
        }
        if names.len() > SHOWN {
            names.splice(SHOWN - 1..names.len() - 1, ["…"]);
        }
        names.reverse();
        names.join(" → ")
    }

    fn too_large(&self) -> Problem {
        const SHOWN: usize = 3;
        let mut packages: BTreeMap<&str, u64> = BTreeMap::new();
        for node in &self.nodes {
            let package = node.name.rsplit_once("node_modules/").and_then(|(_, rest)| module::package(rest));
            *packages.entry(package.unwrap_or(&node.name)).or_default() += node.parsed.code.len() as u64;
        }
        let mut largest: Vec<(&str, u64)> = packages.into_iter().collect();
        largest.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let shown = largest.iter().take(SHOWN).map(|(name, bytes)| format!("{name} {}", ByteCount(*bytes)));
        Problem::limit(Code::E0317, "script", format!("more than {}", limits::SCRIPT), limits::SCRIPT)
            .note(format!("the largest: {}", shown.collect::<Vec<_>>().join(", ")))
            .help("import parts of packages, and keep data in a bucket")
    }

    /// All modules, by name.
    fn modules(&mut self) -> Vec<Arc<Module>> {
        if self.has_new_packages {
            self.read.values_mut().for_each(|remembered| remembered.module = None);
        }
        let mut modules: Vec<Arc<Module>> = (0..self.nodes.len()).map(|at| self.module(at)).collect();
        let provided: BTreeSet<&String> = self
            .nodes
            .iter()
            .flat_map(|node| node.links.values())
            .filter_map(|link| if let Link::Provided(name) = link { Some(name) } else { None })
            .collect();
        modules.extend(provided.into_iter().filter_map(|name| provided::module(name)).map(Arc::new));
        modules.sort_by(|left, right| left.name.cmp(&right.name));
        modules
    }

    fn module(&mut self, at: usize) -> Arc<Module> {
        let node = &self.nodes[at];
        if let Some(module) = self.read.get(&node.id).and_then(|remembered| remembered.module.clone()) {
            return module;
        }
        let target = |link: &Link| match link {
            Link::Node(id) => self.nodes.get(self.index[id]).map(|node| node.name.clone()),
            Link::Provided(name) => Some(name.clone()),
        };
        let links = node.links.iter().filter_map(|(specifier, link)| Some((specifier.clone(), target(link)?))).collect();
        let mut exports = BTreeSet::new();
        self.exports(at, &mut exports, &mut BTreeSet::new());
        let Parsed { kind, code, original, .. } = &*node.parsed;
        let module = Module {
            name: node.name.clone(),
            kind: *kind,
            code: code.clone(),
            links,
            exports: exports.into_iter().collect(),
            original: original.clone(),
        };
        let (module, id) = (Arc::new(module), node.id.clone());
        if let Some(remembered) = self.read.get_mut(&id).filter(|remembered| remembered.context.in_package) {
            remembered.module = Some(module.clone());
        }
        module
    }

    /// The names that a CommonJS module exports, with those that it exports on.
    fn exports(&self, at: usize, names: &mut BTreeSet<String>, seen: &mut BTreeSet<usize>) {
        let Some(node) = self.nodes.get(at).filter(|_| seen.insert(at)) else { return };
        names.extend(node.parsed.exports.names.iter().cloned());
        for from in &node.parsed.exports.from {
            if let Some(Link::Node(id)) = node.links.get(from) {
                self.exports(self.index[id], names, seen);
            }
        }
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let manifests = self.manifests.iter().filter(|(_, stamp)| stamp.is_some()).map(|(path, _)| path);
        let manifests = manifests.filter(|path| path.file_name().is_some_and(|name| name == "package.json"));
        self.nodes.iter().map(|node| &node.id.0).chain(manifests).cloned().collect()
    }
}
