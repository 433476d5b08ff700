//! Points of every kind, and tasks that say how a callback is to fail: shared by tests and a test plugin.

use std::sync::atomic::{AtomicBool, Ordering};

use hookrail_abi::{Payload, Text, points};

/// The payload, passed from callback to callback.
#[repr(C)]
#[derive(Payload, Clone, Debug)]
pub struct Task {
    /// What the plugin is to do: one of the constants below.
    pub cause: u32,
    /// Each callback that may write adds a letter.
    pub trail: Text,
    /// The address of a [`Hold`], for [`STUCK`] and [`HOARD`].
    pub hold: usize,
}

/// Does nothing wrong.
pub const FINE: u32 = 0;
/// Panics with a text.
pub const PANIC: u32 = 1;
/// Panics with a payload that is not text.
pub const PANIC_ANY: u32 = 2;
/// Panics with a payload whose drop panics.
pub const PANIC_BOMB: u32 = 3;
/// Panics again while it catches its own panic.
pub const PANIC_TWICE: u32 = 4;
/// Panics with the number that means "allow".
pub const PANIC_ALLOW: u32 = 5;
/// Returns a number that is not a verdict.
pub const IMPOSSIBLE: u32 = 6;
/// Returns "allow" with a code, which no verdict has.
pub const ALLOW_WITH_A_CODE: u32 = 7;
/// Returns an error.
pub const ERROR: u32 = 8;
/// Takes three milliseconds.
pub const SLOW: u32 = 9;
/// Stays until it is released.
pub const STUCK: u32 = 10;
/// Holds [`HOARDED`] bytes of memory until it is released, and stays as long.
pub const HOARD: u32 = 11;
/// Returns the verdict that is reserved for asynchronous callbacks.
pub const PENDING: u32 = 12;
/// Returns the verdict of a gate.
pub const ALLOWS: u32 = 13;

/// The amount of memory, in bytes.
pub const HOARDED: usize = 2 << 20;

/// Keeps a callback from returning.
#[derive(Debug, Default)]
pub struct Hold {
    entered: AtomicBool,
    let_go: AtomicBool,
}

impl Hold {
    /// Stays here until it is released.
    pub fn stay(&self) {
        self.entered.store(true, Ordering::SeqCst);
        while !self.let_go.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }

    /// Whether a thread stays.
    pub fn is_entered(&self) -> bool {
        self.entered.load(Ordering::SeqCst)
    }

    /// Releases it.
    pub fn let_go(&self) {
        self.let_go.store(true, Ordering::SeqCst);
    }
}

/// Releases it when dropped, even if an assertion fails.
#[derive(Debug)]
pub struct LetGo<'a>(pub &'a Hold);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

points! {
    /// Callbacks only read.
    // SAFETY: a task owns its text; the address in it is the test's.
    pub unsafe local TaskSeen: "task.seen", 1, Notify<Task> {}

    /// Callbacks edit, and may deny.
    // SAFETY: a task owns its text; the address in it is the test's.
    pub unsafe local TaskDone: "task.done", 1, Fold<Task> { const DENIABLE: bool = true; }

    /// Callbacks decide.
    // SAFETY: a task owns its text; the address in it is the test's.
    pub unsafe local TaskAllowed: "task.allowed", 1, Gate<Task> {}
}
