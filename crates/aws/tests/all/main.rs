//! The endpoint through real sockets: raw signed requests, and the clients that people use.

mod answers;
mod checksums;
mod clients;
mod connections;
mod listings;
mod origins;
mod rig;
mod signatures;
mod uploads;
