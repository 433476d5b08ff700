//! What the failure of a callback means: for every kind of point, every policy, every place in the chain
//! and every way to fail.

use hookrail::{
    Access, CallbackOverride, CallbackStatus, Callbacks, Config, Decision, EventKind, Health, Host, Message,
    MessageDelivered, MessagePublish, Priority, StatsLevel, StepVerdict, TraceFilter, Verdict,
};
use hookrail_abi::{Point, Text};
use hookrail_tests::failing::*;
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::tasks::*;
use hookrail_tests::{alone, zoo};
use serde_json::json;

/// However closely one looks, and whether or not somebody traces.
#[test]
fn a_fault_means_what_the_policy_says() {
    const CAUSES: [u32; 8] =
        [PANIC, PANIC_ANY, PANIC_BOMB, PANIC_TWICE, PANIC_ALLOW, IMPOSSIBLE, ALLOW_WITH_A_CODE, ERROR];
    // Each of them, and one before and one after them.
    const ALL: usize = CAUSES.len() + 2;
    let levels = [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram];
    for (level, is_traced) in levels.into_iter().flat_map(|level| [(level, false), (level, true)]) {
        each_cell(json!({}), |scene, policy, dispatch, fails, point| {
            scene.host.set_level(point, level).unwrap();
            let traces = is_traced.then(|| scene.host.trace(point, None, ALL).unwrap());
            let fine = dispatch(FINE);
            for (count, cause) in (1..).zip(CAUSES) {
                assert_eq!(dispatch(cause), fails(true), "{point}, {policy}, {:?}, cause {cause}", scene.place);
                assert_eq!(scene.specimen(point).faults, count);
            }
            assert_eq!(dispatch(FINE), fine, "nothing of it stays");
            if let Some(traces) = traces {
                let taken: Vec<_> = std::iter::from_fn(|| traces.recv_timeout(LONG).ok()).collect();
                let steps = taken.iter().flat_map(|trace| &trace.steps).filter(|step| step.callback == FAILING);
                let answers: Vec<_> = steps.map(|step| step.verdict).collect();
                let [first, faults @ .., last] = &answers[..] else { panic!("{answers:?}") };
                assert_eq!(
                    (*first, faults, *last),
                    (StepVerdict::Continue, &[StepVerdict::Fault; CAUSES.len()][..], StepVerdict::Continue)
                );
            }
        });
    }
}

/// The operator's word on a kind holds where none is said of a point, and a word on a point above it.
#[test]
fn a_policy_may_be_that_of_a_kind() {
    for policy in POLICIES {
        for config in [
            json!({ "points": {}, "fault_policies": { "notify": policy, "fold": policy, "gate": policy } }),
            json!({ "fault_policies": { "notify": "open", "fold": "closed", "gate": "open" } }),
        ] {
            let scene = Scene::new(policy, (true, true), config);
            assert_eq!(scene.dispatch::<TaskSeen>(PANIC), scene.fails::<TaskSeen>(policy, true), "{policy}");
            assert_eq!(scene.dispatch::<TaskDone>(PANIC), scene.fails::<TaskDone>(policy, true), "{policy}");
            assert_eq!(scene.dispatch::<TaskAllowed>(PANIC), scene.fails::<TaskAllowed>(policy, true), "{policy}");
        }
    }
}

/// Whatever a gate's callback panics with, and wherever it stands, it lets nobody pass.
#[test]
fn no_panic_opens_a_gate() {
    for place in PLACES {
        // The gate's own policy: none is configured.
        let scene = Scene::new("closed", place, json!({ "points": {} }));
        for cause in [PANIC, PANIC_ANY, PANIC_BOMB, PANIC_TWICE, PANIC_ALLOW, IMPOSSIBLE, ALLOW_WITH_A_CODE, ERROR] {
            assert_eq!(scene.dispatch::<TaskAllowed>(cause), scene.denies("x"), "{place:?}, cause {cause}");
        }
    }
}

#[test]
fn too_many_faults_quarantine_a_callback_until_it_is_tried() {
    let limits = json!({ "quarantine": { "faults": 3, "within": "3600000ms", "pause": "1ms" } });
    each_cell(limits, |scene, policy, dispatch, fails, point| {
        let events = scene.host.events();
        for _ in 0..3 {
            assert_eq!(scene.specimen(point).status, CallbackStatus::Armed);
            assert_eq!(dispatch(PANIC), fails(true));
        }
        let EventKind::Quarantined { reason, .. } = next(&events) else { panic!("it is quarantined") };
        assert!(reason.starts_with("3 faults within ") && reason.contains("as it was asked to"), "{reason}");
        // Tried too soon, it fails again: a call each, and in between it is not called.
        eventually("it is tried, and fails", || {
            let came = dispatch(PANIC);
            assert!(came == fails(false) || came == fails(true), "{point}, {policy}: {came:?}");
            scene.specimen(point).faults >= 4
        });
        let EventKind::Quarantined { reason, .. } = next(&events) else { panic!("it is quarantined again") };
        assert!(reason.starts_with("it failed its trial call: "), "{reason}");
        let fine = Scene::new(policy, scene.place, json!({}));
        let called = |came: &Came| *came == dispatch_on(&fine, point, FINE);
        eventually("it is tried, and works again", || {
            let came = dispatch(FINE);
            assert!(came == fails(false) || called(&came), "{point}, {policy}: {came:?}");
            scene.specimen(point).status == CallbackStatus::Armed
        });
        assert!(called(&dispatch(FINE)));
        let released =
            std::iter::from_fn(|| Some(next(&events))).find(|event| matches!(event, EventKind::Released { .. }));
        assert!(matches!(released, Some(EventKind::Released { tried: true, .. })));
    });
}

/// Without a pause it stays out until somebody asks for it; on a gate the host denies in its place.
#[test]
fn a_quarantined_callback_stays_out_until_it_is_released() {
    let limits = json!({ "quarantine": { "faults": 1, "pause": "0ms" } });
    let scene = Scene::new("closed", (true, true), limits);
    assert_eq!(scene.host.unquarantine(TaskAllowed::NAME, FAILING).unwrap_err().code(), "HR0111");
    scene.dispatch::<TaskAllowed>(PANIC);
    eventually("it is quarantined", || scene.specimen(TaskAllowed::NAME).status == CallbackStatus::Quarantined);
    let point = scene.host.point(TaskAllowed).unwrap();
    for _ in 0..100 {
        let mut task = Task { cause: FINE, trail: Text::new(), hold: 0 };
        let outcome = point.dispatch(&mut task);
        assert_eq!((outcome.decision(), task.trail.as_str()), (Decision::Denied(0), "a"));
        let denial = scene.host.denial(&outcome).unwrap();
        let reason = denial.reason.unwrap();
        assert_eq!(denial.by.unwrap(), FAILING);
        assert!(reason.starts_with("fails-on-demand/fail is quarantined: 1 fault: "), "{reason}");
    }
    let view = scene.specimen(TaskAllowed::NAME);
    assert!(view.reason.unwrap().contains("as it was asked to") && view.last_fault.is_some());
    scene.host.unquarantine(TaskAllowed::NAME, FAILING).unwrap();
    assert_eq!(scene.dispatch::<TaskAllowed>(FINE), scene.goes_on::<TaskAllowed>("x"));
    assert_eq!(scene.host.unquarantine("task.nothing", FAILING).unwrap_err().code(), "HR0110");
    assert_eq!(scene.host.unquarantine(TaskAllowed::NAME, "a/b").unwrap_err().code(), "HR0109");
}

/// In its place the host returns, or nobody; that is no call of it, and one of whoever stands behind.
#[test]
fn a_quarantined_callback_counts_no_calls() {
    for level in [StatsLevel::Count, StatsLevel::Histogram] {
        for (policy, place) in ["open", "closed"].into_iter().flat_map(|policy| PLACES.map(|place| (policy, place))) {
            let limits = json!({ "quarantine": { "faults": 1, "pause": "0ms" } });
            let scene = Scene::new(policy, place, limits);
            scene.host.set_level(TaskDone::NAME, level).unwrap();
            scene.dispatch::<TaskDone>(FINE);
            scene.dispatch::<TaskDone>(PANIC);
            eventually("it is quarantined", || scene.specimen(TaskDone::NAME).status == CallbackStatus::Quarantined);
            for _ in 0..100 {
                scene.dispatch::<TaskDone>(FINE);
            }
            let view = scene.host.point_views().into_iter().find(|view| view.point == TaskDone::NAME).unwrap();
            assert_eq!((view.dispatches, view.empty), (102, 0), "{policy}, {place:?}");
            for callback in view.chain {
                let expected = match &*callback.instance {
                    "before" => 102,
                    "after" if policy == "closed" => 1,
                    "after" => 102,
                    _ => 2,
                };
                let calls = callback.calls;
                let counted = (calls.total, calls.skipped, calls.denied);
                assert_eq!(counted, (expected, 0, 0), "{} of {policy}, {place:?}", callback.instance);
            }
        }
    }
}

/// Stopping what decides must not let everybody in.
#[test]
fn a_required_plugin_that_does_not_run_denies_where_its_fault_would() {
    let plugins = json!({ "plugins": { "fails-on-demand": { "required": true } } });
    let scene = Scene::new("closed", (true, true), plugins);
    let plugin = scene.host.plugin("fails-on-demand").unwrap();
    let fine = || {
        assert_eq!(scene.dispatch::<TaskSeen>(FINE), scene.goes_on::<TaskSeen>(""));
        assert_eq!(scene.dispatch::<TaskDone>(FINE), scene.goes_on::<TaskDone>("x"));
        assert_eq!(scene.dispatch::<TaskAllowed>(FINE), scene.goes_on::<TaskAllowed>("x"));
    };
    let denied = || {
        assert_eq!(scene.dispatch::<TaskSeen>(FINE), scene.goes_on::<TaskSeen>(""));
        assert_eq!(scene.dispatch::<TaskDone>(FINE), scene.denies(""));
        assert_eq!(scene.dispatch::<TaskAllowed>(FINE), scene.denies(""));
        assert_eq!(scene.specimen(TaskAllowed::NAME).status, CallbackStatus::Absent);
        assert_eq!(scene.host.unquarantine(TaskAllowed::NAME, FAILING).unwrap_err().code(), "HR0111");
    };
    fine();
    for _ in 0..2 {
        scene.host.stop(&plugin).unwrap();
        denied();
        scene.host.start(&plugin).unwrap();
        fine();
    }
    assert!(scene.host.unload(&plugin).unwrap().is_unmapped());
    denied();
    // SAFETY: our own library.
    unsafe { scene.host.load(zoo("fails_on_demand")) }.unwrap();
    fine();
}

/// Whatever has taken its callbacks out, and whatever they were before.
#[test]
fn what_is_said_of_a_required_plugin_holds_while_it_does_not_run() {
    let plugins = json!({ "plugins": { "fails-on-demand": { "required": true } } });
    let scene = Scene::new("open", (true, true), plugins);
    let core = scene.host.core();
    let say = |fault: &str| {
        let of = |point| json!({ "point": point, "callback": FAILING, "fault_policy": fault });
        let said = json!([of(TaskDone::NAME), of(TaskAllowed::NAME), of(TaskSeen::NAME)]);
        let said: Vec<CallbackOverride> = serde_json::from_value(said).unwrap();
        core.override_callbacks("fails-on-demand", &said).unwrap();
    };
    let holds = |when: &str| {
        for fault in ["closed", "open", "closed", "rollback", "closed"] {
            say(fault);
            let (denies, is) = (fault == "closed", format!("{when}, {fault}"));
            let done = if denies { scene.denies("") } else { scene.goes_on::<TaskDone>("") };
            let allowed = if denies { scene.denies("") } else { scene.goes_on::<TaskAllowed>("") };
            assert_eq!(scene.dispatch::<TaskDone>(FINE), done, "{is}");
            assert_eq!(scene.dispatch::<TaskAllowed>(FINE), allowed, "{is}");
            assert_eq!(scene.dispatch::<TaskSeen>(FINE), scene.goes_on::<TaskSeen>(""), "{is}");
            assert_eq!(scene.specimen(TaskDone::NAME).status, CallbackStatus::Absent, "{is}");
        }
    };
    let works = |fault: &str| {
        assert_eq!(scene.dispatch::<TaskDone>(FINE), scene.goes_on::<TaskDone>("x"));
        assert_eq!(scene.dispatch::<TaskAllowed>(FINE), scene.goes_on::<TaskAllowed>("x"));
        assert_eq!(scene.specimen(TaskDone::NAME).fault_policy.name(), fault);
        say("open");
    };
    let plugin = scene.host.plugin("fails-on-demand").unwrap();
    core.halt(&plugin).unwrap();
    holds("halted");
    core.resume(&plugin).unwrap();
    works("closed");
    scene.host.stop(&plugin).unwrap();
    holds("stopped");
    scene.host.start(&plugin).unwrap();
    works("closed");
    assert!(scene.host.unload(&plugin).unwrap().is_unmapped());
    holds("unloaded");
    // SAFETY: our own library.
    unsafe { scene.host.load(zoo("fails_on_demand")) }.unwrap();
    // What is to outlive a plugin is kept by the store, and there is none.
    works("open");
}

#[test]
fn a_call_over_its_budget_is_counted_and_told_and_changes_nothing() {
    alone!();
    let hooks: Vec<_> = [TaskSeen::NAME, TaskDone::NAME, TaskAllowed::NAME]
        .map(|point| json!({ "point": point, "callback": FAILING, "budget": "2000us" }))
        .into();
    each_cell(json!({ "overrides": hooks }), |scene, _, dispatch, _, point| {
        let events = scene.host.events();
        let fine = dispatch(FINE);
        assert_eq!(dispatch(SLOW), fine);
        assert_eq!(scene.specimen(point).slow, 0, "nobody looks");
        for (count, level) in (1..).zip([StatsLevel::Count, StatsLevel::Histogram]) {
            scene.host.set_level(point, level).unwrap();
            assert_eq!(dispatch(SLOW), fine);
            assert_eq!(scene.specimen(point).slow, count);
            let EventKind::Slow { took_ns, budget_ns, .. } = next(&events) else { panic!("it was slow") };
            assert!(took_ns >= 3_000_000 && budget_ns == 2_000_000);
        }
        assert_eq!(scene.specimen(point).faults, 0);
    });
}

#[test]
fn a_budget_that_a_plugin_declares_holds_until_the_operator_says_another() {
    let operator = json!({ "point": MessagePublish::NAME, "callback": "declares-a-budget/dawdle", "budget": "60s" });
    for (hooks, budget, slow) in [(json!([]), 500_000, 1), (json!([operator]), 60_000_000_000, 0)] {
        let host = Host::new(serde_json::from_value(json!({ "overrides": hooks })).unwrap()).unwrap();
        // SAFETY: our own library.
        unsafe { host.load(zoo("declares_a_budget")) }.unwrap();
        host.set_level(MessagePublish::NAME, StatsLevel::Count).unwrap();
        let _ = host.point(MessagePublish).unwrap().dispatch(&mut Message::new("a", ""));
        let chain = |point| host.point_views().into_iter().find(|view| view.point == point).unwrap().chain;
        let its: Vec<_> = chain(MessagePublish::NAME).into_iter().filter(|it| it.name == "dawdle").collect();
        assert_eq!((its.len(), its[0].budget_ns, its[0].slow), (1, Some(budget), slow));
        let others: Vec<_> = chain(MessageDelivered::NAME).iter().map(|it| it.budget_ns).collect();
        assert_eq!(others, [Some(3_600_000_000_000), None]);
    }
}

#[test]
fn a_stuck_call_is_named_with_its_thread_and_changes_nothing() {
    alone!();
    // The machine may hold up any other call for a millisecond too.
    let is_its = |what: &EventKind| match what {
        EventKind::Stuck { callback, thread, .. } => callback == FAILING && thread == "the-stuck-one",
        _ => false,
    };
    each_cell(json!({ "limits": { "stuck": "1ms" } }), |scene, _, dispatch, _, point| {
        let events = scene.host.events();
        let (hold, fine) = (Hold::default(), dispatch(FINE));
        let hold_at = std::ptr::from_ref(&hold).expose_provenance();
        std::thread::scope(|threads| {
            let stuck = std::thread::Builder::new().name("the-stuck-one".into());
            let stuck = stuck.spawn_scoped(threads, || dispatch_held_on(scene, point, STUCK, hold_at));
            // The scope waits for the thread.
            let let_go = LetGo(&hold);
            let what = std::iter::from_fn(|| Some(next(&events))).find(is_its).unwrap();
            let EventKind::Stuck { point: found, thread_id, took_ms, .. } = &what else { panic!("{what:?}") };
            assert_eq!(found, point);
            assert!(*thread_id > 0 && *took_ms >= 1, "{what:?}");
            assert_eq!(dispatch(FINE), fine, "others are not held up");
            eventually("it is the only one", || scene.specimen(point).stuck_now == 1);
            let health = || scene.host.plugin_views()[0].health;
            assert_eq!(health(), Health::Degraded);
            drop(let_go);
            eventually("it is seen to be back", || health() == Health::Good);
            assert_eq!(stuck.unwrap().join().unwrap(), fine);
        });
        assert!(!events.try_iter().any(|event| is_its(&event.what)), "it is told once");
        let specimen = scene.specimen(point);
        assert!(specimen.stuck >= 1 && specimen.faults == 0, "{specimen:?}");
    });
}

#[test]
fn dispatches_within_one_another_have_an_end() {
    let host = Host::new(Config::default()).unwrap();
    let (done, allowed) = (host.point(TaskDone).unwrap(), host.point(TaskAllowed).unwrap());
    let again = (done.clone(), allowed.clone());
    let deep = Callbacks::new("deep")
        .on(TaskDone, "again", Priority::new(1), move |task| {
            task.trail.push_str("d");
            if again.0.dispatch(task).is_denied() { Verdict::Deny(0) } else { Verdict::Continue }
        })
        .on(TaskAllowed, "again", Priority::new(1), move |task| {
            task.trail.push_str("g");
            if again.1.dispatch(task).is_denied() { Access::Deny(0) } else { Access::Continue }
        });
    host.register(deep).unwrap();
    for _ in 0..3 {
        let mut task = Task { cause: FINE, trail: Text::new(), hold: 0 };
        assert_eq!(done.dispatch(&mut task).decision(), Decision::Denied(0));
        assert_eq!(task.trail.as_str(), "d".repeat(64));
        let mut task = Task { cause: FINE, trail: Text::new(), hold: 0 };
        assert_eq!(allowed.dispatch(&mut task).decision(), Decision::Denied(0));
        assert_eq!(task.trail.as_str(), "g".repeat(64));
    }
}

#[test]
fn levels_and_traces_of_unknown_points_are_refused() {
    let host = Host::new(Config::default()).unwrap();
    assert_eq!(host.set_level("no.such", StatsLevel::Count).unwrap_err().code(), "HR0110");
    assert_eq!(host.trace("no.such", None::<TraceFilter>, 1).unwrap_err().code(), "HR0110");
}
