//! Events and signed webhooks that come in over HTTP, as a CloudEvents SDK and a sender with HMAC make them.

use std::process::Command;

use serde_json::Value;

use super::support::{Folder, Node, Request, assert_has, eventually, program, repository};

const KEY: &str = "the key of the till";

/// A Python of `target/clients`, with nothing of the machine's own settings and proxies.
fn python(work: &Folder) -> Command {
    let python = repository().join("target/clients/bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask clients`", python.display());
    let mut command = Command::new(python);
    command.arg("-B").current_dir(work.path()).env_clear().env("PYTHONUTF8", "1").env("HOME", work.path());
    for name in ["PATH", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn lines(node: &Node, function: &str) -> Vec<String> {
    let lines = node.api(&format!("/v1/logs?function={function}&limit=1000"));
    let text = |line: &Value| line["text"].as_str().map(str::to_owned);
    lines.as_array().expect("a list").iter().filter_map(text).collect()
}

#[test]
fn a_cloudevents_sdk_starts_functions_in_all_three_modes_and_is_refused_with_a_code() {
    let program = program("state").display().to_string();
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n[events]\nkey = \"INGEST_KEY\"\n\
         [fn.heard]\npath = \"{program}\"\non = {{ event = \"order.*\" }}\nenv = {{ MODE = \"log\" }}\n"
    ));
    let (data, work) = (Folder::new(), Folder::new());
    let node = Node::server(data.path(), &[]);
    node.secret("shop", "INGEST_KEY", KEY);
    node.deploy(folder.path());
    let mut client = python(&work);
    client.arg(repository().join("tests/clients/events_cloudevents.py"));
    client.env("DAYFLY_EVENTS", format!("http://{}/events", node.gateway)).env("DAYFLY_KEY", KEY);
    let done = client.output().expect("python starts");
    let (told, wrong) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{told}\n{wrong}\nnode:\n{}", node.stderr());
    assert_has(&told, "as it should be");
    let heard = eventually("every event is heard", || {
        let heard: Vec<_> = lines(&node, "heard").into_iter().filter(|line| line.starts_with("event ")).collect();
        (heard.len() >= 6).then_some(heard)
    });
    for (subject, data) in [
        ("binary", "\"total\""),
        ("structured", "data plain words"),
        ("bytes", "application/octet-stream"),
        ("batch-1", "2}"),
        ("batch-2", "3}"),
        ("other-header", "id id-other-header"),
    ] {
        let wanted = format!("subject Some(\"{subject}\")");
        let line = heard.iter().find(|line| line.contains(&wanted)).unwrap_or_else(|| panic!("{subject}: {heard:?}"));
        assert_has(line, data);
        assert_has(line, "order.created");
        assert_has(line, "/till/4");
    }
    assert_eq!(heard.len(), 6, "nothing that was refused is heard: {heard:?}");
    assert_has(&lines(&node, "heard").join("\n"), "extension note a \u{fc} \" %");
    assert_eq!(node.stop(), 0);
}

/// What Python's own HMAC says.
fn signature(key: &str, body: &str) -> String {
    let work = Folder::new();
    let script = "import hmac, sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), 'sha256').hexdigest())";
    let done = python(&work).args(["-c", script, key, body]).output().expect("python starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn a_webhook_passes_with_its_signature_and_with_no_other() {
    let program = program("state").display().to_string();
    let hook = "webhook = { header = \"x-hub-signature-256\", secret = \"HOOK_KEY\", prefix = \"sha256=\" }";
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n\
         [fn.hook]\npath = \"{program}\"\nroute = \"POST /{{*rest}}\"\nuses = [\"queue.pushed\"]\n{hook}\n\
         [fn.open]\npath = \"{program}\"\nroute = \"GET /hello\"\n"
    ));
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.secret("shop", "HOOK_KEY", KEY);
    node.deploy(folder.path());
    let body = "{\"ref\":\"main\"}";
    let right = signature(KEY, body);
    let push = |body: &str, signed: Option<String>| {
        let request = Request::post("/queue/send?queue=pushed", body);
        let signed = signed.into_iter().fold(request, |request, signed| request.header("x-hub-signature-256", signed));
        node.send(&signed)
    };
    push(body, Some(format!("sha256={right}"))).expect(200);
    assert_eq!(node.waiting("shop", "pushed"), 1);
    let other = signature("another key", body);
    let cut = &right[..right.len() - 2];
    for wrong in [Some(format!("sha256={other}")), Some(right.clone()), Some(format!("sha256={cut}")), Some(String::new()), None]
    {
        push(body, wrong).expect_refusal(401, "E0212");
    }
    push("{\"ref\":\"evil\"}", Some(format!("sha256={right}"))).expect_refusal(401, "E0212");
    assert_eq!(node.waiting("shop", "pushed"), 1, "nothing of it ran");
    node.get("/hello").expect(200);
    assert_eq!(node.stop(), 0);
}
