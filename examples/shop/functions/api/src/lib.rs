//! The shop's HTTP API.
//!
//! A product is a row of the database, an order an entry of the store that goes to the worker through the queue, a picture an object. The
//! function's effects are atomic: if anything fails after an order was stored and queued, neither has happened.

use dayfly::{Error, Request, Response, bucket, kv, queue, sql};
use order::Order;
use serde_json::{Value, json};

dayfly::function!(handle);

/// The largest picture that the shop takes, in bytes.
const PICTURE_MAX: usize = 4 << 20;

fn handle(request: Request) -> Result<Response, Error> {
    let path = dayfly::http::decode(&request.path);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), &parts[..]) {
        ("GET", ["api", "products"]) => products(),
        ("PUT", ["api", "products", id, "picture"]) => picture(&request, id),
        ("POST", ["api", "orders"]) => order(&request),
        ("GET", ["api", "orders", id]) => status(id),
        ("GET", ["pictures", name @ ..]) => show(&name.join("/")),
        _ => Ok(Response::text("no such page\n").status(404)),
    }
}

fn products() -> Result<Response, Error> {
    let rows = sql::open("shop")?.query("SELECT id, name, cents FROM product ORDER BY name", vec![])?;
    let product = |row: sql::Row<'_>| json!({ "id": row.text("id"), "name": row.text("name"), "cents": row.integer("cents") });
    Ok(Response::json(Value::from(rows.iter().map(product).collect::<Vec<_>>())))
}

fn order(request: &Request) -> Result<Response, Error> {
    let asked: Value = serde_json::from_slice(&request.bytes()?).unwrap_or_default();
    let (product, quantity) = (asked["product"].as_str().unwrap_or_default(), asked["quantity"].as_u64().unwrap_or(1));
    let rows = sql::open("shop")?.query("SELECT cents FROM product WHERE id = ?1", vec![product.into()])?;
    let Some(cents) = rows.first().and_then(|row| row.integer("cents")) else {
        return Ok(refused(&format!("there is no product {product:?}")));
    };
    if !(1..=1_000).contains(&quantity) {
        return Ok(refused("a quantity is from 1 to 1,000"));
    }
    let id = format!("{:016x}", dayfly::wasip2::random::random::get_random_u64());
    let cents = cents.unsigned_abs() * quantity;
    let order = Order { id: id.clone(), product: product.to_owned(), quantity, cents, status: "new".to_owned() };
    order.save(&kv::open("orders")?)?;
    queue::send("orders", queue::Message::new(order.to_json().to_string()).content_type("application/json"))?;
    println!("order {id}: {quantity} of {product}");
    Ok(Response::json(order.to_json()).status(202).header("location", &format!("/api/orders/{id}")))
}

fn status(id: &str) -> Result<Response, Error> {
    Ok(match Order::load(&kv::open("orders")?, id)? {
        Some(order) => Response::json(order.to_json()),
        None => Response::json(json!({ "error": "there is no such order" })).status(404),
    })
}

fn picture(request: &Request, id: &str) -> Result<Response, Error> {
    let rows = sql::open("shop")?.query("SELECT 1 AS there FROM product WHERE id = ?1", vec![id.into()])?;
    if rows.first().is_none() {
        return Ok(refused(&format!("there is no product {id:?}")));
    }
    let end = match request.header("content-type").unwrap_or_default() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        _ => return Ok(refused("a picture is image/png or image/jpeg")),
    };
    let bytes = request.bytes()?;
    if bytes.is_empty() || bytes.len() > PICTURE_MAX {
        return Ok(refused(&format!("a picture has up to {PICTURE_MAX} bytes, this one {}", bytes.len())));
    }
    let name = format!("large/{id}.{end}");
    bucket::open("pictures")?.write(&name, bytes)?;
    Ok(Response::json(json!({ "picture": format!("/pictures/{name}"), "thumbnail": format!("/pictures/small/{id}.png") }))
        .status(201))
}

fn show(name: &str) -> Result<Response, Error> {
    let pictures = bucket::open("pictures")?;
    if !pictures.has(name)? {
        return Ok(Response::text("no such picture\n").status(404));
    }
    let content_type = if name.ends_with(".jpg") { "image/jpeg" } else { "image/png" };
    Ok(Response::stream(200, content_type, pictures.get(name)?))
}

fn refused(why: &str) -> Response {
    Response::json(json!({ "error": why })).status(400)
}
