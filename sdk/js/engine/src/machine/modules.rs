//! Where modules come from: the prelude during setup, then the script. Nothing is resolved here, as the script says what it imports.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Exception, JsLifetime, Module, Persistent, Result, Runtime};

use super::{
    phase::{self, Phase},
    synthetic,
};
use crate::prelude;
use crate::script::{self, Kind};

/// What the prelude's own modules are called. No script's module has such a name.
pub(super) const PRELUDE: &str = "dayfly:";

type Index = BTreeMap<String, Rc<script::Module>>;

thread_local! {
    static SCRIPT: RefCell<Index> = const { RefCell::new(Index::new()) };
    /// ES modules that the runtime has, by name.
    static DECLARED: RefCell<BTreeMap<String, Persistent<Kept<'static>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A module to come back to.
#[derive(Clone)]
struct Kept<'js>(Module<'js, Declared>);

// SAFETY: the only lifetime is that of the context.
unsafe impl<'js> JsLifetime<'js> for Kept<'js> {
    type Changed<'to> = Kept<'to>;
}

/// Has the runtime ask us for modules.
pub(super) fn install(runtime: &Runtime) {
    runtime.set_loader(Links, Texts);
}

/// Makes a script's modules available.
pub(super) fn provide(modules: Vec<script::Module>) {
    let index = modules.into_iter().map(|module| (module.name.clone(), Rc::new(module))).collect();
    SCRIPT.set(index);
}

/// A module of the script.
pub(super) fn find(name: &str) -> Option<Rc<script::Module>> {
    SCRIPT.with_borrow(|script| script.get(name).cloned())
}

/// Which module `base` means by `specifier`.
pub(super) fn resolve(ctx: &Ctx<'_>, base: &str, specifier: &str) -> Result<String> {
    if phase::current() == Phase::Setup {
        return Ok(specifier.to_owned());
    }
    let link = find(base).and_then(|module| module.links.iter().find(|(written, _)| written == specifier).cloned());
    match link {
        Some((_, module)) => Ok(module),
        None => {
            let message = format!(
                "cannot find the module \"{specifier}\": an import() must name its module as a plain string, so that it is deployed"
            );
            Err(Exception::throw_type(ctx, &message))
        }
    }
}

/// A module, evaluated or not: the one that an `import` of it gets.
pub(super) fn declared<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js, Declared>> {
    match DECLARED.with_borrow(|declared| declared.get(name).cloned()) {
        Some(kept) => kept.restore(ctx).map(|Kept(module)| module),
        None => declare(ctx, name),
    }
}

/// Makes a module, not yet evaluated. Once a name: the runtime keeps it.
fn declare<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js, Declared>> {
    if phase::current() == Phase::Setup {
        return declare_prelude(ctx, name);
    }
    let Some(module) = find(name) else {
        return Err(Exception::throw_type(ctx, &format!("the module \"{name}\" is not part of what was deployed")));
    };
    match module.kind {
        Kind::Module => declare_source(ctx, &module),
        Kind::CommonJs | Kind::Json | Kind::Text | Kind::Bytes => synthetic::declare(ctx, &module),
    }
}

fn declare_prelude<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js, Declared>> {
    if name == synthetic::NATIVE {
        return synthetic::declare_native(ctx);
    }
    let module = name.strip_prefix(PRELUDE).and_then(|name| prelude::MODULES.iter().find(|module| module.name == name));
    match module {
        Some(module) => Module::declare(ctx.clone(), name, module.code),
        None => Err(Exception::throw_type(ctx, &format!("the prelude has no module {name}"))),
    }
}

fn declare_source<'js>(ctx: &Ctx<'js>, module: &script::Module) -> Result<Module<'js, Declared>> {
    let declared = Module::declare(ctx.clone(), module.name.as_str(), without_nul(&module.code).as_ref())?;
    let meta = declared.meta()?;
    meta.set("url", format!("file:///{}", module.name))?;
    DECLARED.with_borrow_mut(|all| all.insert(module.name.clone(), Persistent::save(ctx, Kept(declared.clone()))));
    Ok(declared)
}

/// The engine takes a source as a C string: the language allows NUL within texts, patterns and comments, where its escape is the same.
pub(super) fn without_nul(code: &str) -> Cow<'_, str> {
    if code.contains('\0') { Cow::Owned(code.replace('\0', "\\x00")) } else { Cow::Borrowed(code) }
}

struct Links;

impl Resolver for Links {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str, _: Option<ImportAttributes<'js>>) -> Result<String> {
        resolve(ctx, base, name)
    }
}

struct Texts;

impl Loader for Texts {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str, _: Option<ImportAttributes<'js>>) -> Result<Module<'js, Declared>> {
        declare(ctx, name)
    }
}
