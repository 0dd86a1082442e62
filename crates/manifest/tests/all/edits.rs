//! Edits keep what a person wrote.

use expect_test::{Expect, expect};
use manifest::edit;
use types::Code;

fn allow(source: &str, host: &str, expected: Expect) {
    let function = "api".parse().expect("a name");
    let edited = edit::allow_reach(source, "dayfly.toml", &function, &host.parse().expect("a host")).expect("an edit");
    expected.assert_eq(&format!("{}: {} (changed: {})\n---\n{}", edited.line, edited.text, edited.changed, edited.source));
}

#[test]
fn a_missing_list_is_added_to_its_table() {
    let source = "app = \"a\" # ours\n\n[fn.api]   # the front\npath  = \"api\"  # built\n\n[fn.api.limits]\ntime = \"1s\"\n";
    allow(
        source,
        "https://api.github.com",
        expect![[r#"
        5: reach = ["https://api.github.com"] (changed: true)
        ---
        app = "a" # ours

        [fn.api]   # the front
        path  = "api"  # built
        reach = ["https://api.github.com"]

        [fn.api.limits]
        time = "1s"
    "#]],
    );
}

#[test]
fn a_list_on_one_line_grows_on_it() {
    allow(
        "[fn.api]\nreach = [\"https://a.example\"] # paid\n",
        "http://10.0.0.5:80",
        expect![[r#"
        2: reach = ["https://a.example", "http://10.0.0.5:80"] # paid (changed: true)
        ---
        [fn.api]
        reach = ["https://a.example", "http://10.0.0.5:80"] # paid
    "#]],
    );
}

#[test]
fn a_list_on_many_lines_gets_another_line() {
    let source = "[fn.api]\nreach = [\n    # paid by sales\n    \"https://a.example\", # until May\n]\n";
    let bare = "[fn.api]\nreach = [\n  \"https://a.example\" # last\n]\n";
    allow(
        bare,
        "https://b.example",
        expect![[r#"
        4: "https://b.example", (changed: true)
        ---
        [fn.api]
        reach = [
          "https://a.example", # last
          "https://b.example",
        ]
    "#]],
    );
    allow(
        source,
        "https://b.example",
        expect![[r#"
        5: "https://b.example", (changed: true)
        ---
        [fn.api]
        reach = [
            # paid by sales
            "https://a.example", # until May
            "https://b.example",
        ]
    "#]],
    );
}

#[test]
fn what_is_there_is_not_added_again() {
    allow(
        "fn = { api = { reach = [\"https://a.example\"] } }\n",
        "https://a.example",
        expect![[r#"
        1: fn = { api = { reach = ["https://a.example"] } } (changed: false)
        ---
        fn = { api = { reach = ["https://a.example"] } }
    "#]],
    );
}

#[test]
fn grants_are_added_alike_and_bad_files_are_refused() {
    let function = "api".parse().expect("a name");
    let grant = "kv.cache".parse().expect("a grant");
    let added = edit::add_use("[fn.api]\nuses = []\n", "dayfly.toml", &function, &grant).expect("an edit");
    assert_eq!((added.line, added.text.as_str()), (2, "uses = [\"kv.cache\"]"));
    let refused = |source| edit::add_use(source, "dayfly.toml", &function, &grant).expect_err("no edit").code;
    assert_eq!(refused("[fn.web]\n"), Code::E0708);
    assert_eq!(refused("[fn.api]\nuses = \"kv.x\"\n"), Code::E0104);
    assert_eq!(refused("[fn.api\n"), Code::E0102);
}
