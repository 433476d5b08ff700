//! A pin holds one generation across points, and whoever unloads from under it is never stuck.

use hookrail::{Callbacks, Config, End, Host, Message, MessageDelivered, MessagePublish, Priority, UnloadLimits};
use hookrail_tests::alone;
use hookrail_tests::probe::LONG;
use hookrail_tests::scene::patient;

fn marking(name: &str) -> Callbacks {
    let mark = name.to_owned();
    Callbacks::new(name)
        .on(MessagePublish, "publish", Priority::new(10), move |message| message.add_header("saw", &mark))
        .on(MessageDelivered, "delivered", Priority::new(10), |_| ())
}

#[test]
fn a_pin_sees_all_points_as_of_one_instant() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    let (publish, delivered) = (host.point(MessagePublish).unwrap(), host.point(MessageDelivered).unwrap());
    let old = host.register(marking("old")).unwrap();
    host.pin(|pin| {
        host.unregister(old);
        let _new = host.register(marking("new")).unwrap();
        let (mut pinned, mut now) = (Message::new("a", ""), Message::new("a", ""));
        let _ = pin.dispatch(&publish, &mut pinned);
        let _ = publish.dispatch(&mut now);
        assert_eq!((pinned.header("saw"), now.header("saw")), (Some("old"), Some("new")));
        let _ = pin.dispatch(&delivered, &mut pinned);
    });
    host.pin(|pin| {
        let mut message = Message::new("a", "");
        let _ = pin.dispatch(&publish, &mut message);
        assert_eq!(message.header("saw"), Some("new"));
    });
}

#[test]
fn unloading_under_a_pin_answers_busy_and_finishes_behind_it() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    let ticket = host.pin(|pin| {
        let ticket = host.begin_unload(&hello).unwrap();
        assert!(matches!(ticket.wait_timeout(LONG), End::Busy(_)));
        let mut message = Message::new("a", "");
        let _ = pin.dispatch(&publish, &mut message);
        assert_eq!(message.header("greeting"), Some("hello"), "it is still there for the pin");
        ticket
    });
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
}

#[test]
fn a_point_of_another_host_has_no_callbacks_under_a_pin() {
    alone!();
    let (one, other) = (Host::new(Config::default()).unwrap(), Host::new(Config::default()).unwrap());
    let _registered = other.register(marking("other")).unwrap();
    let publish = other.point(MessagePublish).unwrap();
    one.pin(|pin| {
        let mut message = Message::new("a", "");
        let _ = pin.dispatch(&publish, &mut message);
        assert_eq!(message.header("saw"), None);
    });
}

#[test]
fn a_panic_under_a_pin_leaves_nothing_behind() {
    alone!();
    let host = Host::new(patient()).unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| host.pin(|_| panic!("on purpose"))));
    assert!(caught.is_err());
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    assert_eq!(host.unload(&hello).unwrap(), End::Unmapped);
}

/// Past its deadline an unloading overwrites its callbacks in old snapshots, but not under a pin.
#[test]
fn a_pin_keeps_its_callbacks_past_the_deadline_of_an_unloading() {
    alone!();
    let config = Config::default().with_unload(UnloadLimits::default().with_deadline(std::time::Duration::ZERO));
    let host = Host::new(config).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    let (pinned, wait) = std::sync::mpsc::channel();
    let (look, go_on) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let (host, publish) = (&host, &publish);
        scope.spawn(move || {
            host.pin(|pin| {
                pinned.send(()).unwrap();
                go_on.recv().unwrap();
                let mut message = Message::new("a", "");
                let _ = pin.dispatch(publish, &mut message);
                assert_eq!(message.header("greeting"), Some("hello"));
            });
        });
        wait.recv().unwrap();
        let ticket = host.begin_unload(&hello).unwrap();
        // The reaper has looked past the deadline when it says who is in the way.
        assert_eq!(ticket.wait_timeout(std::time::Duration::from_millis(200)), End::Busy(1));
        look.send(()).unwrap();
        assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    });
}
