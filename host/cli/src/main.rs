//! The program `hookrail`: a ready host for message streams. Data goes to stdout, talk to stderr.

mod args;
mod bench;
mod cargo;
mod check;
mod complete;
mod config;
mod demo;
mod dev;
mod digest;
mod duration;
mod error;
mod events;
mod exit;
mod hooks;
mod inspect;
mod interrupt;

mod key;
mod log;
mod measure;
mod new;
mod pack;
mod plugin;
mod plugins;
mod print;
mod remote;
mod run;
mod size;
mod status;
mod table;
mod talk;
mod trust;
mod verify;
mod watch;

use clap::Parser;

use args::{Args, Command};
use error::Error;
use exit::ExitCode;

fn main() -> std::process::ExitCode {
    complete::answer();
    match run(&Args::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            talk::error(&error);
            error.exit_code().into()
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    log::install(args.verbose);
    match &args.command {
        Command::Run(options) => run::run(options),
        Command::Hooks(command) => hooks::run(command),
        Command::Plugin(command) => plugin::run(command),
        Command::Config(command) => config::run(command),
        Command::Events(options) => events::run(options),
        Command::Status(options) => status::run(options),
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
        Command::Completions(options) => complete::run(options),
        Command::CheckOne(options) => check::run_one(options),
    }
}
