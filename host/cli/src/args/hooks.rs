//! The verbs for hook points.

use std::time::Duration;

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;
use hookrail::control::command::LONGEST_WAIT;
use hookrail::{StatsLevel, TraceFilter};
use hookrail_abi::FaultPolicy;

use super::selection::{Common, Selection};
use super::setup::Setup;
use hookrail::units;

use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_CHAINS: &str = "\
Asks the host of --pid or --control, else the only running one.
If there is not exactly one, or with --plugin, --plugin-dir, --no-store or --config, it loads the plugins itself, and shows what a host would have.";

/// One line per paragraph, as above.
const AFTER_SET: &str = "\
The change applies at once, to all of it or nothing, and no plugin is unloaded.
It is kept in the home, for the next hosts and the next versions of the plugin.
What `[[overrides]]` in hookrail.toml says of a callback is changed there, and not here.";

/// What is changed of a callback.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Change {
    /// Its place: lower numbers run earlier, and 1000 is the host's own
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// Leave it out of the chain
    #[arg(long)]
    pub(crate) disable: bool,
    /// Put it into the chain again
    #[arg(long, conflicts_with = "disable")]
    pub(crate) enable: bool,
    /// What its fault means: `open` goes on, `closed` denies, `rollback` puts the payload back and goes on
    #[arg(long, value_name = "open|closed|rollback", value_parser = fault)]
    pub(crate) fault: Option<FaultPolicy>,
    /// Forget what was said of it before: what its plugin declares applies, but for the other options
    #[arg(long)]
    pub(crate) default: bool,
}

/// Whose chains to show: those of a running host, or of one that would load these plugins.
#[derive(Debug, Args)]
#[command(mut_group("Setup", |setup| setup.conflicts_with("Selection")))]
pub(crate) struct Chains {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) selection: Selection,

    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hooks {
    /// List every hook point with its chain: the callbacks in the order in which they run
    #[command(after_help = AFTER_CHAINS)]
    List {
        #[command(flatten)]
        chains: Chains,
    },
    /// Show one hook point with its chain
    #[command(after_help = AFTER_CHAINS)]
    Show {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        #[command(flatten)]
        chains: Chains,
    },
    /// Explain why the callbacks of a point have their places, and which of them are called
    #[command(after_help = AFTER_CHAINS)]
    Explain {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        #[command(flatten)]
        chains: Chains,
    },
    /// Change the place of a callback in a running host, switch it off or on, or say what its fault means
    #[command(after_help = AFTER_SET)]
    Set {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        /// The callback
        #[arg(value_name = "INSTANCE/CALLBACK", add = ArgValueCandidates::new(candidates::callbacks))]
        callback: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        common: Common,
    },
    /// Set how much a running host records about the dispatches of a point
    SetLevel {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        /// `off` costs nothing, `count` a few nanoseconds per dispatch; `histogram` reads the clock after each callback
        #[arg(value_name = "off|count|histogram", value_parser = level, add = ArgValueCandidates::new(candidates::levels))]
        level: StatsLevel,
        #[command(flatten)]
        common: Common,
    },
    /// Show the counts at a running host's points: calls, verdicts, faults, times
    Stats {
        /// The point, for example message.publish; without it, one line for each point, and the callbacks that were
        /// never called
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: Option<String>,
        /// Repeat every second, until Ctrl-C
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show what the next dispatches of a point do in a running host, step by step, with secrets masked
    Trace {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        /// The number of dispatches, 1 to 1000
        #[arg(short = 'n', long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// Only dispatches whose payload has this value in this field, for example topic=log.app or headers.KEY=VALUE
        #[arg(long, value_name = "FIELD=VALUE")]
        filter: Option<TraceFilter>,
        /// How long to wait for them, 10m at most
        #[arg(long, value_name = "TIME", default_value = "10s", value_parser = wait)]
        wait: Duration,
        #[command(flatten)]
        common: Common,
    },
    /// Release a quarantined callback: it is called again
    Unquarantine {
        /// The point, for example message.publish
        #[arg(add = ArgValueCandidates::new(candidates::points))]
        point: String,
        /// The callback
        #[arg(value_name = "INSTANCE/CALLBACK", add = ArgValueCandidates::new(candidates::callbacks))]
        callback: String,
        #[command(flatten)]
        common: Common,
    },
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait = units::duration(text).map_err(|error| error.to_string())?;
    if wait > LONGEST_WAIT {
        return Err(format!("a host waits for {} s at most", LONGEST_WAIT.as_secs()));
    }
    Ok(wait)
}

fn fault(text: &str) -> Result<FaultPolicy, String> {
    let policies = [FaultPolicy::Open, FaultPolicy::Closed, FaultPolicy::Rollback];
    let found = policies.into_iter().find(|policy| policy.name() == text);
    found.ok_or_else(|| "use open, closed or rollback".into())
}

fn level(text: &str) -> Result<StatsLevel, String> {
    let levels = [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram];
    levels.into_iter().find(|level| level.name() == text).ok_or_else(|| match text {
        "trace" => "use off, count or histogram; `hookrail hooks trace` shows single dispatches".into(),
        _ => "use off, count or histogram".into(),
    })
}
