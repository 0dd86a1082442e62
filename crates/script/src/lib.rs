//! From a developer's folder to a script: resolves imports, strips types, and says precisely what does not work.
//!
//! A script is whole: what a node gets of it depends on no folder, no package manager and no clock. This crate is the only one that
//! knows oxc. `collect` remembers what it read and `walk`s the graph of modules from the entry; `resolve` finds what an import means; `parse` reads one file, with
//! `syntax` for what it imports, `commonjs` for what old packages export and `typescript` for what is no JavaScript yet.

mod binding;
mod builtin;
mod collect;
mod commonjs;
pub mod declarations;
mod depth;
mod entry;
mod exports;
mod file;
mod format;
mod instead;
mod interop;
mod missing;
mod module;
mod names;
mod needs;
mod parse;
mod production;
mod provided;
mod resolve;
mod syntax;
mod typescript;
mod walk;

pub use collect::{Collected, Collector, collect};
pub use entry::entry;
