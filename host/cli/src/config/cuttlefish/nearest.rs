//! What may have been meant by a name that is not known.

use super::value::Unit;

/// The known name, with its unit or without, that takes the fewest changed letters, if these are few.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let of = |known: &&'a str| (distance(name, known).min(distance(name, Unit::of(known).0)), *known);
    let (distance, nearest) = known.iter().map(of).min()?;
    (distance <= 1 + name.len() / 3).then_some(nearest)
}

/// How many letters have to be added, removed or changed.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (count, letter) in (1..).zip(from.chars()) {
        let mut diagonal = std::mem::replace(&mut row[0], count);
        for at in 0..to.len() {
            let changed = diagonal + usize::from(to[at] != letter);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[to.len()]
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
