//! What a shell offers for the word at the cursor: `hookrail completions SHELL` prints a script, and the script runs
//! this program whenever the user presses the key. The names it offers come from [`candidates`](crate::candidates).

use std::path::Path;

use clap::CommandFactory;
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Shells, Zsh};

use crate::args::{Args, Completions, Shell};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::print;

/// The variable by which a script marks its call, and names its shell.
const VARIABLE: &str = "HOOKRAIL_COMPLETE";

/// Completes and ends the process, if it was started by a script.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Args::command).var(VARIABLE).shells(Shells(&[&Bash, &Fish, &Zsh])).complete();
}

/// Prints the script.
pub(crate) fn run(options: &Completions) -> Result<ExitCode, Error> {
    const NAME: &str = "hookrail";
    let shell: &dyn EnvCompleter = match options.shell {
        Shell::Bash => &Bash,
        Shell::Fish => &Fish,
        Shell::Zsh => &Zsh,
    };
    // The way it was started: by its name from $PATH, where an update may install a newer one, or by its path.
    let started = std::env::args_os().next().unwrap_or_else(|| NAME.into());
    let started = Path::new(&started);
    let program = match started.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => {
            std::path::absolute(started).unwrap_or_else(|_| started.into())
        }
        _ => NAME.into(),
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, NAME, NAME, &program.to_string_lossy(), &mut script).map_err(Error::Stdout)?;
    print::lines(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::Ok)
}
