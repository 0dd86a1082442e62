//! A component with a path for each way a function can misbehave. The node must stop it, say why, and serve its neighbours meanwhile.

mod answers;
mod bindings;
mod floods;
mod resources;
mod traps;

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
            // Time.
            "/spin" => traps::spin(),
            "/never" => traps::wait_until(u64::MAX),
            "/sleep-years" => traps::sleep_years(call.number("years", 100)),
            // Memory.
            "/grow" => resources::grow(reply),
            "/grow-trap" => resources::grow_trap(),
            "/memfill" => resources::memfill(call.number("mib", 64)),
            "/handles" => resources::handles(&call, reply),
            "/pollables" => resources::pollables(&call, reply),
            "/random-huge" => resources::random_huge(&call, reply),
            // Traps.
            "/recurse" => traps::recurse(reply),
            "/recurse-memory" => traps::recurse_memory(reply),
            "/ansi-panic" => traps::ansi_panic(),
            "/abort" => traps::abort(),
            "/exit" => traps::exit(call.number("code", 0)),
            "/poll-nothing" => traps::poll_nothing(),
            // Answers.
            "/no-response" => answers::none(reply),
            "/twice" => answers::twice(reply),
            "/body-unfinished" => answers::unfinished(reply),
            "/body-short" => answers::wrong_length(reply, "100"),
            "/body-long" => answers::wrong_length(reply, "3"),
            "/spin-after-answer" => answers::spin_after(reply),
            "/trap-after-head" => answers::trap_after_head(reply),
            "/headers-many" => answers::headers_many(&call, reply),
            "/header-huge" => answers::header_huge(&call, reply),
            "/body-endless" => answers::endless(reply),
            // Floods of host calls.
            "/log-flood" => floods::log(&call, reply),
            "/log-line-huge" => floods::log_line(&call, reply),
            "/kv-loop" => floods::kv(&call, reply),
            "/kv-huge" => floods::kv_huge(&call, reply),
            "/fetch-loop" => floods::fetch(&call, reply),
            "/fetch-metadata" => floods::fetch_metadata(reply),
            path => reply.text(404, format!("no such path: {path}\n")),
        }
    }
}
