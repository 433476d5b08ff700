//! What threads leave behind is recorded and run.

use std::ffi::c_void;
use std::ptr::without_provenance;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::*;

/// Creates a key and leaves a value of it with this thread, as a library does.
fn leave_value(teardown: &Arc<ThreadTeardown>, run: unsafe extern "C" fn(*mut c_void)) -> u32 {
    let (library, mut key) = (teardown.as_library(), 0);
    // SAFETY: the teardown is there, and so is room for the key; nobody follows the value.
    let made = unsafe {
        [(TABLE.key_create)(library, &mut key, Some(run)), (TABLE.set_specific)(library, key, without_provenance(1))]
    };
    assert_eq!(made, [0, 0]);
    key
}

/// At thread exit the system goes through the keys by number, and clears the values of those without a destructor, as
/// are all keys that it gives to libraries.
#[test]
fn a_value_is_found_at_the_end_of_a_thread_though_its_key_comes_before_the_hosts() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    /// # Safety
    /// No preconditions: nobody follows the value.
    unsafe extern "C" fn count(value: *mut c_void) {
        RUNS.fetch_add(value.addr(), Ordering::Relaxed);
    }
    // A number below that of the host's key, which is free from here on.
    let mut low = 0;
    assert_eq!(system::key_create(&mut low, None), 0);
    let teardown = ThreadTeardown::new().unwrap();
    let others = leave_value(&teardown, count);
    assert_eq!(system::key_delete(low), 0);
    std::thread::scope(|threads| {
        // Joined explicitly: the scope waits for what the thread runs, not for its exit.
        threads.spawn(|| assert_ne!(leave_value(&teardown, count), others)).join().unwrap();
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert!(teardown.run_own());
    teardown.gone();
}

/// A waiting thread must not find the record empty between two destructors.
#[test]
fn pending_destructors_are_on_record_while_another_runs() {
    static RESIDUE: AtomicPtr<ThreadTeardown> = AtomicPtr::new(std::ptr::null_mut());
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    /// # Safety
    /// `RESIDUE` holds a teardown that is still there.
    unsafe extern "C" fn look(_: *mut c_void) {
        // SAFETY: the test keeps it.
        let state = unsafe { &*RESIDUE.load(Ordering::Relaxed) }.state.lock();
        let is_last = RUNS.fetch_add(1, Ordering::Relaxed) == 2;
        assert_eq!((state.left(), state.is_empty()), (Some(Left::Running(1)), is_last));
    }
    let teardown = ThreadTeardown::new().unwrap();
    RESIDUE.store(teardown.as_library().cast_mut().cast(), Ordering::Relaxed);
    for _ in 0..3 {
        leave_value(&teardown, look);
    }
    assert!(teardown.run_own());
    assert_eq!(RUNS.load(Ordering::Relaxed), 3);
    teardown.gone();
}

/// The child has one thread; a lock that another thread held at the fork is never released there.
#[test]
fn the_child_of_a_fork_ends_though_another_thread_held_the_record() {
    // As before any library is opened.
    prepare_forks();
    let teardown = ThreadTeardown::new().unwrap();
    child_ends_while_another_thread_holds(&teardown, || ALL.lock());
    child_ends_while_another_thread_holds(&teardown, || teardown.state.lock());
    child_ends_while_another_thread_holds(&teardown, || teardown.changed.hold());
    teardown.gone();
}

fn child_ends_while_another_thread_holds<G>(teardown: &Arc<ThreadTeardown>, hold: impl FnOnce() -> G + Send) {
    /// # Safety
    /// No preconditions: nobody calls it.
    unsafe extern "C" fn never(_: *mut c_void) {
        unreachable!("it is not on record");
    }
    let (held, wait) = std::sync::mpsc::channel();
    let (forked, go_on) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let guard = hold();
            held.send(()).unwrap();
            let _ = go_on.recv();
            drop(guard);
        });
        wait.recv().unwrap();
        // SAFETY: the child does what a callback and an ending thread do, under a clock that ends it
        // if that waits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: the first and the last call take numbers; the child does what an ending thread does in between.
            unsafe {
                // Long after it has ended, on any machine, if it waits for nobody.
                libc::alarm(300);
                leave_value(teardown, never);
                attend();
                run_everywhere(ThreadTeardown::run_own);
                libc::_exit(0);
            }
        }
        drop(forked);
        let mut status = 0;
        // SAFETY: our own child, and room for its status.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0, "it waits for a thread that it does not have");
    });
}

#[test]
fn a_destructor_that_always_leaves_another_value_is_run_four_times() {
    static KEY: AtomicUsize = AtomicUsize::new(0);
    static RESIDUE: AtomicPtr<ThreadTeardown> = AtomicPtr::new(std::ptr::null_mut());
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    /// # Safety
    /// `RESIDUE` holds a teardown that is still there, and `KEY` a key of its.
    unsafe extern "C" fn again(value: *mut c_void) {
        assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
        let key = KEY.load(Ordering::Relaxed) as u32;
        // SAFETY: the test keeps the teardown; nobody follows the value.
        unsafe { (TABLE.set_specific)(RESIDUE.load(Ordering::Relaxed).cast(), key, value) };
    }
    let teardown = ThreadTeardown::new().unwrap();
    RESIDUE.store(teardown.as_library().cast_mut().cast(), Ordering::Relaxed);
    KEY.store(leave_value(&teardown, again) as usize, Ordering::Relaxed);
    assert!(teardown.run_own());
    assert_eq!(RUNS.load(Ordering::Relaxed), 4);
    let mut skipped = 0;
    assert_eq!(teardown.settle(Instant::now(), &mut skipped), Ok(()));
    assert_eq!((RUNS.load(Ordering::Relaxed), skipped), (4, 0));
    teardown.gone();
}

#[test]
fn removed_and_late_destructors_are_not_counted_as_skipped() {
    /// # Safety
    /// No preconditions: nobody calls it.
    unsafe extern "C" fn never(_: *mut c_void) {
        unreachable!("there is no value");
    }
    let teardown = ThreadTeardown::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let key = leave_value(&teardown, never);
            // SAFETY: the teardown is there, and null is no value.
            unsafe { (TABLE.set_specific)(teardown.as_library(), key, std::ptr::null()) };
            assert!(teardown.state.lock().is_empty());
        });
    });
    teardown.close();
    let key = leave_value(&teardown, never);
    assert!(teardown.state.lock().is_empty());
    system::set_specific(key, std::ptr::null());
    teardown.gone();
}
