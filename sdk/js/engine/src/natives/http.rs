//! HTTP: the request and response of the invocation, and requests to others.
//!
//! The README of this crate lists the functions with their types. Bodies, writers and exchanges are numbers to JavaScript.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Array, Ctx, Error, Exception, Function, Object, Result, Value, qjs};

use super::handles::Handles;
use super::packed::Source;
use super::transfer::{from_latin1, latin1, text, uint8_array, with_bytes};
use crate::host::Pollable;
use crate::host::http::{self, Body, Exchange, Writer};
use crate::host::http_types::{Answer, Fields, Incoming, Outgoing, Read, Written};
use crate::machine::events::{self, Owner, Step};
use crate::machine::phase;

type Shared<T> = Rc<RefCell<T>>;

/// A thing of the host, and whose waits they are that need it.
struct Held<T> {
    thing: Shared<T>,
    owner: Owner,
}

impl<T> Held<T> {
    fn new(thing: T) -> Self {
        Self { thing: Rc::new(RefCell::new(thing)), owner: Owner::new() }
    }
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { thing: Rc::clone(&self.thing), owner: self.owner }
    }
}

thread_local! {
    static BODIES: Handles<Held<Source>> = const { Handles::new() };
    static WRITERS: Handles<Held<Option<Writer>>> = const { Handles::new() };
    static EXCHANGES: Handles<Held<Exchange>> = const { Handles::new() };
}

/// The bodies that JavaScript has numbers of, for natives that take one over.
pub(super) struct Bodies;

impl Bodies {
    /// Takes a body away; what waits for it is forgotten.
    pub(super) fn take(number: u32) -> Option<Shared<Source>> {
        let held = BODIES.with(|bodies| bodies.take(number))?;
        events::cancel(held.owner);
        Some(held.thing)
    }
}

/// The writers that JavaScript has numbers of.
pub(super) struct Writers;

impl Writers {
    /// Takes a writer away; what waits for it is forgotten.
    pub(super) fn take(number: u32) -> Option<Writer> {
        let held = WRITERS.with(|writers| writers.take(number))?;
        events::cancel(held.owner);
        held.thing.take()
    }
}

pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    let context = || ctx.clone();
    native.set("requestMethod", Function::new(context(), http::method)?)?;
    native.set("requestUrl", Function::new(context(), http::url)?)?;
    native.set("requestHeader", Function::new(context(), |name: String| http::header(&name).map(|value| latin1(&value)))?)?;
    native.set("requestHeaders", Function::new(context(), || flat(http::headers()))?)?;
    native.set("requestBody", Function::new(context(), || keep_body(http::body()))?)?;
    native.set("bodyPull", Function::new(context(), body_pull)?)?;
    native.set("bodyBytes", Function::new(context(), |ctx, body| body_whole(ctx, body, uint8_array))?)?;
    native.set("bodyText", Function::new(context(), |ctx, body| body_whole(ctx, body, text))?)?;
    native.set("bodyCancel", Function::new(context(), |body| BODIES.with(|all| forget(all, body)))?)?;
    native.set("bodyUnpack", Function::new(context(), body_unpack)?)?;
    native.set("bodyPacked", Function::new(context(), body_packed)?)?;
    native.set("respond", Function::new(context(), respond)?)?;
    native.set("respondStream", Function::new(context(), respond_stream)?)?;
    native.set("writerWrite", Function::new(context(), writer_write)?)?;
    native.set("writerFinish", Function::new(context(), writer_finish)?)?;
    native.set("writerAbort", Function::new(context(), |writer| WRITERS.with(|all| forget(all, writer)))?)?;
    native.set("fetchStart", Function::new(context(), fetch_start)?)?;
    native.set("fetchResponse", Function::new(context(), fetch_response)?)?;
    native.set("fetchAbort", Function::new(context(), |exchange| EXCHANGES.with(|all| forget(all, exchange)))?)
}

/// Names and values in turn.
fn flat(headers: Fields) -> Vec<String> {
    headers.into_iter().flat_map(|(name, value)| [name, latin1(&value)]).collect()
}

/// Fields that belong to one connection (RFC 9110, 7.6.1). Whoever holds the connection writes them; a script's are dropped.
const OF_CONNECTION: [&str; 11] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn fields(ctx: &Ctx<'_>, flat: &[String]) -> Result<Fields> {
    let field = |pair: &[String]| {
        let value = from_latin1(&pair[1]);
        let value =
            value.ok_or_else(|| Exception::throw_type(ctx, &format!("the header {} holds a character above U+00FF", pair[0])))?;
        if let Some(byte) = value.iter().copied().find(is_control) {
            let message = format!("the value of header \"{}\" has U+{byte:04X}: HTTP can't carry control characters", pair[0]);
            return Err(Exception::throw_type(ctx, &message));
        }
        Ok((pair[0].clone(), value))
    };
    let fields: Fields =
        flat.chunks_exact(2).filter(|pair| !OF_CONNECTION.contains(&pair[0].as_str())).map(field).collect::<Result<_>>()?;
    check_size(&fields).map_err(|message| Exception::throw_type(ctx, &message))?;
    Ok(fields)
}

/// How many fields a message may have, and how many bytes of names and values: the platform's limits `guest field count` and `guest fields`.
const FIELDS_MAX: usize = 256;
const FIELD_BYTES_MAX: usize = 64 << 10;

fn check_size(fields: &Fields) -> std::result::Result<(), String> {
    if fields.len() > FIELDS_MAX {
        return Err(format!("a message has {} header fields: there may be {FIELDS_MAX}", fields.len()));
    }
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > FIELD_BYTES_MAX {
        return Err(format!("the headers of a message have {bytes} bytes: there may be {FIELD_BYTES_MAX}"));
    }
    Ok(())
}

/// What no field's value may hold (RFC 9110, 5.5), and what the Fetch standard's `Headers` lets pass.
fn is_control(byte: &u8) -> bool {
    matches!(*byte, 0..=8 | 10..=31 | 127)
}

/// Keeps a body that JavaScript reads by its number.
pub(crate) fn keep_body(body: Body) -> u32 {
    BODIES.with(|bodies| bodies.insert(Held::new(Source::new(body))))
}

fn held<T>(ctx: &Ctx<'_>, all: &Handles<Held<T>>, number: u32) -> Result<Held<T>> {
    all.with(number, |held| held.clone()).ok_or_else(|| Exception::throw_type(ctx, "this stream was closed"))
}

/// Waits are forgotten before the thing that they need.
fn forget<T>(all: &Handles<Held<T>>, number: u32) {
    if let Some(held) = all.take(number) {
        events::cancel(held.owner);
    }
}

fn body_unpack(ctx: Ctx<'_>, number: u32, coding: String, length: Option<String>) -> Result<bool> {
    let Held { thing, .. } = BODIES.with(|bodies| held(&ctx, bodies, number))?;
    Ok(thing.borrow_mut().unpack(&coding, length))
}

fn body_packed<'js>(ctx: Ctx<'js>, number: u32) -> Result<Value<'js>> {
    let Held { thing, .. } = BODIES.with(|bodies| held(&ctx, bodies, number))?;
    let source = thing.borrow();
    let Some((coding, length)) = source.packed() else { return Ok(Value::new_null(ctx)) };
    let both = Array::new(ctx)?;
    both.set(0, coding)?;
    both.set(1, length)?;
    Ok(both.into_value())
}

fn body_pull<'js>(ctx: Ctx<'js>, number: u32) -> Result<Value<'js>> {
    let Held { thing, owner } = BODIES.with(|bodies| held(&ctx, bodies, number))?;
    events::until_ready(&ctx, owner, move |ctx| match thing.borrow_mut().read() {
        Read::Bytes(bytes) => uint8_array(ctx, &bytes).map(Step::Ready),
        Read::End => Ok(Step::Ready(Value::new_null(ctx.clone()))),
        Read::Wait(pollable) => Ok(Step::Wait(pollable)),
        Read::Failed(why) => Err(Exception::throw_type(ctx, &why)),
    })
}

/// Makes a value of all bytes.
type Whole = for<'js> fn(&Ctx<'js>, &[u8]) -> Result<Value<'js>>;

fn body_whole<'js>(ctx: Ctx<'js>, number: u32, whole: Whole) -> Result<Value<'js>> {
    let Held { thing, owner } = BODIES.with(|bodies| held(&ctx, bodies, number))?;
    let mut all = Vec::new();
    events::until_ready(&ctx, owner, move |ctx| {
        loop {
            match thing.borrow_mut().read() {
                Read::Bytes(bytes) if all.is_empty() => all = bytes,
                Read::Bytes(bytes) => {
                    if all.try_reserve(bytes.len()).is_err() {
                        // Given back first: an exception takes memory too.
                        all = Vec::new();
                        return Err(out_of_memory(ctx));
                    }
                    all.extend_from_slice(&bytes);
                }
                Read::End => return whole(ctx, &std::mem::take(&mut all)).map(Step::Ready),
                Read::Wait(pollable) => return Ok(Step::Wait(pollable)),
                Read::Failed(why) => return Err(Exception::throw_type(ctx, &why)),
            }
        }
    })
}

/// As the engine throws it where it has no memory left itself.
fn out_of_memory(ctx: &Ctx<'_>) -> Error {
    // SAFETY: the context is alive, and what was thrown is its pending exception.
    unsafe { qjs::JS_ThrowOutOfMemory(ctx.as_raw().as_ptr()) };
    Error::Exception
}

/// A whole response: the body is a string, bytes, or nothing.
fn respond<'js>(ctx: Ctx<'js>, status: u16, headers: Vec<String>, body: Value<'js>) -> Result<Value<'js>> {
    let has_body = !body.is_null() && !body.is_undefined();
    if has_body && let Some(said) = headers.chunks_exact(2).find(|pair| pair[0] == "content-length").map(|pair| pair[1].as_str())
    {
        check_length(&ctx, said, &body)?;
    }
    let writer = begin_response(&ctx, status, &headers)?;
    if !has_body {
        finish(&ctx, writer)?;
        return Ok(Value::new_undefined(ctx));
    }
    write_all(&ctx, Rc::new(RefCell::new(Some(writer))), Owner::new(), &body, true)
}

/// The client would wait for bytes that do not come. An answer to HEAD says what would come.
fn check_length<'js>(ctx: &Ctx<'js>, said: &str, body: &Value<'js>) -> Result<()> {
    let length = with_bytes(ctx, body, <[u8]>::len)?;
    if said.trim().parse() == Ok(length) || http::method() == "HEAD" {
        return Ok(());
    }
    Err(Exception::throw_type(
        ctx,
        &format!("the header content-length says {said}, and the body has {length} bytes: leave the header out"),
    ))
}

fn respond_stream(ctx: Ctx<'_>, status: u16, headers: Vec<String>) -> Result<u32> {
    let writer = begin_response(&ctx, status, &headers)?;
    Ok(WRITERS.with(|writers| writers.insert(Held::new(Some(writer)))))
}

fn begin_response(ctx: &Ctx<'_>, status: u16, headers: &[String]) -> Result<Writer> {
    http::respond(status, fields(ctx, headers)?).map_err(|why| Exception::throw_type(ctx, &why))
}

fn writer_write<'js>(ctx: Ctx<'js>, number: u32, chunk: Value<'js>) -> Result<Value<'js>> {
    let Held { thing, owner } = WRITERS.with(|writers| held(&ctx, writers, number))?;
    write_all(&ctx, thing, owner, &chunk, false)
}

fn writer_finish(ctx: Ctx<'_>, number: u32) -> Result<()> {
    let held = WRITERS.with(|writers| writers.take(number));
    match held.and_then(|held| held.thing.take()) {
        Some(writer) => finish(&ctx, writer),
        None => Ok(()),
    }
}

/// Ends a message well.
pub(super) fn finish(ctx: &Ctx<'_>, writer: Writer) -> Result<()> {
    writer.finish().map_err(|why| Exception::throw_type(ctx, &why))
}

/// Writes all of the chunk, at once as far as it is taken at once.
fn write_all<'js>(
    ctx: &Ctx<'js>,
    writer: Shared<Option<Writer>>,
    owner: Owner,
    chunk: &Value<'js>,
    is_last: bool,
) -> Result<Value<'js>> {
    let first = with_bytes(ctx, chunk, |bytes| match writer.borrow_mut().as_mut() {
        None => Err("the stream was closed".to_owned()),
        Some(writer) => write_some(writer, bytes).map(|(taken, wait)| (bytes[taken..].to_vec(), wait)),
    })?;
    let (rest, mut wait): (Vec<u8>, _) = first.map_err(|why| Exception::throw_type(ctx, &why))?;
    let mut written = 0;
    events::until_ready(ctx, owner, move |ctx| {
        if let Some(pollable) = wait.take() {
            return Ok(Step::Wait(pollable));
        }
        if written < rest.len() {
            let mut writer = writer.borrow_mut();
            let Some(writer) = writer.as_mut() else { return Err(Exception::throw_type(ctx, "the stream was closed")) };
            let (taken, wait) = write_some(writer, &rest[written..]).map_err(|why| Exception::throw_type(ctx, &why))?;
            written += taken;
            if let Some(pollable) = wait {
                return Ok(Step::Wait(pollable));
            }
        }
        if is_last && let Some(writer) = writer.take() {
            finish(ctx, writer)?;
        }
        Ok(Step::Ready(Value::new_undefined(ctx.clone())))
    })
}

/// How much was taken, and what to wait for if that was not all.
fn write_some(writer: &mut Writer, bytes: &[u8]) -> std::result::Result<(usize, Option<Pollable>), String> {
    let mut taken = 0;
    while taken < bytes.len() {
        match writer.write(&bytes[taken..]) {
            Written::Taken(count) => taken += count,
            Written::Wait(pollable) => return Ok((taken, Some(pollable))),
            Written::Closed(why) => return Err(why),
        }
    }
    Ok((taken, None))
}

/// Sends a request: the body is a string, bytes, nothing, or `true` for one that is written later.
fn fetch_start<'js>(ctx: Ctx<'js>, method: String, url: String, headers: Vec<String>, body: Value<'js>) -> Result<Vec<u32>> {
    phase::only_when_serving(&ctx, "fetch")?;
    let request = Outgoing { method, url, headers: fields(&ctx, &headers)? };
    let (exchange, writer) = http::send(request).map_err(|why| Exception::throw_type(&ctx, &why))?;
    let exchange = EXCHANGES.with(|exchanges| exchanges.insert(Held::new(exchange)));
    if body.as_bool() == Some(true) {
        return Ok(vec![exchange, WRITERS.with(|writers| writers.insert(Held::new(Some(writer))))]);
    }
    if body.is_null() || body.is_undefined() {
        finish(&ctx, writer)?;
    } else {
        write_all(&ctx, Rc::new(RefCell::new(Some(writer))), Owner::new(), &body, true)?;
    }
    Ok(vec![exchange, 0])
}

fn fetch_response<'js>(ctx: Ctx<'js>, number: u32) -> Result<Value<'js>> {
    let Held { thing, owner } = EXCHANGES.with(|exchanges| held(&ctx, exchanges, number))?;
    events::until_ready(&ctx, owner, move |ctx| match thing.borrow_mut().answer() {
        Answer::Wait(pollable) => Ok(Step::Wait(pollable)),
        Answer::Failed(why) => Err(Exception::throw_type(ctx, &why)),
        Answer::Here(Incoming { status, headers, body }) => {
            let answer = Object::new(ctx.clone())?;
            // A script may have put setters on `Object.prototype`.
            answer.set_prototype(None)?;
            answer.set("status", status)?;
            answer.set("headers", flat(headers))?;
            answer.set("body", keep_body(body))?;
            Ok(Step::Ready(answer.into_value()))
        }
    })
}
