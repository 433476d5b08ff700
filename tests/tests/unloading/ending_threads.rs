//! Threads that end, threads that are ending, and many threads that do nothing.

use std::cell::RefCell;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread::{Builder, scope, spawn};

use hookrail::{
    Callbacks, Config, Decision, End, HookPoint, Host, Message, MessagePublish, PluginHandle, Priority, UnloadLimits,
};
use hookrail_tests::alone;
use hookrail_tests::probe::{LONG, Probe};

/// Dispatches when it is dropped: at the end of its thread.
struct AtTheEnd(HookPoint<MessagePublish>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        // A panic in here aborts the process.
        assert_eq!(self.0.dispatch(&mut Message::empty()).decision(), Decision::Passed);
    }
}

thread_local! {
    static FIRST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// One destructor runs before the host's own for that thread, one after it, whichever the order is.
#[test]
fn a_thread_locals_destructor_may_dispatch() {
    alone!();
    let (host, publish, probe) = scene();
    let hello = load(&host);
    for _ in 0..10 {
        let publish = publish.clone();
        let thread = spawn(move || {
            FIRST.set(Some(AtTheEnd(publish.clone())));
            let _ = publish.dispatch(&mut Message::empty());
            SECOND.set(Some(AtTheEnd(publish)));
        });
        thread.join().unwrap();
    }
    assert_eq!(probe.calls(), 30);
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
}

/// A thread that never dispatched before its last moment.
#[test]
fn a_destructors_dispatch_may_be_the_threads_first() {
    alone!();
    let (host, publish, probe) = scene();
    let hello = load(&host);
    for _ in 0..10 {
        let publish = publish.clone();
        spawn(move || FIRST.set(Some(AtTheEnd(publish)))).join().unwrap();
    }
    assert_eq!(probe.calls(), 10);
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
}

/// As `pthread_exit` would: the thread ends while it is being unwound from a callback.
#[test]
fn a_thread_may_end_by_a_panic() {
    alone!();
    let (host, publish, _) = scene();
    let hello = load(&host);
    let ended = spawn(move || {
        FIRST.set(Some(AtTheEnd(publish.clone())));
        let _ = publish.dispatch(&mut Message::empty());
        std::panic::resume_unwind(Box::new("the thread's own affair"));
    });
    ended.join().unwrap_err();
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
}

#[test]
fn a_thousand_idle_threads_hold_up_nobody() {
    const THREADS: usize = 1_000;
    alone!();
    let (host, publish, probe) = scene();
    let (ready, go) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    scope(|scope| {
        for _ in 0..THREADS {
            let dispatch = || {
                let _ = publish.dispatch(&mut Message::empty());
                ready.wait();
                go.wait();
                let _ = publish.dispatch(&mut Message::empty());
            };
            Builder::new().stack_size(128 << 10).spawn_scoped(scope, dispatch).unwrap();
        }
        ready.wait();
        assert_eq!(probe.calls(), THREADS);
        // Dropped at once, so all of them were seen outside. Before the first unloading, which drops what it finds too.
        for _ in 0..10 {
            let other = Probe::default();
            let registered = register(&host, "other", &other);
            host.unregister(registered);
            assert!(other.is_dropped());
        }
        for _ in 0..10 {
            let hello = load(&host);
            assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
        }
        go.wait();
    });
    assert_eq!(probe.calls(), 2 * THREADS);
}

/// Slots are reused: one block of them does for any number of threads, one after the other.
#[test]
fn threads_may_come_and_go_while_chains_change() {
    alone!();
    let (host, publish, probe) = scene();
    let (done, wait) = channel();
    let dispatchers = spawn(move || {
        for _ in 0..500 {
            let publish = publish.clone();
            let _ = spawn(move || publish.dispatch(&mut Message::empty())).join().unwrap();
        }
        done.send(()).unwrap();
    });
    while wait.try_recv().is_err() {
        let other = Probe::default();
        let registered = register(&host, "other", &other);
        host.unregister(registered);
        assert!(!other.was_late());
    }
    dispatchers.join().unwrap();
    assert_eq!(probe.calls(), 500);
}

fn scene() -> (Arc<Host>, HookPoint<MessagePublish>, Probe) {
    let host = Arc::new(Host::new(Config::default().with_unload(UnloadLimits::default().with_deadline(LONG))).unwrap());
    let probe = Probe::default();
    register(&host, "counting", &probe);
    let publish = host.point(MessagePublish).unwrap();
    (host, publish, probe)
}

fn register(host: &Host, instance: &str, probe: &Probe) -> hookrail::Registered {
    let guard = probe.guard();
    let callbacks = Callbacks::new(instance).on(MessagePublish, "count", Priority::new(1), move |_| guard.called());
    host.register(callbacks).unwrap()
}

fn load(host: &Host) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap()
}
