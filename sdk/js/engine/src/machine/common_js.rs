//! CommonJS: a module is the body of a function, run when it is first asked for, and kept.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rquickjs::prelude::This;
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, Value, qjs};

use super::{modules, synthetic};
use crate::script::Kind;

thread_local! {
    /// The `module` objects of those that began to run: in a cycle one gets what the other has exported so far.
    static MODULES: RefCell<BTreeMap<String, Persistent<Object<'static>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What a CommonJS module of the script exports: its `module.exports`.
pub(super) fn exports<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    if let Some(module) = MODULES.with_borrow(|modules| modules.get(name).cloned()) {
        return module.restore(ctx)?.get("exports");
    }
    let module = Object::new(ctx.clone())?;
    let exports = Object::new(ctx.clone())?;
    module.set("exports", exports.clone())?;
    module.set("id", name)?;
    MODULES.with_borrow_mut(|modules| modules.insert(name.to_owned(), Persistent::save(ctx, module.clone())));
    let body = compile(ctx, name)?;
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let require = require_of(ctx, name)?;
    let ran = body.call::<_, Value<'js>>((This(exports.clone()), exports, require, module.clone(), name, folder));
    if let Err(error) = ran {
        // It threw: whoever asks again gets to see that again.
        MODULES.with_borrow_mut(|modules| modules.remove(name));
        return Err(error);
    }
    module.get("exports")
}

fn require_of<'js>(ctx: &Ctx<'js>, base: &str) -> Result<Function<'js>> {
    let base = base.to_owned();
    Function::new(ctx.clone(), move |ctx: Ctx<'js>, specifier: String| require(&ctx, &base, &specifier))
}

fn require<'js>(ctx: &Ctx<'js>, base: &str, specifier: &str) -> Result<Value<'js>> {
    let name = modules::resolve(ctx, base, specifier)?;
    match modules::find(&name) {
        Some(module) if module.kind != Kind::Module => synthetic::value(ctx, &module),
        _ => require_es(ctx, &name),
    }
}

/// An ES module's namespace. It can't be had if the module waits for something at top level.
fn require_es<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    let (module, promise) = modules::declared(ctx, name)?.eval()?;
    match promise.result::<Value<'js>>() {
        Some(result) => result.map(drop)?,
        None => {
            let message = format!("require() of {name}, an ES module that awaits something at top level; use import");
            return Err(Exception::throw_type(ctx, &message));
        }
    }
    Ok(module.namespace()?.into_value())
}

/// The function whose body is the module. What makes it a function stands on a line before the first, so that lines are the file's.
fn compile<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    let code = modules::find(name).map(|module| module.code.clone()).unwrap_or_default();
    let code = modules::without_nul(&code);
    let text = synthetic::c_string(ctx, &format!("(function (exports, require, module, __filename, __dirname) {{\n{code}\n}})"))?;
    let file = synthetic::c_string(ctx, name)?;
    let mut options =
        qjs::JSEvalOptions { version: 1, eval_flags: qjs::JS_EVAL_TYPE_GLOBAL as _, filename: file.as_ptr(), line_num: 0 };
    // SAFETY: the texts end with 0 and live until after the call; the value is ours.
    let value = unsafe {
        let value = qjs::JS_Eval2(ctx.as_raw().as_ptr(), text.as_ptr(), text.as_bytes().len() as _, &mut options);
        if qjs::JS_IsException(value) {
            return Err(rquickjs::Error::Exception);
        }
        Value::from_raw(ctx.clone(), value)
    };
    value.into_function().ok_or_else(|| Exception::throw_syntax(ctx, &format!("{name} closes its function early")))
}
