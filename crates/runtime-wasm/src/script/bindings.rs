//! What the host calls of the engine before anything is served, generated from `wit/`.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package dayfly:js-exports;

        world loader {
            export dayfly:js/script@0.1.0;
        }
    ",
    world: "dayfly:js-exports/loader",
    exports: { default: async },
    with: {
        "dayfly:js/types": crate::host::bindings::dayfly::js::types,
    },
});
