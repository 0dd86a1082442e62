//! Counts visits through `fermyon:spin/key-value`, which only hosts that serve Spin's interfaces can link. Apart from the program `spin`,
//! so that the one can be deployed without the other's import.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;

#[http_component]
fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    let store = Store::open_default()?;
    let seen = store.get("visits")?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    store.set("visits", &(seen + 1).to_le_bytes())?;
    Ok(Response::new(200, format!("{}\n", seen + 1)))
}
