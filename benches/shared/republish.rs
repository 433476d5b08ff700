//! A chain that changes while it is dispatched.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Flow, Host, Priority, Registered};
use hookrail_benches::{Work, WorkDone};

/// Publications per second.
pub(crate) const RATE: u32 = 1000;

/// A callback of the embedder that counts nothing, so that the chain works with and without it.
pub(crate) fn guest(host: &Host) -> Registered {
    let guest = Callbacks::new("guest").on(WorkDone, "idle", Priority::new(2000), |_: &mut Work| Flow::Continue);
    host.register(guest).expect("the only guest")
}

/// Removes the guest and registers it again while `run` runs, with [`RATE`] publications per second in all. Except for
/// brief moments the chain has its guest, as in the undisturbed case. Also returns the number of publications.
pub(crate) fn while_republished<R>(
    host: &Host,
    registered: &mut Option<Registered>,
    run: impl FnOnce() -> R,
) -> (R, u32) {
    // Dropped when `run` ends, however it ends.
    let (running, ended) = channel::<()>();
    thread::scope(|scope| {
        let republisher = scope.spawn(move || {
            let (mut next, mut publications) = (Instant::now(), 0);
            loop {
                next += Duration::from_secs(2) / RATE;
                let pause = next.saturating_duration_since(Instant::now());
                if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return publications;
                }
                host.unregister(registered.take().expect("it was registered"));
                *registered = Some(guest(host));
                publications += 2;
            }
        });
        let result = {
            let _running = running;
            run()
        };
        (result, republisher.join().expect("publishing holds"))
    })
}
