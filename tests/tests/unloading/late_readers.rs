//! Readers that take their time: who is waited for, and what they keep.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use hookrail::{
    CallbackOverride, Callbacks, Config, End, Host, Message, MessageDelivered, MessagePublish, PluginHandle, Priority,
    Registered, StatsLevel, UnloadLimits,
};
use hookrail_abi::Point;
use hookrail_tests::probe::{LONG, Probe, eventually};
use hookrail_tests::{alone, cc};

/// Somebody else's callback blocks in front of the plugin's, in the very chain that holds it.
#[test]
fn an_unloading_does_not_wait_for_a_callback_of_somebody_else() {
    alone!();
    for level in [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram] {
        // At the end of the chain, which is another place where it is counted.
        let last = CallbackOverride::new(MessagePublish::NAME, "hello/greet").with_priority(2000);
        let host = Host::new(config().with_override(last)).unwrap();
        let blocked = Blocked::before_hello(&host, 0);
        let hello = load(&host, "hello");
        host.set_level(MessagePublish::NAME, level).unwrap();
        let reader = blocked.dispatch(&host);
        assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
        // It goes on in the old chain, and where the plugin stood there is nothing to call.
        assert_eq!(blocked.finish(reader).header("greeting"), None);
        let view = host.point_views().into_iter().find(|view| view.point == MessagePublish::NAME).unwrap();
        assert_eq!(view.dispatches, if level == StatsLevel::Off { 0 } else { 11 }, "that one is counted too");
    }
}

#[test]
fn an_unloading_does_not_wait_for_nested_dispatches_of_somebody_else() {
    alone!();
    let host = host();
    let blocked = Blocked::before_hello(&host, 5);
    let hello = load(&host, "hello");
    let reader = blocked.dispatch(&host);
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
    assert_eq!(blocked.finish(reader).header("greeting"), None);
}

/// Deeper than frames the slot says "everything", and may well mean this plugin.
#[test]
fn an_unloading_waits_for_a_dispatch_nested_beyond_the_last_frame() {
    alone!();
    let host = host();
    let blocked = Blocked::before_hello(&host, 20);
    let hello = load(&host, "hello");
    let reader = blocked.dispatch(&host);
    let ticket = host.begin_unload(&hello).unwrap();
    assert_eq!(ticket.wait_timeout(Duration::from_millis(200)), End::Busy(1));
    blocked.finish(reader);
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
}

#[test]
fn an_unloading_waits_for_the_plugins_own_callback() {
    alone!();
    let host = host();
    let library = cc::compile(
        cc::STRICT_C,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/unloading/waiting.c"),
        &["-shared", "-fPIC"],
        "libhookrail_waiting.so",
    );
    // SAFETY: our own plugin.
    let waiting = unsafe { host.load(library) }.unwrap();
    let (theirs, mut ours) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LONG)).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let reader = spawn(move || {
        let mut message = Message::new("a.b", "text");
        message.timestamp = theirs.as_raw_fd() as u64;
        publish.dispatch(&mut message)
    });
    ours.read_exact(&mut [0]).expect("the callback says that it is there");
    let ticket = host.begin_unload(&waiting).unwrap();
    assert_eq!(ticket.wait_timeout(Duration::from_millis(200)), End::Busy(1));
    assert_eq!(ticket.try_wait(), None);
    ours.write_all(b"!").unwrap();
    assert!(reader.join().unwrap().decided_by().is_none());
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
}

/// `unload` answers when its deadline has passed twice; the rest goes on without it.
#[test]
fn an_unloading_past_its_deadline_finishes_in_the_background() {
    alone!();
    let host = host();
    let blocked = Blocked::before_hello(&host, 20);
    let hello = load(&host, "hello");
    let reader = blocked.dispatch(&host);
    assert_eq!(host.unload(&hello).unwrap(), End::Busy(1));
    // The name is free at once, and so is the file.
    let next = load(&host, "hello");
    blocked.finish(reader);
    assert_eq!(host.begin_unload(&next).unwrap().wait_timeout(LONG), End::Unmapped);
}

#[test]
fn an_unregistered_callback_stays_while_it_runs() {
    alone!();
    let host = host();
    let blocked = Blocked::before_hello(&host, 0);
    let probe = Probe::default();
    let after = called(&host, "after", Priority::new(600), &probe);
    let reader = blocked.dispatch(&host);
    host.unregister(after);
    // More changes, each of which looks at what may go.
    for _ in 0..3 {
        let other = called(&host, "other", Priority::new(700), &Probe::default());
        host.unregister(other);
    }
    assert!(!probe.is_dropped(), "the reader comes to it");
    blocked.finish(reader);
    assert_eq!((probe.calls(), probe.was_late()), (11, false));
}

/// A point may outlive its host, and so may a dispatch.
#[test]
fn a_dispatch_keeps_what_it_walks_when_its_host_is_dropped() {
    alone!();
    let host = host();
    let blocked = Blocked::before_hello(&host, 0);
    let probe = Probe::default();
    let after = called(&host, "after", Priority::new(600), &probe);
    let reader = blocked.dispatch(&host);
    host.unregister(after);
    drop(host);
    blocked.finish(reader);
    assert_eq!((probe.calls(), probe.was_late()), (11, false));
}

#[test]
fn a_point_without_its_host_has_no_callbacks() {
    alone!();
    let host = host();
    load(&host, "hello");
    let probe = Probe::default();
    called(&host, "look", Priority::new(600), &probe);
    let publish = host.point(MessagePublish).unwrap();
    drop(host);
    let mut message = Message::new("a.b", "text");
    let _ = publish.dispatch(&mut message);
    assert_eq!((probe.calls(), message.header("greeting"), publish.is_hooked()), (0, None, false));
    // The unloading, for which the host does not wait long, may be what drops it.
    eventually("it is dropped", || probe.is_dropped());
}

/// The topic of messages that nothing blocks.
const PASSES: &str = "passes";

/// A callback of ours on `message.publish`, before hello's, that blocks until it is let go; there or
/// in a dispatch on another point, nested in it so many times.
struct Blocked {
    arrived: Receiver<()>,
    go: Sender<()>,
}

impl Blocked {
    fn before_hello(host: &Host, nested: usize) -> Self {
        let (send, arrived) = channel();
        let (go, wait) = channel();
        let (send, wait) = (Mutex::new(send), Mutex::new(wait));
        let block = Arc::new(move || {
            send.lock().unwrap().send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        });
        let (delivered, again) = (host.point(MessageDelivered).unwrap(), host.point(MessageDelivered).unwrap());
        let at_the_end = block.clone();
        let callbacks = Callbacks::new("blocked")
            .on(MessageDelivered, "nest", Priority::new(400), move |message| {
                if message.headers.len() + 1 == nested {
                    if message.topic.as_str() != PASSES {
                        at_the_end();
                    }
                    return;
                }
                let mut deeper = message.clone();
                deeper.add_header("deeper", "");
                let _ = again.dispatch(&mut deeper);
            })
            .on(MessagePublish, "block", Priority::new(400), move |message| match nested {
                0 if message.topic.as_str() == PASSES => {}
                0 => block(),
                _ => {
                    let _ = delivered.dispatch(message);
                }
            });
        host.register(callbacks).unwrap();
        Blocked { arrived, go }
    }

    /// Dispatches on another thread, up to the callback that blocks.
    fn dispatch(&self, host: &Host) -> JoinHandle<Message> {
        let publish = host.point(MessagePublish).unwrap();
        let reader = spawn(move || {
            // Earlier dispatches leave no trace.
            for _ in 0..10 {
                let _ = publish.dispatch(&mut Message::new(PASSES, "text"));
            }
            let mut message = Message::new("a.b", "text");
            let _ = publish.dispatch(&mut message);
            message
        });
        self.arrived.recv_timeout(LONG).unwrap();
        reader
    }

    fn finish(&self, reader: JoinHandle<Message>) -> Message {
        self.go.send(()).unwrap();
        reader.join().unwrap()
    }
}

/// A host that does not wait long for readers that are elsewhere.
fn host() -> Host {
    Host::new(config()).unwrap()
}

fn config() -> Config {
    Config::default().with_unload(UnloadLimits::default().with_deadline(Duration::from_millis(20)))
}

fn load(host: &Host, name: &str) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin(name)) }.unwrap()
}

fn called(host: &Host, instance: &str, priority: Priority, probe: &Probe) -> Registered {
    let guard = probe.guard();
    let callbacks = Callbacks::new(instance).on(MessagePublish, "called", priority, move |_| guard.called());
    host.register(callbacks).unwrap()
}
