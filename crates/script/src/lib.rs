//! From a developer's folder to a script.
