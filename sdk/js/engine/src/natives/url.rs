//! URLs and queries: the parser of the WHATWG's standard. A parsed URL stays here, behind a handle, and its parts become strings when they are
//! asked for.

use rquickjs::{Array, Class, Ctx, Function, Object, Result, function::Opt};
use std::borrow::Cow;
use std::cell::RefCell;
use url::{Url, form_urlencoded, quirks};

use crate::natives::made::List;
use crate::natives::opaque::opaque;

/// A parsed URL, as scripts' `URL` objects hold it.
struct Handle(RefCell<Url>);

/// `urlParse(text, base?)` gives a handle or undefined; `urlGet(handle, part)`; `urlSet(handle, part, text)` says whether it took the text;
/// `queryParse(text)` gives `[[name, value], …]`, which `querySerialize` turns into text.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("urlParse", Function::new(ctx.clone(), parse)?)?;
    native.set("urlGet", Function::new(ctx.clone(), get)?)?;
    native.set("urlSet", Function::new(ctx.clone(), set)?)?;
    native.set("queryParse", Function::new(ctx.clone(), query_parse)?)?;
    native.set("querySerialize", Function::new(ctx.clone(), query_serialize)?)
}

fn parse<'js>(ctx: Ctx<'js>, text: String, base: Opt<String>) -> Result<Option<Class<'js, Handle>>> {
    let parsed = match base.0 {
        None => Url::parse(&text),
        Some(base) => Url::parse(&base).and_then(|base| base.join(&with_two_slashes(&base, &text))),
    };
    parsed.ok().map(|url| Class::instance(ctx, Handle(RefCell::new(url)))).transpose()
}

/// In front of a host, more than two slashes of a relative address count as two, unless it is that of a file; the parser takes them for an empty host.
fn with_two_slashes<'a>(base: &Url, text: &'a str) -> Cow<'a, str> {
    let relative = text.trim_start_matches(|character| character <= ' ');
    let host = relative.trim_start_matches(['/', '\\']);
    if relative.len() - host.len() > 2 && matches!(base.scheme(), "http" | "https" | "ws" | "wss" | "ftp") {
        return Cow::Owned(format!("//{host}"));
    }
    Cow::Borrowed(text)
}

/// The parts, by the numbers that `prelude/url.js` uses.
const HREF: u8 = 0;
const ORIGIN: u8 = 1;
const PROTOCOL: u8 = 2;
const USERNAME: u8 = 3;
const PASSWORD: u8 = 4;
const HOST: u8 = 5;
const HOSTNAME: u8 = 6;
const PORT: u8 = 7;
const PATHNAME: u8 = 8;
const SEARCH: u8 = 9;
const HASH: u8 = 10;
/// The query as it stands, without its question mark.
const QUERY: u8 = 11;

fn get<'js>(ctx: Ctx<'js>, handle: Class<'js, Handle>, part: u8) -> Result<rquickjs::String<'js>> {
    let handle = handle.borrow();
    let url = handle.0.borrow();
    let origin;
    let text = match part {
        HREF => quirks::href(&url),
        ORIGIN => {
            origin = origin_of(&url);
            &origin
        }
        PROTOCOL => quirks::protocol(&url),
        USERNAME => quirks::username(&url),
        PASSWORD => quirks::password(&url),
        HOST => quirks::host(&url),
        HOSTNAME => quirks::hostname(&url),
        PORT => quirks::port(&url),
        PATHNAME => quirks::pathname(&url),
        SEARCH => quirks::search(&url),
        HASH => quirks::hash(&url),
        QUERY => url.query().unwrap_or_default(),
        _ => "",
    };
    rquickjs::String::from_str(ctx, text)
}

/// A `blob:` URL has the origin of the URL in it, if that is one of the web.
fn origin_of(url: &Url) -> String {
    let is_opaque =
        url.scheme() == "blob" && !Url::parse(url.path()).is_ok_and(|inner| matches!(inner.scheme(), "http" | "https"));
    if is_opaque { "null".to_owned() } else { quirks::origin(url) }
}

fn set(handle: Class<'_, Handle>, part: u8, text: String) -> bool {
    let handle = handle.borrow();
    let mut url = handle.0.borrow_mut();
    match part {
        HREF => quirks::set_href(&mut url, &text).is_ok(),
        PROTOCOL => quirks::set_protocol(&mut url, &text).is_ok(),
        USERNAME => quirks::set_username(&mut url, &text).is_ok(),
        PASSWORD => quirks::set_password(&mut url, &text).is_ok(),
        HOST => quirks::set_host(&mut url, &text).is_ok(),
        HOSTNAME => quirks::set_hostname(&mut url, &text).is_ok(),
        PORT => quirks::set_port(&mut url, &text).is_ok(),
        PATHNAME => {
            quirks::set_pathname(&mut url, &text);
            true
        }
        SEARCH => {
            quirks::set_search(&mut url, &text);
            true
        }
        HASH => {
            quirks::set_hash(&mut url, &text);
            true
        }
        QUERY => {
            url.set_query(if text.is_empty() { None } else { Some(&text) });
            true
        }
        _ => false,
    }
}

fn query_parse<'js>(ctx: Ctx<'js>, text: String) -> Result<List<'js>> {
    let mut list = List::new(&ctx)?;
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        list.push(List::new(&ctx)?.with(name.as_ref())?.with(value.as_ref())?)?;
    }
    Ok(list)
}

fn query_serialize(list: Array<'_>) -> Result<String> {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for pair in list.iter::<Array<'_>>() {
        let pair = pair?;
        text.append_pair(&pair.get::<String>(0)?, &pair.get::<String>(1)?);
    }
    Ok(text.finish())
}

opaque!(Handle, "UrlHandle", rquickjs::class::Readable);
