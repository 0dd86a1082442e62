//! Writes down each night what was sold: one file a day.

use dayfly::{Error, Request, Response, bucket, kv};
use order::Order;

dayfly::function!(handle);

fn handle(request: Request) -> Result<Response, Error> {
    let Some(delivery) = request.events()? else { return Ok(Response::empty(404)) };
    let Some(event) = delivery.events.first() else { return Ok(Response::done()) };
    let day = event.time.as_deref().and_then(|time| time.get(..10)).unwrap_or("today");
    let (text, sold) = report()?;
    bucket::open("reports")?.write(&format!("{day}.csv"), text)?;
    println!("{day}: {sold} orders paid");
    Ok(Response::done())
}

/// All paid orders as CSV, and their number.
fn report() -> Result<(String, u64), Error> {
    let orders = kv::open("orders")?;
    let (mut text, mut sold, mut after) = (String::from("order,product,quantity,cents\n"), 0, None);
    loop {
        let (keys, next) = orders.keys(after.as_deref())?;
        for value in orders.get_many(&keys)?.into_iter().flatten() {
            let Some(Order { id, product, quantity, cents, status }) = Order::parse(&value) else { continue };
            if status == "paid" {
                text += &format!("{id},{product},{quantity},{cents}\n");
                sold += 1;
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok((text, sold)),
        }
    }
}
