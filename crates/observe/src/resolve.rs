//! What people type for an invocation: `last`, `7f3a`, `t:7f3a`, a whole trace id, `inv_…` or its beginning.

use types::{Code, InvocationId, Problem, TraceId, record::InvocationRecord};

/// Digits that a prefix of a trace has at least: fewer name nearly everything.
const PREFIX_MIN: usize = 2;
/// Of an ambiguous prefix, so many candidates are named.
const CANDIDATES: usize = 4;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The newest invocation.
    Last,
    /// The invocation with this id.
    Invocation(InvocationId),
    /// The trace with this id.
    Trace(TraceId),
    /// The one invocation whose id begins so.
    InvocationPrefix(String),
    /// The one trace whose id begins so.
    TracePrefix(String),
}

impl Wanted {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// `E0706` if nothing can be called that.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text == "last" {
            return Ok(Self::Last);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Invocation(id));
        }
        if text
            .strip_prefix("inv_")
            .is_some_and(|rest| rest.len() >= PREFIX_MIN && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
        {
            return Ok(Self::InvocationPrefix(text.into()));
        }
        let digits = text.strip_prefix("t:").unwrap_or(text).to_ascii_lowercase();
        if let Ok(trace) = digits.parse() {
            return Ok(Self::Trace(trace));
        }
        if (PREFIX_MIN..32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Self::TracePrefix(digits));
        }
        let problem = Problem::new(Code::E0706, format!("{text:?} is not the name of an invocation or a trace"));
        Err(problem.help("use `last`, the digits after `t:` in a request line, or an id such as inv_…"))
    }

    /// Whether the record is of what was asked for.
    #[must_use]
    pub fn names(&self, record: &InvocationRecord) -> bool {
        match self {
            Self::Last => true,
            Self::Invocation(id) => record.id == *id,
            Self::Trace(trace) => record.trace == *trace,
            Self::InvocationPrefix(prefix) => record.id.to_string().starts_with(prefix),
            Self::TracePrefix(prefix) => record.trace.to_string().starts_with(prefix),
        }
    }

    /// The one trace among these records, newest first, that was asked for.
    ///
    /// # Errors
    /// `E0706` if there is none, or more than one.
    pub fn choose<'a>(&self, text: &str, records: &'a [InvocationRecord]) -> Result<&'a InvocationRecord, Problem> {
        let mut named = records.iter().filter(|record| self.names(record));
        let missing = || Problem::new(Code::E0706, format!("no invocation is called {text:?}"));
        let first = named.next().ok_or_else(|| missing().help("dayfly trace --list"))?;
        let same = |record: &&InvocationRecord| match self {
            Self::InvocationPrefix(_) => record.id == first.id,
            _ => record.trace == first.trace,
        };
        let mut others: Vec<_> = match self {
            Self::Last => Vec::new(),
            _ => named.filter(|record| !same(record)).take(CANDIDATES).map(|record| self.full(record)).collect(),
        };
        others.dedup();
        if others.is_empty() {
            return Ok(first);
        }
        let problem = Problem::new(Code::E0706, format!("{text:?} may be more than one: add digits"));
        Err(std::iter::once(self.full(first)).chain(others).fold(problem, Problem::note))
    }

    fn full(&self, record: &InvocationRecord) -> String {
        let id = match self {
            Self::InvocationPrefix(_) => record.id.to_string(),
            _ => record.trace.to_string(),
        };
        format!("{id}  {} {}", record.function, record.cause)
    }
}

#[cfg(test)]
mod tests {
    use testkit::suite::telemetry::{
        BEGINNING,
        records::{Chance, record},
    };

    use super::*;

    #[test]
    fn people_may_type_any_of_the_names() {
        let id = InvocationId::from_parts(1, [1; 10]);
        let trace = "0af7651916cd43dd8448eb211c80319c";
        for (text, wanted) in [
            ("last", Wanted::Last),
            (id.to_string().as_str(), Wanted::Invocation(id)),
            (trace, Wanted::Trace(trace.parse().expect("a trace"))),
            ("t:7F3a", Wanted::TracePrefix("7f3a".into())),
            ("7f3a", Wanted::TracePrefix("7f3a".into())),
            ("inv_01h", Wanted::InvocationPrefix("inv_01h".into())),
        ] {
            assert_eq!(Wanted::parse(text), Ok(wanted));
        }
        for bad in ["", "t:", "7", "xyz", "inv_", "inv_../..", "00000000000000000000000000000000", "first"] {
            assert_eq!(Wanted::parse(bad).expect_err(bad).code, Code::E0706);
        }
    }

    #[test]
    fn a_prefix_must_name_one_trace() {
        let mut chance = Chance::new(1);
        let mut of = |trace: [u8; 16]| InvocationRecord {
            trace: TraceId::from_bytes(trace).expect("not zero"),
            ..record(&mut chance, BEGINNING)
        };
        let records = [of([0x7f; 16]), of([0x7f; 16]), of([0x70; 16])];
        let choose = |text: &str| Wanted::parse(text).expect(text).choose(text, &records).map(|record| record.trace);
        assert_eq!(choose("7f"), Ok(records[0].trace));
        assert_eq!(choose("last"), Ok(records[0].trace));
        let ambiguous = Wanted::TracePrefix("7".into()).choose("7", &records).expect_err("two");
        assert_eq!((ambiguous.code, ambiguous.notes.len()), (Code::E0706, 2));
        assert_eq!(choose("81bc").expect_err("none").code, Code::E0706);
    }
}
