//! The workers of this process's hosts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};

use hookrail_engine::{Body, Isolation, Placement, Units};
use hookrail_image::{Inspection, SealedCopy};
use hookrail_model::error::Error;
use hookrail_supervise::Supervisor;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use crate::remote::{Remote, Worker};
use crate::units::HostUnits;

/// Runs plugins in worker processes.
#[derive(Default)]
pub(crate) struct Workers {
    supervisor: OnceCell<Supervisor>,
    /// The workers that plugins share, by host and name.
    shared: Mutex<HashMap<(u64, String), Weak<Worker>>>,
}

impl Workers {
    /// Those of all hosts of this process.
    pub(crate) fn of_this_process() -> &'static Self {
        static WORKERS: OnceCell<Workers> = OnceCell::new();
        WORKERS.get_or_init(Workers::default)
    }

    /// What looks after their processes.
    pub(crate) fn supervisor(&self) -> Result<&Supervisor, Error> {
        self.supervisor.get_or_try_init(Supervisor::new)
    }

    /// The worker that a library goes into.
    fn worker(&self, plugin: &str, placement: &Placement) -> Result<Arc<Worker>, Error> {
        let supervisor = self.supervisor()?;
        let new = |name: &str| {
            Worker::new(name.into(), plugin.into(), &placement.home, placement.limits.clone(), supervisor.clone())
        };
        let Some(name) = &placement.shared else { return Ok(new(plugin)) };
        let mut shared = self.shared.lock();
        shared.retain(|_, worker| worker.strong_count() > 0);
        let key = (placement.host, name.clone());
        if let Some(worker) = shared.get(&key).and_then(Weak::upgrade) {
            return Ok(worker);
        }
        let worker = new(name);
        shared.insert(key, Arc::downgrade(&worker));
        Ok(worker)
    }
}

impl Isolation for Workers {
    fn open(&self, copy: SealedCopy, inspection: Inspection, placement: Placement) -> Result<Box<dyn Body>, Error> {
        let worker = self.worker(&inspection.note.name, &placement)?;
        Ok(Box::new(Remote::open(copy, inspection, &placement, worker)?))
    }

    fn units(&self, home: &Path) -> Arc<dyn Units> {
        Arc::new(HostUnits::of(home, || Workers::of_this_process().supervisor().cloned()))
    }
}
