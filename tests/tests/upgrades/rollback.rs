//! A new build that faults on probation is rolled back by itself; afterwards it is left alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::scope;
use std::time::Duration;

use hookrail::package::Home;
use hookrail::store::Store;
use hookrail::{
    ApiMisuse, CallbackOverride, Callbacks, End, Error, Event, EventKind, Events, Message, MessagePublish, Priority,
    Status, Verdict,
};
use hookrail_abi::Point;
use hookrail_tests::counter::{At, Do, Raise, Scene, counted, standstill};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::{alone, zoo};
use serde_json::json;

const HOUR: &str = "1h";

/// The first event of that kind.
fn wait_for(events: &Events, is_meant: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.recv_timeout(LONG).expect("it never came to this event");
        if is_meant(&event) {
            return event;
        }
    }
}

fn is_rollback(event: &Event) -> bool {
    matches!(event.what, EventKind::RolledBack { .. } | EventKind::RollbackFailed { .. })
}

/// The second build faults on every message.
fn faulty(at: At, build: u64) -> Do {
    if (at, build) == (At::Count, 2) { Do::Panic } else { Do::GoOn }
}

fn dispatch(scene: &Scene) {
    let _ = scene.publish.dispatch(&mut Message::new("a.b", "text"));
}

#[test]
fn a_faulting_build_is_rolled_back_with_the_reason() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR }), json!({}));
    let events = scene.host.events();
    assert_eq!([scene.count(), scene.count()], [(1, 1), (1, 2)]);
    scene.script(faulty);
    let upgraded = scene.upgrade("counter_two").unwrap();
    for _ in 0..3 {
        assert_eq!(scene.generation(), 2);
        dispatch(&scene);
    }
    let event = wait_for(&events, is_rollback);
    assert_eq!((&*event.plugin, event.generation), ("counter", 3));
    let EventKind::RolledBack { from: 2, reason, .. } = event.what else { panic!("{:?}", event.what) };
    assert!(reason.starts_with("3 faults within "), "{reason}");
    assert!(reason.contains("the last in counter/count on message.publish: panicked: it was told to"), "{reason}");
    // The second build's state is of version 2, which the first one does not take: it goes on with
    // what it had handed over itself.
    assert_eq!(scene.count(), (1, 3));
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    eventually("the faulting build is gone", || {
        scene.host.history("counter").get(1).is_some_and(|it| it.end.is_unmapped())
    });
    let view = scene.host.plugin_views().remove(0);
    assert_eq!((view.generation, &*view.version, view.status), (Some(3), "1.0.0", Status::Running));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains("/memfd:libcounter_one.so "), "the copy of a copy bears the file's name: {maps}");
    eventually("the handle is still good", || scene.host.unload(&scene.counter).is_ok_and(|end| end.is_unmapped()));
}

/// The state of the faulting build is worth more than that of the upgrade, where the build before
/// takes it.
#[test]
fn the_newest_state_comes_back_where_it_is_taken() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    let events = scene.host.events();
    // From the second build to the second build.
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    assert_eq!([scene.count(), scene.count()], [(2, 1), (2, 2)]);
    scene.script(faulty);
    dispatch(&scene);
    let event = wait_for(&events, is_rollback);
    assert!(matches!(event.what, EventKind::RolledBack { from: 3, .. }), "{:?}", event.what);
    scene.script(|_, _| Do::GoOn);
    assert_eq!((scene.count(), scene.generation()), ((2, 3), 4));
}

#[test]
fn traffic_goes_on_over_a_rollback() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 100 }), json!({}));
    let events = scene.host.events();
    scene.script(faulty);
    let (done, dispatched) = (AtomicBool::new(false), AtomicU64::new(0));
    scope(|scope| {
        let _done = Raise(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    // A build that faults adds no header; the chain goes on.
                    if let Some((build, _)) = counted(&scene.publish) {
                        assert_eq!(build, 1);
                    }
                    dispatched.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for round in 1..=3 {
            // The event of a rollback comes before its last steps are done.
            eventually("nothing is being done to it", || scene.upgrade("counter_two").is_ok());
            let event = wait_for(&events, is_rollback);
            assert_eq!(event.generation, 2 * round + 1);
        }
        let seen = dispatched.load(Ordering::SeqCst);
        eventually("they dispatch", || dispatched.load(Ordering::SeqCst) > seen + 10);
    });
    assert_eq!(scene.count().0, 1);
}

#[test]
fn a_generation_that_was_rolled_back_to_has_no_probation() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    let events = scene.host.events();
    scene.script(|at, _| if at == At::Count { Do::Fail } else { Do::GoOn });
    scene.upgrade("counter_two").unwrap();
    dispatch(&scene);
    assert_eq!(wait_for(&events, is_rollback).generation, 3);
    for _ in 0..10 {
        dispatch(&scene);
    }
    assert_eq!(events.recv_timeout(Duration::from_millis(100)).ok().filter(is_rollback), None);
    assert_eq!(scene.generation(), 3);
}

#[test]
fn faults_behind_the_probation_are_only_counted() {
    alone!();
    let scene = Scene::new(json!({ "probation": "1ms", "probation_faults": 1 }), json!({}));
    let events = scene.host.events();
    scene.script(faulty);
    let before = copies_of_one();
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    eventually("the way back is forgotten", || open_copies() == before);
    for _ in 0..10 {
        dispatch(&scene);
    }
    assert_eq!(events.recv_timeout(Duration::from_millis(100)).ok().filter(is_rollback), None);
    assert_eq!(scene.generation(), 2);
}

/// Nothing else wakes the thread that sees to it: it sleeps until something is found.
#[test]
fn a_probation_ends_on_a_host_that_looks_for_nothing_else() {
    alone!();
    let config = json!({ "upgrade": { "probation": "1ms" }, "limits": { "stuck": "0ms" } });
    let scene = Scene::configured(config, json!({}));
    let before = copies_of_one();
    for _ in 0..10 {
        assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
        eventually("the way back is forgotten", || open_copies() == before);
    }
}

#[test]
fn a_probation_takes_no_thread_of_its_own() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR }), json!({}));
    let before = copies_of_one();
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(open_copies(), before + 1, "it is on probation");
    // That of the unloading ends as well.
    eventually("there are those that every host has", || threads() == ["hookrail-reaper", "hookrail-watchd"]);
}

/// The way back waits for the plugin: whoever started it goes on meanwhile.
#[test]
fn a_rollback_that_takes_its_time_delays_no_quarantine() {
    alone!();
    let config = json!({
        "upgrade": { "probation": HOUR, "probation_faults": 1 },
        "quarantine": { "faults": 1, "pause": "0ms" },
    });
    let scene = Scene::configured(config, json!({}));
    let (stay, inside) = standstill();
    scene.script(move |at, build| match (at, build) {
        (At::Count, 2) => Do::Fail,
        (At::Restore, 1) => {
            stay.act();
            Do::GoOn
        }
        _ => Do::GoOn,
    });
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    let events = scene.host.events();
    dispatch(&scene);
    inside.is_there();
    let panics = |_: &mut Message| -> Verdict { panic!("it always does") };
    let failing = Callbacks::new("another").on(MessagePublish, "panics", Priority::new(500), panics);
    let registered = scene.host.register(failing).unwrap();
    dispatch(&scene);
    wait_for(&events, |event| {
        assert!(!is_rollback(event), "the way back is not over: {:?}", event.what);
        matches!(&event.what, EventKind::Quarantined { callback, .. } if callback == "another/panics")
    });
    inside.goes_on();
    assert!(matches!(wait_for(&events, is_rollback).what, EventKind::RolledBack { from: 2, .. }));
    scene.host.unregister(registered);
    assert_eq!(scene.count().0, 1);
}

/// Whichever of the two comes first when the plugin is free.
#[test]
fn what_is_said_of_callbacks_while_a_rollback_waits_holds_after_it() {
    alone!();
    let home = tempfile::tempdir().unwrap();
    // SAFETY: our own library.
    let exported = |file: &Path| unsafe { hookrail::schema(file) };
    let prebuilt = [("counter".to_owned(), zoo("counter_two"))];
    let store = Store::open(Home::open(home.path()).unwrap()).unwrap().with_prebuilt(prebuilt, exported);
    for priority in 1..=5 {
        let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
        let events = scene.host.events();
        // As the commands on a store do it: with what that says, of which the way back keeps what it was before.
        let copy = store.load_spec("counter").unwrap().library.verified().unwrap();
        // SAFETY: our own library: its faults are those that the host looks for.
        let upgraded = unsafe { scene.host.core().upgrade(&scene.counter, copy, false, Some(Default::default())) };
        assert_eq!(upgraded.unwrap().old.wait_timeout(LONG), End::Unmapped);
        let (stay, inside) = standstill();
        scene.script(move |at, build| match (at, build) {
            (At::Count, 2) => Do::Fail,
            (At::Restore, 2) => {
                stay.act();
                Do::Fail
            }
            _ => Do::GoOn,
        });
        let said = json!([{ "point": MessagePublish::NAME, "callback": "counter/count", "priority": priority }]);
        let said: Vec<CallbackOverride> = serde_json::from_value(said).unwrap();
        scope(|scope| {
            let upgrade = scope.spawn(|| scene.upgrade("counter_two").map(drop));
            inside.is_there();
            dispatch(&scene);
            let say = scope.spawn(|| {
                while let Err(error) = scene.host.core().override_callbacks("counter", &said) {
                    assert!(matches!(error, Error::ApiMisuse(ApiMisuse::Busy { .. })), "{error}");
                }
            });
            // So that the rollback waits too, as a rule.
            std::thread::sleep(Duration::from_millis(50));
            inside.goes_on();
            assert!(upgrade.join().unwrap().is_err());
            say.join().unwrap();
        });
        assert!(matches!(wait_for(&events, is_rollback).what, EventKind::RolledBack { from: 2, .. }));
        let publish = scene.host.point_views().into_iter().find(|view| view.point == MessagePublish::NAME).unwrap();
        let counter = publish.chain.iter().find(|callback| callback.instance == "counter").unwrap();
        assert_eq!(counter.priority, priority);
    }
}

#[test]
fn zero_faults_mean_no_probation() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 0 }), json!({}));
    let before = copies_of_one();
    scene.script(faulty);
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(open_copies(), before, "nothing is kept for a way back");
    for _ in 0..10 {
        dispatch(&scene);
    }
    assert_eq!(scene.generation(), 2);
}

/// A way back that fails leaves what serves, and says so.
#[test]
fn a_rollback_that_fails_says_why() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    let events = scene.host.events();
    scene.script(|at, build| match (at, build) {
        (At::Count, 2) | (At::Restore, 1) => Do::Fail,
        _ => Do::GoOn,
    });
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    dispatch(&scene);
    let event = wait_for(&events, is_rollback);
    let EventKind::RollbackFailed { reason, error, .. } = event.what else { panic!("{:?}", event.what) };
    assert!(reason.contains("it was told to") && error.contains("does not accept the state"), "{reason}: {error}");
    assert_eq!(scene.generation(), 2);
    scene.script(|_, _| Do::GoOn);
    assert_eq!(scene.count(), (2, 1), "it goes on");
}

/// The state that was left behind by a fresh upgrade is there on the way back.
#[test]
fn a_fresh_upgrade_has_a_way_back_with_state() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    let events = scene.host.events();
    assert_eq!(scene.count(), (1, 1));
    scene.script(faulty);
    // SAFETY: our own library.
    unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_two")) }.unwrap();
    dispatch(&scene);
    assert_eq!(wait_for(&events, is_rollback).generation, 3);
    assert_eq!(scene.count(), (1, 2));
}

/// Stopping, unloading, upgrading again: whoever does it has taken over.
#[test]
fn stopping_or_unloading_ends_the_probation() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    let before = copies_of_one();
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(open_copies(), before + 1, "the way back is kept");
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    assert_eq!(open_copies(), before);
    scene.host.start(&scene.counter).unwrap();
    scene.script(faulty);
    dispatch(&scene);
    assert_eq!(scene.generation(), 2);
    assert_eq!(scene.host.unload(&scene.counter).unwrap(), End::Unmapped);
    assert_eq!(open_copies(), 0, "nothing of it is kept");
}

/// A host that is dropped while one of its plugins is on probation leaves nothing behind.
#[test]
fn a_host_may_be_dropped_during_a_probation() {
    alone!();
    let scene = Scene::new(json!({ "probation": HOUR, "probation_faults": 1 }), json!({}));
    scene.script(faulty);
    scene.upgrade("counter_two").unwrap();
    dispatch(&scene);
    let publish = scene.publish.clone();
    let host: Arc<_> = scene.host.clone();
    drop(scene);
    drop(host);
    assert_eq!(counted(&publish), None);
    eventually("no copy of a library is open", || open_copies() == 0);
}

/// What one loaded library has open: its copy, and the descriptor its end is proved by.
fn copies_of_one() -> usize {
    eventually("nothing else is open", || open_copies() == 2);
    2
}

/// How many descriptors of private copies of libraries are open.
fn open_copies() -> usize {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.to_string_lossy().contains("memfd:")).count()
}

/// The names of the host's threads, as the system cuts them.
fn threads() -> Vec<String> {
    let names = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        Some(name.trim_end().to_owned())
    });
    let mut names: Vec<_> = names.filter(|name| name.starts_with("hookrail-")).collect();
    names.sort();
    names
}
