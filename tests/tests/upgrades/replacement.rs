//! A new build takes the place of an old one while everybody dispatches: no message is lost, nothing
//! of the old one is called afterwards, and its state goes on in the new one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::scope;

use hookrail::{Callbacks, End, EventKind, MessagePublish, Priority};
use hookrail_tests::counter::{At, Do, Once, Raise, Scene, counted, standstill};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::{alone, zoo};
use serde_json::json;

#[test]
fn every_message_is_counted_by_the_generation_that_serves() {
    alone!();
    let scene = Scene::new(json!({ "probation_faults": 0 }), json!({}));
    // Twice the generation; odd while it is being replaced.
    let (dispatched, stamp, done) = (AtomicU64::new(0), AtomicU64::new(2), AtomicBool::new(false));
    scope(|scope| {
        let _done = Raise(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let before = stamp.load(Ordering::SeqCst);
                    let (build, _) = counted(&scene.publish).expect("one of them serves at any time");
                    if before.is_multiple_of(2) && stamp.load(Ordering::SeqCst) == before {
                        assert_eq!(build, build_of(before / 2), "generation {}", before / 2);
                    }
                    dispatched.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for generation in 2..=21 {
            let seen = dispatched.load(Ordering::SeqCst);
            eventually("they dispatch", || dispatched.load(Ordering::SeqCst) > seen + 10);
            stamp.fetch_add(1, Ordering::SeqCst);
            let upgraded = if build_of(generation) == 2 {
                scene.upgrade("counter_two").unwrap()
            } else {
                // The first build does not take the state of the second.
                // SAFETY: our own library.
                unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_one")) }.unwrap()
            };
            stamp.fetch_add(1, Ordering::SeqCst);
            assert_eq!(upgraded.generation, generation);
            assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
        }
    });
}

/// Odd generations are of build 1, even ones of build 2.
fn build_of(generation: u64) -> u64 {
    2 - generation % 2
}

/// What is counted between saving and swapping, and by whoever is still in the old one then, comes
/// with the rest.
#[test]
fn no_count_is_lost_between_two_builds() {
    alone!();
    let scene = Scene::plain();
    let (dispatched, done) = (AtomicU64::new(0), AtomicBool::new(false));
    scope(|scope| {
        let _done = Raise(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    counted(&scene.publish).expect("one of them serves at any time");
                    dispatched.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually("they dispatch", || dispatched.load(Ordering::SeqCst) > 100);
        let upgraded = scene.upgrade("counter_two").unwrap();
        assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    });
    assert_eq!(scene.count(), (2, dispatched.load(Ordering::SeqCst) + 1));
}

#[test]
fn state_crosses_with_its_version() {
    alone!();
    let scene = Scene::plain();
    assert_eq!([scene.count(), scene.count()], [(1, 1), (1, 2)]);
    let upgraded = scene.upgrade("counter_two").unwrap();
    assert_eq!((upgraded.generation, upgraded.old.wait_timeout(LONG)), (2, End::Unmapped));
    assert_eq!(scene.count(), (2, 3));
    let times = upgraded.times;
    assert!([times.copy, times.open, times.create, times.swap].iter().all(|time| !time.is_zero()), "{times:?}");
}

/// A reader is in the old build over the swap: what it counts there comes with the rest, before the
/// old one is stopped.
#[test]
fn the_rest_of_the_state_is_handed_over_when_the_old_build_is_idle() {
    alone!();
    let scene = Scene::plain();
    let (stay, inside) = standstill();
    let order: Arc<Mutex<Vec<(At, u64)>>> = Arc::default();
    let seen = order.clone();
    scene.script(move |at, build| {
        if (at, build) == (At::Count, 1) {
            stay.act();
        }
        seen.lock().unwrap().push((at, build));
        Do::GoOn
    });
    scope(|scope| {
        let reader = scope.spawn(|| counted(&scene.publish));
        inside.is_there();
        let upgraded = scene.upgrade("counter_two").unwrap();
        assert_eq!(scene.count(), (2, 1), "the new one serves");
        assert_eq!(upgraded.old.wait_timeout(std::time::Duration::from_millis(50)), End::Busy(1));
        assert_eq!(scene.host.history("counter")[0].end, End::Busy(1), "it drains");
        inside.goes_on();
        assert_eq!(reader.join().unwrap(), Some((1, 1)));
        assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    });
    assert_eq!(scene.count(), (2, 3));
    let order = order.lock().unwrap();
    let (old, new) = (1, 2);
    let expected = [
        (At::Save, old),
        (At::Restore, new),
        (At::Count, new),
        (At::Count, old),
        (At::SaveRest, old),
        (At::Merge, new),
        (At::Stop, old),
        (At::Count, new),
    ];
    assert_eq!(*order, expected);
}

/// The new generation may be replaced before the old one has handed over its rest.
#[test]
fn the_rest_of_the_state_goes_to_the_generation_that_serves_by_then() {
    alone!();
    let scene = Scene::plain();
    let (stay, inside) = standstill();
    scene.script(move |at, build| {
        if (at, build) == (At::Count, 1) {
            stay.act();
        }
        Do::GoOn
    });
    scope(|scope| {
        scope.spawn(|| counted(&scene.publish));
        inside.is_there();
        let first = scene.upgrade("counter_two").unwrap().old;
        let second = scene.upgrade("counter_two").unwrap().old;
        inside.goes_on();
        assert_eq!([first.wait_timeout(LONG), second.wait_timeout(LONG)], [End::Unmapped, End::Unmapped]);
    });
    assert_eq!(scene.count(), (2, 2));
}

#[test]
fn an_upgrade_from_within_a_callback_of_the_old_build_does_not_wait_for_it() {
    alone!();
    let scene = Scene::plain();
    let (host, counter) = (Arc::downgrade(&scene.host), scene.counter.clone());
    let (sent, upgraded) = channel();
    let upgrade = Once::new(move || {
        // SAFETY: our own library.
        let upgraded = unsafe { host.upgrade().unwrap().upgrade(&counter, zoo("counter_two")) };
        sent.send(upgraded).unwrap();
    });
    scene.script(move |at, build| {
        if (at, build) == (At::Count, 1) {
            upgrade.act();
        }
        Do::GoOn
    });
    assert_eq!(scene.count(), (1, 1), "the dispatch that was running keeps its chain");
    let upgraded = upgraded.recv().unwrap().unwrap();
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(scene.count(), (2, 2));
}

#[test]
fn a_reloaded_configuration_stays_over_an_upgrade() {
    alone!();
    let scene = Scene::plain();
    let mut config = serde_json::to_value(&scene.host.config().plugins["counter"].config).unwrap();
    config["first"] = json!(70);
    scene.host.reload("counter", &config).unwrap();
    // SAFETY: our own library.
    let upgraded = unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_two")) }.unwrap();
    assert_eq!(scene.count(), (2, 71));
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
}

#[test]
fn a_plugin_without_state_is_replaced_both_ways() {
    alone!();
    let scene = Scene::plain();
    // SAFETY: our own library.
    unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_forgetful")) }.unwrap();
    assert_eq!(scene.count(), (0, 0));
    let upgraded = scene.upgrade("counter_two").unwrap();
    assert_eq!(scene.count(), (2, 1));
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
}

#[test]
fn generations_are_counted_and_the_last_eight_remembered() {
    alone!();
    let scene = Scene::plain();
    let events = scene.host.events();
    let mut plugin = scene.counter.clone();
    for _ in 0..2 {
        assert_eq!(scene.host.unload(&plugin).unwrap(), End::Unmapped);
        // SAFETY: our own library.
        plugin = unsafe { scene.host.load(zoo("counter_one")) }.unwrap();
    }
    // SAFETY: our own library.
    let upgraded = unsafe { scene.host.upgrade(&plugin, zoo("counter_two")) }.unwrap();
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    let view = scene.host.plugin_views().remove(0);
    assert_eq!((view.generation, &*view.version), (Some(4), "2.0.0"));
    assert_eq!(view.former.len(), 3);
    let view = json!(view);
    assert_eq!(view["status"], "running");
    assert_eq!(
        view["former"][2],
        json!({ "generation": 3, "version": "1.0.0", "end": "unmapped", "skipped_destructors": 0 })
    );
    for _ in 0..8 {
        // SAFETY: our own library.
        let upgraded = unsafe { scene.host.upgrade(&plugin, zoo("counter_two")) }.unwrap();
        assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    }
    assert_eq!(scene.host.unload(&plugin).unwrap(), End::Unmapped, "the handle stays through upgrades");
    assert!(scene.host.plugin_views().is_empty());
    let former: Vec<_> = scene.host.history("counter").iter().map(|former| former.generation).collect();
    assert_eq!(former, [5, 6, 7, 8, 9, 10, 11, 12]);
    assert!(scene.host.history("nobody").is_empty());

    let told: Vec<_> = events.try_iter().map(|event| (event.generation, event.what)).collect();
    let ended = || EventKind::ended(End::Unmapped, None);
    let loaded = || EventKind::loaded("1.0.0");
    assert_eq!(told[..2], [(1, EventKind::Unloading), (1, ended())]);
    assert_eq!(told[2..5], [(2, loaded()), (2, EventKind::Unloading), (2, ended())]);
    assert_eq!(told[5], (3, loaded()));
    let upgrades = told.iter().filter(|(_, what)| matches!(what, EventKind::Upgraded { .. }));
    let upgrades: Vec<_> = upgrades
        .map(|(generation, what)| match what {
            EventKind::Upgraded { from, version, .. } => (*from, *generation, &**version),
            other => unreachable!("{other:?}"),
        })
        .collect();
    assert_eq!(upgrades, (3..12).map(|from| (from, from + 1, "2.0.0")).collect::<Vec<_>>());
}

/// A pin sees one of the two generations on all points, though it is walked later.
#[test]
fn under_a_pin_the_old_generation_goes_on() {
    alone!();
    let scene = Scene::plain();
    let mut old = None;
    scene.host.pin(|pin| {
        let upgraded = scene.upgrade("counter_two").unwrap();
        let mut message = hookrail::Message::new("a.b", "");
        let _ = pin.dispatch(&scene.publish, &mut message);
        assert_eq!(message.header("build"), Some("1"));
        old = Some(upgraded.old);
    });
    assert_eq!(old.unwrap().wait_timeout(LONG), End::Unmapped);
    assert_eq!(scene.count(), (2, 2));
}

#[test]
fn a_callback_of_the_program_stays_where_it_is() {
    alone!();
    let scene = Scene::plain();
    let look = Callbacks::new("look").on(MessagePublish, "look", Priority::new(301), |message| {
        assert!(message.header("build").is_some(), "it runs after the counter");
    });
    scene.host.register(look).unwrap();
    let upgraded = scene.upgrade("counter_two").unwrap();
    assert_eq!(scene.count(), (2, 1));
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    let chain = scene.host.point_views().into_iter().find(|point| point.point == "message.publish").unwrap().chain;
    let order: Vec<_> = chain.iter().map(|it| (&*it.instance, it.faults)).collect();
    assert_eq!(order, [("counter", 0), ("look", 0), ("hookrail", 0)]);
}
