//! The replacement of a match, parsed once.

use regex::bytes::Regex;

/// A replacement, in the syntax of the regex crate: `$1`, `${1}`, `$name`, `${name}`, `$$`.
pub(crate) struct Replacement {
    parts: Vec<Part>,
}

/// A piece of a replacement.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    /// Literal bytes.
    Text(Vec<u8>),
    /// The match of the group with that number.
    Group(usize),
}

impl Replacement {
    /// Parses a replacement for matches of `regex`, which must have the groups it names.
    pub(crate) fn new(mut rest: &str, regex: &Regex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut text = Vec::new();
        while let Some(dollar) = rest.find('$') {
            text.extend_from_slice(&rest.as_bytes()[..dollar]);
            let (name, after) = split_name(&rest[dollar..])?;
            rest = after;
            if name == "$" {
                text.push(b'$');
                continue;
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Group(group_number(name, regex)?));
        }
        text.extend_from_slice(rest.as_bytes());
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Replacement { parts })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn has_groups(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Group(_)))
    }

    /// The length of all literal texts together, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
    }
}

/// The name after a dollar sign, and what follows it.
fn split_name(from_dollar: &str) -> Result<(&str, &str), String> {
    let rest = &from_dollar[1..];
    if let Some(braced) = rest.strip_prefix('{') {
        return braced.split_once('}').ok_or_else(|| "the replacement has a `${` without a `}`".into());
    }
    if rest.starts_with('$') {
        return Ok(rest.split_at(1));
    }
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if end == 0 {
        return Err("the replacement has a `$` that names no group; write `$$` for a dollar sign".into());
    }
    Ok(rest.split_at(end))
}

fn group_number(name: &str, regex: &Regex) -> Result<usize, String> {
    let groups = regex.captures_len() - 1;
    let found = match name.parse::<usize>() {
        Ok(number) => Some(number).filter(|number| *number <= groups),
        Err(_) => regex.capture_names().position(|known| known == Some(name)),
    };
    found.ok_or_else(|| {
        let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && digits < name.len() {
            let (number, text) = name.split_at(digits);
            return format!("the replacement names a group `${name}`; write `${{{number}}}{text}` for group {number}");
        }
        let s = if groups == 1 { "" } else { "s" };
        format!("the replacement names `${name}`, but the pattern has {groups} group{s} and none of that name")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(replacement: &str) -> Result<Vec<Part>, String> {
        Replacement::new(replacement, &Regex::new("(a)(?P<last>b)").unwrap()).map(|parsed| parsed.parts)
    }

    #[test]
    fn groups_and_text_are_told_apart() {
        let text = |text: &str| Part::Text(text.into());
        for (replacement, expected) in [
            ("", vec![]),
            ("***", vec![text("***")]),
            ("$1", vec![Part::Group(1)]),
            ("<$0>", vec![text("<"), Part::Group(0), text(">")]),
            ("${1}0$last", vec![Part::Group(1), text("0"), Part::Group(2)]),
            ("${last}-$2", vec![Part::Group(2), text("-"), Part::Group(2)]),
            ("5$$ \u{20ac}", vec![text("5$ \u{20ac}")]),
        ] {
            assert_eq!(parse(replacement).unwrap(), expected, "{replacement}");
        }
    }

    #[test]
    fn mistakes_are_reported() {
        for (replacement, said) in [
            ("$3", "the pattern has 2 groups"),
            ("$first", "names `$first`"),
            ("$1x", "write `${1}x`"),
            ("cost: 5$", "write `$$`"),
            ("${1", "without a `}`"),
        ] {
            let error = parse(replacement).unwrap_err();
            assert!(error.contains(said), "{replacement}: {error}");
        }
    }
}
