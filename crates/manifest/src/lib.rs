//! `dayfly.toml`: reads it into [`types::App`], says precisely what is wrong with it, and edits it without losing comments.
//!
//! A manifest passes four steps, a file each. `tree` parses TOML into values that know where they stand. `check` walks them along
//! `grammar`, the one table of keys, and notes every problem. `model` merges the layers (the function's table, its `fn.toml`, the
//! environment) and makes the model. `origins` keeps, for every effective value, the line it came from. Values are walked by hand:
//! a person is told about all mistakes at once, each with its line and the line as it should stand.

mod check;
mod code;
pub mod edit;
mod files;
mod grammar;
mod leaf;
mod load;
mod model;
mod nearest;
mod on;
mod origins;
mod routes;
pub mod rules;
pub mod schema;
mod settings;
mod source;
mod tree;

pub use files::{Disk, Files, Found};
pub use load::{Loaded, load, parse};
pub use origins::{OriginRow, Origins};
pub use schema::schema;

/// The name of a manifest in its folder.
pub const FILE_NAME: &str = "dayfly.toml";
/// The name of a function's own part of the manifest, in the folder that its `path` names.
pub const FUNCTION_FILE_NAME: &str = "fn.toml";
