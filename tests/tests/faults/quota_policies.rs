//! What it means that a plugin exceeds its memory limit: for every kind of point, every policy and
//! every place in the chain.

use hookrail::{CallbackStatus, EventKind, Events, StatsLevel};
use hookrail_abi::Point;
use hookrail_tests::alone;
use hookrail_tests::failing::*;
use hookrail_tests::probe::eventually;
use hookrail_tests::tasks::*;
use serde_json::json;

const MAX: usize = HOARDED / 2;
const POINTS: [&str; 3] = [TaskSeen::NAME, TaskDone::NAME, TaskAllowed::NAME];

/// It is as if each of its callbacks failed, and none is called; the call that holds the memory ends as it
/// would have.
#[test]
fn a_plugin_that_holds_too_much_is_passed_over_or_denied_for_until_it_lets_go() {
    alone!();
    const MANY: u64 = 20;
    let config = json!({
        "plugins": { "fails-on-demand": { "max_memory": MAX } },
        "quarantine": { "faults": 0, "pause": "1ms" },
    });
    each_cell(config, |scene, policy, dispatch, fails, point| {
        scene.host.set_level(point, StatsLevel::Count).unwrap();
        let events = scene.host.events();
        let (hold, fine) = (Hold::default(), dispatch(FINE));
        let hold_at = std::ptr::from_ref(&hold).expose_provenance();
        std::thread::scope(|threads| {
            let hoarder = threads.spawn(|| dispatch_held_on(scene, point, HOARD, hold_at));
            // The scope waits for the thread.
            let let_go = LetGo(&hold);
            quarantines_all(&events);
            let calls = || ["before", "fails-on-demand", "after"].map(|instance| calls(scene, point, instance));
            let before = calls();
            // Whether or not the pause is over: nothing is tried before the plugin holds less.
            for _ in 0..MANY {
                for cause in [FINE, PANIC] {
                    assert_eq!(dispatch(cause), fails(false), "{point}, {policy}, {:?}", scene.place);
                }
            }
            let denies = fails(false).decided_by.is_some_and(|by| by == FAILING);
            let more = [2 * MANY, 0, if denies { 0 } else { 2 * MANY }];
            let expected = before.iter().zip(more).map(|(before, more)| before.map(|before| before + more));
            assert_eq!(calls().to_vec(), expected.collect::<Vec<_>>(), "{point}, {policy}, {:?}", scene.place);
            let specimen = scene.specimen(point);
            assert_eq!((specimen.status, specimen.faults), (CallbackStatus::Quarantined, 0));
            assert!(specimen.reason.unwrap().ends_with("bytes of memory, 1048576 are allowed"));
            drop(let_go);
            assert_eq!(hoarder.join().unwrap(), fine, "it went on in the chain that it began in");
        });
        eventually("all of it is tried, and works", || {
            let came = dispatch(FINE);
            assert!(came == fails(false) || came == fine, "{point}, {policy}, {:?}: {came:?}", scene.place);
            POINTS.iter().for_each(|point| _ = dispatch_on(scene, point, FINE));
            POINTS.iter().all(|point| scene.specimen(point).status == CallbackStatus::Armed)
        });
        assert_eq!(dispatch(FINE), fine);
        let told: Vec<_> = POINTS.iter().map(|_| next(&events)).collect();
        assert!(told.iter().all(|what| matches!(what, EventKind::Released { tried: true, .. })), "{told:?}");
    });
}

/// Waits until it is told that the plugin holds too much, and that each callback of it is quarantined.
fn quarantines_all(events: &Events) {
    let told = next(events);
    assert!(matches!(told, EventKind::OverMemory { bytes, .. } if bytes > HOARDED as u64), "{told:?}");
    let mut points: Vec<_> = POINTS
        .iter()
        .map(|_| match next(events) {
            EventKind::Quarantined { point, .. } => point,
            told => panic!("{told:?}"),
        })
        .collect();
    points.sort();
    assert_eq!(points, ["task.allowed", "task.done", "task.seen"]);
}

/// How often a callback was called, if it is there.
fn calls(scene: &Scene, point: &str, instance: &str) -> Option<u64> {
    let view = scene.host.point_views().into_iter().find(|view| view.point == point).unwrap();
    let its = view.chain.into_iter().find(|callback| callback.instance == instance);
    its.map(|callback| callback.calls.total)
}
