//! Control: plans, deploys and switches revisions, and offers the control API.
//!
//! It owns the catalog's writes and builds the snapshot that the data plane serves from; the data plane never asks it for anything. What
//! was recorded it only reads: the views are `observe`'s, and journals are opened by whoever holds their key.

mod api;
mod apply;
mod capture;
mod check;
mod core;
mod data;
mod deploy;
mod hosts;
mod journal;
mod judge;
mod plan;
mod prune;
mod refresh;
mod removal;
mod resources;
mod serve;
mod site;
mod snapshot;
pub mod token;

pub use self::{
    api::{document, router},
    core::{Control, Parts},
    data::Data,
    hosts::Hosts,
    prune::Pruned,
    serve::serve,
    token::Token,
};
