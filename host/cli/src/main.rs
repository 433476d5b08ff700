//! The program `hookrail`: a ready-made host for message streams. Data goes to stdout, messages for people to stderr.
//!
//! Owns arguments, the terminal, exit codes and the wording of results; each command is a file or a directory. Must
//! know nothing of the crates below the facade: it uses commands, as any other program may.

mod args;
mod bench;
mod built;
mod candidates;
mod cargo;
mod check;
mod complete;
mod config;
mod confirm;
mod crash;
mod demo;
mod dev;
mod digest;
mod doctor;
mod duration;
mod error;
mod events;
mod exit;
mod file;
mod harmless;
mod hooks;
mod inspect;
mod interrupt;
mod key;
mod log;
mod make;
mod measure;
mod metrics;
mod nearest;
mod new;
mod overrides;
mod pack;
mod pipeline;
mod place;
mod plugin;
mod plugin_exit;
mod plugins;
mod points;
mod prebuilt;
mod print;
mod remote;
mod run;
mod running;
mod serve;
mod settings;
mod shell;
mod size;
mod status;
mod stderr;
mod stdout;
mod table;
mod tap;
mod test;
mod top;
mod trust;
mod verify;
mod watch;

use clap::{ArgMatches, CommandFactory};

use args::{Args, Command};
use error::Error;
use exit::ExitCode;
use plugin_exit::PluginExit;

fn main() -> std::process::ExitCode {
    hookrail::worker::enter();
    complete::answer();
    let matches = Args::command().get_matches_from(args::given());
    let args = Args::of(&matches).unwrap_or_else(|error| error.exit());
    let is_for_programs = is_for_programs(&matches);
    // A process that `check` starts is watched by `check`, which tells its status.
    let _watched = (!matches!(args.command, Command::CheckOne(_))).then(|| PluginExit::watch(is_for_programs));
    match run(&args) {
        Ok(code) => code.into(),
        Err(error) => {
            stderr::report(&error, is_for_programs);
            error.exit_code().into()
        }
    }
}

/// Whether `--json` was given to the command.
fn is_for_programs(matches: &ArgMatches) -> bool {
    let is_given = matches.try_get_one("json").is_ok_and(|json| json == Some(&true));
    is_given || matches.subcommand().is_some_and(|(_, matches)| is_for_programs(matches))
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    settings::give(args.home.clone(), args.config.clone());
    log::install(args.verbose);
    stdout::take().map_err(Error::Stdout)?;
    match &args.command {
        Command::Run(options) => run::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Test(options) => test::run(options),
        Command::Pipeline(command) => pipeline::run(command),
        Command::Hooks(command) => hooks::run(command),
        Command::Plugin(command) => plugin::run(command),
        Command::Config(command) => config::run(command),
        Command::Events(options) => events::run(options),
        Command::Tap(options) => tap::run(options),
        Command::Top(options) => top::run(options),
        Command::Metrics(options) => metrics::run(options),
        Command::Status(options) => status::run(options),
        Command::Doctor(options) => doctor::run(options),
        Command::Inspect(options) => inspect::run(options),
        Command::Bench(options) => bench::run(options),
        Command::Demo(options) => demo::run(options),
        Command::New(options) => new::run(options),
        Command::Dev(options) => dev::run(options),
        Command::Check(options) => check::run(options),
        Command::Pack(options) => pack::run(options),
        Command::Keygen(options) => key::generate(options),
        Command::Sign(options) => key::sign(options),
        Command::Verify(options) => verify::run(options),
        Command::Trust(command) => trust::run(command),
        Command::Crash(command) => crash::run(command),
        Command::Completions(options) => complete::run(options),
        Command::CheckOne(options) => check::run_one(options),
    }
}
