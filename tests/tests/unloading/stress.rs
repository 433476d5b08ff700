//! Everybody dispatches while plugins and callbacks come and go.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex};
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Config, Decision, End, Host, Message, MessagePublish, PluginHandle, Priority, UnloadLimits};
use hookrail_tests::alone;
use hookrail_tests::counter::Raise;
use hookrail_tests::probe::{LONG, Probe, eventually};
use hookrail_tests::scene::patient;

#[test]
fn no_code_of_a_library_runs_after_its_unload_returned() {
    alone!();
    let host = Host::new(patient()).unwrap();
    // Odd while the plugin may be loaded.
    let stamp = AtomicU64::new(0);
    let (greeted, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let dispatch = || {
        let publish = host.point(MessagePublish).unwrap();
        // One message of each generation.
        let mut kept = std::collections::BTreeMap::new();
        while !done.load(Ordering::SeqCst) {
            let before = stamp.load(Ordering::SeqCst);
            let mut message = Message::new("a.b", "text");
            assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
            let unloaded = before.is_multiple_of(2) && stamp.load(Ordering::SeqCst) == before;
            match message.header("greeting") {
                None => {}
                Some(greeting) => {
                    assert_eq!((greeting, message.headers.len(), unloaded), ("hello", 1, false));
                    greeted.fetch_add(1, Ordering::SeqCst);
                    kept.entry(before).or_insert(message);
                }
            }
        }
        kept
    };
    scope(|scope| {
        let ends = Raise(&done);
        let dispatchers: Vec<_> = (0..threads()).map(|_| scope.spawn(dispatch)).collect();
        for _ in 0..20 {
            stamp.fetch_add(1, Ordering::SeqCst);
            let hello = load(&host);
            let seen = greeted.load(Ordering::SeqCst);
            eventually("a dispatcher meets the plugin", || greeted.load(Ordering::SeqCst) > seen);
            assert_eq!(host.unload(&hello).unwrap(), End::Unmapped);
            stamp.fetch_add(1, Ordering::SeqCst);
        }
        drop(ends);
        // The libraries that made their headers are gone.
        for message in dispatchers.into_iter().flat_map(|dispatcher| dispatcher.join().unwrap().into_values()) {
            assert_eq!(message.clone().header("greeting"), Some("hello"));
        }
    });
}

#[test]
fn no_callback_is_called_once_it_was_dropped() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    let done = AtomicBool::new(false);
    let probes: Vec<_> = (0..300).map(|_| Probe::default()).collect();
    scope(|scope| {
        let _ends = Raise(&done);
        for _ in 0..threads() {
            scope.spawn(|| {
                let publish = host.point(MessagePublish).unwrap();
                while !done.load(Ordering::SeqCst) {
                    let _ = publish.dispatch(&mut Message::empty());
                }
            });
        }
        for probe in &probes {
            let guard = probe.guard();
            let callbacks = Callbacks::new("test").on(MessagePublish, "probe", Priority::new(1), move |_| {
                guard.called();
                std::hint::black_box(&guard);
                guard.check();
            });
            let registered = host.register(callbacks).unwrap();
            eventually("a dispatcher calls it", || probe.calls() > 0);
            host.unregister(registered);
        }
    });
    // What readers kept is dropped with the next change.
    let last = host.register(Callbacks::new("last").on(MessagePublish, "look", Priority::new(1), |_| ()));
    host.unregister(last.unwrap());
    assert!(probes.iter().all(Probe::is_dropped));
    assert!(!probes.iter().any(Probe::was_late));
}

/// Each thread loads into a host of its own, and unloads what the other one loaded.
#[test]
fn two_threads_unload_each_others_plugins() {
    alone!();
    let hosts = [(); 2].map(|()| Host::new(Config::default()).unwrap());
    let loaded: [Mutex<Option<PluginHandle>>; 2] = Default::default();
    let together = Barrier::new(2);
    scope(|scope| {
        for own in 0..2 {
            let (hosts, loaded, together) = (&hosts, &loaded, &together);
            scope.spawn(move || {
                let other = 1 - own;
                let publish = hosts[own].point(MessagePublish).unwrap();
                for _ in 0..10 {
                    *loaded[own].lock().unwrap() = Some(load(&hosts[own]));
                    together.wait();
                    let theirs = loaded[other].lock().unwrap().take().unwrap();
                    let ticket = hosts[other].begin_unload(&theirs).unwrap();
                    while ticket.try_wait().is_none() {
                        let _ = publish.dispatch(&mut Message::new("a.b", "text"));
                    }
                    assert_eq!(ticket.try_wait(), Some(End::Unmapped));
                    together.wait();
                }
            });
        }
    });
}

/// As the next one, step by step: whoever was inside has left, and is inside again at every look.
#[test]
fn a_reader_that_came_back_is_not_waited_for() {
    alone!();
    let host = Host::new(Config::default().with_unload(UnloadLimits::default().with_deadline(LONG))).unwrap();
    let (arrived, inside) = channel();
    let (go, wait) = channel();
    let (arrived, wait) = (Mutex::new(arrived), Mutex::new(wait));
    let block = Callbacks::new("test").on(MessagePublish, "block", Priority::new(1), move |_| {
        arrived.lock().unwrap().send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
    });
    host.register(block).unwrap();
    let hello = load(&host);
    let publish = host.point(MessagePublish).unwrap();
    scope(|scope| {
        scope.spawn(|| {
            let _ = publish.dispatch(&mut Message::empty());
            let _ = publish.dispatch(&mut Message::empty());
        });
        inside.recv_timeout(LONG).unwrap();
        let ticket = host.begin_unload(&hello).unwrap();
        assert_eq!(ticket.wait_timeout(Duration::from_millis(50)), End::Busy(1));
        go.send(()).unwrap();
        inside.recv_timeout(LONG).unwrap();
        let end = ticket.wait_timeout(LONG);
        go.send(()).unwrap();
        assert_eq!(end, End::Unmapped);
    });
}

/// A flag "somebody is inside" would be up at nearly every look; the sequence changes.
#[test]
fn callbacks_back_to_back_do_not_starve_an_unloading() {
    alone!();
    // The deadline is so far away that only the grace period can end it.
    let host = Host::new(Config::default().with_unload(UnloadLimits::default().with_deadline(LONG))).unwrap();
    let slow = Callbacks::new("test").on(MessagePublish, "slow", Priority::new(1), |_| {
        let until = Instant::now() + Duration::from_micros(100);
        while Instant::now() < until {}
    });
    host.register(slow).unwrap();
    let (done, dispatched) = (AtomicBool::new(false), AtomicUsize::new(0));
    scope(|scope| {
        let _ends = Raise(&done);
        for _ in 0..threads() + 1 {
            scope.spawn(|| {
                let publish = host.point(MessagePublish).unwrap();
                while !done.load(Ordering::SeqCst) {
                    let _ = publish.dispatch(&mut Message::empty());
                    dispatched.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..5 {
            let hello = load(&host);
            let seen = dispatched.load(Ordering::SeqCst);
            eventually("they dispatch", || dispatched.load(Ordering::SeqCst) > seen);
            assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
        }
    });
}

fn load(host: &Host) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap()
}

/// All cores, and never less than two threads.
fn threads() -> usize {
    available_parallelism().map_or(2, |cores| cores.get().max(2))
}
