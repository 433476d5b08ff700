//! The lanes of this thread: one for each worker that it has called.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::live::Live;
use super::worker::Worker;
use crate::lane::{HostLane, Spin};
use crate::wire::ToWorker;

/// A lane of this thread into a process.
pub(super) struct Held {
    pub(super) live: Arc<Live>,
    pub(super) lane: HostLane,
}

thread_local! {
    static HELD: RefCell<Vec<(*const Worker, Rc<Held>)>> = const { RefCell::new(Vec::new()) };
}

/// This thread's lane into the running process of a worker; waits until there is such a process. On failure says why
/// there is none.
#[inline]
pub(super) fn lane(worker: &Arc<Worker>, deadline: impl FnOnce() -> Instant) -> Result<Rc<Held>, String> {
    let known = HELD.try_with(|held| {
        let held = held.borrow();
        let (_, lane) = held.iter().find(|(of, _)| *of == Arc::as_ptr(worker))?;
        (!lane.live.is_dead()).then(|| lane.clone())
    });
    match known {
        Ok(Some(held)) => Ok(held),
        _ => claim(worker, deadline()),
    }
}

/// As `lane`, but waits for nothing.
pub(super) fn lane_now(worker: &Arc<Worker>) -> Option<Rc<Held>> {
    lane(worker, Instant::now).ok()
}

#[cold]
fn claim(worker: &Arc<Worker>, deadline: Instant) -> Result<Rc<Held>, String> {
    let live = worker.live(deadline)?;
    let claimed = HostLane::claim(&live.region, Spin::adaptive());
    let lane = claimed.ok_or_else(|| match live.is_dead() {
        true => format!("its worker {}", live.how_it_ended()),
        false => "more threads call into its worker than it has lanes".to_owned(),
    })?;
    // The worker takes a lane once, and serves it whoever claims it.
    live.serve(lane.index())?;
    let held = Rc::new(Held { live, lane });
    // On a thread whose thread-locals are gone it is for this call alone.
    let _ = HELD.try_with(|all| {
        let mut all = all.borrow_mut();
        all.retain(|(of, held)| *of != Arc::as_ptr(worker) && !held.live.is_over());
        all.push((Arc::as_ptr(worker), held.clone()));
    });
    Ok(held)
}

impl Live {
    /// Has the worker serve a lane, unless it does already.
    fn serve(&self, lane: usize) -> Result<(), String> {
        if !self.served.lock().insert(lane) {
            return Ok(());
        }
        // There are few lanes.
        self.send(&ToWorker::Serve(lane as u32), &[]).map_err(|how| format!("its worker {how}"))
    }
}
