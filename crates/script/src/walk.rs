//! The walk from an entry over all imports: finds every module, or everything that is wrong.

mod exports;
mod modules;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use types::{ByteCount, Code, Problem, limits};

use crate::{
    collect::{Id, Remembered},
    file::{self, Stamp},
    format::{Format, System},
    missing::{self, Importer},
    module,
    needs::{self, Asker, Need},
    parse::{self, Context, Parsed},
    provided,
    resolve::{File, Found, Resolvers},
    syntax::{How, Import},
    typescript::Dialect,
};

/// One walk from an entry.
pub(crate) struct Walk<'a> {
    root: &'a Path,
    resolvers: &'a Resolvers,
    read: &'a mut HashMap<Id, Remembered>,
    manifests: &'a mut HashMap<PathBuf, Option<Stamp>>,
    pub(crate) nodes: Vec<Node>,
    index: HashMap<Id, usize>,
    waiting: VecDeque<Waiting>,
    pub(crate) problems: Vec<Problem>,
    /// What packages need of Node.js, by the import of a person's that leads there.
    needs: BTreeMap<Step, Vec<Need>>,
    /// The bytes of all modules so far.
    bytes: u64,
    /// Whether a file of a package was read anew, so that what is known of others may be stale.
    has_new_packages: bool,
    /// Whether a file is not there that an import led to.
    pub(crate) is_gone: bool,
}

/// A module on the way.
pub(crate) struct Node {
    id: Id,
    pub(crate) name: String,
    parsed: Arc<Parsed>,
    /// The first import of it.
    importer: Option<Step>,
    links: BTreeMap<String, Link>,
}

/// An import of a module: by the module's index, and its own among those of the module.
type Step = (usize, usize);

/// What an import leads to.
enum Link {
    Node(Id),
    Provided(String),
}

/// A module that was asked for.
struct Waiting {
    id: Id,
    system: System,
    importer: Option<Step>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        root: &'a Path,
        resolvers: &'a Resolvers,
        read: &'a mut HashMap<Id, Remembered>,
        manifests: &'a mut HashMap<PathBuf, Option<Stamp>>,
    ) -> Self {
        Self {
            root,
            resolvers,
            read,
            manifests,
            nodes: Vec::new(),
            index: HashMap::new(),
            waiting: VecDeque::new(),
            problems: Vec::new(),
            needs: BTreeMap::new(),
            bytes: 0,
            has_new_packages: false,
            is_gone: false,
        }
    }

    /// Visits everything that the entry leads to.
    pub(crate) fn run(&mut self, entry: &Path) {
        let Some(format) = Format::of(entry) else {
            let name = module::name(self.root, entry, Format::JavaScript);
            self.problems.push(Problem::new(Code::E0301, format!("{name} is no JavaScript or TypeScript")));
            return;
        };
        let system = match self.resolvers.resolve(entry, &entry.to_string_lossy(), How::Import) {
            Found::File(file) => file.system,
            _ => System::of(entry, System::Unsaid),
        };
        self.ask(&(entry.to_owned(), format), system, None);
        self.visit_all();
        self.tell_needs();
        if self.problems.is_empty() {
            self.tell_missing_exports();
        }
    }

    fn visit_all(&mut self) {
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

    fn ask(&mut self, id: &Id, system: System, importer: Option<Step>) {
        if !self.index.contains_key(id) {
            self.index.insert(id.clone(), usize::MAX);
            self.waiting.push_back(Waiting { id: id.clone(), system, importer });
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
        for (index, (import, found)) in parsed.imports.iter().zip(&*targets).enumerate() {
            self.follow((at, index), import, found);
        }
    }

    /// The file's module, parsed anew only if the file changed.
    fn parsed(&mut self, id: &Id, name: &str, system: System) -> Result<Arc<Parsed>, Vec<Problem>> {
        let in_package = module::is_in_package(&id.0);
        let dialect = if id.1.is_transformed() { self.dialect(&id.0)? } else { Dialect::default() };
        let context = Context { format: id.1, system, in_package, dialect };
        // Before it is read: what changes meanwhile is read again the next time.
        let Some(stamp) = Stamp::of(&id.0) else {
            self.is_gone = true;
            return Err(vec![Problem::new(Code::E0301, format!("{name} is gone: it was there a moment ago"))]);
        };
        let known = self.read.get(id).filter(|known| known.context == context);
        if let Some(known) = known.filter(|known| in_package && known.stamp == stamp) {
            return Ok(known.parsed.clone());
        }
        let bytes = file::read(&id.0, name).map_err(|problem| vec![problem])?;
        let digest = blake3::hash(&bytes);
        // What people edit is always read: two saves within one tick of the disk's clock have the same stamp.
        if let Some(known) = known.filter(|known| !in_package && known.digest == digest) {
            return Ok(known.parsed.clone());
        }
        let parsed = Arc::new(parse::parse(name, bytes, &context)?);
        self.has_new_packages |= in_package;
        let remembered = Remembered { stamp, digest, context, parsed: parsed.clone(), targets: None, module: None };
        self.read.insert(id.clone(), remembered);
        Ok(parsed)
    }

    fn dialect(&self, path: &Path) -> Result<Dialect, Vec<Problem>> {
        let read_for = "it says how TypeScript is read: `paths`, `jsx` and `experimentalDecorators`";
        self.resolvers.dialect(path).map_err(|error| vec![missing::unusable(self.root, &error).note(read_for)])
    }

    /// What a module's imports mean, in their order.
    fn targets(&mut self, at: usize) -> Arc<[Found]> {
        let (id, parsed) = (&self.nodes[at].id, &self.nodes[at].parsed);
        let remembered = self.read.get_mut(id);
        if let Some(targets) = remembered.as_ref().and_then(|remembered| remembered.targets.as_ref()) {
            return targets.clone();
        }
        let resolve = |import: &Import| match import.specifier.starts_with(provided::PREFIX) {
            true => Found::Empty,
            false => self.resolvers.resolve(&id.0, &import.specifier, import.how),
        };
        let targets: Arc<[Found]> = parsed.imports.iter().map(resolve).collect();
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

    fn follow(&mut self, step: Step, import: &Import, found: &Found) {
        let (at, _) = step;
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
                    let id = (file.path.clone(), format);
                    self.ask(&id, file.system, Some(step));
                    Link::Node(id)
                }
                None if may_fail => Link::Provided(provided::missing(&import.specifier)),
                None => return self.problems.push(self.importer(at).unreadable(import, &file.path)),
            },
            Found::Empty if provided::module(&import.specifier).is_some() => Link::Provided(import.specifier.clone()),
            Found::Empty => Link::Provided(provided::EMPTY.to_owned()),
            Found::Builtin | Found::Missing(_) if may_fail => Link::Provided(provided::missing(&import.specifier)),
            Found::Builtin if in_package => return self.need(step, import),
            Found::Builtin => return self.problems.push(self.importer(at).builtin(import)),
            Found::Missing(error) => return self.problems.push(self.importer(at).missing(import, error)),
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

    /// Notes that a package asks for a module of Node.js.
    fn need(&mut self, step: Step, import: &Import) {
        let importer = self.importer(step.0);
        let (module, place, way) = (importer.name.to_owned(), importer.at(import), importer.way.clone().unwrap_or_default());
        // The last import on the way that a person wrote.
        let mut asking = step;
        while module::is_in_package(&self.nodes[asking.0].id.0)
            && let Some(earlier) = self.nodes[asking.0].importer
        {
            asking = earlier;
        }
        self.needs.entry(asking).or_default().push(Need { specifier: import.specifier.clone(), module, place, way });
    }

    /// Tells what packages need of Node.js.
    fn tell_needs(&mut self) {
        for ((at, index), needs) in std::mem::take(&mut self.needs) {
            let import = &self.nodes[at].parsed.imports[index];
            let importer = self.importer(at);
            let asker = Asker { file: importer.name.to_owned(), specifier: import.specifier.clone(), place: importer.at(import) };
            self.problems.push(needs::problem(asker, &needs));
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
        Importer { root: self.root, path: &node.id.0, name: &node.name, text: node.parsed.text(), way }
    }

    /// How the entry leads to a module.
    fn way(&self, at: usize) -> String {
        const SHOWN: usize = 4;
        let mut names = vec![self.nodes[at].name.as_str()];
        let mut next = self.nodes[at].importer;
        while let Some((importer, _)) = next {
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

    /// The files whose change changes the script.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        let manifests = self.manifests.iter().filter(|(_, stamp)| stamp.is_some()).map(|(path, _)| path);
        let manifests = manifests.filter(|path| path.file_name().is_some_and(|name| name == "package.json"));
        self.nodes.iter().map(|node| &node.id.0).chain(manifests).cloned().collect()
    }
}
