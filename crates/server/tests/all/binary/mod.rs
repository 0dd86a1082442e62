//! Tests through the program `dayfly` alone: commands, sockets and files, as people and their tools meet them.

mod amounts;
mod bad_input;
mod cases;
mod clients;
mod commands;
mod damage;
mod deploys;
mod exactly_once;
mod full_disk;
mod gateway;
mod guides;
mod hostile;
mod ingest;
mod javascript;
mod poison;
mod prune;
mod real_input;
mod sealed;
mod shop;
mod spin;
mod stores;
mod streams;
mod support;
mod survival;
mod triggers;
mod views;
