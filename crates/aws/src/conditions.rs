//! Conditional requests: RFC 9110 section 13, as far as S3 has it.

use ports::objects::{ObjectCondition, ObjectInfo};
use s3s::{
    S3Error, S3Result,
    dto::{ETagCondition, Timestamp},
    s3_error,
};

use crate::convert::seconds;

/// What a reader makes its request depend on.
#[derive(Debug, Default)]
pub(crate) struct Conditions<'a> {
    pub(crate) matches: Option<&'a ETagCondition>,
    pub(crate) none_match: Option<&'a ETagCondition>,
    pub(crate) modified_since: Option<&'a Timestamp>,
    pub(crate) unmodified_since: Option<&'a Timestamp>,
}

/// What becomes of a request under conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is served.
    Go,
    /// The reader has the object already.
    NotModified,
    /// A condition does not hold.
    Failed,
}

impl Conditions<'_> {
    /// Judges in the standard's order: an entity tag outweighs a time.
    pub(crate) fn judge(&self, info: &ObjectInfo) -> Verdict {
        let modified = seconds(info.modified);
        match (self.matches, self.unmodified_since) {
            (Some(wanted), _) if !is(wanted, info) => return Verdict::Failed,
            (None, Some(since)) if modified > *since => return Verdict::Failed,
            _ => {}
        }
        match (self.none_match, self.modified_since) {
            (Some(known), _) if is(known, info) => Verdict::NotModified,
            (None, Some(since)) if modified <= *since => Verdict::NotModified,
            _ => Verdict::Go,
        }
    }
}

/// Whether an object has the tag that a condition names.
pub(crate) fn is(wanted: &ETagCondition, info: &ObjectInfo) -> bool {
    wanted.is_any() || wanted.as_etag().is_some_and(|etag| etag.value() == info.etag)
}

/// A condition did not hold.
pub(crate) fn failed(which: &str) -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold: {which}")
}

/// The condition of a write. `If-Match: *` and lists have no meaning in S3.
pub(crate) fn of_write(matches: Option<&ETagCondition>, none_match: Option<&ETagCondition>) -> S3Result<ObjectCondition> {
    match (matches, none_match) {
        (None, None) => Ok(ObjectCondition::None),
        (None, Some(ETagCondition::Any)) => Ok(ObjectCondition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(ObjectCondition::Matches(etag.value().to_owned())),
        (Some(ETagCondition::Any), None) => Err(s3_error!(NotImplemented, "If-Match: * is not implemented for writes")),
        (None, Some(ETagCondition::ETag(_))) => {
            Err(s3_error!(NotImplemented, "If-None-Match is implemented for writes with * only"))
        }
        (Some(_), Some(_)) => Err(s3_error!(InvalidRequest, "If-Match and If-None-Match can't both hold")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::etag;

    fn object() -> ObjectInfo {
        ObjectInfo {
            key: "k".into(),
            bytes: 1,
            etag: "abc".into(),
            modified: types::Timestamp::from_unix_ms(1_000_500),
            version: types::object::VersionId("null".into()),
            is_delete_marker: false,
            attributes: types::object::ObjectAttributes::default(),
            checksums: Vec::new(),
            parts: Vec::new(),
        }
    }

    #[test]
    fn each_condition_is_judged_and_tags_outweigh_times() {
        let (same, other, any) = (ETagCondition::ETag(etag("abc")), ETagCondition::ETag(etag("x")), ETagCondition::Any);
        let at = |ms| seconds(types::Timestamp::from_unix_ms(ms));
        let (before, exact, after) = (at(999_000), at(1_000_000), at(1_001_000));
        let none = Conditions::default;
        let rows = [
            (none(), Verdict::Go),
            (Conditions { matches: Some(&same), ..none() }, Verdict::Go),
            (Conditions { matches: Some(&any), ..none() }, Verdict::Go),
            (Conditions { matches: Some(&other), ..none() }, Verdict::Failed),
            (Conditions { none_match: Some(&same), ..none() }, Verdict::NotModified),
            (Conditions { none_match: Some(&other), ..none() }, Verdict::Go),
            (Conditions { modified_since: Some(&before), ..none() }, Verdict::Go),
            (Conditions { modified_since: Some(&exact), ..none() }, Verdict::NotModified),
            (Conditions { unmodified_since: Some(&exact), ..none() }, Verdict::Go),
            (Conditions { unmodified_since: Some(&before), ..none() }, Verdict::Failed),
            (Conditions { matches: Some(&same), unmodified_since: Some(&before), ..none() }, Verdict::Go),
            (Conditions { none_match: Some(&other), modified_since: Some(&after), ..none() }, Verdict::Go),
        ];
        for (index, (conditions, verdict)) in rows.into_iter().enumerate() {
            assert_eq!(conditions.judge(&object()), verdict, "row {index}");
        }
    }
}
