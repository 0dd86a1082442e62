//! What belongs to the app and to no function: settings of resources, the site, the way in for events.

use std::collections::BTreeSet;

use types::{
    Code, Grant, Problem, Resource,
    app::ResourceKind,
    event::BusName,
    settings::{BucketSettings, EventsSettings, KvSettings, QueueSettings, Resources, SiteSettings, SqlSettings, StreamSettings},
};

use crate::{
    files::{Files, Found},
    grammar::{self, Named, Shape},
    leaf,
    nearest::nearest,
    origins::{Origins, print},
    source::{At, Sources},
    tree::{Key, Node, Table, Value},
};

/// The tables of these settings with the environment's merged over them.
pub(crate) fn merged(root: &Table, own_env: Option<&Table>) -> Table {
    let belongs = |key: &Key| grammar::settings().any(|known| known.name == key.name);
    let of = |table: &Table| Table(table.0.iter().filter(|(key, _)| belongs(key)).cloned().collect());
    let mut merged = of(root);
    if let Some(own) = own_env {
        merged.merge(of(own));
    }
    merged
}

/// Reads the merged tables.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) files: &'a dyn Files,
    pub(crate) problems: &'a mut Vec<Problem>,
    pub(crate) origins: &'a mut Origins,
}

impl Reader<'_> {
    /// Settings of resources. `named` is every resource that a function of any environment names.
    pub(crate) fn resources(&mut self, tables: &Table, named: &BTreeSet<Resource>) -> Resources {
        let mut resources = Resources::default();
        for key in grammar::settings() {
            let Shape::Named(Named::Resource(kind), _) = key.shape else { continue };
            for (name, node) in tables.table(key.name).into_iter().flat_map(|table| &table.0) {
                let Value::Table(table) = &node.value else { continue };
                if leaf::is_name(&name.name) {
                    self.is_named(kind, name, named);
                    self.resource(kind, &name.name, table, &mut resources);
                }
            }
        }
        resources
    }

    fn resource(&mut self, kind: ResourceKind, name: &str, table: &Table, resources: &mut Resources) {
        let at = format!("{}.{name}.", kind.as_str());
        let name = name.to_owned();
        match kind {
            ResourceKind::Kv => {
                let expire = self.value(table, &at, "expire", |value| leaf::span(&leaf::EXPIRE, value));
                resources.kv.insert(name, KvSettings { expire });
            }
            ResourceKind::Sql => {
                let migrations = self.value(table, &at, "migrations", leaf::folder);
                self.folder(table, "migrations", migrations.as_deref(), Code::E0117);
                resources.sql.insert(name, SqlSettings { migrations });
            }
            ResourceKind::Bucket => {
                let versioning = self.value(table, &at, "versioning", leaf::flag).unwrap_or_default();
                let expire = self.value(table, &at, "expire", |value| leaf::span(&leaf::EXPIRE, value));
                let cors = self.value(table, &at, "cors", origins).unwrap_or_default();
                resources.bucket.insert(name, BucketSettings { versioning, expire, cors });
            }
            ResourceKind::Queue => {
                let retention = self.value(table, &at, "retention", |value| leaf::span(&leaf::RETENTION, value));
                resources.queue.insert(name, QueueSettings { retention });
            }
            ResourceKind::Stream => {
                let partitions = self.value(table, &at, "partitions", |value| leaf::amount(&leaf::PARTITIONS, value));
                let retention = self.value(table, &at, "retention", |value| leaf::span(&leaf::RETENTION, value));
                resources.stream.insert(name, StreamSettings { partitions, retention });
            }
            ResourceKind::Secret | ResourceKind::Event => {}
        }
    }

    /// A table for what nobody names sets nothing: a slip of the finger.
    fn is_named(&mut self, kind: ResourceKind, key: &Key, named: &BTreeSet<Resource>) {
        let of_kind: Vec<&str> =
            named.iter().filter(|resource| resource.kind == kind).map(|resource| resource.name.as_str()).collect();
        if of_kind.contains(&key.name.as_str()) {
            return;
        }
        let message = format!("[{}.{}] sets a resource that no function uses", kind.as_str(), key.name);
        let mut problem = Problem::new(Code::E0107, message).at(self.sources.place(key.at));
        problem.notes.push(match of_kind.len() {
            0 => format!(
                "no function uses a {} at all: a resource exists because a function names it",
                Named::Resource(kind).noun()
            ),
            _ => format!("used: {}", of_kind.join(", ")),
        });
        problem.help = match nearest(&key.name, of_kind) {
            Some(meant) => self.sources.mended(key.at, meant),
            None => Some(format!("uses = [\"{}.{}\"]", kind.as_str(), key.name)),
        };
        self.problems.push(problem);
    }

    /// The static site.
    pub(crate) fn site(&mut self, tables: &Table) -> Option<SiteSettings> {
        let (key, node) = tables.entry("site")?;
        let Value::Table(table) = &node.value else { return None };
        let dir = self.required(table, key, "dir", "dir = \"web/dist\"")?;
        let dir = leaf::folder(&dir.value).ok()?;
        let fallback = self.value(table, "site.", "fallback", leaf::folder);
        self.value(table, "site.", "dir", leaf::folder);
        self.folder(table, "dir", Some(&dir), Code::E0116);
        if let Some(fallback) = &fallback
            && self.files.found(&dir) == Found::Folder
            && self.files.found(&format!("{dir}/{fallback}")) != Found::File
        {
            let at = table.get("fallback").map_or(key.at, |node| node.at);
            let message = format!("the site has no file {fallback:?}: a fallback is one of the files in {dir:?}");
            let names = self.files.names(&dir);
            let meant = nearest(fallback, names.iter().map(String::as_str));
            let mended = meant.and_then(|meant| self.sources.mended(at, &leaf::quote(meant)));
            self.tell(Code::E0116, message, at, mended);
        }
        Some(SiteSettings { dir, fallback })
    }

    /// The way in for events.
    pub(crate) fn events(&mut self, tables: &Table) -> Option<EventsSettings> {
        let (key, node) = tables.entry("events")?;
        let Value::Table(table) = &node.value else { return None };
        self.required(table, key, "key", "key = \"EVENTS_KEY\"")?;
        let secret = self.value(table, "events.", "key", |value| leaf::name(ResourceKind::Secret, value))?;
        let bus = self.value(table, "events.", "bus", |value| leaf::name(ResourceKind::Event, value));
        if table.get("bus").is_none() {
            self.origins.found("events.bus".into(), leaf::quote(BusName::DEFAULT), "default: the bus that every app has");
        }
        Some(EventsSettings { key: secret, bus: bus.unwrap_or_else(|| BusName::DEFAULT.into()) })
    }

    fn folder(&mut self, table: &Table, key: &str, folder: Option<&str>, code: Code) {
        let (Some(node), Some(folder)) = (table.get(key), folder) else { return };
        let message = match self.files.found(folder) {
            Found::Folder => return,
            Found::File => format!("{folder:?} is a file, and `{key}` names a folder"),
            Found::Nothing => format!("there is no folder {folder:?}"),
        };
        let at = node.at;
        let mut problem =
            Problem::new(code, message).at(self.sources.place(at)).note("a path is relative to the manifest's folder");
        problem.help = Some(
            if code == Code::E0116 {
                "build the site first, or name the folder that it is built into"
            } else {
                "mkdir it, and put files such as 001-orders.sql there"
            }
            .to_owned(),
        );
        self.problems.push(problem);
    }

    fn required<'t>(&mut self, table: &'t Table, key: &Key, name: &str, example: &str) -> Option<&'t Node> {
        let node = table.get(name);
        if node.is_none() {
            let message = format!("the key `{name}` is missing in [{}]", key.name);
            let place = self.sources.place(key.at);
            self.problems.push(Problem::new(Code::E0106, message).at(place).help(example));
        }
        node
    }

    fn value<T>(&mut self, table: &Table, at: &str, name: &str, read: impl Fn(&Value) -> Result<T, leaf::Refusal>) -> Option<T> {
        let node = table.get(name)?;
        let value = read(&node.value).ok()?;
        self.origins.written(self.sources, format!("{at}{name}"), print(node), node.at);
        Some(value)
    }

    fn tell(&mut self, code: Code, message: String, at: At, help: Option<String>) {
        let mut problem = Problem::new(code, message).at(self.sources.place(at));
        problem.help = help;
        self.problems.push(problem);
    }
}

fn origins(value: &Value) -> Result<Vec<String>, leaf::Refusal> {
    match value {
        Value::List(items) => items.iter().map(|item| leaf::origin(&item.value)).collect(),
        value => Err(leaf::Leaf::Origin.wrong_type(value)),
    }
}

/// Every resource that a function of any environment names, as far as it can be read.
pub(crate) fn named(root: &Table) -> BTreeSet<Resource> {
    let environments = root.table("env").into_iter().flat_map(|envs| &envs.0);
    let environments =
        environments.filter_map(|(_, node)| if let Value::Table(table) = &node.value { Some(table) } else { None });
    let functions =
        std::iter::once(root).chain(environments).flat_map(|table| table.table("fn")).flat_map(|functions| &functions.0);
    functions
        .filter_map(|(_, node)| if let Value::Table(table) = &node.value { Some(table) } else { None })
        .flat_map(of_function)
        .collect()
}

/// The resources that one function's table names.
pub(crate) fn of_function(table: &Table) -> Vec<Resource> {
    let uses = table.get("uses").and_then(|node| if let Value::List(items) = &node.value { Some(items) } else { None });
    let used = uses.into_iter().flatten().filter_map(|item| match &item.value {
        Value::Text(text) => text.parse::<Grant>().ok().map(|grant| grant.resource),
        _ => None,
    });
    let on = table.table("on");
    let sources = [ResourceKind::Queue, ResourceKind::Stream, ResourceKind::Bucket, ResourceKind::Kv, ResourceKind::Sql]
        .map(|kind| (kind.as_str(), kind));
    let started = sources.into_iter().chain([("dead", ResourceKind::Queue)]).filter_map(|(key, kind)| {
        let name = leaf::name(kind, &on?.get(key)?.value).ok()?;
        Some(Resource { kind, name })
    });
    used.chain(started).collect()
}
