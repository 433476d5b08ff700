//! Whatever goes wrong in a callback, the log and the event name whose it was: instance, callback, point,
//! and the generation, also when that serves no more.

use std::sync::Mutex;

use hookrail::{Event, EventKind, Events, Host, PluginHandle, StatsLevel};
use hookrail_abi::{Point, Text};
use hookrail_tests::blocks::KEEP;
use hookrail_tests::listener::{Listener, fields};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::tasks::*;
use hookrail_tests::{alone, zoo};
use serde_json::json;

const MAX: u64 = 1 << 20;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

const LOG: Listener = Listener {
    wants: |metadata| metadata.target().starts_with("hookrail::") && *metadata.level() <= tracing::Level::WARN,
    hears: |event| LINES.lock().unwrap().push(fields(event)),
};

/// The second generation of a specimen serves, and what it says from now on is heard.
struct Scene {
    host: Host,
    plugin: PluginHandle,
    specimen: &'static str,
    events: Events,
}

impl Scene {
    fn new(specimen: &'static str, faults: u32) -> Self {
        let config = json!({
            "plugins": { "holds-memory": { "max_memory": MAX } },
            "overrides": [{ "point": TaskDone::NAME, "callback": "fails-on-demand/fail", "budget": "2000us" }],
            "limits": { "stuck": "1000ms" },
            "quarantine": { "faults": faults, "pause": "0ms" },
            "upgrade": { "probation_faults": 0 },
        });
        let host = Host::new(serde_json::from_value(config).unwrap()).unwrap();
        host.point(TaskSeen).unwrap();
        host.point(TaskDone).unwrap();
        host.point(TaskAllowed).unwrap();
        // SAFETY: our own library: its faults are those that the host looks for.
        let plugin = unsafe { host.load(zoo(specimen)) }.unwrap();
        let scene = Scene { events: host.events(), host, plugin, specimen };
        scene.upgrade();
        let _ = tracing::subscriber::set_global_default(LOG);
        LINES.lock().unwrap().clear();
        scene
    }

    fn upgrade(&self) {
        // SAFETY: as in `new`.
        unsafe { self.host.upgrade(&self.plugin, zoo(self.specimen)) }.unwrap();
    }

    fn dispatch(&self, cause: u32, hold: usize) {
        let mut task = Task { cause, trail: Text::from(self.plugin.name()), hold };
        let _ = self.host.point(TaskDone).unwrap().dispatch(&mut task);
    }

    /// The event of that sort: it has to be the second generation's.
    fn event(&self, is_it: fn(&EventKind) -> bool) {
        let found = std::iter::from_fn(|| self.events.recv_timeout(LONG).ok()).find(|event| is_it(&event.what));
        let Some(Event { plugin, generation, .. }) = found else { panic!("nothing of that sort is told") };
        assert_eq!((&*plugin, generation), (self.plugin.name(), 2));
    }

    /// The line in the log with that in it: it has to name the second generation, and the rest.
    fn line(&self, part: &str, names: &[&str]) {
        let find = || LINES.lock().unwrap().iter().find(|line| line.contains(part)).cloned();
        eventually(part, || find().is_some());
        let line = find().unwrap();
        for name in names.iter().chain(&["generation=2 "]) {
            assert!(line.contains(name), "`{name}` in: {line}");
        }
    }
}

const POINT: &str = "point=\"task.done\"";

#[test]
fn a_failing_callback_is_named_in_log_and_view() {
    alone!();
    let scene = Scene::new("fails_on_demand", 0);
    for (cause, part) in [
        (PANIC, "fault: panicked: as it was asked to"),
        (PANIC_ANY, "fault: panicked: "),
        (IMPOSSIBLE, "fault: it returned 77, which is not a verdict"),
        (PENDING, "fault: it is pending, and this host calls callbacks only synchronously"),
        (ALLOWS, "fault: it allowed, and task.done is not a gate"),
        (ERROR, "fault: it was asked to fail"),
    ] {
        LINES.lock().unwrap().clear();
        scene.dispatch(cause, 0);
        scene.line(part, &[POINT, "instance=\"fails-on-demand\"", "callback=\"fail\""]);
        let points = scene.host.point_views().into_iter().find(|view| view.point == TaskDone::NAME);
        let last = points.unwrap().chain[0].last_fault.clone().unwrap();
        assert_eq!(last.generation, Some(2));
        assert!(part.ends_with(&last.message) || last.message.starts_with("panicked: "), "{}", last.message);
    }
}

#[test]
fn a_quarantined_callback_is_named_in_log_and_event() {
    alone!();
    let scene = Scene::new("fails_on_demand", 1);
    scene.dispatch(ERROR, 0);
    scene.event(|what| matches!(what, EventKind::Quarantined { .. }));
    scene.line("fails-on-demand/fail is quarantined: ", &[POINT]);
}

#[test]
fn a_call_over_its_budget_is_named_in_log_and_event() {
    alone!();
    let scene = Scene::new("fails_on_demand", 0);
    scene.host.set_level(TaskDone::NAME, StatsLevel::Count).unwrap();
    scene.dispatch(SLOW, 0);
    scene.event(|what| matches!(what, EventKind::Slow { .. }));
    scene.line("fails-on-demand/fail took longer than it may", &[POINT]);
}

/// The third generation serves when the call of the second is found.
#[test]
fn a_stuck_call_is_named_in_log_and_event() {
    alone!();
    let scene = Scene::new("fails_on_demand", 0);
    let hold = Hold::default();
    let hold_at = std::ptr::from_ref(&hold).expose_provenance();
    std::thread::scope(|threads| {
        // The scope waits for the thread.
        let _let_go = LetGo(&hold);
        threads.spawn(|| scene.dispatch(STUCK, hold_at));
        eventually("the call has begun", || hold.is_entered());
        scene.upgrade();
        scene.event(|what| matches!(what, EventKind::Stuck { .. }));
        scene.line("fails-on-demand/fail has been in one call", &[POINT, "thread="]);
    });
}

#[test]
fn a_plugin_over_its_memory_is_named_in_log_and_event() {
    alone!();
    let scene = Scene::new("holds_memory", 0);
    scene.dispatch(KEEP, 2 * MAX as usize);
    scene.event(|what| matches!(what, EventKind::OverMemory { .. }));
    scene.event(|what| matches!(what, EventKind::Quarantined { .. }));
    scene.line("exceeds its memory limit", &["plugin=\"holds-memory\""]);
    scene.line("holds-memory/obey is quarantined: ", &["point=\"task.", "the plugin holds "]);
}
