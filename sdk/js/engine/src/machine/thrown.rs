//! What was thrown, as plain text: bounded, and without trusting it, as it may be any value with any getters.

use rquickjs::{Ctx, Object, Value, qjs};

use crate::script::Thrown;

/// Longer texts are cut. A message is shown to people; the rest is in the log, if it was logged.
const MESSAGE_BYTES_MAX: usize = 8 << 10;
const NAME_BYTES_MAX: usize = 256;
/// Of a stack the first lines are kept: where it was thrown.
const STACK_LINES_MAX: usize = 64;
const STACK_BYTES_MAX: usize = 16 << 10;
const CAUSES_MAX: usize = 8;

/// Whether a `catch` would get it. What the host stops a script with is not caught.
pub(super) fn is_catchable(value: &Value<'_>) -> bool {
    // SAFETY: it only looks at the value.
    unsafe { !qjs::JS_IsUncatchableError(value.as_raw()) }
}

/// The text of what was thrown.
pub(super) fn describe<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Thrown {
    let mut thrown = describe_one(ctx, value);
    if let Some(error) = as_error(value) {
        thrown.causes = causes(ctx, error);
    }
    thrown
}

fn describe_one<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Thrown {
    let Some(error) = as_error(value) else {
        return Thrown { message: cut(text_of(ctx, value), MESSAGE_BYTES_MAX), ..Thrown::default() };
    };
    let get = |name: &str| property(ctx, error, name);
    let name = get("name").unwrap_or_else(|| "Error".to_owned());
    let message = get("message").unwrap_or_default();
    let stack = stack(calls(&get("stack").unwrap_or_default(), &name, &message));
    Thrown { name: cut(name, NAME_BYTES_MAX), message: cut(message, MESSAGE_BYTES_MAX), stack, causes: Vec::new() }
}

/// Whether its stack has a call of the script's own.
pub(super) fn has_place(thrown: &Thrown) -> bool {
    thrown.stack.lines().any(|line| line.contains(':') && !line.contains("(dayfly:"))
}

/// Errors, and what behaves like one: a `DOMException` has a stack too.
fn as_error<'a, 'js>(value: &'a Value<'js>) -> Option<&'a Object<'js>> {
    let object = value.as_object()?;
    let has_stack = object.is_error() || object.contains_key("stack").is_ok_and(|has| has);
    has_stack.then_some(object)
}

/// The causes of an error, and the errors of an `AggregateError`.
fn causes<'js>(ctx: &Ctx<'js>, error: &Object<'js>) -> Vec<String> {
    let mut causes = Vec::new();
    if let Ok(errors) = quiet(ctx, error.get::<_, rquickjs::Array<'js>>("errors")) {
        for inner in errors.iter::<Value<'js>>().take(CAUSES_MAX).flatten() {
            causes.push(one_line(ctx, &inner));
        }
    }
    let mut present = error.clone();
    while causes.len() < CAUSES_MAX {
        let Ok(cause) = quiet(ctx, present.get::<_, Value<'js>>("cause")) else { break };
        if cause.is_undefined() || cause.is_null() {
            break;
        }
        causes.push(one_line(ctx, &cause));
        match cause.into_object() {
            Some(next) => present = next,
            None => break,
        }
    }
    causes
}

/// `TypeError: what it says`, and the line of the stack where it was made.
fn one_line<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let Thrown { name, message, stack, .. } = describe_one(ctx, value);
    let text = match (name.is_empty(), message.is_empty()) {
        (true, _) => message,
        (false, true) => name,
        (false, false) => format!("{name}: {message}"),
    };
    match stack.lines().next() {
        Some(at) => format!("{text}\n{at}"),
        None => text,
    }
}

fn property<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str) -> Option<String> {
    let value = quiet(ctx, object.get::<_, Value<'js>>(name)).ok()?;
    if value.is_undefined() || value.is_null() { None } else { Some(text_of(ctx, &value)) }
}

/// The value as `String(value)` has it, or JSON for a plain object.
fn text_of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    if value.is_object()
        && !value.is_function()
        && let Ok(Some(json)) = quiet(ctx, ctx.json_stringify(value.clone()))
        && let Ok(json) = json.to_string()
    {
        return json;
    }
    // SAFETY: the context is alive; a null pointer means that the conversion threw, and is looked at.
    unsafe {
        let context = ctx.as_raw().as_ptr();
        let mut length = 0;
        let text = qjs::JS_ToCStringLen(context, &mut length, value.as_raw());
        if text.is_null() {
            drop(ctx.catch());
            return "a value that cannot be shown".to_owned();
        }
        let bytes = std::slice::from_raw_parts(text.cast::<u8>(), length);
        let owned = String::from_utf8_lossy(bytes).into_owned();
        qjs::JS_FreeCString(context, text);
        owned
    }
}

/// A getter may throw: that exception is of no interest.
fn quiet<'js, T>(ctx: &Ctx<'js>, result: rquickjs::Result<T>) -> Result<T, ()> {
    result.map_err(|_| drop(ctx.catch()))
}

/// What stands behind the name and the message, which begin a stack for programs that print nothing else (`prelude/error-stack.js`).
fn calls<'a>(stack: &'a str, name: &str, message: &str) -> &'a str {
    let of_name = stack.strip_prefix(name).unwrap_or(stack);
    of_name.strip_prefix(": ").and_then(|rest| rest.strip_prefix(message)).unwrap_or(of_name)
}

/// The lines of the script's own calls; those of the prelude only where there are no others.
fn stack(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.is_empty());
    let mut own: Vec<&str> = lines().filter(|line| !line.contains("(dayfly:")).take(STACK_LINES_MAX).collect();
    // `at map (native)` has no place.
    if !own.iter().any(|line| line.contains(':')) {
        own = lines().take(STACK_LINES_MAX).collect();
    }
    cut(own.join("\n"), STACK_BYTES_MAX)
}

fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
    text
}
