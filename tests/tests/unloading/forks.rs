//! A process forks while others of its threads are inside.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{scope, spawn};

use hookrail::{
    Callbacks, Config, Decision, End, Host, Message, MessagePublish, PluginHandle, Priority, UnloadLimits, Verdict,
};
use hookrail_tests::alone;
use hookrail_tests::child::{Ended, in_child};
use hookrail_tests::counter::Raise;
use hookrail_tests::probe::{LONG, Probe, eventually};
use hookrail_tests::scene::patient;

#[test]
fn a_child_does_not_wait_for_threads_it_does_not_have() {
    alone!();
    let host = Host::new(patient()).unwrap();
    let (entered, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let publish = host.point(MessagePublish).unwrap();
    let _ = publish.dispatch(&mut Message::empty());
    scope(|scope| {
        let _ends = Raise(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let _ = publish.dispatch(&mut Message::empty());
                    entered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..20 {
            let seen = entered.load(Ordering::SeqCst);
            eventually("the others dispatch", || entered.load(Ordering::SeqCst) > seen);
            assert_eq!(in_child(|| use_host(&host)), Ended::Exited(0));
        }
    });
}

/// Not by luck: a thread blocks in a callback, and never comes back in the child.
#[test]
fn a_child_may_unload_what_another_thread_was_in() {
    alone!();
    let host = Host::new(Config::default().with_unload(UnloadLimits::default().with_deadline(LONG))).unwrap();
    let (entered, waiting) = channel();
    let (finish, wait) = channel();
    let (entered, wait) = (Mutex::new(entered), Mutex::new(wait));
    let block = Callbacks::new("block").on(MessagePublish, "block", Priority::new(1), move |message| {
        if message.topic.as_str() == "block" {
            entered.lock().unwrap().send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
    });
    host.register(block).unwrap();
    let hello = load(&host);
    let publish = host.point(MessagePublish).unwrap();
    let reader = spawn(move || publish.dispatch(&mut Message::new("block", "")));
    waiting.recv_timeout(LONG).unwrap();
    let ended = in_child(|| {
        use_host(&host);
        assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
        use_host(&host);
    });
    finish.send(()).unwrap();
    assert_eq!(ended, Ended::Exited(0));
    let _ = reader.join().unwrap();
    // The child's unloading was the child's.
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
}

/// The system gives the stacks of threads that a child does not have to those that it starts. What
/// waits for one of the former must not be found there.
#[test]
fn a_child_starts_threads_where_others_waited() {
    alone!();
    // Each has a thread that waits, for what callbacks do.
    let hosts = || -> Vec<Host> {
        let host = || Host::new(patient()).unwrap();
        (0..8).map(|_| host()).inspect(|host| drop(load(host))).collect()
    };
    let _inherited = hosts();
    for _ in 0..6 {
        let ended = in_child(|| hosts().iter().for_each(use_host));
        assert_eq!(ended, Ended::Exited(0));
    }
}

/// The child's one thread may itself be inside.
#[test]
fn a_callback_may_fork() {
    alone!();
    let host = Host::new(patient()).unwrap();
    let (inner, outer) = (host.point(MessagePublish).unwrap(), host.point(MessagePublish).unwrap());
    let forks = Callbacks::new("test").on(MessagePublish, "fork", Priority::new(1), move |message| {
        if message.topic.as_str() != "fork" {
            return Verdict::Continue;
        }
        let ended = in_child(|| assert_eq!(inner.dispatch(&mut Message::empty()).decision(), Decision::Passed));
        if ended == Ended::Exited(0) { Verdict::Skip } else { Verdict::Continue }
    });
    host.register(forks).unwrap();
    assert_eq!(outer.dispatch(&mut Message::new("fork", "")).decision(), Decision::Skipped);
}

/// Dispatches, registers and unregisters; what was unregistered is dropped, since nobody is inside.
fn use_host(host: &Host) {
    let probe = Probe::default();
    let guard = probe.guard();
    let child = Callbacks::new("child").on(MessagePublish, "look", Priority::new(1), move |_| guard.called());
    let registered = host.register(child).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let _ = publish.dispatch(&mut Message::empty());
    host.unregister(registered);
    let _ = publish.dispatch(&mut Message::empty());
    assert_eq!(probe.calls(), 1);
    // An unloading that has just ended may be what drops it.
    eventually("it is dropped", || probe.is_dropped());
}

fn load(host: &Host) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap()
}
