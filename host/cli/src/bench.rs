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

const LENGTHS: [usize; 6] = [1, 2, 4, 8, 16, 64];

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
    let mut best = Cost { callbacks, threads, raw_ns: f64::INFINITY, dispatch_ns: f64::INFINITY };
    for _ in 0..HOSTS {
        let host = host(library, callbacks)?;
        let cost = cost(&host.point(MessageDelivered)?, threads, rounds.div_ceil(HOSTS));
        best.raw_ns = best.raw_ns.min(cost.raw_ns);
        best.dispatch_ns = best.dispatch_ns.min(cost.dispatch_ns);
    }
    Ok(best)
}

/// A host with that many callbacks on `message.delivered`, which has none of its own. They are instances of the plugin.
fn host(library: &Path, callbacks: usize) -> Result<Host, Error> {
    let plugin = (0..callbacks).fold(PluginConfig::default(), |plugin, index| {
        plugin.with_instance(format!("{index:02}"), InstanceConfig::default())
    });
    let host = Host::new(Config::default().with_plugin(PLUGIN, plugin))?;
    // SAFETY: it lies where the operator keeps plugins.
    unsafe { host.load(library)? };
    Ok(host)
}

/// Costs as a table.
pub(crate) fn text(costs: &[Cost]) -> String {
    let columns = [
        Column::Number("callbacks"),
        Column::Number("threads"),
        Column::Number("raw loop"),
        Column::Number("dispatch"),
        Column::Number("difference"),
        Column::Number("ratio"),
    ];
    let rows = costs.iter().map(|cost| {
        vec![
            cost.callbacks.to_string(),
            cost.threads.to_string(),
            format!("{:.2} ns", cost.raw_ns),
            format!("{:.2} ns", cost.dispatch_ns),
            format!("{:+.2} ns", cost.dispatch_ns - cost.raw_ns),
            format!("{:.2}", cost.dispatch_ns / cost.raw_ns),
        ]
    });
    table(Target::Stdout, &columns, rows)
}
