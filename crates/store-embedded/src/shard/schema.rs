//! The tables of all modules, as steps. The file's `user_version` says how many of them it has.

/// In the order in which they came to be. A new one goes to the end; one that was released never changes.
pub(super) const STEPS: &[&str] = &[
    include_str!("../kv/schema.sql"),
    include_str!("schema.sql"),
    include_str!("../queue/schema.sql"),
    include_str!("../feeds/schema.sql"),
    include_str!("../lease/schema.sql"),
    include_str!("../objects/schema.sql"),
    include_str!("../log/schema.sql"),
    // This comment keeps one step a line.
];
