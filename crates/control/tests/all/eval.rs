//! Expressions in the environment of a function.

use types::{
    Code, Place,
    app::Build,
    limits,
    wire::api::{Eval, Evaluated, Invoke, Invoked},
};

use crate::world::{World, app};

const PATH: &str = "/v1/apps/hello/dev/eval";

fn eval(function: Option<&str>, code: &str) -> Eval {
    Eval { function: function.map(|name| name.parse().expect("a name")), code: code.into() }
}

/// An app of these functions, of which those in `scripts` are in JavaScript.
async fn deployed(names: &[&str], scripts: &[&str]) -> World {
    let world = World::new().await;
    let functions: Vec<(&str, &[&str])> = names.iter().map(|name| (*name, &[][..])).collect();
    let mut app = app("hello", "dev", &functions);
    for function in app.functions.values_mut().filter(|function| scripts.contains(&function.name.as_str())) {
        function.build = Build::Script;
    }
    world.deploy(&app, b"v1").await.expect("deployed");
    world
}

#[tokio::test]
async fn an_expression_has_a_value_or_a_problem_with_its_place() {
    let world = deployed(&["api", "rust"], &["api"]).await;
    let evaluated: Evaluated = world.post(PATH, &eval(None, "1+1")).await.expect("it answers");
    assert_eq!(
        (evaluated.function.as_str(), evaluated.value.as_deref(), evaluated.json.as_deref()),
        ("api", Some("1+1"), Some("[2]"))
    );
    assert!(evaluated.problem.is_none() && evaluated.invocation.is_some());

    for (code, json) in [("null", Some("null")), ("undefined", None)] {
        let evaluated: Evaluated = world.post(PATH, &eval(None, code)).await.expect("it answers");
        assert_eq!(evaluated.json.as_deref(), json, "{code}");
    }

    let thrown: Evaluated = world.post(PATH, &eval(Some("api"), "throw")).await.expect("it answers");
    let problem = thrown.problem.expect("it failed");
    assert_eq!((problem.code, problem.message.as_str()), (Code::E0519, "TypeError: no"));
    let place = Place::in_line("src/é b.ts", 1, "  throw", 2, 1);
    assert_eq!((problem.place, problem.notes.as_slice()), (Some(place), &["at eval (eval:1:1)".to_owned()][..]));
    let bare: Evaluated = world.post(PATH, &eval(None, "throw bare")).await.expect("it answers");
    let bare = bare.problem.expect("it failed");
    assert_eq!((bare.message.as_str(), bare.place, bare.notes.len()), ("Error: at all", None, 0));
    assert!(thrown.value.is_none() && thrown.invocation.is_some());

    let odd = world.post::<Evaluated>(PATH, &eval(None, "odd")).await.expect_err("no answer of the engine");
    assert_eq!(odd.code, Code::E0521);
}

#[tokio::test]
async fn only_functions_in_javascript_evaluate_and_one_of_several_is_named() {
    let world = deployed(&["api", "mail", "rust"], &["api", "mail"]).await;
    let refused = async |eval: Eval| world.post::<Evaluated>(PATH, &eval).await.expect_err("it is refused");
    let which = refused(eval(None, "1")).await;
    assert!(which.code == Code::E0709 && which.message.ends_with("say which: api, mail"), "{which}");
    let component = refused(eval(Some("rust"), "1")).await;
    assert!(component.code == Code::E0709 && component.message.contains("rust is no function in JavaScript"), "{component}");
    assert_eq!(refused(eval(Some("else"), "1")).await.code, Code::E0708);
    let long = refused(eval(Some("api"), &" ".repeat(limits::SCRIPT_EVAL.as_usize() + 1))).await;
    assert!(long.code == Code::E0709 && long.message.contains("allowed 64 KiB"), "{long}");
    assert!(world.post::<Evaluated>(PATH, &eval(Some("mail"), &" ".repeat(limits::SCRIPT_EVAL.as_usize()))).await.is_ok());
    let none = deployed(&["rust"], &[]).await;
    assert_eq!(none.post::<Evaluated>(PATH, &eval(None, "1")).await.expect_err("there is none").code, Code::E0709);
}

#[tokio::test]
async fn a_request_by_name_can_not_pretend_to_be_a_trigger() {
    let world = deployed(&["api"], &["api"]).await;
    let invoke = |name: &str| Invoke {
        function: "api".parse().expect("a name"),
        method: "POST".into(),
        path: "/".into(),
        headers: vec![(name.into(), "eval".into())],
        body: types::wire::Base64(b"{\"code\": \"1\"}".as_slice().into()),
    };
    for name in ["dayfly-trigger", "Dayfly-Trigger"] {
        let invoked: Invoked = world.post("/v1/apps/hello/dev/invoke", &invoke(name)).await.expect("it answers");
        assert_eq!(invoked.status, 201, "it came as a plain request");
    }
    // The control: what the fake engine does with the field when it gets it.
    let evaluated: Evaluated = world.post(PATH, &eval(None, "1")).await.expect("it answers");
    assert_eq!(evaluated.value.as_deref(), Some("1"));
}
