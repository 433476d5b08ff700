//! What an instance registers with services: each registration ends with the instance, whatever table it came by.

use std::collections::BTreeMap;

use hookrail_dispatch::Condvar;
use parking_lot::Mutex;

/// What an instance has registered with a service: a subscription, a timer, a command.
///
/// # Safety
/// When `revoke` has returned, no thread runs code of the plugin because of it, and none will.
pub unsafe trait Revocable: Send + 'static {
    /// Ends it, once: no call into the plugin begins any more, those that run are waited for, and what the plugin gave
    /// is dropped by the function that the plugin gave with it.
    fn revoke(self: Box<Self>);
}

/// What one instance has registered with services, by id. It takes registrations from the instance's creation until the
/// instance is stopped.
#[derive(Default)]
pub(crate) struct Registrations {
    state: Mutex<State>,
    /// Signalled when a registration has been revoked.
    revoked: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    by_id: BTreeMap<u64, Box<dyn Revocable>>,
    /// The newest id.
    last: u64,
    /// How many the instance is revoking by itself.
    revoking: usize,
}

impl Registrations {
    /// Takes registrations from now on: the instance is about to be created.
    pub(crate) fn open(&self) {
        self.state.lock().is_open = true;
    }

    /// Begins one and returns its id, unless the instance is being stopped.
    pub(crate) fn add(&self, begin: impl FnOnce() -> Box<dyn Revocable>) -> Option<u64> {
        // Locked until it is kept: what had begun before could run code of the plugin after `close`.
        let mut state = self.state.lock();
        if !state.is_open {
            return None;
        }
        state.last += 1;
        let id = state.last;
        state.by_id.insert(id, begin());
        Some(id)
    }

    /// Revokes one, on the instance's wish. Returns whether there was one with that id.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut state = self.state.lock();
        let Some(registered) = state.by_id.remove(&id) else { return false };
        state.revoking += 1;
        drop(state);
        registered.revoke();
        self.state.lock().revoking -= 1;
        self.revoked.notify_all();
        true
    }

    /// Revokes all, the newest first, and takes no more. When it has returned, no thread runs code of the plugin
    /// because of a registration of this instance.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_open = false;
        let all = std::mem::take(&mut state.by_id);
        drop(state);
        // Without the lock: it waits for calls into the plugin, which may register and unregister.
        all.into_values().rev().for_each(Revocable::revoke);
        let mut state = self.state.lock();
        self.revoked.wait_while(&mut state, |state| state.revoking > 0, None);
    }
}

impl std::fmt::Debug for Registrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Registrations").field("ids", &state.by_id.keys()).field("is_open", &state.is_open).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;

    /// Says its name when it is revoked, and returns from that when it is told to.
    struct Slow(&'static str, Arc<Mutex<Vec<&'static str>>>, Option<Receiver<()>>);

    // SAFETY: it calls nothing.
    unsafe impl Revocable for Slow {
        fn revoke(self: Box<Self>) {
            self.1.lock().push(self.0);
            if let Some(told) = self.2 {
                told.recv().unwrap();
            }
        }
    }

    fn open() -> (Arc<Registrations>, Arc<Mutex<Vec<&'static str>>>) {
        let registrations = Arc::new(Registrations::default());
        registrations.open();
        (registrations, Arc::default())
    }

    #[test]
    fn closing_revokes_each_registration_once_and_the_newest_first() {
        let (registrations, revoked) = open();
        let add = |name| registrations.add(|| Box::new(Slow(name, revoked.clone(), None)));
        let ids: Vec<_> = ["a", "b", "c"].into_iter().filter_map(add).collect();
        assert!(registrations.remove(ids[1]) && !registrations.remove(ids[1]));
        registrations.close();
        registrations.close();
        assert_eq!(*revoked.lock(), ["b", "c", "a"]);
    }

    #[test]
    fn nothing_begins_once_the_instance_is_being_stopped() {
        let (registrations, revoked) = open();
        registrations.close();
        assert_eq!(registrations.add(|| panic!("it must not begin")), None);
        registrations.open();
        assert!(registrations.add(|| Box::new(Slow("again", revoked, None))).is_some());
    }

    #[test]
    fn closing_waits_for_what_the_instance_revokes_itself() {
        let (registrations, revoked) = open();
        let (tell, told): (Sender<()>, _) = channel();
        let id = registrations.add(|| Box::new(Slow("slow", revoked.clone(), Some(told)))).unwrap();
        let removing = thread::spawn({
            let registrations = registrations.clone();
            move || registrations.remove(id)
        });
        while revoked.lock().is_empty() {
            thread::yield_now();
        }
        let (closed, is_closed) = channel();
        let closing = thread::spawn({
            let registrations = registrations.clone();
            move || {
                registrations.close();
                closed.send(()).unwrap();
            }
        });
        while registrations.state.lock().is_open {
            thread::yield_now();
        }
        assert!(is_closed.try_recv().is_err(), "the plugin's code may still run");
        tell.send(()).unwrap();
        assert!(removing.join().unwrap());
        is_closed.recv().unwrap();
        closing.join().unwrap();
    }
}
