//! The guest's imports as Rust traits, generated from `wit/`.
//!
//! Only functions that may truly wait are `async`: an async host call costs an allocation, and most calls answer at once. Every call
//! may end the guest (`trappable`). Resources are our own types, so that the table holds them without a box each.

#![allow(dead_code, missing_docs, clippy::all, reason = "generated")]

pub use super::{
    blobstore::{Container, IncomingValue, ObjectNames, OutgoingValue},
    cli::{TerminalInput, TerminalOutput},
    http::{
        body::OutgoingBody,
        fields::Fields,
        future::FutureIncomingResponse,
        incoming::{FutureTrailers, IncomingBody, IncomingRequest, IncomingResponse},
        outgoing::{OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam},
    },
    io::{
        error::{IoError, StreamFailure},
        poll::Pollable,
        streams::{InputStream, OutputStream},
    },
    keyvalue::{Bucket, Swap},
    queue::QueueHandle,
    sql::Connection,
    stream::StreamHandle,
};

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package dayfly:host-imports;

        world guest {
            include dayfly:host/services@0.1.0;
            include dayfly:host/services-streams@0.1.0;
            include dayfly:host/services-drafts@0.1.0;
            include dayfly:host/services-spin@0.1.0;

            import dayfly:js/report@0.1.0;

            import wasi:cli/environment@0.2.12;
            import wasi:cli/exit@0.2.12;
            import wasi:cli/stdin@0.2.12;
            import wasi:cli/stdout@0.2.12;
            import wasi:cli/stderr@0.2.12;
            import wasi:cli/terminal-input@0.2.12;
            import wasi:cli/terminal-output@0.2.12;
            import wasi:cli/terminal-stdin@0.2.12;
            import wasi:cli/terminal-stdout@0.2.12;
            import wasi:cli/terminal-stderr@0.2.12;
            import wasi:clocks/monotonic-clock@0.2.12;
            import wasi:clocks/wall-clock@0.2.12;
            import wasi:http/types@0.2.12;
            import wasi:http/outgoing-handler@0.2.12;
            import wasi:io/error@0.2.12;
            import wasi:io/poll@0.2.12;
            import wasi:io/streams@0.2.12;
            import wasi:random/random@0.2.12;
            import wasi:random/insecure@0.2.12;
            import wasi:random/insecure-seed@0.2.12;
        }
    ",
    world: "dayfly:host-imports/guest",
    imports: {
        "wasi:io/poll.poll": async | trappable,
        "wasi:io/poll.[method]pollable.block": async | trappable,
        "wasi:io/streams.[method]input-stream.blocking-read": async | trappable,
        "wasi:io/streams.[method]input-stream.blocking-skip": async | trappable,
        "wasi:io/streams.[method]output-stream.blocking-write-and-flush": async | trappable,
        "wasi:io/streams.[method]output-stream.blocking-flush": async | trappable,
        "wasi:io/streams.[method]output-stream.blocking-write-zeroes-and-flush": async | trappable,
        "wasi:io/streams.[method]output-stream.blocking-splice": async | trappable,
        "wasi:http/outgoing-handler.handle": async | trappable,
        "wasi:keyvalue/store.[drop]bucket": trappable,
        "wasi:keyvalue/store.open": trappable,
        "wasi:keyvalue/store": async | trappable,
        "wasi:keyvalue/atomics.[drop]cas": trappable,
        "wasi:keyvalue/atomics.[method]cas.current": trappable,
        "wasi:keyvalue/atomics": async | trappable,
        "wasi:keyvalue/batch": async | trappable,
        "fermyon:spin/key-value.[static]store.open": trappable,
        "fermyon:spin/key-value.[drop]store": trappable,
        "fermyon:spin/key-value": async | trappable,
        "wasi:config/store": async | trappable,
        "wasi:config/runtime": async | trappable,
        "fermyon:spin/variables": async | trappable,
        "fermyon:spin/sqlite.[static]connection.open": async | trappable,
        "fermyon:spin/sqlite.[drop]connection": trappable,
        "fermyon:spin/sqlite": async | trappable,
        "spin:sqlite/sqlite.[static]connection.open": async | trappable,
        "spin:sqlite/sqlite.[method]connection.execute": async | trappable,
        "dayfly:queue/producer.[method]queue.send": async | trappable,
        "dayfly:queue/producer.[method]queue.send-batch": async | trappable,
        "dayfly:stream/log.[method]stream.append": async | trappable,
        "dayfly:stream/log.[method]stream.append-batch": async | trappable,
        "dayfly:stream/log.[method]stream.read": async | trappable,
        "dayfly:sql/database.[drop]connection": trappable,
        "dayfly:sql/database": async | trappable,
        "dayfly:events/bus": async | trappable,
        "wasi:blobstore/types.[static]outgoing-value.finish": async | trappable,
        "wasi:blobstore/types.[drop]outgoing-value": async | trappable,
        "wasi:blobstore/types.[static]incoming-value.incoming-value-consume-sync": async | trappable,
        "wasi:blobstore/container.[drop]container": trappable,
        "wasi:blobstore/container.[method]container.name": trappable,
        "wasi:blobstore/container.[drop]stream-object-names": trappable,
        "wasi:blobstore/container": async | trappable,
        "wasi:blobstore/blobstore.get-container": trappable,
        "wasi:blobstore/blobstore.container-exists": trappable,
        "wasi:blobstore/blobstore.delete-container": trappable,
        "wasi:blobstore/blobstore": async | trappable,
        default: trappable,
    },
    require_store_data_send: true,
    trappable_error_type: {
        "wasi:io/streams.stream-error" => StreamFailure,
    },
    with: {
        "wasi:cli/terminal-input.terminal-input": TerminalInput,
        "wasi:cli/terminal-output.terminal-output": TerminalOutput,
        "wasi:http/types.fields": Fields,
        "wasi:http/types.incoming-request": IncomingRequest,
        "wasi:http/types.incoming-response": IncomingResponse,
        "wasi:http/types.incoming-body": IncomingBody,
        "wasi:http/types.future-trailers": FutureTrailers,
        "wasi:http/types.future-incoming-response": FutureIncomingResponse,
        "wasi:http/types.outgoing-request": OutgoingRequest,
        "wasi:http/types.outgoing-response": OutgoingResponse,
        "wasi:http/types.outgoing-body": OutgoingBody,
        "wasi:http/types.request-options": RequestOptions,
        "wasi:http/types.response-outparam": ResponseOutparam,
        "wasi:io/error.error": IoError,
        "wasi:io/poll.pollable": Pollable,
        "wasi:io/streams.input-stream": InputStream,
        "wasi:io/streams.output-stream": OutputStream,
        "wasi:keyvalue/store@0.2.0-draft2.bucket": Bucket,
        "wasi:keyvalue/store@0.2.0-draft.bucket": Bucket,
        "wasi:keyvalue/atomics@0.2.0-draft2.cas": Swap,
        "fermyon:spin/key-value.store": Bucket,
        "fermyon:spin/sqlite.connection": Connection,
        "spin:sqlite/sqlite.connection": Connection,
        "dayfly:queue/producer.queue": QueueHandle,
        "dayfly:stream/log.stream": StreamHandle,
        "dayfly:sql/database.connection": Connection,
        "wasi:blobstore/types.outgoing-value": OutgoingValue,
        "wasi:blobstore/types.incoming-value": IncomingValue,
        "wasi:blobstore/container.container": Container,
        "wasi:blobstore/container.stream-object-names": ObjectNames,
    },
});
