//! What a module exports.

use std::collections::BTreeSet;

use oxc_syntax::module_record::{ExportExportName, ModuleRecord};

/// What a module exports: an ES module as it says, one of CommonJS as it seems.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Exports {
    /// Its own names.
    pub(crate) names: BTreeSet<String>,
    /// The modules, as it writes them, whose names it exports too.
    pub(crate) from: BTreeSet<String>,
}

impl Exports {
    /// Of an ES module. Types count: that they are gone once the program runs is not seen here.
    pub(crate) fn of_module(record: &ModuleRecord<'_>) -> Self {
        let entries = record.local_export_entries.iter().chain(&record.indirect_export_entries);
        let names = entries.filter_map(|entry| match &entry.export_name {
            ExportExportName::Name(name) => Some(name.name.to_string()),
            ExportExportName::Default(_) => Some("default".to_owned()),
            ExportExportName::Null => None,
        });
        let stars = record.star_export_entries.iter().filter_map(|entry| Some(entry.module_request.as_ref()?.name.to_string()));
        Self { names: names.collect(), from: stars.collect() }
    }
}
