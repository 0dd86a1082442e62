//! Data by hand: what is listed whole, and what is refused by name.

use ports::{Queue as _, queue::Message};
use types::{
    Code,
    queue::QueueName,
    wire::data::{Count, EventRow, EventSend, EventSent, QueueRow},
};

use crate::world::{World, app};

#[tokio::test]
async fn every_queue_is_listed_and_known_however_many_there_are() {
    let world = World::new().await;
    world.deploy(&app("shop", "dev", &[("api", &["/"])]), b"code").await.expect("deployed");
    let queue = |number: u32| QueueName(format!("shop/dev/q{number:04}"));
    for number in 0..1_200 {
        world.stores.queue.enqueue(&queue(number), vec![Message::default()], None).await.expect("there is room");
    }
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().map(|name| format!("&after={name}")).unwrap_or_default();
        let page: Vec<QueueRow> = world.get(&format!("/v1/apps/shop/dev/queues?limit=500{after}")).await.expect("a page");
        if page.is_empty() {
            break;
        }
        names.extend(page.into_iter().map(|row| row.name));
    }
    assert_eq!(
        (names.len(), names.first().map(String::as_str), names.last().map(String::as_str)),
        (1_200, Some("q0000"), Some("q1199"))
    );
    let some: Vec<QueueRow> = world.get("/v1/apps/shop/dev/queues?prefix=q119").await.expect("a page");
    assert_eq!(some.len(), 10);
    let purged: Count = world.post("/v1/apps/shop/dev/queues/q1199/purge", &()).await.expect("it is there");
    assert_eq!(purged.count, 1);
    let problem = world.post::<Count>("/v1/apps/shop/dev/queues/q11/purge", &()).await.expect_err("others begin so");
    assert_eq!(problem.code, Code::E0714);
}

#[tokio::test]
async fn events_are_sent_to_and_read_from_a_bus_that_the_app_has() {
    let world = World::new().await;
    let mut shop = app("shop", "dev", &[("api", &["/"])]);
    shop.functions.values_mut().for_each(|function| function.uses.push("event.orders".parse().expect("a grant")));
    world.deploy(&shop, b"code").await.expect("deployed");
    let send = |bus: Option<&str>| EventSend {
        kind: "order.created".into(),
        source: None,
        subject: None,
        content_type: None,
        data: None,
        bus: bus.map(str::to_owned),
    };
    let path = "/v1/apps/shop/dev/events";
    let problem = world.post::<EventSent>(path, &send(Some("ordres"))).await.expect_err("a slip of the finger");
    assert!(problem.code == Code::E0714 && problem.notes == ["it has orders"], "{problem:?}");
    let problem = world.get::<Vec<EventRow>>("/v1/apps/shop/dev/events?bus=ordres").await.expect_err("a slip of the finger");
    assert_eq!(problem.code, Code::E0714);
    for bus in [None, Some("default"), Some("orders")] {
        let refused = world.post::<EventSent>(path, &send(bus)).await.err().filter(|problem| problem.code == Code::E0714);
        assert!(refused.is_none(), "{bus:?}: {refused:?}");
    }
}
