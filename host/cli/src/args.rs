//! The command line of the program.

mod check;
mod config;
mod consent;
mod crash;
mod hooks;
mod manage;
mod new;
mod package;
mod pipeline;
mod run;
mod selection;
mod serve;
mod setup;
mod store;
mod tap;
mod test;
mod top;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub(crate) use self::check::{Check, CheckOne};
pub(crate) use self::config::{Config, Reconfigure};
pub(crate) use self::consent::Consent;
pub(crate) use self::crash::{Crash, Replay};
pub(crate) use self::hooks::{Chains, Change, Hooks};
pub(crate) use self::manage::Plugin;
pub(crate) use self::new::{Language, New, PointsCrate, Wanted};
pub(crate) use self::package::{Key, Keygen, Pack, Sign, Trust, Verify};
pub(crate) use self::pipeline::{Ending, One, Pipeline, Queues};
pub(crate) use self::run::{InputFormat, OutputFormat, Run};
pub(crate) use self::selection::{Common, Selection};
pub(crate) use self::serve::Serve;
pub(crate) use self::setup::Setup;
pub(crate) use self::store::{Store, Swap};
pub(crate) use self::tap::Tap;
pub(crate) use self::test::Test;
pub(crate) use self::top::Top;
use crate::{candidates, exit};

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// A host for native plugins: callbacks on named hook points, in the order of their priority,
/// from plugins that come and go while messages flow.
#[derive(Debug, Parser)]
#[command(name = "hookrail", version, after_help = exit::help())]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Log more to stderr: -v info, -vv debug, -vvv trace; finer with $HOOKRAIL_LOG, for example `hookrail=debug`
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = GLOBAL)]
    pub(crate) verbose: u8,

    /// The directory of installed plugins, trusted keys and sockets of running hosts [default: $HOOKRAIL_HOME, else
    /// `home` of the configuration, else ~/.hookrail]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(crate) home: Option<PathBuf>,

    /// The configuration of hosts [default: $HOOKRAIL_CONFIG, else ./hookrail.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL, add = candidates::files(&["toml"]))]
    pub(crate) config: Option<PathBuf>,
}

/// The arguments of this process; without any it serves.
pub(crate) fn given() -> Vec<OsString> {
    let mut given: Vec<_> = std::env::args_os().collect();
    if given.len() == 1 {
        given.push("serve".into());
    }
    given
}

impl Args {
    /// The arguments, or why they make no sense.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let args = Args::from_arg_matches(matches)?;
        if let Command::Run(run) = &args.command {
            run.check().map_err(|why| {
                let mut program = Args::command();
                // Names its commands as they are called, for their usage.
                program.build();
                let run = program.find_subcommand_mut("run").expect("it is one of them");
                run.error(ErrorKind::ArgumentConflict, why)
            })?;
        }
        Ok(args)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send messages from stdin or files through the plugins, and the allowed ones to stdout
    Run(Run),
    /// Run pipelines: sources, through the plugins, to sinks; until it is told to end
    Serve(Serve),
    /// Test what plugins and pipelines do with messages: a file has messages, and what is expected of them
    Test(Test),
    /// Show hook points and their callbacks, and observe them in a running host
    #[command(subcommand)]
    Hooks(Hooks),
    /// Manage installed plugins, and the plugins of a running host
    #[command(subcommand)]
    Plugin(Plugin),
    /// Show and control the pipelines of a running host
    #[command(subcommand)]
    Pipeline(Pipeline),
    /// Show, set and check the configuration of plugins
    #[command(subcommand)]
    Config(Config),
    /// Print what happens to the plugins of a running host, as it happens
    Events(Common),
    /// Print messages of a running host as they pass a place in its pipelines
    Tap(Tap),
    /// Print what a running host counts and measures, in the text format of Prometheus
    Metrics(Common),
    /// Show rates, times, queues and drops of a running host, live
    Top(Top),
    /// Show the process, the uptime and the counters of a running host
    Status(Common),
    /// Look whether this machine has what hosts need: the kernel, limits, the home, plugins, the clock
    Doctor(Doctor),
    /// Show what a library or a package declares, without running any of its code
    Inspect(Inspect),
    /// Measure dispatch on this machine, beside a raw loop over the same function pointers
    Bench(Bench),
    /// Show everything in a few seconds: loading, order, filtering, unloading under load, costs
    Demo(Demo),
    /// Create a plugin, in Rust or C, that builds and passes its checks
    New(New),
    /// Build a plugin on every change of its source, and replace it in a running host
    Dev(Dev),
    /// Check whether a plugin conforms: how it is built, how it behaves, and what it leaves behind
    Check(Check),
    /// Make a package of a plugin: one file with its libraries and everything that belongs to them
    Pack(Pack),
    /// Create a pair of keys to sign packages with
    Keygen(Keygen),
    /// Sign a package, or any other file
    Sign(Sign),
    /// Verify a package: its signature, and its content against its metadata
    Verify(Verify),
    /// Manage the keys whose packages are trusted
    #[command(subcommand)]
    Trust(Trust),
    /// Show how workers of plugins have crashed
    #[command(subcommand)]
    Crash(Crash),
    /// Print the script by which a shell completes commands, options and names
    Completions(Completions),
    /// One check, in its own process
    #[command(hide = true)]
    CheckOne(CheckOne),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// The shells that are supported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    /// `source <(hookrail completions bash)` in ~/.bashrc
    Bash,
    /// `hookrail completions fish | source` in ~/.config/fish/config.fish
    Fish,
    /// `source <(hookrail completions zsh)` in ~/.zshrc, after compinit
    Zsh,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// A library, a package (NAME-VERSION.hrp), or the name of a plugin, whose library is looked for beside the
    /// program, then in $HOOKRAIL_PLUGINS
    #[arg(add = candidates::files(&["so", "hrp"]))]
    pub(crate) file: PathBuf,

    /// Print the JSON Schema of its configuration instead. This loads the library, so its code runs
    #[arg(long)]
    pub(crate) schema: bool,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Print a JSON array of {callbacks, threads, raw_ns, unrolled_ns, dispatch_ns}
    #[arg(long)]
    pub(crate) json: bool,

    /// Measure each case in this many interleaved rounds, of which the best counts
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Look for the plugin `bench` in this directory first; may be repeated
    #[arg(long = "plugin-dir", value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Print the results as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_DOCTOR: &str = "\
Each line is `ok`, `note`, `warning` or `failure`, with what to do about the last two; run it as the user, and with --home and --config, as the host is run.
If there is a failure, the exit code is 1; warnings are no failure. It opens nothing on the network.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_DOCTOR)]
pub(crate) struct Doctor {
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_DEV: &str = "\
The host is a running one, for example `hookrail run` in another terminal: if it has the plugin loaded, the plugin is replaced while messages flow, else it is loaded.
What does not build or does not fit changes nothing: the compiler's output is shown, and the old build continues to serve.
Ctrl-C ends the watching; the last build continues to serve.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_DEV)]
pub(crate) struct Dev {
    /// The directory of the plugin's cargo package, or of its Makefile and hookrail-package.toml
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,

    /// Build with optimisations; a Makefile decides that itself
    #[arg(long)]
    pub(crate) release: bool,

    /// Build and replace once, and do not watch
    #[arg(long)]
    pub(crate) once: bool,

    /// Print one JSON object per line, for each replacement
    #[arg(long)]
    pub(crate) json: bool,

    /// Further arguments for `cargo build` or `make`, for example `-- --features fast`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) more: Vec<OsString>,

    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
