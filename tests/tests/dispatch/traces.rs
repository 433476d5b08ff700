//! What is told of a dispatch is what each callback did, and the time that it took itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use hookrail::{CallbackStatus, CallbackView, Callbacks, Config, Decision, Host, Priority, StatsLevel, TraceDecision};
use hookrail_abi::{Payload, Point, Result, Text, points};
use hookrail_tests::alone;
use hookrail_tests::probe::{LONG, eventually};
use serde_json::{Value, json};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What copying a payload and telling of a fault take here.
const DAWDLES: Duration = Duration::from_secs(1);

/// Copying it takes its time.
#[repr(C)]
#[derive(Payload, serde::Serialize, serde::Deserialize)]
struct Sheet {
    text: Text,
    fails: bool,
    takes: bool,
}

impl Clone for Sheet {
    fn clone(&self) -> Self {
        if self.takes {
            sleep(DAWDLES);
        }
        Sheet { text: self.text.clone(), fails: self.fails, takes: self.takes }
    }
}

points! {
    /// A sheet is passed on.
    // SAFETY: a sheet owns its text.
    unsafe SheetPassed: "sheet.passed", 1, Fold<Sheet> { const DENIABLE: bool = true; }
}

/// Writes, and then fails if it is to.
fn write(sheet: &mut Sheet) -> Result<()> {
    sheet.text.push_str("w");
    if sheet.fails { Err("the pen broke".into()) } else { Ok(()) }
}

/// A host with a callback that may fail, and one after it.
fn host(policy: &str, more: Value) -> Host {
    let mut config = json!({ "points": { SheetPassed::NAME: { "fault_policy": policy } } });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let host = Host::new(serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let callbacks = Callbacks::new("desk").on(SheetPassed, "write", Priority::new(10), write).on(
        SheetPassed,
        "look",
        Priority::new(20),
        |_| (),
    );
    host.register(callbacks).unwrap();
    host
}

fn sheet(fails: bool, takes: bool) -> Sheet {
    Sheet { text: Text::new(), fails, takes }
}

fn callback(host: &Host, name: &str) -> CallbackView {
    let point = host.point_views().into_iter().find(|view| view.point == SheetPassed::NAME).unwrap();
    point.chain.into_iter().find(|callback| callback.name == name).unwrap()
}

/// The steps of the next dispatch, without the times.
fn steps(host: &Host, sheet: &mut Sheet) -> (Vec<Value>, (TraceDecision, Option<u32>)) {
    let traces = host.trace(SheetPassed::NAME, None, 1).unwrap();
    let _ = host.point(SheetPassed).unwrap().dispatch(sheet);
    let trace = traces.recv_timeout(LONG).unwrap();
    let step = |step: &hookrail::TraceStep| json!([step.callback, step.verdict, step.message, step.payload.is_some()]);
    (trace.steps.iter().map(step).collect(), (trace.decision, trace.code))
}

#[test]
fn a_step_is_what_its_callback_did_and_said() {
    alone!();
    for (policy, changes) in [("open", true), ("rollback", false)] {
        let host = host(policy, json!({}));
        let expected = vec![
            json!(["desk/write", "fault", "the pen broke", changes]),
            json!(["desk/look", "continue", null, false]),
        ];
        assert_eq!(steps(&host, &mut sheet(true, false)), (expected, (TraceDecision::Undecided, None)), "{policy}");
    }
}

#[test]
fn a_callback_that_is_not_called_is_a_step_with_the_reason() {
    alone!();
    for policy in ["open", "closed"] {
        let host = host(policy, json!({ "quarantine": { "faults": 1, "pause": "0ms" } }));
        let _ = host.point(SheetPassed).unwrap().dispatch(&mut sheet(true, false));
        eventually("it is quarantined", || callback(&host, "write").status == CallbackStatus::Quarantined);
        let (steps, came_to) = steps(&host, &mut sheet(true, false));
        let said = steps[0][2].as_str().unwrap();
        assert!(said.starts_with("quarantined: ") && said.ends_with("the pen broke"), "{said}");
        let expected = match policy {
            "open" => ("not-called", 2, (TraceDecision::Undecided, None)),
            _ => ("deny", 1, (TraceDecision::Denied, Some(0))),
        };
        assert_eq!((steps[0][1].as_str().unwrap(), steps.len(), came_to), expected);
    }
}

#[test]
fn handling_a_fault_is_charged_to_no_callback() {
    alone!();
    let _ = tracing::subscriber::set_global_default(Dawdles);
    let budget = json!({ "overrides": [{
        "point": SheetPassed::NAME, "callback": "desk/look", "budget": format!("{}us", DAWDLES.as_micros()),
    }] });
    let mut faults = 0;
    for (policy, fails, takes) in [("open", true, false), ("rollback", false, true)] {
        // The machine may hold this thread up in a callback for as long, which is charged to that; but not each time.
        eventually(&format!("{policy}: no callback took that long"), || {
            faults += u32::from(fails);
            let host = host(policy, budget.clone());
            host.set_level(SheetPassed::NAME, StatsLevel::Histogram).unwrap();
            let outcome = host.point(SheetPassed).unwrap().dispatch(&mut sheet(fails, takes));
            assert_eq!(outcome.decision(), Decision::Passed);
            ["write", "look"].into_iter().all(|name| {
                let view = callback(&host, name);
                let max = view.latency.as_ref().unwrap().max_ns;
                println!("{policy}: {name} took {max} ns");
                assert_eq!(view.calls.total, 1, "{policy}: {name}");
                Duration::from_nanos(max) < DAWDLES && view.slow == 0
            })
        });
    }
    assert_eq!(DAWDLED.load(Ordering::Relaxed), faults, "each fault was told");
}

/// How often it did.
static DAWDLED: AtomicU32 = AtomicU32::new(0);

/// A subscriber that takes its time over errors.
struct Dawdles;

impl Subscriber for Dawdles {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        if event.metadata().target().starts_with("hookrail::dispatch::fault") {
            DAWDLED.fetch_add(1, Ordering::Relaxed);
            sleep(DAWDLES);
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
