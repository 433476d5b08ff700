//! Suggestions for unknown names.

use strsim::levenshtein as distance;

use super::unit::Unit;

/// The known name, with or without its unit, that is closest in edit distance, if it is close.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let of = |known: &&'a str| (distance(name, known).min(distance(name, Unit::of(known).0)), *known);
    let (distance, nearest) = known.iter().map(of).min()?;
    (distance <= 1 + name.len() / 3).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_named_if_it_is_near() {
        let known = ["limit", "limits", "pattern", "time-out_ms"];
        for (name, expected) in [
            ("limt", Some("limit")),
            ("Limits", Some("limits")),
            ("patern", Some("pattern")),
            ("timeout", Some("time-out_ms")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
        assert_eq!(nearest("limit", &[]), None);
    }
}
