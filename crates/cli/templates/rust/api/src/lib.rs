//! Greets whoever the path names: `GET /ada` answers `hello ada`.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Api;

wasip2::http::proxy::export!(Api);

impl Guest for Api {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let name = target.split('?').next().unwrap_or_default().trim_start_matches('/');
        answer(response, &format!("hello {name}\n"));
    }
}

fn answer(response: ResponseOutparam, text: &str) {
    let outgoing = OutgoingResponse::new(Fields::new());
    let body = outgoing.body().expect("the body is taken once");
    ResponseOutparam::set(response, Ok(outgoing));

    let stream = body.write().expect("the stream is taken once");
    // A caller that has gone away is no fault of ours: there is nobody left to tell.
    let _ = stream.blocking_write_and_flush(text.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
