//! Tests through the program `dayfly` alone: commands, sockets and files, as people and their tools meet them.

mod real_input;
mod support;
