//! The paths that every SDK's program has, written with Spin's SDK. As the macro and the types are Spin's, so is the shape: one handler,
//! answers built at once.

use serde_json::json;
use spin_sdk::http::{IntoResponse, Method, Request, Response};
use spin_sdk::http_component;
use std::time::{Instant, SystemTime};

#[http_component]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.query();
    let url = query.strip_prefix("url=");
    match request.path() {
        "/hello" => Ok(Response::new(200, "hello from spin\n")),
        "/log" => {
            println!("stdout: {query}");
            eprintln!("stderr: {query}");
            Ok(Response::new(200, "logged\n"))
        }
        "/fetch" => match fetch(url.unwrap_or_default()).await {
            Ok(body) => Ok(Response::new(200, body)),
            Err(error) => Ok(Response::new(502, format!("{error:?}\n"))),
        },
        "/fail" => fail(url).await,
        path => Ok(Response::new(404, format!("no such path: {path}\n"))),
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, spin_sdk::http::SendError> {
    let request = Request::builder().method(Method::Get).uri(url).build();
    let response: Response = spin_sdk::http::send(request).await?;
    Ok(response.into_body())
}

/// Clocks, chance and another host, then an error that shows them all. Chance is that of std's hash seeds.
async fn fail(url: Option<&str>) -> anyhow::Result<Response> {
    use std::hash::{BuildHasher, RandomState};
    let start = Instant::now();
    let wall = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
    let fetched = match url {
        Some(url) => Some(String::from_utf8_lossy(&fetch(url).await?).into_owned()),
        None => None,
    };
    println!("giving up");
    let work = json!({
        "wall_ns": wall.to_string(),
        "took_ns": start.elapsed().as_nanos().to_string(),
        "random": RandomState::new().hash_one(0).to_string(),
        "fetched": fetched,
    });
    Ok(Response::new(500, format!("{work}\n")))
}
