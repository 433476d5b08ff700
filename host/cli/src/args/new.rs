//! The verb that creates a plugin.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use hookrail::Priority;

use crate::candidates;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name: lower-case letters, digits, `-` and `_`
    pub(crate) name: String,

    /// The hook point; `hookrail hooks list` shows them all
    #[arg(long, default_value = "message.publish", add = ArgValueCandidates::new(candidates::dispatched))]
    pub(crate) point: String,

    /// The priority of its callback: below 1000 runs before the host's own callback, above 1000 after it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = priority)]
    pub(crate) priority: i32,

    /// The language of the plugin
    #[arg(long, value_name = "LANG", default_value = "rust")]
    pub(crate) lang: Language,

    /// The directory to create [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    /// Where `hookrail-abi` comes from: a checkout, a version in a registry, or `carried` for the sources in this
    /// program [default: the checkout that the program was built from, if it exists, else `carried`]
    #[arg(long, value_name = "PATH|VERSION|carried")]
    pub(crate) abi: Option<String>,

    /// Print what was created, as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
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
