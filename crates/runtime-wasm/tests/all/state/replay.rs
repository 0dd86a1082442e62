//! All services again from the record: with the tape alone the same guest does the same, however fast the stores are then.

use std::sync::Arc;

use types::Code;

use super::FakeObjects;
use crate::{
    serving::scene::{Scene, get, send},
    world::loaded,
};

const EVERYTHING: &str =
    "/everything?queue=orders&body=b&n=2&stream=clicks&type=t&q=INSERT+a&q=SELECT+b&value=v&key=object&bytes=200000";

#[tokio::test(flavor = "multi_thread")]
async fn what_every_service_answered_is_answered_again() {
    let program = loaded("state").await;
    // The last row fails at once, the one before it amid the writing.
    let rows = [EVERYTHING.to_owned(), format!("{EVERYTHING}&bucket=full"), format!("{EVERYTHING}&bucket=reading")];
    for target in rows {
        let mut live = Scene::new();
        live.objects = Arc::new(FakeObjects::slow());
        let live = Arc::new(live);
        let first = send(&program, get(&target), &live).await;
        let text = first.text();
        assert!(first.status == 500 && text.contains(r#""queue":[{"id":"msg_1""#), "{target}: {first:#?}");
        let answers = live.answers();

        let again = Arc::new(Scene::replaying(answers.clone()));
        let second = send(&program, get(&target), &again).await;
        assert_eq!((first.status, text, &first.ended), (second.status, second.text(), &second.ended), "{target}");
        assert_eq!(again.answers(), [], "{target}: answers are left over");

        // The control: with one answer less the guest is stopped.
        let cut = Arc::new(Scene::replaying(answers[..answers.len() - 1].to_vec()));
        assert_eq!(send(&program, get(&target), &cut).await.code(), Some(Code::E0803), "{target}");
    }
}
