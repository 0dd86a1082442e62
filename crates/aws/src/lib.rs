//! The endpoints that existing AWS clients speak.
