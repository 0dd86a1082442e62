//! What a function in Rust needs of dayfly.
//!
//! ```no_run
//! use dayfly::{Request, Response, queue};
//!
//! dayfly::function!(handle);
//!
//! fn handle(request: Request) -> Result<Response, dayfly::Error> {
//!     if let Some(delivery) = request.events()? {
//!         for event in &delivery.events {
//!             println!("{} {}", event.kind, event.id);
//!         }
//!         return Ok(Response::done());
//!     }
//!     queue::send("orders", "one more")?;
//!     Ok(Response::text("thank you\n"))
//! }
//! ```
//!
//! Everything here is a thin layer over the interfaces in `wit/`, which [`bindings`] has as they are. Each service answers [`Error`]
//! `AccessDenied` unless the function's manifest names it: `uses = ["queue.orders"]`.

pub mod bindings;
pub mod bucket;
pub mod config;
mod error;
pub mod event;
pub mod events;
pub mod http;
pub mod kv;
pub mod log;
pub mod queue;
pub mod sql;
pub mod stream;

pub use error::{Error, Kind};
pub use event::{Delivery, Event};
pub use http::{Request, Response};
pub use wasip2;

/// Makes a function of this type the component's: `fn(Request) -> Response`, or a `Result` of it whose error is printed.
///
/// An error is logged, and the caller gets the status 500: an event is then delivered again.
#[macro_export]
macro_rules! function {
    ($handle:path) => {
        const _: () = {
            use $crate::wasip2::http::types::{IncomingRequest, ResponseOutparam};

            struct Function;

            impl $crate::wasip2::exports::http::incoming_handler::Guest for Function {
                fn handle(request: IncomingRequest, response: ResponseOutparam) {
                    $crate::http::serve(request, response, $handle);
                }
            }

            $crate::wasip2::http::proxy::export!(Function);
        };
    };
}
