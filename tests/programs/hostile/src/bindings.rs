//! What dayfly provides beside the WASI release.

wit_bindgen::generate!({
    path: "../../../wit",
    world: "dayfly:host/services",
    generate_all,
});

pub use wasi::keyvalue0_2_0_draft2 as keyvalue;
pub use wasi::logging0_1_0_draft as logging;
