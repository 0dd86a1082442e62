//! The embedded store as its users see it: the suites that every store passes, and what only a store on a disk can get wrong.

mod conforms;
mod crashes;
mod damage;
mod failures;
mod full;
mod golden;
mod ledger;
mod objects;
mod queues;
mod relational;
mod state;
mod traffic;
mod vaults;
mod victim;
