//! Modules whose text is no ES module: CommonJS, JSON, text, bytes, and what Rust gives the prelude.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rquickjs::module::{Declarations, Declared, Exports, ModuleDef};
use rquickjs::{Ctx, Exception, Module, Object, Persistent, Result, TypedArray, Value, qjs};

use super::{common_js, modules};
use crate::natives;
use crate::script::{self, Kind};

/// The module that Rust makes for the prelude.
pub(super) const NATIVE: &str = "dayfly:native";

thread_local! {
    /// What JSON, text and bytes stand for, by the module's name.
    static VALUES: RefCell<BTreeMap<String, Persistent<Value<'static>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Makes the module of a script's text that is no ES module.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, module: &script::Module) -> Result<Module<'js, Declared>> {
    Module::declare_def::<Text, _>(ctx.clone(), module.name.as_str())
}

/// Makes the module of the natives.
pub(super) fn declare_native<'js>(ctx: &Ctx<'js>) -> Result<Module<'js, Declared>> {
    Module::declare_def::<Native, _>(ctx.clone(), NATIVE)
}

struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default").map(drop)
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("default", natives::install(ctx)?).map(drop)
    }
}

struct Text;

impl ModuleDef for Text {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        let module = module_of(declarations.module())?;
        for name in named(&module) {
            declarations.declare(name.as_str())?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let module = module_of(exports.module())?;
        let value = value(ctx, &module)?;
        if let Some(object) = value.as_object() {
            for name in named(&module) {
                exports.export(name.as_str(), object.get::<_, Value<'js>>(name.as_str())?)?;
            }
        }
        exports.export("default", value).map(drop)
    }
}

/// The names that a CommonJS module exports beside `default`.
fn named(module: &script::Module) -> impl Iterator<Item = &String> {
    module.exports.iter().filter(|name| *name != "default")
}

fn module_of(module: &Module<'_, Declared>) -> Result<std::rc::Rc<script::Module>> {
    let name: String = module.name()?;
    modules::find(&name).ok_or_else(|| Exception::throw_type(module.ctx(), &format!("the module \"{name}\" is gone")))
}

/// What the module's text stands for: the same value whenever it is asked for.
pub(super) fn value<'js>(ctx: &Ctx<'js>, module: &script::Module) -> Result<Value<'js>> {
    if module.kind == Kind::CommonJs {
        return common_js::exports(ctx, &module.name);
    }
    if let Some(value) = VALUES.with_borrow(|values| values.get(&module.name).cloned()) {
        return value.restore(ctx);
    }
    let value = match module.kind {
        Kind::Json => parse_json(ctx, module)?,
        Kind::Bytes => bytes(ctx, module)?,
        Kind::Text | Kind::Module | Kind::CommonJs => rquickjs::String::from_str(ctx.clone(), &module.code)?.into_value(),
    };
    VALUES.with_borrow_mut(|values| values.insert(module.name.clone(), Persistent::save(ctx, value.clone())));
    Ok(value)
}

fn parse_json<'js>(ctx: &Ctx<'js>, module: &script::Module) -> Result<Value<'js>> {
    // The engine reads one byte past the end, which has to be 0.
    let text = c_string(ctx, &module.code)?;
    let name = c_string(ctx, &module.name)?;
    // SAFETY: both texts end with 0 and live until after the call; the value is ours.
    unsafe {
        let value = qjs::JS_ParseJSON(ctx.as_raw().as_ptr(), text.as_ptr(), module.code.len() as _, name.as_ptr());
        if qjs::JS_IsException(value) { Err(rquickjs::Error::Exception) } else { Ok(Value::from_raw(ctx.clone(), value)) }
    }
}

pub(super) fn c_string(ctx: &Ctx<'_>, text: &str) -> Result<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(|_| Exception::throw_syntax(ctx, "a module's text holds a zero character"))
}

fn bytes<'js>(ctx: &Ctx<'js>, module: &script::Module) -> Result<Value<'js>> {
    let bytes = data_encoding::BASE64
        .decode(module.code.as_bytes())
        .map_err(|error| Exception::throw_type(ctx, &format!("{}: {error}", module.name)))?;
    let array: Object<'js> = TypedArray::new(ctx.clone(), bytes)?.into_object();
    Ok(array.into_value())
}
