//! The plugins of a host of this program.

use std::path::PathBuf;

use crate::candidates;

/// Which plugins to load, and how they are configured.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Plugins")]
pub(crate) struct Setup {
    /// Load this plugin: the file of a library, or a name to look for; may be repeated
    #[arg(long = "plugin", value_name = "FILE|NAME", add = candidates::plugins())]
    pub(crate) plugins: Vec<PathBuf>,

    /// Load no installed plugins
    #[arg(long)]
    pub(crate) no_store: bool,

    /// Look for names in this directory first, then beside the program, then in $HOOKRAIL_PLUGINS; may be repeated
    #[arg(long = "plugin-dir", value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
}

impl Setup {
    /// Whether none of the options was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.plugins.is_empty() && self.directories.is_empty() && !self.no_store
    }
}
