//! Looking at dispatches: what is counted is exact, what is traced is shown, and looking changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::TryRecvError;
use std::thread::scope;

use hookrail::{
    Access, CallbackView, Callbacks, Config, Decision, Host, Message, PointView, Priority, StatsLevel, StepVerdict,
    TraceDecision, TraceFilter, Verdict,
};
use hookrail::{MessageDelivered, MessagePublish};
use hookrail_abi::{Payload, Point, Secret, Text, points};
use hookrail_tests::counter::Raise;
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::scene::patient;
use hookrail_tests::tasks::{FINE, Task, TaskDone};
use hookrail_tests::zoo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[repr(C)]
#[derive(Payload, Clone, Debug, Serialize, Deserialize)]
struct Login {
    user: Text,
    password: Secret,
    tries: u64,
}

points! {
    /// Somebody logs in.
    // SAFETY: a login owns its texts.
    unsafe LoginChecked: "login.checked", 1, Fold<Login> { const DENIABLE: bool = true; }

    /// A number is judged.
    // SAFETY: a number owns all it holds.
    unsafe NumberJudged: "number.judged", 1, Gate<u64> {}
}

fn view(host: &Host, point: &str) -> PointView {
    host.point_views().into_iter().find(|view| view.point == point).unwrap()
}

fn callback(host: &Host, point: &str, instance: &str) -> CallbackView {
    view(host, point).chain.into_iter().find(|callback| callback.instance == instance).unwrap()
}

/// Every third number is allowed at once, every fifth denied, and the rest go on to the last.
fn judges(host: &Host) {
    let first = Callbacks::new("first").on(NumberJudged, "judge", Priority::new(1), |number| {
        match (*number % 3, *number % 5) {
            (0, _) => Access::Allow,
            (_, 0) => Access::Deny(5),
            _ => Access::Continue,
        }
    });
    let last = Callbacks::new("last").on(NumberJudged, "judge", Priority::new(2), |_| Access::Allow);
    host.register(first).unwrap();
    host.register(last).unwrap();
}

fn expected(number: u64) -> Decision {
    match (number % 3, number % 5) {
        (0, _) => Decision::Allowed,
        (_, 0) => Decision::Denied(5),
        _ => Decision::Allowed,
    }
}

#[test]
fn calls_of_all_threads_are_counted_exactly() {
    const THREADS: u64 = 4;
    const EACH: u64 = 15_000;
    for level in [StatsLevel::Count, StatsLevel::Histogram] {
        let host = Host::new(Config::default()).unwrap();
        let point = host.point(NumberJudged).unwrap();
        judges(&host);
        host.set_level(NumberJudged::NAME, level).unwrap();
        scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for mut number in 0..EACH {
                        assert_eq!(point.dispatch(&mut number).decision(), expected(number));
                    }
                });
            }
        });
        let [first, last] = ["first", "last"].map(|instance| callback(&host, NumberJudged::NAME, instance));
        let all = THREADS * EACH;
        // Of 15 numbers in a row 5 are multiples of three, and 2 more are multiples of five.
        assert_eq!((first.calls.total, first.calls.skipped, first.calls.denied), (all, all / 3, all / 15 * 2));
        assert_eq!((last.calls.total, last.calls.skipped, last.calls.denied), (all / 15 * 8, all / 15 * 8, 0));
        let point = view(&host, NumberJudged::NAME);
        assert_eq!((point.level, point.dispatches, point.empty), (level, all, 0));
        let timed = first.latency.map(|latency| latency.timed);
        assert_eq!(timed, (level == StatsLevel::Histogram).then_some(all));
        if let Some(latency) = first.latency {
            assert!(latency.p50_ns <= latency.p99_ns && latency.p999_ns <= latency.max_ns, "{latency:?}");
        }
    }
}

/// A point that nobody hooks is not looked at by anybody, until it is counted.
#[test]
fn dispatches_without_callbacks_are_counted_too() {
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(NumberJudged).unwrap();
    let _ = point.dispatch(&mut 1);
    host.set_level(NumberJudged::NAME, StatsLevel::Count).unwrap();
    assert!(!point.is_hooked(), "counting is no callback");
    for _ in 0..7 {
        assert_eq!(point.dispatch(&mut 1).decision(), Decision::Denied(0), "the gate's own answer");
    }
    let counted = view(&host, NumberJudged::NAME);
    assert_eq!((counted.dispatches, counted.empty), (7, 7));
    host.set_level(NumberJudged::NAME, StatsLevel::Off).unwrap();
    let _ = point.dispatch(&mut 1);
    assert_eq!(view(&host, NumberJudged::NAME).dispatches, 7, "what was counted stays");
}

/// While others dispatch, and with dispatches of theirs between the changes. The host has counted each of
/// them where it is never off, and no more than there were where it is.
#[test]
fn changing_the_level_changes_no_verdict_and_loses_no_call() {
    for levels in
        [&[StatsLevel::Count, StatsLevel::Histogram][..], &[StatsLevel::Count, StatsLevel::Histogram, StatsLevel::Off]]
    {
        let host = Host::new(Config::default()).unwrap();
        let point = host.point(NumberJudged).unwrap();
        judges(&host);
        host.set_level(NumberJudged::NAME, StatsLevel::Count).unwrap();
        let (over, calls, seen) = (AtomicBool::new(false), Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
        let counts = calls.clone();
        let counter = Callbacks::new("counter").on(NumberJudged, "count", Priority::new(0), move |_| {
            counts.fetch_add(1, Ordering::Relaxed);
        });
        host.register(counter).unwrap();
        scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    let mut number = 0;
                    while !over.load(Ordering::SeqCst) {
                        assert_eq!(point.dispatch(&mut { number }).decision(), expected(number));
                        number += 1;
                    }
                    seen.fetch_add(number, Ordering::SeqCst);
                });
            }
            let _over = Raise(&over);
            for _ in 0..100 {
                let before = calls.load(Ordering::Relaxed);
                for level in levels.iter().cycle().take(30) {
                    host.set_level(NumberJudged::NAME, *level).unwrap();
                }
                let traces = host.trace(NumberJudged::NAME, None, 3).unwrap();
                std::iter::from_fn(|| traces.recv_timeout(LONG).ok()).for_each(drop);
                eventually("others dispatch", || calls.load(Ordering::Relaxed) > before);
            }
        });
        let (calls, seen) = (calls.load(Ordering::SeqCst), seen.load(Ordering::SeqCst));
        assert_eq!(calls, seen, "each dispatch ran each callback once");
        let counted = callback(&host, NumberJudged::NAME, "counter").calls.total;
        let dispatches = view(&host, NumberJudged::NAME).dispatches;
        assert_eq!(counted, dispatches);
        if levels.contains(&StatsLevel::Off) { assert!(counted <= seen) } else { assert_eq!(counted, seen) }
    }
}

#[test]
fn only_dispatches_at_level_off_go_uncounted() {
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(NumberJudged).unwrap();
    judges(&host);
    let levels = [
        StatsLevel::Off,
        StatsLevel::Count,
        StatsLevel::Off,
        StatsLevel::Histogram,
        StatsLevel::Count,
        StatsLevel::Histogram,
    ];
    let mut counted = 0;
    for (count, level) in (0..600).zip(levels.into_iter().cycle()) {
        host.set_level(NumberJudged::NAME, level).unwrap();
        let traces = (count % 5 == 0).then(|| host.trace(NumberJudged::NAME, None, 2).unwrap());
        for mut number in 0..count % 7 {
            assert_eq!(point.dispatch(&mut number).decision(), expected(number));
            counted += u64::from(level != StatsLevel::Off);
        }
        drop(traces);
        let calls = callback(&host, NumberJudged::NAME, "first").calls.total;
        assert_eq!((calls, view(&host, NumberJudged::NAME).dispatches), (counted, counted), "{level:?}");
    }
}

#[test]
fn a_trace_shows_each_step_and_masks_secrets() {
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(LoginChecked).unwrap();
    let rules = Callbacks::new("rules")
        .on(LoginChecked, "count", Priority::new(1), |login| login.tries += 1)
        .on(LoginChecked, "look", Priority::new(2), |_| ())
        .on(LoginChecked, "limit", Priority::new(3), |login| {
            if login.tries > 3 { Verdict::Deny(9) } else { Verdict::Continue }
        });
    host.register(rules).unwrap();
    let login = |user: &str, tries| Login { user: user.into(), password: Secret::from("hunter2"), tries };
    let filter: TraceFilter = "user=eve".parse().unwrap();
    let traces = host.trace(LoginChecked::NAME, Some(filter), 2).unwrap();
    for (user, tries) in [("bob", 0), ("eve", 0), ("eve", 3), ("eve", 4)] {
        let _ = point.dispatch(&mut login(user, tries));
    }
    let taken: Vec<_> = std::iter::from_fn(|| traces.recv_timeout(LONG).ok()).collect();
    assert_eq!(taken.len(), 2);
    let trace = &taken[1];
    assert_eq!(trace.payload, json!({ "user": "eve", "password": "***", "tries": 3 }));
    let steps: Vec<_> = trace.steps.iter().map(|step| (&*step.callback, step.verdict, step.payload.clone())).collect();
    let changed = json!({ "user": "eve", "password": "***", "tries": 4 });
    assert_eq!(
        steps,
        [
            ("rules/count", StepVerdict::Continue, Some(changed)),
            ("rules/look", StepVerdict::Continue, None),
            ("rules/limit", StepVerdict::Deny, None)
        ]
    );
    assert_eq!((trace.decision, trace.code, trace.steps[2].code), (TraceDecision::Denied, Some(9), Some(9)));
    assert_eq!((taken[0].decision, taken[0].code), (TraceDecision::Undecided, None));
    assert!(std::thread::current().name().unwrap().starts_with(&trace.thread) && trace.thread_id > 0, "{trace:?}");
    assert!(!format!("{taken:?}").contains("hunter2"));
    assert_eq!(view(&host, LoginChecked::NAME).level, StatsLevel::Off);
    drop(traces);
    assert_eq!(point.dispatch(&mut login("eve", 0)).decision(), Decision::Passed);
}

/// A payload that stays in the process has no form that could be shown, nor a field to choose by.
#[test]
fn a_trace_of_a_payload_that_stays_in_the_process_shows_each_step_without_it() {
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(TaskDone).unwrap();
    let rules = Callbacks::new("rules").on(TaskDone, "edit", Priority::new(1), |task| task.trail.push_str("e")).on(
        TaskDone,
        "limit",
        Priority::new(2),
        |task| {
            if task.hold > 3 { Verdict::Deny(9) } else { Verdict::Continue }
        },
    );
    host.register(rules).unwrap();
    let chosen = host.trace(TaskDone::NAME, Some("hold=4".parse().unwrap()), 1).unwrap();
    let traces = host.trace(TaskDone::NAME, None, 2).unwrap();
    for (hold, decision) in [(3, Decision::Passed), (4, Decision::Denied(9))] {
        let mut task = Task { cause: FINE, trail: Text::new(), hold };
        assert_eq!((point.dispatch(&mut task).decision(), task.trail.as_str()), (decision, "e"));
    }
    let taken: Vec<_> = std::iter::from_fn(|| traces.recv_timeout(LONG).ok()).collect();
    let decisions: Vec<_> = taken.iter().map(|trace| (trace.decision, trace.code)).collect();
    assert_eq!(decisions, [(TraceDecision::Undecided, None), (TraceDecision::Denied, Some(9))]);
    for (trace, limit) in taken.iter().zip([StepVerdict::Continue, StepVerdict::Deny]) {
        assert_eq!(trace.payload, Value::Null);
        let steps: Vec<_> =
            trace.steps.iter().map(|step| (&*step.callback, step.verdict, step.payload.as_ref())).collect();
        assert_eq!(steps, [("rules/edit", StepVerdict::Continue, None), ("rules/limit", limit, None)]);
    }
    assert_eq!(chosen.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_trace_is_not_waited_for_beyond_its_time() {
    let host = Host::new(Config::default()).unwrap();
    let traces = host.trace(MessagePublish::NAME, None, 1).unwrap();
    assert_eq!(traces.try_recv(), Err(TryRecvError::Empty));
}

/// An unloading waits for readers, also for those in a chain that is looked at.
#[test]
fn a_plugin_is_replaced_and_unloaded_while_it_is_looked_at() {
    let host = Host::new(patient()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    host.set_level(MessagePublish::NAME, StatsLevel::Histogram).unwrap();
    host.set_level(MessageDelivered::NAME, StatsLevel::Count).unwrap();
    let over = AtomicBool::new(false);
    scope(|threads| {
        let _over = Raise(&over);
        for _ in 0..2 {
            threads.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(publish.dispatch(&mut Message::new("a.b", "text")).decision(), Decision::Passed);
                }
            });
        }
        for round in 1..=5 {
            // SAFETY: our own libraries.
            let plugin = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
            let calls = || callback(&host, MessagePublish::NAME, "hello").calls.total;
            eventually("it is called", || calls() > 0);
            let before = calls();
            // SAFETY: our own library.
            unsafe { host.upgrade(&plugin, hookrail_tests::plugin("hello")) }.unwrap();
            assert!(calls() >= before, "a new build goes on with the counts of the old one");
            assert!(host.unload(&plugin).unwrap().is_unmapped(), "round {round}");
        }
        // SAFETY: our own library.
        let specimen = unsafe { host.load(zoo("panics_in_callback")) }.unwrap();
        let _ = publish.dispatch(&mut Message::new("a.b", "boom"));
        assert!(host.unload(&specimen).unwrap().is_unmapped());
    });
}
