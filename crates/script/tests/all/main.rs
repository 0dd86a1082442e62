//! Folders with apps and packages, and the scripts that become of them.

mod again;
mod interop;
mod packages;
mod refused;
mod resolved;
mod support;
mod transformed;
