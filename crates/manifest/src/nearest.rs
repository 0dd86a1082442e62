//! The known name that a person most likely meant.

/// The candidate that is nearest to what was written, if one is near enough to be worth naming.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let distance = |candidate: &str| {
        let extends = |long: &str, short: &str| short.len() >= 3 && long.starts_with(short);
        if extends(candidate, &written) || extends(&written, candidate) {
            return 1;
        }
        strsim::damerau_levenshtein(&written, &candidate.to_ascii_lowercase())
    };
    // A name of megabytes is no slip of the finger, and measuring it would take long.
    if written.len() > 128 {
        return None;
    }
    let best = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(distance, _)| *distance);
    best.filter(|(distance, _)| *distance <= allowed).map(|(_, candidate)| candidate)
}

/// What was written, made to fit the rule for names; `None` if nothing of it fits.
pub(crate) fn as_name(written: &str) -> Option<String> {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = written.chars().take(63).map(fit).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["path", "route", "uses", "reach", "env", "limits", "record"];
        for (written, meant) in [("rout", "route"), ("routes", "route"), ("limit", "limits"), ("Path", "path"), ("rec", "record")]
        {
            assert_eq!(nearest(written, keys), Some(meant), "{written}");
        }
        for written in ["on", "auth", "budget", "x", ""] {
            assert_eq!(nearest(written, keys), None, "{written}");
        }
    }

    #[test]
    fn names_are_made_to_fit() {
        for (written, name) in [("My App", Some("my-app")), ("9lives_", Some("lives")), ("--", None)] {
            assert_eq!(as_name(written).as_deref(), name);
        }
    }
}
