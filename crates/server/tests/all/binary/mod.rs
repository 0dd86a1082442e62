//! Tests through the program `dayfly` alone: commands, sockets and files, as people and their tools meet them.

mod bad_input;
mod cases;
mod clients;
mod commands;
mod exactly_once;
mod gateway;
mod guides;
mod hostile;
mod real_input;
mod shop;
mod stores;
mod streams;
mod support;
mod survival;
mod triggers;
mod views;
