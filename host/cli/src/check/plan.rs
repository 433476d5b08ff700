//! What to check, and how: as the command line has it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use super::catalogue::{ALL, Check};
use crate::args;
use crate::error::Error;

/// What every check of a run has in common.
pub(super) struct Plan {
    pub(super) file: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) seed: u64,
    pub(super) is_quick: bool,
    pub(super) timeout: Duration,
}

impl Plan {
    /// The paths hold in whatever folder a check runs.
    pub(super) fn new(options: &args::Check, file: &std::path::Path) -> Result<Self, Error> {
        let absolute = |file: &std::path::Path| {
            file.canonicalize().map_err(|source| Error::Input { file: file.display().to_string(), source })
        };
        Ok(Plan {
            file: absolute(file)?,
            config: options.config.as_deref().map(absolute).transpose()?,
            seed: options.seed.map_or_else(random_seed, |seed| seed.0),
            is_quick: options.quick,
            timeout: Duration::from_secs(options.timeout),
        })
    }

    /// What a check's process is told.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            vec![self.file.clone().into(), "--seed".into(), self.seed.to_string().into()];
        if let Some(config) = &self.config {
            arguments.extend(["--config".into(), config.clone().into()]);
        }
        arguments.extend(self.is_quick.then(|| "--quick".into()));
        arguments
    }
}

/// The checks that are asked for, in the order of the catalogue.
pub(super) fn chosen(options: &args::Check) -> Result<Vec<&'static Check>, Error> {
    let patterns =
        |patterns: &[String]| patterns.iter().map(|pattern| compiled(pattern)).collect::<Result<Vec<_>, _>>();
    let (only, skip) = (patterns(&options.only)?, patterns(&options.skip)?);
    let is_named = |patterns: &[Regex], check: &Check| patterns.iter().any(|pattern| pattern.is_match(check.name));
    let is_chosen = |check: &&Check| {
        // What is named is run, however strict it is.
        let is_wanted = if only.is_empty() { check.level <= options.strictness } else { is_named(&only, check) };
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
