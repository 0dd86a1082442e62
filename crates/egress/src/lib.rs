//! The only way out: HTTP to the outside, behind a guard.
//!
//! A call is judged in this order: `target` reads what is called and refuses what nobody may call; `resolve` turns the name into
//! addresses, here and nowhere else, and `lookups` bounds how many of these wait; `guard` judges every one of them by the tables of `addresses`; `connect` connects to an address
//! that was judged, never to the name; `pool` keeps connections for the tenant that opened them. Whether a function may call the
//! host at all was decided before, by its reach.

mod addresses;
mod body;
mod connect;
mod egress;
mod failure;
mod guard;
mod headers;
mod lookups;
mod pool;
mod resolve;
mod target;
mod tls;

pub use egress::{Egress, EgressSettings};
pub use guard::Guarding;
pub use resolve::{Resolve, SystemResolver};
pub use tls::Roots;
