//! `hookrail test`.

use std::path::PathBuf;

use super::setup::Setup;
use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_TEST: &str = "\
A file of tests has cases: messages, and for each of them what is expected of it. docs/guide/serving.md says what it takes.
Each case begins with plugins that have just started; only those with callbacks on message.publish are loaded. Nothing that a pipeline reads or writes is opened, and the home stays as it is.
If a case fails, the exit code is 1; if a file is wrong, it is 2, and no case runs.

Examples:
  hookrail test tests.toml
  hookrail test --config /etc/hookrail.toml tests/*.toml";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_TEST)]
pub(crate) struct Test {
    /// The files of tests
    #[arg(required = true, value_name = "FILES", add = candidates::files(&["toml"]))]
    pub(crate) files: Vec<PathBuf>,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
}
