//! `wasi:config`: settings and secrets in one.

use std::sync::Arc;

use super::check;
use crate::serving::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_granted_secrets_are_one_list() {
    let mut scene = Scene::new();
    // A setting does not stand in for a secret, whether or not that is set.
    scene.environment.insert("unset".into(), "from the manifest".into());
    scene.environment.insert("api-key".into(), "from the manifest".into());
    let rows = [
        ("/secret?name=greeting", 200, "\"hello\""),
        ("/secret?name=api-key", 200, "\"s3cret\""),
        ("/secret?name=unset", 200, "null"),
        ("/secret?name=none", 200, "null"),
        ("/config", 200, r#"[["api-key","s3cret"],["greeting","hello"],["greeting2","hush"]]"#),
    ];
    check(&Arc::new(scene), &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_no_text_is_an_error_and_is_not_shown() {
    let mut scene = Scene::new();
    scene.secrets.insert("binary".into(), Some(vec![0xff, 0xfe]));
    let rows = [("/secret?name=binary", 500, "the secret binary is not text"), ("/config", 500, "not text")];
    check(&Arc::new(scene), &rows).await;
}
