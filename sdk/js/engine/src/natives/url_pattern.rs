//! URLPattern: patterns are taken apart and inputs made canonical here; regular expressions are JavaScript's, so the prelude matches.
//!
//! Whether a protocol's pattern means one of the special schemes has to be known while a pattern is taken apart. A pattern that is a regular
//! expression then asks questions, which are collected, answered by the prelude, and the pattern is taken apart once more.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rquickjs::{Array, Ctx, Function, Object, Result, String as JsString, Value};
use url::Url;
use urlpattern::component::Component;
use urlpattern::matcher::InnerMatcher;
use urlpattern::quirks::{self, StringOrInit, UrlPatternInit};
use urlpattern::regexp::RegExp;
use urlpattern::{RegexSyntax, UrlPattern, UrlPatternOptions};

use crate::natives::made::List;
use crate::natives::text;

thread_local! {
    /// Whether a text matches a regular expression, as far as it is known; and what was asked beyond that.
    static ANSWERS: RefCell<BTreeMap<(String, String), bool>> = const { RefCell::new(BTreeMap::new()) };
    static QUESTIONS: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// A regular expression that JavaScript will compile.
struct Source(String);

impl RegExp for Source {
    fn syntax() -> RegexSyntax {
        RegexSyntax::EcmaScript
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> std::result::Result<Self, ()> {
        Ok(Self(pattern.to_owned()))
    }

    /// Only whether it matches is asked.
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        let question = (self.0.clone(), text.to_owned());
        let known = ANSWERS.with_borrow(|answers| answers.get(&question).copied());
        if known.is_none() {
            QUESTIONS.with_borrow_mut(|questions| questions.push(question));
        }
        known?.then(Vec::new)
    }

    fn pattern_string(&self) -> &str {
        &self.0
    }
}

/// `patternParse(input, base, ignoreCase, answers)`: the input is a string, or a list of the eight parts and a base, each a string or undefined; answers
/// are a list of expression, text, whether it matches. Gives undefined if there is no such pattern, `[false, question, …]` with expression and
/// text of each in turn, or `[true, hasGroups, component, …]`, each `[pattern, expression, names, literal]`.
/// `patternInput(input, base)` gives the eight canonical parts, or undefined.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("patternParse", Function::new(ctx.clone(), parse)?)?;
    native.set("patternInput", Function::new(ctx.clone(), input)?)
}

fn given(input: &Value<'_>) -> Result<StringOrInit<'static>> {
    if let Some(list) = input.as_array() {
        return init(list).map(StringOrInit::Init);
    }
    let text = input.as_string().map(text::lossy).transpose()?;
    Ok(StringOrInit::String(text.unwrap_or_default().into()))
}

fn init(parts: &Array<'_>) -> Result<UrlPatternInit> {
    Ok(UrlPatternInit {
        protocol: parts.get(0)?,
        username: parts.get(1)?,
        password: parts.get(2)?,
        hostname: parts.get(3)?,
        port: parts.get(4)?,
        pathname: parts.get(5)?,
        search: parts.get(6)?,
        hash: parts.get(7)?,
        base_url: parts.get(8)?,
    })
}

fn parse<'js>(
    ctx: Ctx<'js>,
    input: Value<'js>,
    base: Option<String>,
    ignore_case: bool,
    answers: Array<'js>,
) -> Result<Option<List<'js>>> {
    let mut known = BTreeMap::new();
    for index in (0..answers.len()).step_by(3) {
        known.insert((answers.get(index)?, answers.get(index + 1)?), answers.get(index + 2)?);
    }
    ANSWERS.set(known);
    QUESTIONS.take();
    let pattern = taken_apart(given(&input)?, base.as_deref(), ignore_case);
    let questions = QUESTIONS.take();
    if !questions.is_empty() {
        let mut list = List::new(&ctx)?.with(false)?;
        for (expression, text) in questions {
            list = list.with(expression)?.with(text)?;
        }
        return Ok(Some(list));
    }
    pattern.map(|pattern| described(&ctx, &pattern)).transpose()
}

fn taken_apart(input: StringOrInit<'static>, base: Option<&str>, ignore_case: bool) -> Option<UrlPattern<Source>> {
    let init = match input {
        StringOrInit::String(pattern) => {
            let base = base.map(Url::parse).transpose().ok()?;
            urlpattern::UrlPatternInit::parse_constructor_string::<Source>(&pattern, base).ok()?
        }
        StringOrInit::Init(init) => with_base(init)?,
    };
    UrlPattern::parse(init, UrlPatternOptions { regex_syntax: RegexSyntax::EcmaScript, ignore_case }).ok()
}

// Not the library's own conversion, which would link a second engine of regular expressions.
fn with_base(init: UrlPatternInit) -> Option<urlpattern::UrlPatternInit> {
    let UrlPatternInit { protocol, username, password, hostname, port, pathname, search, hash, base_url } = init;
    let base_url = base_url.map(|base| Url::parse(&base)).transpose().ok()?;
    Some(urlpattern::UrlPatternInit { protocol, username, password, hostname, port, pathname, search, hash, base_url })
}

fn described<'js>(ctx: &Ctx<'js>, pattern: &UrlPattern<Source>) -> Result<List<'js>> {
    let UrlPattern { protocol, username, password, hostname, port, pathname, search, hash } = pattern;
    let mut list = List::new(ctx)?.with(true)?.with(pattern.has_regexp_groups())?;
    for component in [protocol, username, password, hostname, port, pathname, search, hash] {
        list.push(component_of(ctx, component)?)?;
    }
    Ok(list)
}

fn component_of<'js>(ctx: &Ctx<'js>, component: &Component<Source>) -> Result<List<'js>> {
    let mut names = List::new(ctx)?;
    for name in &component.group_name_list {
        names.push(name)?;
    }
    let matcher = &component.matcher;
    let literal = match &matcher.inner {
        InnerMatcher::Literal { literal } if !matcher.ignore_case => {
            Some([&matcher.prefix, literal.as_str(), &matcher.suffix].concat())
        }
        _ => None,
    };
    let expression = component.regexp.as_ref().map_or("", |source| source.0.as_str());
    List::new(ctx)?.with(&component.pattern_string)?.with(expression)?.with(names)?.with(literal)
}

fn input<'js>(ctx: Ctx<'js>, input: Value<'js>, base: Option<String>) -> Result<Option<List<'js>>> {
    let Ok(Some((input, _))) = quirks::process_match_input(given(&input)?, base.as_deref()) else { return Ok(None) };
    let Some(parts) = quirks::parse_match_input(input) else { return Ok(None) };
    let mut list = List::new(&ctx)?;
    for part in
        [parts.protocol, parts.username, parts.password, parts.hostname, parts.port, parts.pathname, parts.search, parts.hash]
    {
        list.push(JsString::from_str(ctx.clone(), &part)?)?;
    }
    Ok(Some(list))
}
