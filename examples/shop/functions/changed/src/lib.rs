//! Hears of every change of an order and keeps what was sold as a stream, in the order in which it happened.

use dayfly::{Error, Request, Response, stream};
use order::Order;
use serde_json::Value;

dayfly::function!(handle);

fn handle(request: Request) -> Result<Response, Error> {
    let Some(delivery) = request.events()? else { return Ok(Response::empty(404)) };
    let sales = stream::open("sales")?;
    for event in &delivery.events {
        let change = event.json()?;
        let (was, is) = (order(&change["old"]), order(&change["new"]));
        let Some(is) = is else { continue };
        println!("order {} is {}", is.id, is.status);
        if is.status == "paid" && was.is_none_or(|was| was.status != "paid") {
            sales.append(stream::Record::new(is.to_json().to_string()).key(is.product.as_bytes()))?;
        }
    }
    Ok(Response::done())
}

/// The order that a value of the store holds, if it holds one.
fn order(value: &Value) -> Option<Order> {
    Order::parse(value.as_str()?.as_bytes())
}
