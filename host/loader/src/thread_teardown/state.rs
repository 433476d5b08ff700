//! The records of one teardown.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::null_mut;

use hookrail_abi::boundary::{KeyDestructor, ObjectDestructor};

use super::system;
use super::thread::ThreadId;

/// # Invariants
/// Everything in `destructors`, `values` and `keys` has yet to be run; it is removed before it is. The library is
/// mapped while `running` or `threads` is above 0.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Each thread must run its part as soon as it can.
    pub(super) leaving: bool,
    /// The library is being closed: nothing more is recorded.
    pub(super) closed: bool,
    pub(super) seen_destructor: bool,
    pub(super) seen_value: bool,
    /// Why the library must never be closed.
    pub(super) kept: Option<String>,
    /// How many destructors are running.
    pub(super) running: usize,
    /// How many threads of the library have not ended.
    pub(super) threads: usize,
    /// In the order in which they were registered.
    destructors: Vec<(ThreadId, Next)>,
    /// The threads' values by key. They are kept here because at thread exit the system clears the values before it
    /// calls the host.
    values: Vec<Value>,
    keys: BTreeMap<u32, KeyDestructor>,
}

/// What is left of a teardown, and keeps its library from being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The number of threads on which destructors are running.
    Running(usize),
    /// The number of threads that the library started.
    Threads(usize),
}

/// A thread's value under a key.
#[derive(Clone, Copy, Debug)]
struct Value {
    thread: ThreadId,
    key: u32,
    value: *mut c_void,
}

// SAFETY: the value is only handed back to the library, on the thread it belongs to.
unsafe impl Send for Value {}

/// One item to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) run: ObjectDestructor,
    pub(super) argument: *mut c_void,
}

// SAFETY: the argument is only handed back to the library, on the thread it belongs to.
unsafe impl Send for Next {}

impl State {
    pub(super) fn add_destructor(&mut self, thread: ThreadId, run: ObjectDestructor, argument: *mut c_void) {
        self.seen_destructor = true;
        if !self.closed {
            self.destructors.push((thread, Next { run, argument }));
        }
    }

    pub(super) fn add_key(&mut self, key: u32, destructor: KeyDestructor) {
        self.keys.insert(key, destructor);
    }

    /// Forgets a key; `false` if it is not one of the library's.
    pub(super) fn remove_key(&mut self, key: u32) -> bool {
        self.values.retain(|value| value.key != key);
        self.keys.remove(&key).is_some()
    }

    pub(super) fn take_keys(&mut self) -> impl Iterator<Item = u32> + use<> {
        self.values.clear();
        std::mem::take(&mut self.keys).into_keys()
    }

    /// Records the value that a thread has under a key from now on; null for none.
    pub(super) fn set_value(&mut self, thread: ThreadId, key: u32, value: *mut c_void) {
        self.seen_value |= !value.is_null();
        self.remove_value(thread, key);
        let is_run = matches!(self.keys.get(&key), Some(Some(_)));
        if !value.is_null() && !self.closed && is_run {
            self.values.push(Value { thread, key, value });
        }
    }

    fn remove_value(&mut self, thread: ThreadId, key: u32) -> Option<*mut c_void> {
        let index = self.values.iter().position(|value| (value.thread, value.key) == (thread, key))?;
        Some(self.values.remove(index).value)
    }

    /// The latest destructor of that thread.
    pub(super) fn next_destructor(&mut self, thread: ThreadId) -> Option<Next> {
        let index = self.destructors.iter().rposition(|(owner, _)| *owner == thread)?;
        Some(self.destructors.remove(index).1)
    }

    /// The keys under which that thread has a value.
    pub(super) fn keys_of(&self, thread: ThreadId) -> Vec<u32> {
        self.values.iter().filter(|value| value.thread == thread).map(|value| value.key).collect()
    }

    /// Gives up the values of a thread whose destructors endlessly leave others.
    pub(super) fn forget_values(&mut self, thread: ThreadId) {
        self.values.retain(|value| value.thread != thread);
    }

    /// Takes the value of `thread`, which is this thread, from under the key, if there is one.
    pub(super) fn take_value(&mut self, thread: ThreadId, key: u32) -> Option<Next> {
        let argument = self.remove_value(thread, key)?;
        let run = (*self.keys.get(&key)?)?;
        system::set_specific(key, null_mut());
        Some(Next { run, argument })
    }

    /// Gives up the parts of threads that did not reach a quiescent point; returns how many items there were.
    pub(super) fn cancel(&mut self) -> usize {
        let skipped = self.destructors.len() + self.values.len();
        self.destructors.clear();
        self.values.clear();
        skipped
    }

    /// Whether no thread has anything to run.
    pub(super) fn is_empty(&self) -> bool {
        self.destructors.is_empty() && self.values.is_empty()
    }

    /// What only other threads can end.
    pub(super) fn left(&self) -> Option<Left> {
        match (self.threads, self.running) {
            (0, 0) => None,
            (0, running) => Some(Left::Running(running)),
            (threads, _) => Some(Left::Threads(threads)),
        }
    }
}
