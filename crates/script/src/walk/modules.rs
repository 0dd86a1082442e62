//! From what was found to the modules of a script: their links, and the names that those have who don't say it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use types::script::{Module, ModuleKind};

use super::{Link, Walk};
use crate::{
    commonjs::COMPILED,
    interop::{Asked, Between},
    module,
    parse::Parsed,
    provided,
    syntax::How,
};

/// Names that are asked for, by the index of the module.
type Wanted = BTreeMap<usize, BTreeSet<String>>;

impl Walk<'_> {
    /// All modules, by name.
    pub(crate) fn modules(&mut self) -> Vec<Arc<Module>> {
        if self.has_new_packages {
            self.read.values_mut().for_each(|remembered| remembered.module = None);
        }
        let (wanted, between) = (self.wanted(), self.all_between());
        let mut modules: Vec<Arc<Module>> = (0..self.nodes.len()).map(|at| self.module(at, wanted.get(&at))).collect();
        let provided: BTreeSet<&String> = self
            .nodes
            .iter()
            .flat_map(|node| node.links.values())
            .filter_map(|link| if let Link::Provided(name) = link { Some(name) } else { None })
            .collect();
        modules.extend(provided.into_iter().filter_map(|name| provided::module(name)).map(Arc::new));
        modules.extend(between.into_values().map(Arc::new));
        modules.sort_by(|left, right| left.name.cmp(&right.name));
        modules
    }

    fn module(&mut self, at: usize, wanted: Option<&BTreeSet<String>>) -> Arc<Module> {
        let known = self.read.get(&self.nodes[at].id).and_then(|remembered| remembered.module.clone());
        let module = known.unwrap_or_else(|| self.made(at));
        // Who asks for what differs from function to function: it is not remembered.
        match wanted.map(|wanted| self.has(at, wanted)).filter(|wanted| !wanted.iter().all(|name| module.exports.contains(name)))
        {
            None => module,
            Some(wanted) => {
                let exports: BTreeSet<String> = module.exports.iter().cloned().chain(wanted).collect();
                Arc::new(Module { exports: exports.into_iter().collect(), ..Module::clone(&module) })
            }
        }
    }

    /// The module without what is asked of it, which is remembered if it is of a package.
    fn made(&mut self, at: usize) -> Arc<Module> {
        let node = &self.nodes[at];
        let target = |(specifier, link): (&String, &Link)| match link {
            Link::Node(id) => match self.between(at, specifier) {
                Some(between) => Some(between.name()),
                None => self.nodes.get(self.index[id]).map(|node| node.name.clone()),
            },
            Link::Provided(name) => Some(name.clone()),
        };
        let links = node.links.iter().filter_map(|link| Some((link.0.clone(), target(link)?))).collect();
        let mut exports = BTreeSet::new();
        if node.parsed.kind == ModuleKind::CommonJs {
            self.exports(at, &mut exports, &mut BTreeSet::new());
        }
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

    /// The names that ES modules ask of modules that don't say what they export.
    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::new();
        for node in self.nodes.iter().filter(|node| node.parsed.kind == ModuleKind::Module) {
            for import in node.parsed.imports.iter().filter(|import| import.how != How::Require) {
                let Some(Link::Node(id)) = node.links.get(&import.specifier) else { continue };
                let target = self.index[id];
                let says = self.nodes.get(target).is_none_or(|target| target.parsed.kind == ModuleKind::Module);
                let names = import.names.keys().chain(&import.members).filter(|name| *name != "default");
                if !says {
                    wanted.entry(target).or_default().extend(names.cloned());
                }
            }
        }
        wanted
    }

    /// Those of the names that a module may have: of a JSON file its keys, of CommonJS any, as only running tells.
    fn has(&self, at: usize, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        let parsed = &self.nodes[at].parsed;
        match parsed.kind {
            ModuleKind::CommonJs => wanted.clone(),
            ModuleKind::Json if !wanted.is_empty() => {
                let keys: BTreeMap<String, serde::de::IgnoredAny> = serde_json::from_str(&parsed.code).unwrap_or_default();
                wanted.iter().filter(|name| keys.contains_key(*name)).cloned().collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// What stands between a module and the CommonJS module that one of its imports means, if anything has to.
    fn between<'a>(&'a self, at: usize, specifier: &'a str) -> Option<Between<'a>> {
        let node = &self.nodes[at];
        let Some(Link::Node(id)) = node.links.get(specifier) else { return None };
        let target = self.nodes.get(self.index[id])?;
        if node.parsed.kind != ModuleKind::Module || target.parsed.kind != ModuleKind::CommonJs {
            return None;
        }
        let mut known = BTreeSet::new();
        self.exports(self.index[id], &mut known, &mut BTreeSet::new());
        let unwraps = !node.parsed.is_said && known.contains(COMPILED);
        // What packages ask for was there when somebody published them.
        let asked = if module::is_in_package(&node.id.0) { None } else { self.asked_of(at, specifier, &known) };
        (unwraps || asked.is_some()).then_some(Between { target: &target.name, unwraps, asked })
    }

    /// The names that a person's file imports and that nobody saw in the module.
    fn asked_of<'a>(&'a self, at: usize, specifier: &'a str, known: &BTreeSet<String>) -> Option<Asked<'a>> {
        let node = &self.nodes[at];
        let imports = node.parsed.imports.iter().filter(|import| import.how == How::Import && import.specifier == specifier);
        let names: Vec<_> = imports
            .flat_map(|import| &import.names)
            .filter(|(name, _)| *name != "default" && !known.contains(*name))
            .map(|(name, span)| (name.as_str(), self.importer(at).place(*span)))
            .collect();
        (!names.is_empty()).then_some(Asked { importer: &node.name, specifier, names })
    }

    /// All modules that stand in between, by name.
    fn all_between(&self) -> BTreeMap<String, Module> {
        let links = self.nodes.iter().enumerate().flat_map(|(at, node)| node.links.keys().map(move |specifier| (at, specifier)));
        let between = links.filter_map(|(at, specifier)| self.between(at, specifier));
        between.map(|between| (between.name(), between.module())).collect()
    }
}
