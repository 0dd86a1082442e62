//! What dayfly provides beside the WASI release.

wit_bindgen::generate!({
    path: "../../../wit",
    world: "dayfly:host/services",
    generate_all,
});

// The generator puts versions into the names, as `deps` holds several of each.
pub use wasi::config0_2_0_rc_1 as config;
pub use wasi::keyvalue0_2_0_draft2 as keyvalue;
pub use wasi::logging0_1_0_draft as logging;
