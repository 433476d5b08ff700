//! The command line of the program.

mod check;
mod config;
mod consent;
mod hooks;
mod manage;
mod new;
mod package;
mod selection;
mod setup;
mod store;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub(crate) use self::check::{Check, CheckOne};
pub(crate) use self::config::{Config, Reconfigure};
pub(crate) use self::consent::Consent;
pub(crate) use self::hooks::{Chains, Hooks};
pub(crate) use self::manage::Plugin;
pub(crate) use self::new::{Language, New};
pub(crate) use self::package::{Key, Keygen, Pack, Sign, Trust, Verify};
pub(crate) use self::selection::{Common, Selection};
pub(crate) use self::setup::Setup;
pub(crate) use self::store::{Store, Swap};
use crate::size::Size;
use crate::{candidates, exit};

/// A host for native plugins: callbacks on named hook points, in the order of their priority,
/// from plugins that come and go while messages flow.
#[derive(Debug, Parser)]
#[command(name = "hookrail", version, after_help = exit::help())]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Say more on stderr: -v, -vv, -vvv; finer with $HOOKRAIL_LOG, for example `hookrail=debug`
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// The directory of what is installed, the trusted keys and the sockets of running hosts [default:
    /// $HOOKRAIL_HOME, else `home` of the configuration, else ~/.hookrail]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,

    /// The configuration of hosts, which also names plugins to load [default: $HOOKRAIL_CONFIG, else ./hookrail.toml
    /// if it exists]
    #[arg(long, global = true, value_name = "FILE", add = candidates::files(&["toml"]))]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send messages through the plugins: from stdin or files, allowed ones to stdout
    Run(Run),
    /// Show the hook points and their callbacks, in the order in which they run: in the only running host or the one
    /// that is named, or as the named plugins or ./hookrail.toml would have it
    #[command(subcommand)]
    Hooks(Hooks),
    /// Manage what is installed, and the plugins of a running host
    #[command(subcommand)]
    Plugin(Plugin),
    /// Show and set the configuration of plugins
    #[command(subcommand)]
    Config(Config),
    /// Show what happens to the plugins of a running host, as it happens
    Events(Common),
    /// Show what a running host is doing
    Status(Common),
    /// Show what a library or a package declares, without running any of its code
    Inspect(Inspect),
    /// Measure dispatch against a raw loop over the same function pointers, on this machine
    Bench(Bench),
    /// Show everything in a few seconds: load, order, filter, unload under load, measure
    Demo(Demo),
    /// Start a new plugin: a crate, or a C source, that builds and passes its checks
    New(New),
    /// Watch a plugin's source: build it on every change, and replace the plugin in a running host
    Dev(Dev),
    /// Check whether a plugin conforms: how it is built, what it does in every order of calls, with every payload and
    /// configuration, and what it leaves behind
    Check(Check),
    /// Make a package of a plugin: its libraries, and everything that belongs to them, in one file
    Pack(Pack),
    /// Make a pair of keys to sign packages with
    Keygen(Keygen),
    /// Sign a package, or any file
    Sign(Sign),
    /// Check a package: who signed it, and that its content matches its metadata
    Verify(Verify),
    /// Manage the keys whose packages are trusted
    #[command(subcommand)]
    Trust(Trust),
    /// Print the script by which a shell completes commands, options, and names of plugins and points
    Completions(Completions),
    /// One check, in its own process
    #[command(hide = true)]
    CheckOne(CheckOne),
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_RUN: &str = "\
A text line is a message: what no plugin changes comes out byte for byte.
A JSON line is a message such as {\"topic\":\"a.b\",\"headers\":[[\"key\",\"value\"]],\"body\":\"text\"}; only the body must be there, as `body` or `body_base64`.
A line that is no message is shown, counted and left out; the rest goes on, and the exit code is 4.
Ctrl-C ends the reading and shows the summary; a second one kills.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_RUN)]
pub(crate) struct Run {
    /// Files to read, one after the other; `-`, or no file, is stdin
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,

    /// What a line of input is
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) input_format: Format,

    /// What a line of output is [default: as the input]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<Format>,

    /// The topic of text lines, and of JSON messages without one
    #[arg(long, value_name = "TOPIC", default_value = "log")]
    pub(crate) topic: String,

    /// Skip longer lines; bodies are limited too, by [message] max_body of the configuration
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) max_line: Size,

    /// Watch the files of the plugins: when one has changed and is complete, the new build replaces the old one while
    /// messages flow
    #[arg(long)]
    pub(crate) watch: bool,

    /// No progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// The summary as JSON, on stderr
    #[arg(long)]
    pub(crate) json: bool,

    /// The path of the socket by which this run is managed [default: $HOOKRAIL_HOME/run/PID.sock]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,

    /// No control socket: this run cannot be managed
    #[arg(long, conflicts_with = "control")]
    pub(crate) no_control: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
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

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The body of a message
    Text,
    /// A message as a JSON object
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The library, or the package NAME-VERSION.hrp
    #[arg(add = candidates::files(&["so", "hrp"]))]
    pub(crate) file: PathBuf,

    /// Print the JSON Schema of its configuration instead. This loads the library: its code runs
    #[arg(long)]
    pub(crate) schema: bool,

    /// As a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// As a JSON array of {callbacks, threads, raw_ns, dispatch_ns}
    #[arg(long)]
    pub(crate) json: bool,

    /// How many interleaved rounds each case is measured in; the best counts
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Look for the plugin `bench` in this directory too; may repeat
    #[arg(long = "plugin-dir", value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The results, as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_DEV: &str = "\
The host is one that runs: start it beside this with `hookrail run`. What it has loaded is replaced while messages flow; what it has not is loaded.
What does not build or does not fit changes nothing: the compiler's words are shown, and the old build goes on serving.
Ctrl-C ends the watching; what serves then goes on.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_DEV)]
pub(crate) struct Dev {
    /// The plugin's cargo package
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,

    /// Build with optimisations
    #[arg(long)]
    pub(crate) release: bool,

    /// Build and replace once, and watch nothing
    #[arg(long)]
    pub(crate) once: bool,

    /// One JSON object per line for every replacement
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) selection: Selection,

    /// Further arguments for `cargo build`, for example `-- --features fast`
    #[arg(last = true, value_name = "CARGO ARGS")]
    pub(crate) cargo: Vec<OsString>,
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
