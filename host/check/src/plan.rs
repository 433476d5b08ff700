//! What to check, and how.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;

use super::catalogue::ALL;
use super::check::Check;
use super::error::Error;

/// What every check of a run has in common.
#[derive(Debug)]
pub struct Plan {
    pub(super) file: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) seed: u64,
    pub(super) is_quick: bool,
    pub(super) timeout: Duration,
}

/// One check, as the process that runs it is told.
#[derive(Debug)]
pub struct One {
    /// The name of the check.
    pub check: String,
    /// The library.
    pub file: PathBuf,
    /// The configuration that the plugin is started with.
    pub config: Option<PathBuf>,
    /// What everything random is made of.
    pub seed: u64,
    /// Whether everything is repeated less often.
    pub is_quick: bool,
}

impl Plan {
    /// To check this library, started with this configuration. Without a seed a random one is taken.
    ///
    /// # Errors
    /// One of the files is not there.
    pub fn new(
        file: &Path,
        config: Option<&Path>,
        seed: Option<u64>,
        is_quick: bool,
        timeout: Duration,
    ) -> Result<Self, Error> {
        // The paths hold in whatever directory a check runs.
        let absolute = |file: &Path| {
            file.canonicalize().map_err(|source| Error::Input { file: file.display().to_string(), source })
        };
        Ok(Plan {
            file: absolute(file)?,
            config: config.map(absolute).transpose()?,
            seed: seed.unwrap_or_else(random_seed),
            is_quick,
            timeout,
        })
    }

    /// The configuration, wherever a check runs.
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// What everything random is made of.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether everything is repeated less often.
    pub fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// What the process of a check is told.
    pub(super) fn one(&self, check: &Check) -> One {
        One {
            check: check.name.into(),
            file: self.file.clone(),
            config: self.config.clone(),
            seed: self.seed,
            is_quick: self.is_quick,
        }
    }
}

/// The checks that are asked for, in the order of the catalogue: those that match a pattern of `only`, or
/// without one those up to this strictness; and of them those that match none of `skip`. Patterns are regular
/// expressions for whole names.
///
/// # Errors
/// A pattern is none, or names no check.
pub fn choose(only: &[String], skip: &[String], strictness: u8) -> Result<Vec<&'static Check>, Error> {
    let patterns =
        |patterns: &[String]| patterns.iter().map(|pattern| compiled(pattern)).collect::<Result<Vec<_>, _>>();
    let (only, skip) = (patterns(only)?, patterns(skip)?);
    let is_named = |patterns: &[Regex], check: &Check| patterns.iter().any(|pattern| pattern.is_match(check.name));
    let is_chosen = |check: &&Check| {
        // What is named is run, however strict it is.
        let is_wanted = if only.is_empty() { check.level <= strictness } else { is_named(&only, check) };
        is_wanted && !is_named(&skip, check)
    };
    Ok(ALL.iter().filter(is_chosen).collect())
}

/// A pattern that means whole names, and at least one of them.
fn compiled(pattern: &str) -> Result<Regex, Error> {
    let no_check = |why: String| Error::NoCheck { pattern: pattern.into(), why };
    let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| no_check(format!("is no pattern: {error}")))?;
    if ALL.iter().any(|check| regex.is_match(check.name)) { Ok(regex) } else { Err(no_check("names no check".into())) }
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
