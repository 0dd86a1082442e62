//! The platform as a component sees it: the interfaces of `wit/`.

pub(crate) mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

    wit_bindgen::generate!({
        path: "../../../wit",
        world: "dayfly:host/script-engine",
        // Given by hand: it is a view of the memory, and no list that is made and freed.
        skip: ["snapshot"],
        pub_export_macro: true,
        generate_all,
    });
}

pub(crate) mod clock;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod poll;
pub(crate) mod random;
mod reasons;
pub(crate) mod report;
