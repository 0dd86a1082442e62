//! The commands of dayfly, for people. They speak the control API and print; a node in this process comes through [`node`].

pub mod node;
