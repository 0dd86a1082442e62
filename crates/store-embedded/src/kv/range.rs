//! Ranges of keys in byte order.

/// The first key that is greater than every key with this prefix; `None` if there is none, since the prefix is all 0xff or empty.
pub(crate) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// The first key that a list may give: the first of the prefix, or the next possible one after `after`.
pub(crate) fn start(prefix: &[u8], after: Option<&bytes::Bytes>) -> Vec<u8> {
    match after {
        Some(after) if after.as_ref() >= prefix => [after, [0].as_slice()].concat(),
        _ => prefix.to_vec(),
    }
}

/// The condition that ends a range at parameter 3. An `OR` would do for both cases, and SQLite could not stop at the end then.
pub(crate) fn below(column: &str, is_bounded: bool) -> String {
    if is_bounded { format!("{column} < ?3") } else { "?3 IS NULL".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        let cases: [(&[u8], Option<&[u8]>); 5] =
            [(b"", None), (b"a", Some(b"b")), (b"a\xff", Some(b"b")), (b"\xff\xff", None), (b"a\xfe\xff", Some(b"a\xff"))];
        for (prefix, end) in cases {
            assert_eq!(end_of(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
