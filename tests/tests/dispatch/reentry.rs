//! A callback may use its host: nothing it asks for waits for itself.

use std::sync::{Arc, Barrier, Mutex, OnceLock, Weak};
use std::thread::scope;
use std::time::{Duration, Instant};

use hookrail::{
    Callbacks, Decision, End, HookPoint, Host, Message, MessageDelivered, MessagePublish, PluginHandle, Priority,
    Registered, Ticket,
};
use hookrail_tests::alone;
use hookrail_tests::probe::{LONG, Probe};
use hookrail_tests::scene::patient;

/// What the callback on `message.publish` does, once.
type Act = Box<dyn FnOnce(&Host) + Send>;

#[test]
fn a_dispatch_may_nest_deeper_than_the_slot_has_frames() {
    alone!();
    let host = Arc::new(Host::new(patient()).unwrap());
    let delivered = host.point(MessageDelivered).unwrap();
    let again = delivered.clone();
    let nest = Callbacks::new("test").on(MessageDelivered, "nest", Priority::new(1), move |message| {
        if message.headers.len() < 40 {
            let mut deeper = message.clone();
            deeper.add_header("deeper", "");
            let _ = again.dispatch(&mut deeper);
        }
    });
    let probe = Probe::default();
    let guard = probe.guard();
    let count = Callbacks::new("test").on(MessageDelivered, "count", Priority::new(2), move |_| guard.called());
    host.register(nest).unwrap();
    let count = host.register(count).unwrap();
    for round in 1..=3 {
        let _ = delivered.dispatch(&mut Message::empty());
        assert_eq!(probe.calls(), round * 41);
    }
    // Nobody is inside any more: what is taken out is dropped at once.
    host.unregister(count);
    assert!(probe.is_dropped());
}

#[test]
fn a_callback_registers_what_the_next_dispatch_runs() {
    alone!();
    let scene = Scene::new();
    let probe = Probe::default();
    let guard = probe.guard();
    scene.act(move |host| {
        let later = Callbacks::new("later").on(MessagePublish, "look", Priority::new(2000), move |_| guard.called());
        host.register(later).unwrap();
    });
    assert_eq!(probe.calls(), 0, "the dispatch that is running keeps its chain");
    let _ = scene.dispatch();
    assert_eq!(probe.calls(), 1);
}

#[test]
fn a_callback_may_unregister_itself() {
    alone!();
    let host = Arc::new(Host::new(patient()).unwrap());
    let own: Arc<Mutex<Option<Registered>>> = Arc::default();
    let probe = Probe::default();
    let (guard, inner, itself) = (probe.guard(), Arc::downgrade(&host), own.clone());
    let once = Callbacks::new("once").on(MessagePublish, "only", Priority::new(1), move |_| {
        guard.called();
        let itself = itself.lock().unwrap().take().unwrap();
        inner.upgrade().unwrap().unregister(itself);
        guard.check();
    });
    *own.lock().unwrap() = Some(host.register(once).unwrap());
    let publish = host.point(MessagePublish).unwrap();
    let _ = publish.dispatch(&mut Message::empty());
    let _ = publish.dispatch(&mut Message::empty());
    assert_eq!((probe.calls(), probe.was_late(), probe.is_dropped()), (1, false, false));
    // With the next change, at the latest.
    let other = Callbacks::new("other").on(MessagePublish, "look", Priority::new(1), |_| ());
    host.register(other).unwrap();
    assert!(probe.is_dropped());
}

#[test]
fn a_callback_may_load_a_plugin() {
    alone!();
    let scene = Scene::new();
    scene.act(|host| {
        load(host);
    });
    assert_eq!(scene.dispatch().header("greeting"), Some("hello"));
}

#[test]
fn a_callback_that_unloads_gets_an_answer_at_once() {
    alone!();
    let scene = Scene::new();
    let hello = load(&scene.host);
    let answer: Arc<OnceLock<(End, Duration)>> = Arc::default();
    let sent = answer.clone();
    let message = scene.act(move |host| {
        let start = Instant::now();
        let end = host.unload(&hello).unwrap();
        sent.set((end, start.elapsed())).unwrap();
    });
    let (end, took) = answer.get().unwrap();
    assert!(matches!(end, End::Busy(1)), "{end}");
    assert!(*took < LONG / 2, "it waited for its own caller: {took:?}");
    // The dispatch had begun before.
    assert_eq!(message.header("greeting"), Some("hello"));
    assert_eq!(scene.dispatch().header("greeting"), None);
}

#[test]
fn a_ticket_from_within_a_callback_is_good_outside() {
    alone!();
    let scene = Scene::new();
    let hello = load(&scene.host);
    let ticket: Arc<OnceLock<Ticket>> = Arc::default();
    let sent = ticket.clone();
    scene.act(move |host| {
        let ticket = host.begin_unload(&hello).unwrap();
        assert_eq!(ticket.wait_timeout(LONG * 100), End::Busy(1));
        assert_eq!(ticket.try_wait(), None);
        sent.set(ticket).unwrap_or_else(|_| unreachable!());
    });
    assert_eq!(ticket.get().unwrap().wait_timeout(LONG), End::Unmapped);
}

/// What is dropped may use the host too: nothing is dropped under a lock.
#[test]
fn a_refused_callback_may_use_the_host_in_its_drop() {
    struct Looks(Weak<Host>);
    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(!self.0.upgrade().unwrap().point_views().is_empty());
        }
    }
    alone!();
    let host = Arc::new(Host::new(patient()).unwrap());
    let callback = || {
        let looks = Looks(Arc::downgrade(&host));
        Callbacks::new("test").on(MessagePublish, "look", Priority::new(1), move |_| {
            let _ = &looks;
        })
    };
    let registered = host.register(callback()).unwrap();
    host.register(callback()).expect_err("there is one of that name");
    host.unregister(registered);
}

/// Two callbacks run at once, each unloads the plugin of the other's host and waits for it.
#[test]
fn two_callbacks_may_unload_each_others_plugins() {
    alone!();
    let hosts = Arc::new([(); 2].map(|()| Host::new(patient()).unwrap()));
    let plugins: Arc<[Mutex<Option<PluginHandle>>; 2]> =
        Arc::new([0, 1].map(|index| Mutex::new(Some(load(&hosts[index])))));
    let together = Arc::new(Barrier::new(2));
    let tickets: Arc<[OnceLock<Ticket>; 2]> = Arc::default();
    for own in 0..2 {
        let (them, plugins, together, tickets) =
            (Arc::downgrade(&hosts), plugins.clone(), together.clone(), tickets.clone());
        let unload = Callbacks::new("test").on(MessagePublish, "unload", Priority::new(1), move |_| {
            together.wait();
            let plugin = plugins[1 - own].lock().unwrap().take().unwrap();
            let ticket = them.upgrade().unwrap()[1 - own].begin_unload(&plugin).unwrap();
            // At least this thread and, until it has left, the other one.
            assert!(matches!(ticket.wait_timeout(LONG), End::Busy(_)));
            tickets[1 - own].set(ticket).unwrap_or_else(|_| unreachable!());
            together.wait();
        });
        hosts[own].register(unload).unwrap();
    }
    scope(|scope| {
        for host in &*hosts {
            scope.spawn(|| {
                let publish = host.point(MessagePublish).unwrap();
                assert_eq!(publish.dispatch(&mut Message::new("a.b", "text")).decision(), Decision::Passed);
            });
        }
    });
    for ticket in &*tickets {
        assert_eq!(ticket.get().expect("the callback ran").wait_timeout(LONG), End::Unmapped);
    }
}

/// A host, and a callback on `message.publish` that does what it is told.
struct Scene {
    host: Arc<Host>,
    publish: HookPoint<MessagePublish>,
    next: Arc<Mutex<Option<Act>>>,
}

impl Scene {
    fn new() -> Self {
        let host = Arc::new(Host::new(patient()).unwrap());
        let next: Arc<Mutex<Option<Act>>> = Arc::default();
        let (inner, told) = (Arc::downgrade(&host), next.clone());
        let actor = Callbacks::new("actor").on(MessagePublish, "act", Priority::new(1), move |_| {
            let act = told.lock().unwrap().take();
            if let Some(act) = act {
                act(&inner.upgrade().unwrap());
            }
        });
        host.register(actor).unwrap();
        let publish = host.point(MessagePublish).unwrap();
        Scene { host, publish, next }
    }

    /// Does something from within the callback; a panic there is a fault, and found here.
    fn act(&self, act: impl FnOnce(&Host) + Send + 'static) -> Message {
        let done = Arc::new(OnceLock::new());
        let sent = done.clone();
        *self.next.lock().unwrap() = Some(Box::new(move |host| {
            act(host);
            sent.set(()).unwrap();
        }));
        let message = self.dispatch();
        done.get().expect("the callback did it");
        message
    }

    fn dispatch(&self) -> Message {
        let mut message = Message::new("a.b", "text");
        assert_eq!(self.publish.dispatch(&mut message).decision(), Decision::Passed);
        message
    }
}

fn load(host: &Host) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap()
}
