//! Works orders off: charges each, writes its new state and tells the bus.
//!
//! Everything that one delivery did is committed with its acknowledgement. An order that can't be charged fails by itself: the others of
//! its batch are done, and it is delivered again, twice, before it is a dead letter.

use dayfly::{Error, Request, Response, config, event::Event, events, kv};
use order::Order;

dayfly::function!(handle);

/// What the payment service of this example takes at once, in cents.
const CHARGE_MAX: u64 = 1_000_000;

fn handle(request: Request) -> Result<Response, Error> {
    let Some(delivery) = request.events()? else { return Ok(Response::empty(404)) };
    let key = config::secret("PAYMENT_KEY")?;
    let failed = delivery.events.iter().filter_map(|event| {
        let failure = work_off(event, &key).err()?;
        eprintln!("{}: {failure}", event.id);
        Some(event.id.as_str())
    });
    let failed: Vec<&str> = failed.collect();
    match (failed.is_empty(), delivery.is_batch) {
        (true, _) => Ok(Response::done()),
        (false, true) => Ok(Response::failed(failed)),
        (false, false) => Ok(Response::empty(500)),
    }
}

fn work_off(event: &Event, key: &str) -> Result<(), Error> {
    let ordered = event.json()?;
    let mut order = Order::of(&ordered).ok_or_else(|| Error::other("the message is no order"))?;
    charge(&order, key)?;
    order.status = "paid".to_owned();
    order.save(&kv::open("orders")?)?;
    let paid = events::Publish::new("order.paid").subject(format!("orders/{}", order.id));
    events::publish(paid.json(order.to_json().to_string()))?;
    println!("order {} paid: {} cents", order.id, order.cents);
    Ok(())
}

/// Stands for a payment service: it needs a key, and refuses large sums.
fn charge(order: &Order, key: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::other("the payment key is empty"));
    }
    if order.cents > CHARGE_MAX {
        return Err(Error::other(format!("the card was declined for {} cents", order.cents)));
    }
    Ok(())
}
