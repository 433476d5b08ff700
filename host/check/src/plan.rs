//! What to check, and how.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;

use super::catalogue::ALL;
use super::check::Check;
use super::error::Error;

/// What all checks of a run have in common.
#[derive(Debug)]
pub struct Plan {
    pub(super) file: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) seed: u64,
    pub(super) is_quick: bool,
    pub(super) is_isolated: bool,
    pub(super) timeout: Duration,
}

/// One check, as its process receives it.
#[derive(Debug)]
pub struct One {
    /// The name of the check.
    pub check: String,
    /// The library.
    pub file: PathBuf,
    /// The configuration that the plugin is started with.
    pub config: Option<PathBuf>,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether everything is repeated less often.
    pub is_quick: bool,
    /// Whether the plugin is in a worker process.
    pub is_isolated: bool,
}

impl Plan {
    /// A plan to check this library, started with this configuration. Without a seed a random one is chosen.
    ///
    /// # Errors
    /// If one of the files does not exist.
    pub fn new(
        file: &Path,
        config: Option<&Path>,
        seed: Option<u64>,
        is_quick: bool,
        timeout: Duration,
    ) -> Result<Self, Error> {
        // Absolute, since a check runs in a directory of its own.
        let absolute =
            |file: &Path| file.canonicalize().map_err(|cause| Error::system(format!("read {}", file.display()), cause));
        Ok(Plan {
            file: absolute(file)?,
            config: config.map(absolute).transpose()?,
            seed: seed.unwrap_or_else(random_seed),
            is_quick,
            is_isolated: false,
            timeout,
        })
    }

    /// With the plugin in a worker process, or not. The program must call [`enter`](hookrail::worker::enter) first in its
    /// `main`.
    #[must_use]
    pub fn isolated(mut self, is_isolated: bool) -> Self {
        self.is_isolated = is_isolated;
        self
    }

    /// The configuration file, as an absolute path.
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The seed of everything random.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether everything is repeated less often.
    pub fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// Whether the plugin is in a worker process.
    pub fn is_isolated(&self) -> bool {
        self.is_isolated
    }

    /// What the process of a check receives.
    pub(super) fn one(&self, check: &Check) -> One {
        One {
            check: check.name.into(),
            file: self.file.clone(),
            config: self.config.clone(),
            seed: self.seed,
            is_quick: self.is_quick,
            is_isolated: self.is_isolated,
        }
    }
}

/// The requested checks, in the order of the catalogue: those that match a pattern of `only`, or, if that is empty,
/// those up to this strictness; without those that match a pattern of `skip`. Patterns are regular expressions that
/// must match the whole name.
///
/// # Errors
/// If a pattern is not valid, or matches no check.
pub fn choose(only: &[String], skip: &[String], strictness: u8) -> Result<Vec<&'static Check>, Error> {
    let patterns =
        |patterns: &[String]| patterns.iter().map(|pattern| compiled(pattern)).collect::<Result<Vec<_>, _>>();
    let (only, skip) = (patterns(only)?, patterns(skip)?);
    let is_named = |patterns: &[Regex], check: &Check| patterns.iter().any(|pattern| pattern.is_match(check.name));
    let is_chosen = |check: &&Check| {
        // A check that is named is run, however strict it is.
        let is_wanted = if only.is_empty() { check.level <= strictness } else { is_named(&only, check) };
        is_wanted && !is_named(&skip, check)
    };
    Ok(ALL.iter().filter(is_chosen).collect())
}

/// Compiles a pattern that must match a whole name, and at least one name.
fn compiled(pattern: &str) -> Result<Regex, Error> {
    let no_check = |why: String| Error::NoCheck { pattern: pattern.into(), why };
    let regex =
        Regex::new(&format!("^(?:{pattern})$")).map_err(|error| no_check(format!("is not a pattern: {error}")))?;
    if ALL.iter().any(|check| regex.is_match(check.name)) { Ok(regex) } else { Err(no_check("names no check".into())) }
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
