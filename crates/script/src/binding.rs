//! What the manifest gives a script: the properties of `env`, and the handlers that its triggers ask for.

use types::{
    App, Function, FunctionName,
    app::ResourceKind,
    script::{Binding, BindingKind},
};

/// Everything that `env` holds: granted resources, settings, and those of the app's other functions that it may call. A function that it may
/// not call must not make a short name mean two things.
pub(crate) fn bindings(app: &App, function: &Function) -> Vec<Binding> {
    let resources =
        function.uses.iter().map(|grant| Binding { kind: kind(grant.resource.kind), name: grant.resource.name.clone() });
    let settings = function.env.keys().map(|name| Binding { kind: BindingKind::Setting, name: name.clone() });
    let may_call =
        |name: &&FunctionName| function.reach.iter().any(|reach| reach.covers("http", &format!("{name}.internal"), 80));
    let others = app.functions.keys().filter(|name| **name != function.name).filter(may_call);
    let others = others.map(|name| Binding { kind: BindingKind::Function, name: name.to_string() });
    let mut bindings: Vec<Binding> = resources.chain(settings).chain(others).collect();
    bindings.sort();
    bindings.dedup();
    bindings
}

fn kind(kind: ResourceKind) -> BindingKind {
    match kind {
        ResourceKind::Kv => BindingKind::Kv,
        ResourceKind::Sql => BindingKind::Sql,
        ResourceKind::Bucket => BindingKind::Bucket,
        ResourceKind::Queue => BindingKind::Queue,
        ResourceKind::Stream => BindingKind::Stream,
        ResourceKind::Secret => BindingKind::Secret,
        ResourceKind::Event => BindingKind::Event,
    }
}

/// The handlers that what starts the function will call. A function that nothing starts needs none until it is invoked.
pub(crate) fn handlers(function: &Function) -> Vec<String> {
    let requests = (!function.routes.is_empty()).then_some("fetch");
    let events = function.on.as_ref().map(|on| match on.source.kind() {
        "cron" => "scheduled",
        kind => kind,
    });
    requests.into_iter().chain(events).map(str::to_owned).collect()
}
