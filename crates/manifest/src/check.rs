//! The walk of one file along the grammar: notes everything that is wrong with single keys and values.
//!
//! What concerns several values at once (missing keys, routes that clash) is found after merging, in `model`.

use types::{Code, EnvName, FunctionName, Problem};

use crate::{
    grammar::{self, Key, Named, Shape},
    leaf::{self, Leaf, Refusal},
    nearest::{as_name, nearest},
    source::{At, Sources},
    tree::{self, Node, Table, Value},
};

/// Walks a table with these keys. `place` is how messages name the table: empty for the whole file.
pub(crate) fn table(sources: &Sources, keys: &'static [Key], entries: &Table, place: &str) -> Vec<Problem> {
    let mut check = Check { sources, problems: Vec::new() };
    check.table(keys, entries, &Place(place.to_owned()));
    check.problems
}

struct Check<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
}

/// The dotted name of a table.
struct Place(String);

impl Place {
    fn under(&self, name: &str) -> Self {
        // A key may hold anything; it is cut and escaped, since it is printed.
        let name: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        Self(if self.0.is_empty() { name } else { format!("{}.{name}", self.0) })
    }
    /// ` in [fn.api]`, or nothing for the whole file.
    fn suffix(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(" in [{}]", self.0) }
    }
}

impl Check<'_> {
    fn table(&mut self, keys: &'static [Key], entries: &Table, place: &Place) {
        for (key, node) in &entries.0 {
            match keys.iter().find(|known| known.name == key.name) {
                Some(known) => self.shape(&known.shape, key, node, place),
                None => self.unknown(keys, key, place),
            }
        }
    }

    fn shape(&mut self, shape: &'static Shape, key: &tree::Key, node: &Node, place: &Place) {
        let inner = place.under(&key.name);
        match (shape, &node.value) {
            (Shape::Table(keys), Value::Table(entries)) => self.table(keys, entries, &inner),
            (Shape::Named(named, shape), Value::Table(entries)) => self.named(*named, shape, entries, &inner),
            (Shape::Variables, Value::Table(entries)) => self.variables(entries, &inner),
            (Shape::Table(_) | Shape::Named(..) | Shape::Variables, _) => self.not_a_table(shape, key, node, place),
            (Shape::One(leaf), _) => self.leaf(*leaf, key, node, place),
            (Shape::List(leaf) | Shape::OneOrList(leaf), Value::List(items)) => {
                items.iter().for_each(|item| self.leaf(*leaf, key, item, place));
            }
            (Shape::OneOrList(leaf), _) => self.leaf(*leaf, key, node, place),
            (Shape::List(leaf), value) => {
                let mended = match value {
                    Value::Text(text) => Some(format!("[{}]", leaf::quote(text))),
                    _ => None,
                };
                let message = format!("takes a list, and this is {}", value.kind());
                let refusal = Refusal::new(Code::E0104, message).note(format!("each is {}", leaf.expects())).mend(mended);
                self.refuse(refusal, key, node.at, place);
            }
        }
    }

    fn named(&mut self, named: Named, shape: &'static Shape, entries: &Table, place: &Place) {
        for (key, node) in &entries.0 {
            let valid = match named {
                Named::Function => key.name.parse::<FunctionName>().err(),
                Named::Environment => key.name.parse::<EnvName>().err(),
                Named::Resource(_) => {
                    self.resource(named, key, node);
                    None
                }
            };
            if let (Some(error), Value::Table(_)) = (valid, &node.value) {
                let mended = as_name(&key.name).and_then(|name| self.sources.mended(key.at, &name));
                let message = format!("the {} {error}", named.noun());
                self.push(Code::E0111, message, key.at, Vec::new(), mended);
            }
            self.shape(shape, key, node, place);
        }
    }

    /// Names of resources may hold more than those of functions.
    fn resource(&mut self, named: Named, key: &tree::Key, node: &Node) {
        if matches!(node.value, Value::Table(_)) && !leaf::is_name(&key.name) {
            let message = format!("the {} {:?} is not a name: use 1 to 63 letters, digits, dashes and _", named.noun(), key.name);
            let mended = as_name(&key.name).and_then(|name| self.sources.mended(key.at, &name));
            self.push(Code::E0111, message, key.at, Vec::new(), mended);
        }
    }

    fn variables(&mut self, entries: &Table, place: &Place) {
        for (key, node) in &entries.0 {
            if key.name.is_empty() || key.name.contains(['=', '\0']) {
                let message = format!("{:?} can't be the name of an environment variable", key.name);
                self.push(Code::E0111, message, key.at, Vec::new(), None);
            }
            if let Err(refusal) = leaf::variable(&node.value) {
                self.refuse(refusal, key, node.at, place);
            }
        }
    }

    fn leaf(&mut self, leaf: Leaf, key: &tree::Key, node: &Node, place: &Place) {
        if let Err(refusal) = leaf.check(&node.value) {
            self.refuse(refusal, key, node.at, place);
        }
    }

    fn refuse(&mut self, refusal: Refusal, key: &tree::Key, at: At, place: &Place) {
        let Refusal { code, message, notes, mended } = refusal;
        let mended = mended.map(|value| self.sources.mended(at, &value).unwrap_or(value));
        // A type or a bound is said of the key; other messages quote the value themselves.
        let message = match code {
            Code::E0104 => format!("`{}`{} {message}", place_key(&key.name), place.suffix()),
            _ => format!("`{}`{}: {message}", place_key(&key.name), place.suffix()),
        };
        self.push(code, message, at, notes, mended);
    }

    fn not_a_table(&mut self, shape: &Shape, key: &tree::Key, node: &Node, place: &Place) {
        let name = place.under(&key.name).0;
        let message = format!("`{}`{} must be a table, and this is {}", place_key(&key.name), place.suffix(), node.value.kind());
        let (note, help) = match shape {
            Shape::Named(named, _) => {
                (format!("each {} is a table with a name", named.noun()), format!("[{name}.{}]", example(*named)))
            }
            Shape::Table(_) if key.name == "on" => (
                "what starts a function is a table with one source".into(),
                format!("{} = {{ queue = \"mail\" }}", place_key(&key.name)),
            ),
            Shape::Variables => {
                ("each variable is a string".into(), format!("{} = {{ NAME = \"value\" }}", place_key(&key.name)))
            }
            // `[fn]` with the keys of a function in it: the name was forgotten.
            Shape::Table(keys) if keys.iter().any(|known| known.name == key.name) => {
                let last = place.0.rsplit('.').next().unwrap_or_default();
                let named = match types::app::ResourceKind::ALL.into_iter().find(|kind| kind.as_str() == last) {
                    Some(kind) => Named::Resource(kind),
                    None if last == "env" => Named::Environment,
                    None => Named::Function,
                };
                (format!("each {} is a table with a name", named.noun()), format!("[{}.{}]", place.0, example(named)))
            }
            Shape::Table(keys) => (known(keys), format!("[{name}]")),
            Shape::One(_) | Shape::List(_) | Shape::OneOrList(_) => return,
        };
        // `[[fn]]` is a list in TOML; the line to mend is the header.
        self.push(Code::E0104, message, key.at, vec![note], Some(help));
    }

    fn unknown(&mut self, keys: &'static [Key], key: &tree::Key, place: &Place) {
        let message = format!("unknown key `{}`{}", place_key(&key.name), place.suffix());
        let mut notes = vec![known(keys)];
        let mended = match self.elsewhere(keys, &key.name) {
            Some(Elsewhere::On) => {
                notes = vec![format!("`{}` belongs to what starts the function: on = {{ … }}", key.name)];
                self.sources.mended(key.at, &format!("on.{}", key.name))
            }
            Some(Elsewhere::Limit) => {
                notes = vec![format!("`{}` is one of the limits", key.name)];
                self.sources.mended(key.at, &format!("limits.{}", key.name))
            }
            Some(Elsewhere::Environment) => {
                notes = vec![format!("`{}` belongs to an environment, such as [env.prod]", key.name)];
                None
            }
            Some(Elsewhere::Function) => {
                notes = vec![format!("`{}` belongs to a function, such as [fn.api]", key.name)];
                None
            }
            None => nearest(&key.name, keys.iter().map(|key| key.name)).and_then(|name| self.sources.mended(key.at, name)),
        };
        self.push(Code::E0103, message, key.at, notes, mended);
    }

    /// Where a key that is unknown here is known.
    fn elsewhere(&self, keys: &'static [Key], name: &str) -> Option<Elsewhere> {
        let among = |keys: &[Key]| keys.iter().any(|key| key.name == name);
        let has = |wanted: &str| keys.iter().any(|key| key.name == wanted);
        match name {
            _ if has("limits") && among(&grammar::LIMITS) => Some(Elsewhere::Limit),
            _ if has("limits") && among(&grammar::ON) => Some(Elsewhere::On),
            _ if has("app") && among(&grammar::ENVIRONMENT) => Some(Elsewhere::Environment),
            _ if has("fn") && among(&grammar::FUNCTION) => Some(Elsewhere::Function),
            _ => None,
        }
    }

    fn push(&mut self, code: Code, message: String, at: At, notes: Vec<String>, help: Option<String>) {
        let mut problem = Problem::new(code, message).at(self.sources.place(at));
        problem.notes = notes;
        problem.help = help;
        self.problems.push(problem);
    }
}

enum Elsewhere {
    On,
    Limit,
    Environment,
    Function,
}

fn known(keys: &[Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    format!("known here: {}", names.join(", "))
}

fn example(named: Named) -> &'static str {
    match named {
        Named::Function => "api",
        Named::Environment => "prod",
        Named::Resource(_) => "shop",
    }
}

/// A key as messages print it: cut and escaped.
fn place_key(name: &str) -> String {
    Place(String::new()).under(name).0
}
