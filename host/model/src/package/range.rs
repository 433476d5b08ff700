//! Ranges of versions.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::parse::ParseError;

/// A range of versions: comparisons that must all hold, separated by commas.
///
/// Besides `>=`, `>`, `<=`, `<` and `==` there is `~>`, with the meaning that it has in rebar3 and Hex: `~> 1.2` is
/// `>= 1.2.0, < 2.0.0`, and `~> 1.2.3` is `>= 1.2.3, < 1.3.0`. A version alone means `==`. Versions are ordered as
/// [Semantic Versioning](https://semver.org) orders them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Range(Vec<Comparison>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    version: Version,
    /// How many of its three numbers were written; significant only after `~>`.
    written: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    AtMost,
    Below,
    Exactly,
    Pessimistic,
}

/// Longer operators first, since some are prefixes of others.
const OPERATORS: [(&str, Operator); 6] = [
    ("~>", Operator::Pessimistic),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Exactly),
    (">", Operator::Above),
    ("<", Operator::Below),
];

impl Range {
    /// Whether a version of the host or of the ABI is in the range. Versions below 1.0.0 never are, since no such host
    /// was released.
    pub fn contains(&self, version: &Version) -> bool {
        *version >= Version::new(1, 0, 0) && self.holds(version)
    }

    /// Whether a version of a plugin is in the range.
    pub fn holds(&self, version: &Version) -> bool {
        self.0.iter().all(|comparison| comparison.holds(version))
    }
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Above => *version > self.version,
            Operator::AtLeast => *version >= self.version,
            Operator::AtMost => *version <= self.version,
            Operator::Below => *version < self.version,
            Operator::Exactly => *version == self.version,
            Operator::Pessimistic => *version >= self.version && *version < self.ceiling(),
        }
    }

    /// The exclusive upper bound of `~>`: the number before the last written one may not grow.
    fn ceiling(&self) -> Version {
        let Version { major, minor, .. } = self.version;
        if self.written == 3 { Version::new(major, minor + 1, 0) } else { Version::new(major + 1, 0, 0) }
    }
}

impl FromStr for Range {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Range)
    }
}

impl FromStr for Comparison {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?.trim())));
        let (operator, number) = known.unwrap_or((Operator::Exactly, text));
        let wrong =
            |why: &str| ParseError::new(format!("`{text}` {why}: write `>= 1.2`, `~> 1.2.3`, or several with commas"));
        let core = number.split(['-', '+']).next().unwrap_or_default();
        let written = core.split('.').count();
        if written == 1 && operator == Operator::Pessimistic {
            return Err(wrong("needs two numbers at least after `~>`"));
        }
        let rest = &number[core.len()..];
        let full = match written {
            1 => format!("{core}.0.0{rest}"),
            2 => format!("{core}.0{rest}"),
            _ => number.to_owned(),
        };
        let version = Version::parse(&full).map_err(|_| wrong("is not a version"))?;
        // So that the upper bound of `~>` is a valid version too.
        if version.major.max(version.minor) > u64::from(u32::MAX) {
            return Err(wrong("has too large a number"));
        }
        if !version.build.is_empty() {
            return Err(wrong("has a `+`, after which nothing is compared"));
        }
        // For the other operators an omitted number is zero, which makes such ranges equal.
        let written = if operator == Operator::Pessimistic { written } else { 3 };
        Ok(Comparison { operator, version, written })
    }
}

impl TryFrom<String> for Range {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> String {
        range.to_string()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Comparison { operator, version, written }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let sign = OPERATORS.iter().find(|(_, known)| known == operator).map_or("", |(sign, _)| sign);
            write!(f, "{separator}{sign} ")?;
            // `~> 1.2` and `~> 1.2.0` differ.
            if *written == 2 {
                write!(f, "{}.{}", version.major, version.minor)?;
                if !version.pre.is_empty() {
                    write!(f, "-{}", version.pre)?;
                }
            } else {
                write!(f, "{version}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_the_meaning_of_rebar3() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("~> 5.0", &["5.0.0", "5.0.1", "5.9.9"], &["4.9.9", "6.0.0", "6.1.0"]),
            ("~> 5.0.1", &["5.0.1", "5.0.99"], &["5.0.0", "5.1.0", "6.0.0"]),
            ("~> 1.2.3-rc.1", &["1.2.3-rc.1", "1.2.3", "1.2.9"], &["1.2.3-beta", "1.3.0"]),
            (">= 1.2", &["1.2.0", "7.0.0"], &["1.1.9"]),
            ("> 1.2", &["1.2.1"], &["1.2.0", "1.1.0"]),
            ("<= 2.0", &["1.0.0", "2.0.0"], &["2.0.1", "0.9.0"]),
            ("< 2.0.0", &["1.9.9"], &["2.0.0", "0.9.9"]),
            ("== 1.4.0", &["1.4.0"], &["1.4.1"]),
            ("1.4.0", &["1.4.0"], &["1.4.1"]),
            (">= 1.2, < 1.5", &["1.2.0", "1.4.9"], &["1.5.0", "1.1.0"]),
            (">=1", &["1.0.0"], &["0.1.0"]),
        ];
        for (text, inside, outside) in cases {
            let range: Range = text.parse().unwrap();
            let contains = |version: &&&str| range.contains(&version.parse().unwrap());
            assert_eq!(inside.iter().filter(|version| !contains(version)).count(), 0, "{text}");
            assert_eq!(outside.iter().filter(contains).count(), 0, "{text}");
            assert_eq!(range.to_string().parse::<Range>().unwrap(), range, "{text} as {range}");
        }
    }

    #[test]
    fn invalid_ranges_are_refused() {
        for text in
            ["", "x", "~> 1", ">=", "1.2.3.4", "=> 1.0", ">= 1.0,", "^1.0", ">= 01.0.0", "~> 1.99999999999", "1.0.0+b"]
        {
            let error = text.parse::<Range>().unwrap_err();
            assert!(error.to_string().contains("write `>= 1.2`"), "{text}: {error}");
        }
    }
}
