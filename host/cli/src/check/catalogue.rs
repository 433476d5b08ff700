//! What a check is; all of them are in [`all`].

mod all;

use serde::Serialize;

use super::answer::Found;
use super::subject::Subject;
pub(super) use all::ALL;

/// What a check does with the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Reads the file; none of its code runs.
    Static,
    Load,
    Run,
    Unload,
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Static, Kind::Load, Kind::Run, Kind::Unload];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Static => "static",
            Kind::Load => "load",
            Kind::Run => "run",
            Kind::Unload => "unload",
        }
    }
}

/// A check.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// From which strictness on it is run: 1 to 10, where 5 is "works in hosts".
    pub(super) level: u8,
    /// What is checked, in one line.
    pub(super) about: &'static str,
    /// Why it matters.
    pub(super) why: &'static str,
    /// Those that must have passed before, or it says nothing.
    pub(super) needs: &'static [&'static str],
    #[serde(skip)]
    pub(super) run: fn(&Subject) -> Found,
}

/// The check of that name.
pub(super) fn named(name: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_one_needs_stands_before_it() {
        for (index, check) in ALL.iter().enumerate() {
            let before = &ALL[..index];
            assert!(before.iter().all(|other| other.name != check.name), "{}", check.name);
            for needed in check.needs {
                let found = before.iter().find(|other| other.name == *needed);
                assert!(found.is_some_and(|found| found.level <= check.level), "{} needs {needed}", check.name);
            }
            assert!((1..=10).contains(&check.level), "{}", check.name);
        }
    }
}
