//! Where bodies in other processes come from: a crate above provides them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hookrail_image::{Inspection, SealedCopy};
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::isolation::WorkerLimits;

use crate::body::Body;
use crate::in_process::Opening;
use crate::units::{NoUnits, Units};

/// What runs plugins, and what they start, in other processes.
pub trait Isolation: Send + Sync {
    /// Opens a library in a worker process.
    ///
    /// # Errors
    /// If no worker starts, or it cannot load the library.
    fn open(&self, copy: SealedCopy, inspection: Inspection, placement: Placement) -> Result<Box<dyn Body>, Error>;

    /// What begins the units of plugins of a host with that home.
    fn units(&self, home: &Path) -> Arc<dyn Units>;
}

/// Into which worker a library goes, and how it is opened there.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The host that asks.
    pub host: u64,
    /// The home of that host.
    pub home: PathBuf,
    /// The name of the worker that it shares with other plugins of that host, if it does.
    pub shared: Option<String>,
    /// How the library is opened.
    pub opening: Opening,
    /// The limits of the worker.
    pub limits: WorkerLimits,
}

static PROVIDER: OnceLock<&'static dyn Isolation> = OnceLock::new();

/// Has the hosts of this process run plugins in other processes. The first provider stays.
pub fn provide(isolation: &'static dyn Isolation) {
    let _ = PROVIDER.set(isolation);
}

/// What runs plugins in other processes.
///
/// # Errors
/// If nothing does: the program has not asked for it.
pub(crate) fn provider(plugin: &str) -> Result<&'static dyn Isolation, Error> {
    PROVIDER.get().copied().ok_or_else(|| ApiMisuse::NoWorkers(plugin.into()).into())
}

/// What begins the units of plugins of a host with that home.
pub(crate) fn units(home: &Path) -> Arc<dyn Units> {
    PROVIDER.get().map_or_else(|| Arc::new(NoUnits) as Arc<dyn Units>, |isolation| isolation.units(home))
}
