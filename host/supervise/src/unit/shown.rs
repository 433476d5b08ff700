//! What others see of a unit.

use std::time::{Duration, Instant};

use hookrail_model::guarded;
use hookrail_model::time::later;
use hookrail_model::unit::UnitView;
use parking_lot::{Condvar, Mutex};

/// A unit's view, which its thread shows and others wait for.
pub(super) struct Shown {
    view: Mutex<UnitView>,
    changed: Condvar,
    watchers: Mutex<Vec<Watcher>>,
}

type Watcher = Box<dyn FnMut(&UnitView) + Send>;

impl Shown {
    pub(super) fn new(view: UnitView) -> Self {
        Shown { view: Mutex::new(view), changed: Condvar::new(), watchers: Mutex::default() }
    }

    pub(super) fn view(&self) -> UnitView {
        self.view.lock().clone()
    }

    pub(super) fn watch(&self, run: Watcher) {
        self.watchers.lock().push(run);
    }

    pub(super) fn wait(&self, limit: Duration, mut holds: impl FnMut(&UnitView) -> bool) -> Option<UnitView> {
        let deadline = later(Instant::now(), limit);
        let mut view = self.view.lock();
        while !holds(&view) {
            if self.changed.wait_until(&mut view, deadline).timed_out() {
                return holds(&view).then(|| view.clone());
            }
        }
        Some(view.clone())
    }

    /// Shows another view, to all who wait and watch.
    pub(super) fn show(&self, view: &UnitView) {
        self.view.lock().clone_from(view);
        self.changed.notify_all();
        for run in self.watchers.lock().iter_mut() {
            guarded((), || run(view));
        }
    }
}
