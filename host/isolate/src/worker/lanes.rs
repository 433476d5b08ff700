//! The lanes of a worker: a thread for each, which runs the callbacks that are asked for there.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use super::callbacks::Callbacks;
use super::ending::fail;
use super::run::Running;
use super::speaking::Serving;
use crate::lane::{Region, Spin, WorkerLane};

/// The lanes that this process serves.
pub(super) struct Lanes {
    region: Arc<Region>,
    callbacks: Arc<Callbacks>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    served: Mutex<Vec<usize>>,
}

impl Lanes {
    pub(super) fn new(region: Region, callbacks: Arc<Callbacks>) -> Self {
        Lanes { region: Arc::new(region), callbacks, threads: Mutex::default(), served: Mutex::default() }
    }

    /// Serves a lane from now on.
    pub(super) fn serve(&self, index: u32) {
        let (region, callbacks) = (self.region.clone(), self.callbacks.clone());
        let serve = move || {
            let _serving = Serving::new(index as usize);
            let Some(lane) = WorkerLane::take(&region, index as usize, Spin::adaptive()) else { return };
            if let Err(malformed) = lane.serve(&Running::new(callbacks)) {
                fail(&format!("on lane {index}, {malformed}"));
            }
        };
        match Builder::new().name(format!("hookrail-lane-{index}")).spawn(serve) {
            Ok(thread) => {
                self.threads.lock().push(thread);
                self.served.lock().push(index as usize);
            }
            // Whoever calls on that lane would wait in vain.
            Err(error) => fail(&format!("cannot start a thread: {error}")),
        }
    }

    /// Waits until all notes that are queued now have been taken: nobody waited for them when they were queued.
    pub(super) fn drain(&self) {
        let served = self.served.lock().clone();
        let queued: Vec<_> = served.into_iter().map(|lane| (lane, self.region.notes_queued(lane))).collect();
        for (lane, queued) in queued {
            while !self.region.notes_taken(lane, queued) {
                // Its own thread takes them, and tells nobody.
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Ends all of them, for good, and waits: what their threads have left of plugins is destroyed with them.
    pub(super) fn end(&self) {
        self.served.lock().clear();
        self.region.poison();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // One that panicked has ended as well.
            let _ = thread.join();
        }
    }
}
