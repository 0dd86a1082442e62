//! The paths that every SDK's program has, written with wstd: async on `wasi:io/poll`, types of the `http` crate.

use serde_json::json;
use std::time::SystemTime;
use wstd::http::{Body, Client, Error, Request, Response};
use wstd::time::{Duration, Instant};

wit_bindgen::generate!({
    path: "../../../wit",
    world: "dayfly:host/services",
    generate_all,
});
use wasi::keyvalue0_2_0_draft2::{atomics, store};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let query = request.uri().query().unwrap_or_default();
    let url = query.strip_prefix("url=");
    match request.uri().path() {
        "/hello" => answer(200, "hello from wstd\n"),
        "/log" => {
            println!("stdout: {query}");
            eprintln!("stderr: {query}");
            answer(200, "logged\n")
        }
        "/fetch" => fetch(url.unwrap_or_default()).await,
        "/count" => answer(200, format!("{}\n", count()?)),
        "/fail" => fail(url).await,
        path => answer(404, format!("no such path: {path}\n")),
    }
}

fn answer(status: u16, text: impl Into<Body>) -> Result<Response<Body>, Error> {
    Ok(Response::builder().status(status).body(text.into())?)
}

async fn fetch(url: &str) -> Result<Response<Body>, Error> {
    match Client::new().send(Request::get(url).body(Body::empty())?).await {
        Ok(response) => Ok(Response::new(response.into_body())),
        Err(error) => answer(502, format!("{error:?}\n")),
    }
}

fn count() -> Result<i64, Error> {
    let bucket = store::open("things")?;
    Ok(atomics::increment(&bucket, "visits", 1)?)
}

/// Clock, chance, settled time, a bucket and another host, then an error that shows them all.
async fn fail(url: Option<&str>) -> Result<Response<Body>, Error> {
    // wstd's own wall clock keeps its reading to itself; std's asks the same import.
    let wall = SystemTime::UNIX_EPOCH.elapsed().map(|since| since.as_nanos());
    let mut random = [0; 16];
    wstd::rand::get_random_bytes(&mut random);
    let start = Instant::now();
    wstd::task::sleep(Duration::from_millis(1)).await;
    let slept = Instant::now().duration_since(start).as_nanos();
    let fetched = match url {
        Some(url) => {
            let mut response = Client::new().send(Request::get(url).body(Body::empty())?).await?;
            Some(response.body_mut().str_contents().await?.to_owned())
        }
        None => None,
    };
    println!("giving up");
    let work = json!({
        "wall_ns": format!("{wall:?}"),
        "slept_ns": slept.to_string(),
        "random": random,
        "count": format!("{:?}", count()),
        "fetched": fetched,
    });
    answer(500, format!("{work}\n"))
}
