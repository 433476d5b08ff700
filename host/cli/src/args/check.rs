//! The command line of `hookrail check`.

use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ArgGroup;
use hookrail::units;

use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER: &str = "\
Each check runs in its own process, so that a crash or a hang is a failure and nothing more.
The plugin is started with [plugins.NAME.config] of the configuration; with --isolated, [plugins.NAME.worker] applies too.
The code of the library runs with your rights: check only what you would load.
--only and --skip take patterns such as `hostile-.*`; a check that --only names runs whatever its level.
The exit code is 0 if no check failed, 1 if one did.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, group = ArgGroup::new("what").args(["file", "list"]).required(true).multiple(true))]
pub(crate) struct Check {
    /// The library
    #[arg(add = candidates::files(&["so"]))]
    pub(crate) file: Option<PathBuf>,

    /// Run only the checks whose whole name matches this regular expression; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,

    /// Skip the checks whose whole name matches this regular expression; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) skip: Vec<String>,

    /// Run the checks up to this level, 1 to 10; a plugin that passes level 5 works in hosts
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) strictness: u8,

    /// The seed of the random payloads, configurations and calls, decimal or 0xHEX [default: a random one, which is
    /// shown]
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<Seed>,

    /// Kill a check that takes longer, 1s to 24h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = timeout)]
    pub(crate) timeout: Duration,

    /// Repeat less often
    #[arg(long)]
    pub(crate) quick: bool,

    /// Check the plugin in worker processes, as hosts with `isolation = "worker"` run it
    #[arg(long, conflicts_with = "in_process")]
    pub(crate) isolated: bool,

    /// Run the one check that --only names in this process, for a debugger
    #[arg(long)]
    pub(crate) in_process: bool,

    /// Print the report as a JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Also write a report for CI, in JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// List the checks, and run none
    #[arg(long)]
    pub(crate) list: bool,
}

/// The arguments with which the program starts itself.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckOne {
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) check: String,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long)]
    pub(crate) quick: bool,
    #[arg(long)]
    pub(crate) isolated: bool,
}

/// A seed: decimal, or hexadecimal with the prefix 0x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(pub(crate) u64);

impl FromStr for Seed {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
        number.map(Seed)
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(86_400);
    let timeout = units::duration(text).map_err(|error| error.to_string())?;
    if (SHORTEST..=LONGEST).contains(&timeout) { Ok(timeout) } else { Err("use 1s to 24h".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        for (text, seed) in [("7", Some(7)), ("0xff", Some(255)), ("", None), ("-1", None), ("0x", None), ("ff", None)]
        {
            assert_eq!(text.parse().ok(), seed.map(Seed), "{text}");
        }
    }
}
