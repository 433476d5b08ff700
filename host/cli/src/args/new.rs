//! The verb that creates a plugin.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use hookrail::Priority;

use crate::candidates;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name: lower-case letters, digits, `-` and `_`
    pub(crate) name: String,

    /// The hook point: one that `hookrail hooks list` shows, or with --points-crate one of another program
    #[arg(long, default_value = "message.publish", add = ArgValueCandidates::new(candidates::dispatched))]
    pub(crate) point: String,

    /// The directory of the crate that declares the point, for a point of another program. The plugin depends on it by
    /// its relative path, or with @VERSION on that version in a registry; it takes `hookrail-abi` from where the crate
    /// does
    #[arg(long, value_name = "PATH[@VERSION]", requires = "point", conflicts_with = "abi")]
    pub(crate) points_crate: Option<PointsCrate>,

    /// The priority of its callback: below 1000 runs before the host's own callback, above 1000 after it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = priority)]
    pub(crate) priority: i32,

    /// The language of the plugin
    #[arg(long, value_name = "LANG", default_value = "rust")]
    pub(crate) lang: Language,

    /// The directory to create [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    /// Where `hookrail-abi` comes from: `carried` for the sources in this program, which are written below the new
    /// directory, a version in a registry, or a checkout, which is named by its relative path
    #[arg(long, value_name = "carried|VERSION|PATH", default_value = "carried")]
    pub(crate) abi: String,

    /// Print what was created, as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the crate of a point is: `PATH`, or `PATH@VERSION` if the plugin shall take it from a registry.
#[derive(Clone, Debug)]
pub(crate) struct PointsCrate {
    pub(crate) path: PathBuf,
    pub(crate) version: Option<String>,
}

impl FromStr for PointsCrate {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, version) = match text.rsplit_once('@') {
            Some((path, version)) if !version.contains('/') => (path, Some(version.into())),
            _ => (text, None),
        };
        Ok(PointsCrate { path: path.into(), version })
    }
}

/// The language of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// C11, with one header
    C,
    /// Rust, with the crate hookrail-abi
    Rust,
}

fn priority(text: &str) -> Result<i32, String> {
    let number: i32 = text.parse().map_err(|_| "a priority is a whole number of 32 bits")?;
    let is_free = Priority::checked(number).is_some();
    is_free.then_some(number).ok_or_else(|| "1000 and the ends of the range are kept for the host".into())
}
