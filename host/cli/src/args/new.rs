//! The verb that creates a plugin.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use hookrail::{EndpointKind, Priority};
use hookrail_abi::name::is_plain;

use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER: &str = "\
A plugin has either a callback at a hook point, for which --priority is needed, or one source, or one sink.

Examples:
  hookrail new marker --priority 500
  hookrail new clock --source ticks
  hookrail new lines --sink file --lang c";

#[derive(Debug, Args)]
#[command(after_help = AFTER, group = ArgGroup::new("what").args(["priority", "source", "sink"]).required(true))]
pub(crate) struct New {
    /// The plugin's name: lower-case letters, digits, `-` and `_`
    pub(crate) name: String,

    /// The hook point: one that `hookrail hooks list` shows, or with --points-crate one of another program
    #[arg(long, default_value = "message.publish", conflicts_with_all = ["source", "sink"], add = ArgValueCandidates::new(candidates::dispatched))]
    pub(crate) point: String,

    /// The directory of the crate that declares the point, for a point of another program. The plugin depends on it by
    /// its relative path, or with @VERSION on that version in a registry; it takes `hookrail-abi` from where the crate
    /// does
    #[arg(long, value_name = "PATH[@VERSION]", requires = "point", conflicts_with_all = ["abi", "source", "sink"])]
    pub(crate) points_crate: Option<PointsCrate>,

    /// The priority of its callback: below 1000 runs before the host's own callback, above 1000 after it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = priority)]
    pub(crate) priority: Option<i32>,

    /// Have a source of that name, from which the messages of pipelines come
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    source: Option<String>,

    /// Have a sink of that name, to which the messages of pipelines go
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    sink: Option<String>,

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

/// What a new plugin has.
pub(crate) enum Wanted<'a> {
    /// A callback, with this priority.
    Callback(i32),
    /// A source or a sink, of this name.
    Endpoint(EndpointKind, &'a str),
}

impl New {
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        match (self.priority, &self.source, &self.sink) {
            (Some(priority), ..) => Wanted::Callback(priority),
            (_, Some(name), _) => Wanted::Endpoint(EndpointKind::Source, name),
            (_, _, Some(name)) => Wanted::Endpoint(EndpointKind::Sink, name),
            (None, None, None) => unreachable!("one of them is required"),
        }
    }
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

fn endpoint(text: &str) -> Result<String, String> {
    let why = || "the name of an endpoint is made of letters, digits, `-`, `_` and `.`".into();
    is_plain(text).then(|| text.to_owned()).ok_or_else(why)
}
