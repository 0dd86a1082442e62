//! A component with a path for each thing a well-behaved function may do. README.md in the folder above lists them.

mod bindings;
mod http;
mod kv;
mod outbound;
mod platform;
mod replay;

use guest::{Call, Reply};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

struct Program;

wasip2::http::proxy::export!(Program);

impl Guest for Program {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let call = Call::new(request);
        let reply = Reply(response);
        match call.path.as_str() {
            "/hello" => reply.text(200, "hello\n"),
            "/echo" => http::echo(&call, reply),
            "/headers" => http::headers(&call, reply),
            "/status" => http::status(&call, reply),
            "/big" => http::big(&call, reply),
            "/slow-body" => http::slow_body(&call, reply),
            "/trailers" => http::trailers(&call, reply),
            "/refuse" => http::refuse(reply),
            "/env" => platform::env(reply),
            "/config" => platform::config(&call, reply),
            "/clock" => platform::clock(reply),
            "/random" => platform::random(&call, reply),
            "/sleep" => platform::sleep(&call, reply),
            "/timer-1ms" => platform::timer(&call, reply),
            "/log" => platform::log(&call, reply),
            "/trap" => platform::trap(&call),
            "/fetch" => outbound::fetch(&call, reply),
            "/fetch-two" => outbound::fetch_two(&call, reply),
            "/fail-after-work" => replay::fail_after_work(&call, reply),
            path => match path.strip_prefix("/kv/") {
                Some(operation) => kv::run(operation, &call, reply),
                None => reply.text(404, format!("no such path: {path}\n")),
            },
        }
    }
}
