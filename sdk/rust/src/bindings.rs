//! The interfaces themselves, as `wit/` has them.

#![allow(missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package dayfly:sdk;

        world services {
            include dayfly:host/services@0.1.0;
            include dayfly:host/services-streams@0.1.0;
        }
    ",
    world: "dayfly:sdk/services",
    with: {
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
    generate_all,
});

// The generator puts versions into the names, as the folder holds several of each.
pub use self::dayfly::{events, queue, sql, stream};
pub use self::wasi::blobstore;
pub use self::wasi::config0_2_0_rc_1 as config;
pub use self::wasi::keyvalue0_2_0_draft2 as keyvalue;
pub use self::wasi::logging0_1_0_draft as logging;
