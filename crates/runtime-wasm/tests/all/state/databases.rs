//! SQL through `dayfly:sql` and through both versions of Spin's SQLite.

use std::sync::Arc;

use super::{ask, check};
use crate::{
    serving::scene::{Scene, get, send},
    world::loaded,
};

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_come_and_go() {
    let scene = Arc::new(Scene::new());
    let rows = [
        (
            "/sql?q=SELECT&p=i:-7&p=r:1.5&p=text&p=b:bytes&p=null",
            200,
            r#"{"columns":["c0","c1","c2","c3","c4"],"rows":[[-7,1.5,"text",{"blob":"bytes"},null]]}"#,
        ),
        ("/sql/exec?q=INSERT+INTO+t", 200, r#"{"changed":1,"last":1}"#),
        ("/sql/batch?q=INSERT+a&q=UPDATE+b&q=SELECT+c", 200, "[[1,0],[1,0],[0,1]]"),
    ];
    check(&scene, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_of_a_statement_has_its_kind() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/sql?q=SELEC", 400, "near \\\"SELEC\\\": syntax error"),
        ("/sql?q=MANY", 413, "10001 rows, allowed 10000"),
        ("/sql?q=BUSY", 409, "others hold the database"),
        ("/sql?db=secret&q=SELECT", 403, "sql.secret was not granted"),
        ("/sql?db=reading&q=SELECT", 200, "columns"),
        ("/sql/exec?db=reading&q=INSERT", 403, "granted for reading only"),
        ("/sql/connections?n=20", 200, "8"),
    ];
    check(&scene, &rows).await;
    let long = format!("/sql?q={}", "x".repeat(100));
    assert_eq!(ask(&scene, &long).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_committed_or_rolled_back_and_connections_are_closed() {
    let rows = [
        ("/sql/tx?q=INSERT+a&q=UPDATE+b", 200, vec!["BEGIN IMMEDIATE", "INSERT a", "UPDATE b", "COMMIT", "close"]),
        ("/sql/tx?q=INSERT+a&fail=1", 500, vec!["BEGIN IMMEDIATE", "INSERT a", "ROLLBACK", "close"]),
        ("/sql/tx?q=INSERT+a&q=NONSENSE", 400, vec!["BEGIN IMMEDIATE", "INSERT a", "NONSENSE", "ROLLBACK", "close"]),
        // A grant for reading never takes the right to write.
        ("/sql/tx?db=reading&q=SELECT+a", 200, vec!["BEGIN", "SELECT a", "COMMIT", "close"]),
    ];
    for (target, status, statements) in rows {
        let scene = Arc::new(Scene::new());
        let answered = ask(&scene, target).await;
        assert_eq!(
            (answered.status, &*scene.services.statements.lock()),
            (status, &statements.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spins_databases_are_the_same_databases() {
    let scene = Arc::new(Scene::new());
    let answered = send(&loaded("spin-sqlite").await, get("/ada"), &scene).await;
    assert_eq!((answered.status, answered.code()), (200, None), "{answered:#?}");
    let text = answered.text();
    assert!(text.starts_with("row 1 changes 1 ") && text.contains("Integer(1)]"), "{text}");
    let statements = scene.services.statements.lock();
    assert_eq!(statements.iter().filter(|text| *text == "close").count(), 2, "{statements:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn spins_variables_are_settings_and_secrets() {
    let scene = Arc::new(Scene::new());
    let program = loaded("spin-sqlite").await;
    let rows =
        [("greeting", 200, "hello\n"), ("api_key", 200, "s3cret\n"), ("unset", 404, "Undefined"), ("none", 404, "Undefined")];
    for (name, status, expected) in rows {
        let answered = send(&program, get(&format!("/variable?{name}")), &scene).await;
        assert!(answered.status == status && answered.text().contains(expected), "{name}: {answered:#?}");
    }
}
