//! Every error that a person can meet: one table of codes, and the [`Problem`] that carries one to them.
//!
//! `E01` manifest · `E02` grants and reach · `E03` artifacts and builds · `E04` gateway · `E05` running · `E06` stores ·
//! `E07` control and command line · `E08` journals and replay. Each code has a page in `docs/errors/`; a test keeps it so.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::place::Place;

macro_rules! codes {
    ($($code:ident $status:literal $title:literal;)*) => {
        /// The code of an error. Its number never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$code,)*];
            /// `E0207`.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$code => stringify!($code),)* } }
            /// What it means, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$code => $title,)* } }
            /// The HTTP status that a caller gets for it.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$code => $status,)* } }
        }
    };
}

codes! {
    E0101 400 "no manifest was found";
    E0102 400 "the manifest is not TOML";
    E0103 400 "unknown key in the manifest";
    E0104 400 "a value of the manifest has the wrong type";
    E0105 400 "a value of the manifest is not valid";
    E0106 400 "the manifest lacks a key";
    E0107 400 "unknown resource";
    E0108 400 "two routes answer the same requests";
    E0109 400 "a route is not valid";
    E0110 400 "unknown environment";
    E0111 400 "a name is not valid";
    E0112 400 "the manifest is too large";
    E0113 400 "the trigger is not valid";
    E0114 400 "the schedule never comes";
    E0115 400 "the filter is not valid";
    E0116 400 "the site's folder is not usable";
    E0117 400 "the migration is not usable";

    E0201 403 "the function was not granted this resource";
    E0202 403 "the function may only read this resource";
    E0207 403 "the function may not reach this host";
    E0208 403 "the address is private and the function's reach does not name it";
    E0209 502 "an outbound request failed";
    E0210 403 "the outbound request is not one that may be sent";
    E0211 401 "the event's key is missing or wrong";
    E0212 401 "the webhook's signature is missing or wrong";
    E0213 404 "no function of the app has this name";

    E0301 400 "the artifact does not exist";
    E0302 400 "the artifact is a core module, not a component";
    E0303 400 "the component does not export an HTTP handler";
    E0304 400 "the component imports what dayfly does not offer";
    E0305 400 "the artifact is damaged or not Wasm";
    E0306 413 "the artifact is too large";
    E0307 400 "the component took too much to compile";
    E0308 400 "a function body of the component is too large";
    E0309 400 "the build failed";
    E0310 400 "a tool for building is missing";
    E0311 400 "the component needs more than an instance may have";
    E0312 400 "the script does not parse";
    E0313 400 "an import of the script leads nowhere";
    E0314 400 "the script imports what only Node.js has";
    E0315 400 "the script's top-level code threw";
    E0316 400 "the script's top-level code took too much";
    E0317 413 "the script is too large";
    E0318 400 "the script lacks a handler";

    E0401 404 "no app answers to this host";
    E0402 404 "no route answers to this path";
    E0403 405 "no route answers to this method";
    E0404 431 "the header block is too large";
    E0405 413 "the request body is too large";
    E0406 400 "the request is malformed";
    E0407 408 "the client was too slow";
    E0408 414 "the request target is too long";
    E0409 503 "the node is draining";
    E0410 503 "the node has too many connections";
    E0411 400 "the request is no CloudEvent";

    E0501 502 "the function trapped";
    E0502 504 "the function ran out of time";
    E0503 502 "the function ran out of memory";
    E0504 502 "the function answered nothing";
    E0505 429 "the function runs too often at once";
    E0506 502 "the function holds too many handles";
    E0507 502 "the function logged too much";
    E0508 502 "the function overflowed its stack";
    E0509 502 "the function's response broke off";
    E0510 502 "the function made too many outbound calls";
    E0511 499 "the client went away";
    E0512 503 "the node is full";
    E0513 500 "dayfly failed";
    E0514 502 "the function's response is not one that may be sent";
    E0515 502 "the function exited";
    E0516 508 "functions cause one another without end";
    E0517 409 "the effects could not be committed";
    E0518 400 "the answer to the batch is not valid";
    E0519 502 "the function threw an exception";
    E0520 502 "the function's promise never settles";
    E0521 502 "the function's handler returned the wrong thing";

    E0601 500 "the store failed";
    E0602 507 "the disk is full";
    E0603 500 "a block of the store is damaged";
    E0604 413 "the value is too large";
    E0605 400 "the key is too large";
    E0606 503 "the outcome of a write is not known";
    E0607 500 "the data folder is in use";
    E0608 400 "the transaction is too large";
    E0609 404 "the resource does not exist";
    E0610 400 "the statement failed";
    E0611 413 "the statement gave too much";
    E0612 409 "the migrations do not fit what was applied";
    E0613 409 "the key was used for something else";
    E0614 413 "the event is too large";

    E0701 500 "the port is in use";
    E0702 401 "the token is missing or wrong";
    E0703 404 "no such app";
    E0704 404 "no such revision";
    E0705 502 "the target can't be reached";
    E0706 404 "no such invocation";
    E0707 400 "an answer is missing and there is no one to ask";
    E0708 404 "no such function";
    E0709 400 "the request to the control API is not valid";
    E0710 409 "something changed in the meantime";
    E0711 400 "the folder is not empty";
    E0712 404 "the secret is not set";
    E0713 409 "the resource still holds data";
    E0714 400 "the name is not one of the app's resources";
    E0715 404 "no such object";

    E0801 404 "the invocation was not recorded";
    E0802 400 "the journal is incomplete";
    E0803 409 "the replay diverged";
    E0804 409 "the artifact is not the recorded one";
    E0805 400 "the file is not an exported invocation";
    E0806 500 "the journal is damaged";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an error code: they look like E0207")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().find(|code| code.as_str() == text).copied().ok_or_else(|| UnknownCode(text.into()))
    }
}
impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a person is told: what is wrong, where, against which limit, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, utoipa::ToSchema)]
#[error("{code} {message}")]
pub struct Problem {
    /// The code.
    #[schema(value_type = String, example = "E0207")]
    pub code: Code,
    /// What is wrong: lower case, no full stop, names the thing.
    pub message: String,
    /// Where, for problems of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// More about it: one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The line as it should stand, or the command that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// A problem with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, notes: Vec::new(), help: None }
    }
    /// A limit that was hit: names it, with what was measured against what is allowed.
    pub fn limit(code: Code, limit: &str, measured: impl fmt::Display, allowed: impl fmt::Display) -> Self {
        Self::new(code, format!("{}: {limit} {measured}, allowed {allowed}", code.title()))
    }
    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
    /// Adds a line about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// What a stranger who called a function is told: the code, its title, and the id to ask about. Details stay inside.
    #[must_use]
    pub fn external(code: Code, request_id: Option<&str>) -> String {
        let id = request_id.map(|id| format!("request {id}\n")).unwrap_or_default();
        format!("error[{code}]: {}\n{id}", code.title())
    }
    /// The problem as lines for a terminal without colour.
    #[must_use]
    pub fn render(&self) -> String {
        use fmt::Write as _;
        let mut out = format!("error[{}]: {}\n", self.code, self.message);
        let mut line = |text: fmt::Arguments<'_>| out.write_fmt(text).expect("a String takes all text");
        if let Some(place @ Place { file, line: number, column, text, width, .. }) = &self.place {
            let gutter = number.to_string().len();
            let (pad, marks) = (place.before(), "^".repeat((*width).max(1) as usize));
            line(format_args!("{:gutter$}--> {file}:{number}:{column}\n", ""));
            line(format_args!("{number} | {text}\n{:gutter$} | {:pad$}{marks}\n", "", ""));
        }
        for note in &self.notes {
            line(format_args!("  = {note}\n"));
        }
        if let Some(help) = &self.help {
            line(format_args!("  = help: {help}\n"));
        }
        line(format_args!("  = why:  dayfly explain {}\n", self.code));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_survive_printing() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
        assert!(Code::ALL.iter().all(|code| code.as_str().parse() == Ok(*code)));
    }

    #[test]
    fn a_problem_shows_the_line_and_how_to_mend_it() {
        let place = Place::in_line("dayfly.toml", 4, "  rout = \"GET /\"", 2, 4);
        let problem = Problem::new(Code::E0103, "unknown key `rout` in [fn.api]").at(place).help("route = \"GET /\"");
        assert_eq!(
            problem.render(),
            "error[E0103]: unknown key `rout` in [fn.api]\n --> dayfly.toml:4:3\n4 |   rout = \"GET /\"\n  |   ^^^^\n  \
             = help: route = \"GET /\"\n  = why:  dayfly explain E0103\n"
        );
    }
}
