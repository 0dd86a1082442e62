//! The scanner of raw HTTP/1 bytes: finds where each message begins and ends and refuses every head that two parsers
//! could read differently: a length and an encoding, two lengths, folded lines, bare line ends, controls, blanks before a colon.
//!
//! It stands before hyper, which repairs some of these. It copies nothing, looks at each byte of a head once, and jumps over bodies of
//! a known length. Sources: RFC 9112 §2 to §7.

use memchr::memchr;
use types::{ByteCount, Code, Problem};

/// Bounds of a head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    /// Bytes of the target.
    pub(crate) uri: ByteCount,
    /// Bytes of all header lines.
    pub(crate) block: ByteCount,
    /// Header lines.
    pub(crate) count: usize,
}

/// What to do with the bytes that were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many of them may pass; show the rest again.
    Pass(usize),
    /// So many of them are dropped; show the rest again.
    Skip(usize),
    /// All of them are needed together with more.
    More,
    /// The head that begins with them is refused.
    Refuse(Box<Problem>),
    /// They are a body that breaks its framing.
    Broken,
}

/// Where the connection stands in its messages.
#[derive(Debug)]
pub(crate) struct Scanner {
    limits: HeadLimits,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In a head, or before one.
    Head(Head),
    /// In a body with so many bytes left.
    Length(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// After a refused head: nothing follows it.
    Refused(Refused),
}

/// What is known of a head of which some lines were seen.
#[derive(Debug, Default)]
struct Head {
    /// Where the next line begins.
    line: usize,
    /// Whether the request line was seen.
    begun: bool,
    /// Where the header lines begin.
    block: usize,
    /// Whether an empty line before the request line was dropped.
    skipped: bool,
    minor_version: u8,
    fields: usize,
    length: Option<u64>,
    chunked: bool,
    host: bool,
}

#[derive(Debug)]
enum Chunked {
    /// In the size: its value and how many digits it has.
    Size(u64, u8),
    /// In an extension of the size line, with the size and the extension's length.
    Extension(u64, usize),
    /// After the carriage return of the size line.
    SizeEnd(u64),
    /// In the data, so much of it left.
    Data(u64),
    /// After the data: its line end.
    DataEnd { carriage_return: bool },
    /// In the trailer section; the bytes of it, and of the present line.
    Trailer { total: usize, line: usize },
    /// After a carriage return there.
    TrailerEnd { total: usize, line: usize },
}

/// The most bytes of one chunk's extension: nobody needs them, and everybody who sends many of them attacks.
const CHUNK_EXTENSION_MAX: usize = 256;

impl Scanner {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        Self { limits, place: Place::Head(Head::default()) }
    }

    /// Whether the connection is between two messages.
    #[cfg(test)]
    pub(crate) fn is_between(&self) -> bool {
        matches!(&self.place, Place::Head(head) if head.line == 0)
    }

    /// Looks at bytes that follow those which passed. After `More` the same bytes are shown again with more behind them.
    pub(crate) fn look(&mut self, bytes: &[u8]) -> Step {
        match &mut self.place {
            Place::Head(head) => match head.read(bytes, self.limits) {
                Ok(Step::Pass(length)) => {
                    self.place = head.body();
                    Step::Pass(length)
                }
                Ok(step) => step,
                Err(problem) => {
                    self.place = Place::Refused(problem.clone());
                    Step::Refuse(problem)
                }
            },
            Place::Refused(problem) => Step::Refuse(problem.clone()),
            Place::Length(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= passed as u64;
                if *left == 0 {
                    self.place = Place::Head(Head::default());
                }
                Step::Pass(passed)
            }
            Place::Chunked(chunked) => match chunked.read(bytes, self.limits.block.as_usize()) {
                None => Step::Broken,
                Some((passed, false)) => Step::Pass(passed),
                Some((passed, true)) => {
                    self.place = Place::Head(Head::default());
                    Step::Pass(passed)
                }
            },
        }
    }
}

type Refused = Box<Problem>;

fn malformed(what: impl Into<String>) -> Refused {
    Box::new(Problem::new(Code::E0406, what))
}

impl Head {
    fn read(&mut self, bytes: &[u8], limits: HeadLimits) -> Result<Step, Refused> {
        if !self.begun && !self.skipped && bytes.starts_with(b"\r\n") {
            // One empty line before a request is let pass, as RFC 9112 §2.2 asks.
            self.skipped = true;
            return Ok(Step::Skip(2));
        }
        while let Some(length) = memchr(b'\n', &bytes[self.line..]) {
            let end = self.line + length;
            let line = match bytes[self.line..end].split_last() {
                Some((b'\r', line)) => line,
                _ => return Err(malformed("a line of the request's head does not end in CR LF")),
            };
            self.line = end + 1;
            if !self.begun {
                self.request_line(line, limits)?;
                self.block = self.line;
            } else if line.is_empty() {
                self.check_whole()?;
                return Ok(Step::Pass(self.line));
            } else {
                self.field(line, limits)?;
            }
            self.check_size(self.line, limits)?;
        }
        self.check_size(bytes.len(), limits)?;
        Ok(Step::More)
    }

    fn check_size(&self, seen: usize, limits: HeadLimits) -> Result<(), Refused> {
        if !self.begun {
            // The method and the version have 32 bytes beside the target.
            let target = ByteCount(seen.saturating_sub(32) as u64);
            let problem = || Box::new(Problem::limit(Code::E0408, "request target", target, limits.uri));
            return if target > limits.uri { Err(problem()) } else { Ok(()) };
        }
        let block = ByteCount((seen - self.block) as u64);
        if block > limits.block {
            return Err(Box::new(Problem::limit(Code::E0404, "header block", block, limits.block)));
        }
        Ok(())
    }

    fn request_line(&mut self, line: &[u8], limits: HeadLimits) -> Result<(), Refused> {
        self.begun = true;
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(malformed("the request line is not a method, a target and a version with one space between"));
        };
        if method.is_empty() || method.len() > 24 || !method.iter().all(|byte| is_token(*byte)) {
            return Err(malformed("the request's method is not a token"));
        }
        if method == b"CONNECT" {
            return Err(malformed("CONNECT is for proxies, and this is none"));
        }
        let size = ByteCount(target.len() as u64);
        if size > limits.uri {
            return Err(Box::new(Problem::limit(Code::E0408, "request target", size, limits.uri)));
        }
        // A fragment is never sent (RFC 9112 §3.2); what is not ASCII must be percent-encoded.
        if target.is_empty() || !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
            return Err(malformed("the request's target has characters that no target has"));
        }
        let form = target[0] == b'/' || target.starts_with(b"http://") || (target == b"*" && method == b"OPTIONS");
        if !form {
            return Err(malformed("the request's target is neither a path nor an address that begins with http://"));
        }
        self.minor_version = match version {
            b"HTTP/1.1" => 1,
            b"HTTP/1.0" => 0,
            _ => return Err(malformed("the request's version is neither HTTP/1.1 nor HTTP/1.0")),
        };
        Ok(())
    }

    fn field(&mut self, line: &[u8], limits: HeadLimits) -> Result<(), Refused> {
        self.fields += 1;
        if self.fields > limits.count {
            return Err(Box::new(Problem::limit(Code::E0404, "header fields", self.fields, limits.count)));
        }
        if matches!(line[0], b' ' | b'\t') {
            return Err(malformed("a header line begins with a blank"));
        }
        let Some(colon) = line.iter().position(|byte| !is_token(*byte)) else {
            return Err(malformed("a header line has no colon"));
        };
        if colon == 0 || line[colon] != b':' {
            return Err(malformed("a header's name is empty or is not followed by a colon at once"));
        }
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if value.iter().any(|byte| is_control(*byte)) {
            return Err(malformed("a header's value has control characters"));
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value.trim_ascii()),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value.trim_ascii()),
            _ => Ok(()),
        }
    }

    fn host(&mut self) -> Result<(), Refused> {
        if std::mem::replace(&mut self.host, true) {
            return Err(malformed("the request has two hosts"));
        }
        Ok(())
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Refused> {
        if self.length.is_some() {
            return Err(malformed("the request has two content lengths"));
        }
        let digits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        if !digits {
            return Err(malformed("the request's content length is not a number"));
        }
        self.length = Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refused> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") || self.minor_version == 0 {
            return Err(malformed("the request's transfer encoding is not chunked, once, in HTTP/1.1"));
        }
        self.chunked = true;
        Ok(())
    }

    fn check_whole(&self) -> Result<(), Refused> {
        if self.chunked && self.length.is_some() {
            return Err(malformed("the request has a content length and a transfer encoding"));
        }
        if self.minor_version == 1 && !self.host {
            return Err(malformed("the request has no host"));
        }
        Ok(())
    }

    fn body(&self) -> Place {
        match (self.chunked, self.length) {
            (true, _) => Place::Chunked(Chunked::Size(0, 0)),
            (false, Some(length)) if length > 0 => Place::Length(length),
            _ => Place::Head(Self::default()),
        }
    }
}

impl Chunked {
    /// How many bytes belong to the body and whether it ends with them; `None` if they break the framing.
    fn read(&mut self, bytes: &[u8], trailer_max: usize) -> Option<(usize, bool)> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Self::Data(left) = self {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                *left -= passed as u64;
                at += passed;
                if *left == 0 {
                    *self = Self::DataEnd { carriage_return: false };
                }
                continue;
            }
            at += 1;
            if self.framing_byte(byte, trailer_max)? {
                return Some((at, true));
            }
        }
        Some((at, false))
    }

    /// Takes one byte that is not data; `true` if the body ends with it.
    fn framing_byte(&mut self, byte: u8, trailer_max: usize) -> Option<bool> {
        *self = match *self {
            Self::Size(size, digits) => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) if digits < 15 => Self::Size(size << 4 | u64::from(digit), digits + 1),
                (None, b'\r') if digits > 0 => Self::SizeEnd(size),
                (None, b';') if digits > 0 => Self::Extension(size, 0),
                _ => return None,
            },
            Self::Extension(size, length) => match byte {
                b'\r' => Self::SizeEnd(size),
                _ if is_control(byte) || length >= CHUNK_EXTENSION_MAX => return None,
                _ => Self::Extension(size, length + 1),
            },
            Self::SizeEnd(0) if byte == b'\n' => Self::Trailer { total: 0, line: 0 },
            Self::SizeEnd(size) if byte == b'\n' => Self::Data(size),
            Self::DataEnd { carriage_return: false } if byte == b'\r' => Self::DataEnd { carriage_return: true },
            Self::DataEnd { carriage_return: true } if byte == b'\n' => Self::Size(0, 0),
            Self::Trailer { total, .. } if total >= trailer_max => return None,
            Self::Trailer { total, line } => match byte {
                b'\r' => Self::TrailerEnd { total, line },
                b' ' | b'\t' if line == 0 => return None,
                _ if is_control(byte) => return None,
                _ => Self::Trailer { total: total + 1, line: line + 1 },
            },
            Self::TrailerEnd { line: 0, .. } if byte == b'\n' => return Some(true),
            Self::TrailerEnd { total, .. } if byte == b'\n' => Self::Trailer { total: total + 2, line: 0 },
            _ => return None,
        };
        Some(false)
    }
}

/// A byte that no line has inside. The tab is none: it is a blank.
fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

/// A character of a token (RFC 9110 §5.6.2): what methods and header names are made of.
fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
