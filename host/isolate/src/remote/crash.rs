//! What is known of the end of a process, as it becomes known.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hookrail_model::crash::{CrashReport, CrashedPlugin, LostCall};

use crate::wire::PluginId;

/// What is known of the end of a process.
#[derive(Default)]
pub(super) struct Crash {
    /// The plugins that were opened in it and have not been closed.
    pub(super) opened: Vec<Opened>,
    /// Why its host has ended it, if it has.
    pub(super) why: Option<String>,
    /// The calls that were lost with it.
    pub(super) lost: Vec<LostCall>,
    /// The report, once it is written.
    pub(super) report: Option<CrashReport>,
}

/// A plugin that was opened in a process.
pub(super) struct Opened {
    pub(super) number: PluginId,
    pub(super) plugin: CrashedPlugin,
    /// The private copy of its file.
    pub(super) copy: Arc<OwnedFd>,
}
