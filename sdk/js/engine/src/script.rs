//! A script as the engine gets it: the records of `wit/deps/dayfly-js.wit`, so that the machine does not depend on bindings.

/// A whole program.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The name of the first module.
    pub entry: String,
    /// All modules, in no order.
    pub modules: Vec<Module>,
    /// What `env` holds.
    pub bindings: Vec<Binding>,
    /// The handlers that the function's triggers will ask for.
    pub handlers: Vec<String>,
}

/// A module of a script.
#[derive(Clone, Debug)]
pub struct Module {
    /// The path of its file, relative to the app's folder. Stack traces show it.
    pub name: String,
    /// What the text is.
    pub kind: Kind,
    /// JavaScript without types, or the text of the file.
    pub code: String,
    /// Its imports, resolved: as the module writes it, and the name of the module that is meant.
    pub links: Vec<(String, String)>,
    /// Of a CommonJS module: the names that it seems to export, beside `default`.
    pub exports: Vec<String>,
}

/// What a module's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ES module.
    Module,
    /// The body of a function of `exports`, `require`, `module`.
    CommonJs,
    /// JSON: its default export is the value.
    Json,
    /// Text: its default export is the string.
    Text,
    /// Base 64: its default export is a `Uint8Array`.
    Bytes,
}

/// One thing that `env` holds.
#[derive(Clone, Debug)]
pub struct Binding {
    /// `kv`, `sql`, `bucket`, `queue`, `stream`, `event`, `secret`, `setting` or `function`.
    pub resource: &'static str,
    /// The name of the resource, which is also its property of `env`.
    pub name: String,
}

/// An exception, as plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thrown {
    /// `TypeError`, say; empty if what was thrown is no error.
    pub name: String,
    /// What it says, or the thrown value as text.
    pub message: String,
    /// One call a line: `    at name (module:line:column)`.
    pub stack: String,
    /// The chain of causes, outermost first.
    pub causes: Vec<String>,
}

/// How an invocation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An exception that nobody caught.
    Threw,
    /// The handler gave something else than it may.
    WrongAnswer,
    /// Nothing is left to run, and the handler's promise is still pending.
    NeverSettles,
    /// More memory than the function may have.
    OutOfMemory,
    /// The time was up.
    Interrupted,
}

/// Why a script cannot be loaded.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A module does not parse, or imports a name that the other does not export.
    Syntax(Thrown),
    /// Its top-level code threw.
    Threw(Thrown),
    /// A handler that the triggers ask for is missing, or the default export is no object of functions.
    Handlers(String),
}
