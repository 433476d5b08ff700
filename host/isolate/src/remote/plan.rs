//! Where a plugin in a worker is to be brought to, should its process end.

use std::sync::Arc;

use hookrail_engine::{Points, Units, Writable};
use hookrail_loader::{Meter, Numbers};
use hookrail_model::log_level::LogLevel;

use super::proxy::Proxy;

/// Where the plugin is to be brought to.
#[derive(Default)]
pub(super) struct Plan {
    /// The generation that it reports as, and how much.
    pub(super) begun: Option<(u64, LogLevel)>,
    /// What its failures and panics are shown without.
    pub(super) secrets: Vec<String>,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) numbers: Option<Arc<Numbers>>,
    /// What its instances write their configurations with.
    pub(super) writable: Option<Arc<dyn Writable>>,
    /// What begins their units.
    pub(super) units: Option<Arc<dyn Units>>,
    /// The points that they dispatch.
    pub(super) points: Option<Arc<dyn Points>>,
    pub(super) instances: Vec<Planned>,
}

/// An instance that was created.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) config: String,
    pub(super) home: String,
    /// Whether it was started.
    pub(super) is_started: bool,
    /// Whether it pauses its own work.
    pub(super) is_halted: bool,
    /// What stands for its callbacks in the chains.
    pub(super) proxies: Vec<Arc<Proxy>>,
}
