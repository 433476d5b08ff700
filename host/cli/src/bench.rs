//! `hookrail bench`: dispatch against the raw loop, on this machine.

use std::path::{Path, PathBuf};

use hookrail::{Config, Host, InstanceConfig, MessageDelivered, PluginConfig};

use crate::args::Bench;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::measure::{Cost, cost};
use crate::plugins::Finder;
use crate::table::{Column, Target, table};
use crate::{print, stderr};

/// The plugin whose callbacks do nothing, so that only the calls are measured.
const PLUGIN: &str = "bench";

/// How many hosts the rounds of a case are spread over.
const HOSTS: u32 = 10;

const LENGTHS: [usize; 7] = [1, 2, 4, 8, 16, 64, 256];

/// How many callbacks an instance of the plugin has at most.
const CALLBACKS: usize = 8;

pub(crate) fn run(options: &Bench) -> Result<ExitCode, Error> {
    let library = library(&options.directories)?;
    stderr::line(format!("callbacks from {}", library.display()));
    let mut costs = Vec::new();
    for threads in [1, 2] {
        for callbacks in LENGTHS {
            costs.push(best(&library, callbacks, threads, options.rounds)?);
        }
    }
    if options.json {
        print::json(&costs)?
    } else {
        print::lines(text(&costs))?
    }
    Ok(ExitCode::Ok)
}

/// The library whose callbacks are measured.
pub(crate) fn library(directories: &[PathBuf]) -> Result<PathBuf, Error> {
    Finder::new(directories).find(PLUGIN)
}

/// The best cost over several hosts: where a chain and a stack happen to be in memory can cost more than what is
/// measured.
pub(crate) fn best(library: &Path, callbacks: usize, threads: usize, rounds: u32) -> Result<Cost, Error> {
    let mut best = Cost::slowest(callbacks, threads);
    for _ in 0..HOSTS {
        let host = host(library, callbacks)?;
        let cost = cost(&host.point(MessageDelivered)?, threads, rounds.div_ceil(HOSTS));
        best.lower_to(&cost);
    }
    Ok(best)
}

/// A host with that many callbacks on `message.delivered`, which has none of its own. They are those of instances of the
/// plugin.
fn host(library: &Path, callbacks: usize) -> Result<Host, Error> {
    let plugin = (0..callbacks).step_by(CALLBACKS).fold(PluginConfig::default(), |plugin, from| {
        let config = serde_json::json!({ "callbacks": CALLBACKS.min(callbacks - from) });
        plugin.with_instance(format!("{from:03}"), InstanceConfig::default().with_config(config))
    });
    let host = Host::new(Config::default().with_plugin(PLUGIN, plugin))?;
    // SAFETY: it lies where the operator keeps plugins.
    unsafe { host.load(library)? };
    Ok(host)
}

/// Costs as a table, and how to read it.
pub(crate) fn text(costs: &[Cost]) -> String {
    let columns = [
        Column::Number("callbacks"),
        Column::Number("threads"),
        Column::Number("raw loop"),
        Column::Number("unrolled"),
        Column::Number("dispatch"),
        Column::Number("of raw"),
        Column::Text("limit"),
        Column::Number("of limit"),
    ];
    let rows = costs.iter().map(|cost| {
        let (limit, limit_ns) = cost.limit();
        vec![
            cost.callbacks.to_string(),
            cost.threads.to_string(),
            format!("{:.2} ns", cost.raw_ns),
            format!("{:.2} ns", cost.unrolled_ns),
            format!("{:.2} ns", cost.dispatch_ns),
            format!("{:.2}", cost.dispatch_ns / cost.raw_ns),
            limit.to_owned(),
            format!("{:.2}", cost.dispatch_ns / limit_ns),
        ]
    });
    format!("{}\n\n{READING}", table(Target::Stdout, &columns, rows))
}

const READING: &str =
    "  Both loops call the same functions: `raw loop` from one place, `unrolled` from eight, which a processor
  predicts better. The faster of the two is the limit of a program that calls them itself. A dispatch of
  more than three callbacks can be below it, since its loop lies nearer to the libraries than a program does.";
