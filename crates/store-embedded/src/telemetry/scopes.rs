//! The functions that a batch of records belongs to, numbered in the order in which they were met.

use std::collections::BTreeMap;

use types::{AppName, EnvName, FunctionName, record::InvocationRecord};

/// Whose record it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Scope {
    pub(super) app: AppName,
    pub(super) env: EnvName,
    pub(super) function: FunctionName,
}

impl Scope {
    fn of(record: &InvocationRecord) -> Self {
        Self { app: record.app.clone(), env: record.env.clone(), function: record.function.clone() }
    }
}

/// Numbers for the scopes of records that are all alive.
///
/// Records of one revision share their names, so a name's address tells nearly always which it is, and comparing addresses costs a
/// tenth of comparing three texts. The lifetime keeps the records, and so their names, where they are.
#[derive(Default)]
pub(super) struct Scopes<'a> {
    list: Vec<Scope>,
    by_address: BTreeMap<[*const u8; 3], usize>,
    by_name: BTreeMap<Scope, usize>,
    records: std::marker::PhantomData<&'a InvocationRecord>,
}

impl<'a> Scopes<'a> {
    /// The number of the record's scope.
    pub(super) fn number(&mut self, record: &'a InvocationRecord) -> usize {
        let address = [record.function.as_str().as_ptr(), record.app.as_str().as_ptr(), record.env.as_str().as_ptr()];
        if let Some(number) = self.by_address.get(&address) {
            return *number;
        }
        let scope = Scope::of(record);
        let number = *self.by_name.entry(scope.clone()).or_insert(self.list.len());
        if number == self.list.len() {
            self.list.push(scope);
        }
        self.by_address.insert(address, number);
        number
    }

    /// The scopes by number.
    pub(super) fn into_list(self) -> Vec<Scope> {
        self.list
    }
}
