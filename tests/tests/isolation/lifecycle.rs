//! What a plugin is asked while it runs, in the host's process and in a worker: whether it is ready, how it is, that it
//! pauses and continues, and that it finishes what it holds.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hookrail::worker::Restarts;
use hookrail::{Config, End, EventKind, Events, Health, HealthLimits, InstanceConfig, PluginConfig, Status};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;
use serde_json::json;

use crate::scenes::{limits, only, worker};

const PLUGIN: &str = "says-how-it-is";
const SPECIMEN: &str = "says_how_it_is";
const SHORT: Duration = Duration::from_millis(20);

/// What the plugin is told to say, and what it was asked.
struct Told(tempfile::TempDir);

impl Told {
    fn new() -> Self {
        Told(tempfile::tempdir().unwrap())
    }

    /// From now on it says this in that function.
    fn says(&self, function: &str, what: &str) {
        // In one step, since it may be reading.
        let new = self.0.path().join("new");
        fs::write(&new, what).unwrap();
        fs::rename(new, self.0.path().join(function)).unwrap();
    }

    /// The functions that were called, but for those that are called again and again.
    fn notes(&self) -> Vec<String> {
        let notes = fs::read_to_string(self.0.path().join("notes")).unwrap_or_default();
        let repeated = ["health", "ready"];
        notes.lines().filter(|line| !repeated.contains(line)).map(Into::into).collect()
    }

    /// How often that function was called.
    fn asked(&self, function: &str) -> usize {
        let notes = fs::read_to_string(self.0.path().join("notes")).unwrap_or_default();
        notes.lines().filter(|line| *line == function).count()
    }
}

/// A host with the plugin in its own process, and one with it in a worker, each as `configured`.
fn both(configured: impl Fn(Config) -> Config) -> [(Scene, Told); 2] {
    [false, true].map(|isolated| {
        let told = Told::new();
        let plugin = PluginConfig::default().with_config(json!({ "directory": told.0.path() }));
        let plugin = match isolated {
            true => plugin.with_isolation(hookrail::Isolation::WORKER).with_worker(limits()),
            false => plugin,
        };
        let mut config = Config::default().with_plugin(PLUGIN, plugin);
        config.unload.deadline = LONG;
        config.health = HealthLimits::default().with_every(Duration::ZERO).with_ready(LONG);
        (Scene::new(configured(config)), told)
    })
}

/// The next event of that plugin that is not about an end.
fn next(events: &Events) -> EventKind {
    events.recv_timeout(LONG).unwrap().what
}

#[test]
fn callbacks_are_called_once_the_plugin_is_ready() {
    for (scene, told) in both(|config| config) {
        let scene = Arc::new(scene);
        told.says("ready", "partly it warms up");
        let loading = thread::spawn({
            let scene = scene.clone();
            move || scene.load(zoo(SPECIMEN))
        });
        eventually("it is asked", || told.asked("ready") > 0);
        assert_eq!(scene.dispatch(), None);
        told.says("ready", "");
        let plugin = loading.join().unwrap();
        assert_eq!(scene.dispatch().as_deref(), Some("1"));
        // The next generation too: meanwhile the former one goes on.
        told.says("ready", "partly it warms up");
        let asked = told.asked("ready");
        let upgrading = thread::spawn({
            let (scene, plugin) = (scene.clone(), plugin.clone());
            // SAFETY: our own library.
            move || unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap()
        });
        eventually("it is asked too", || told.asked("ready") > asked);
        assert_eq!(scene.dispatch().as_deref(), Some("2"));
        told.says("ready", "");
        upgrading.join().unwrap().old.wait();
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn a_plugin_that_is_not_ready_in_time_is_not_loaded_and_the_error_says_what_it_waits_for() {
    for (scene, told) in both(|mut config| {
        config.health.ready = SHORT;
        config
    }) {
        told.says("ready", "partly it looks for its server");
        // SAFETY: our own library.
        let load = || unsafe { scene.host.load(zoo(SPECIMEN)) }.unwrap_err();
        let error = load();
        let text = "says-how-it-is: it is not ready after 20ms: it looks for its server";
        assert_eq!((error.code(), &*error.to_string()), ("HR0411", text));
        told.says("ready", "no there is no such server");
        let error = load();
        assert_eq!(error.code(), "HR0402");
        assert!(
            error.to_string().contains("ready") && error.to_string().contains("there is no such server"),
            "{error}"
        );
        told.says("ready", "panic");
        assert_eq!(load().code(), "HR0402");
        assert_eq!(scene.dispatch(), None);
        told.says("ready", "");
        let plugin = scene.load(zoo(SPECIMEN));
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn what_a_plugin_says_of_its_health_is_shown_and_told_when_it_changes() {
    for (scene, told) in both(|mut config| {
        config.health = config.health.with_every(Duration::from_millis(1)).with_deadline(LONG);
        config
    }) {
        let plugin = scene.load(zoo(SPECIMEN));
        let events = scene.host.events();
        let worst = "not in health";
        for (says, health, reason) in [
            ("partly one of two servers is gone", Health::Degraded, Some("one of two servers is gone")),
            ("no both servers are gone", Health::Failed, Some("both servers are gone")),
            ("", Health::Good, None),
            ("panic", Health::Failed, Some("it was told to")),
            ("", Health::Good, None),
        ] {
            told.says("health", says);
            let EventKind::HealthChanged { health: is, reason: why, .. } = next(&events) else { panic!("{worst}") };
            assert_eq!(is, health, "{says}");
            assert!(why.as_deref().unwrap_or_default().contains(reason.unwrap_or_default()), "{says}: {why:?}");
            let view = only(&scene);
            assert_eq!((view.health, view.reason), (health, why), "{says}");
        }
        // Whatever it says, it is called, and it may be unloaded.
        assert!(scene.dispatch().is_some());
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn whoever_does_not_say_how_it_is_is_degraded_and_holds_up_nobody() {
    for (isolated, (scene, told)) in [false, true].into_iter().zip(both(|mut config| {
        // Long enough for who does answer.
        config.health = config.health.with_every(Duration::from_millis(1)).with_deadline(Duration::from_secs(1));
        // And its worker is ended as often as it takes until it is told otherwise.
        let restarts = Restarts::default().with_longest(Duration::from_millis(200)).with_limit(u32::MAX);
        config.plugins.get_mut(PLUGIN).unwrap().worker = limits().with_restarts(restarts);
        config
    })) {
        let events = scene.host.events();
        told.says("health", "hang");
        let plugin = scene.load(zoo(SPECIMEN));
        let is_silent = |what: EventKind| {
            matches!(what, EventKind::HealthChanged { health: Health::Degraded, reason: Some(reason), .. }
                if reason.contains("return") && reason.contains("within 1s"))
        };
        eventually("that is told", || events.try_iter().any(|event| is_silent(event.what)));
        if isolated {
            // What hangs in the next one is not about this one.
            eventually("another worker runs", || worker(&scene).restarts > 0);
            told.says("health", "");
        }
        eventually("messages go through", || scene.dispatch().is_some());
        told.says("health", "");
        eventually("it says that it is well", || only(&scene).health == Health::Good);
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn a_halted_plugin_is_called_by_nobody_and_goes_on_where_it_was() {
    for (scene, told) in both(|config| config) {
        let plugin = scene.load(zoo(SPECIMEN));
        let events = scene.host.events();
        assert_eq!(scene.dispatch().as_deref(), Some("1"));
        scene.host.halt(&plugin).unwrap();
        assert_eq!((scene.dispatch(), only(&scene).status), (None, Status::Halted));
        assert_eq!(only(&scene).instances, [PLUGIN]);
        let refused = |error: hookrail::Error| (error.code().to_owned(), error.to_string());
        let is_halted = || ("HR0107".to_owned(), "`says-how-it-is` is halted".to_owned());
        assert_eq!(refused(scene.host.halt(&plugin).unwrap_err()), is_halted());
        assert_eq!(refused(scene.host.start(&plugin).unwrap_err()), is_halted());
        // SAFETY: our own library.
        assert_eq!(refused(unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap_err()), is_halted());
        scene.host.reload(PLUGIN, &json!({ "directory": told.0.path() })).unwrap();
        scene.host.resume(&plugin).unwrap();
        assert_eq!((scene.dispatch().as_deref(), only(&scene).status), (Some("2"), Status::Running));
        assert_eq!(scene.host.resume(&plugin).unwrap_err().to_string(), "`says-how-it-is` is running");
        assert_eq!(told.notes(), ["start", "halt", "reload", "resume"]);
        assert_eq!([next(&events), next(&events)], [EventKind::Halted, EventKind::Resumed]);
        // From there it may be stopped, started again, and unloaded.
        scene.host.halt(&plugin).unwrap();
        assert_eq!(scene.host.stop(&plugin).unwrap(), Status::Stopped);
        scene.host.start(&plugin).unwrap();
        assert_eq!(scene.dispatch().as_deref(), Some("1"));
        scene.host.halt(&plugin).unwrap();
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn who_refuses_to_pause_or_to_go_on_stays_as_it_is() {
    for (scene, told) in both(|config| config) {
        let plugin = scene.load(zoo(SPECIMEN));
        for says in ["no it is writing", "panic"] {
            told.says("halt", says);
            let error = scene.host.halt(&plugin).unwrap_err();
            assert_eq!(error.code(), "HR0402", "{error}");
            assert!(says == "panic" || error.to_string().contains("it is writing"), "{error}");
            assert_eq!(only(&scene).status, Status::Running);
            assert!(scene.dispatch().is_some());
        }
        told.says("halt", "");
        scene.host.halt(&plugin).unwrap();
        told.says("resume", "no its server is gone");
        let error = scene.host.resume(&plugin).unwrap_err();
        assert!(error.to_string().contains("its server is gone"), "{error}");
        assert_eq!((scene.dispatch(), only(&scene).status), (None, Status::Halted));
        told.says("resume", "");
        scene.host.resume(&plugin).unwrap();
        assert!(scene.dispatch().is_some());
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn all_instances_halt_or_none() {
    for (scene, told) in both(|config| {
        let mut plugin = config.plugins[PLUGIN].clone();
        let config_of_each = InstanceConfig::default().with_config(std::mem::take(&mut plugin.config));
        config.with_plugin(PLUGIN, plugin.with_instance("a", config_of_each.clone()).with_instance("b", config_of_each))
    }) {
        let plugin = scene.load(zoo(SPECIMEN));
        told.says("halt", "no not now");
        scene.host.halt(&plugin).unwrap_err();
        assert_eq!(told.notes(), ["start", "start", "halt"], "the first one refuses, so the second one is not asked");
        told.says("halt", "");
        scene.host.halt(&plugin).unwrap();
        assert_eq!(scene.dispatch(), None);
        scene.host.resume(&plugin).unwrap();
        assert_eq!(told.notes()[3..], ["halt", "halt", "resume", "resume"]);
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn a_worker_that_is_started_again_is_halted_again() {
    let [_, (scene, told)] = both(|config| config);
    let plugin = scene.load(zoo(SPECIMEN));
    scene.host.halt(&plugin).unwrap();
    let pid = worker(&scene).pid.unwrap();
    // SAFETY: it is our own child, which has not been waited for.
    unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
    eventually("another one runs", || worker(&scene).restarts == 1);
    assert_eq!(told.notes(), ["start", "halt", "start", "halt"]);
    assert_eq!((scene.dispatch(), only(&scene).status), (None, Status::Halted));
    scene.host.resume(&plugin).unwrap();
    assert_eq!(scene.dispatch().as_deref(), Some("1"));
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn a_plugin_finishes_what_it_holds_before_it_is_stopped() {
    for (scene, told) in both(|config| config) {
        let plugin = scene.load(zoo(SPECIMEN));
        scene.host.stop(&plugin).unwrap();
        assert_eq!(told.notes(), ["start", "drain", "stop"]);
        scene.host.start(&plugin).unwrap();
        // SAFETY: our own library.
        unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap().old.wait();
        assert_eq!(told.notes()[3..], ["start", "drain", "save_changes", "stop"]);
        // What fails is told, and it is stopped all the same.
        told.says("drain", "panic");
        assert_eq!(scene.unload(plugin), End::Unmapped);
        assert_eq!(told.notes()[7..], ["drain", "stop"]);
        told.says("drain", "no the disk is full");
        let _again = scene.load(zoo(SPECIMEN));
        // With the host.
        drop(scene);
        assert_eq!(told.notes()[9..], ["start", "drain", "stop"]);
    }
}

#[test]
fn a_drain_that_does_not_end_ends_with_its_worker() {
    // It would hang for as long as its file is there. On a busy machine the time may be over before it is asked.
    let has_drained = |(limit, function): (Duration, &str)| {
        let [_, (scene, told)] = both(|mut config| {
            config.unload.deadline = limit;
            config
        });
        let plugin = scene.load(zoo(SPECIMEN));
        told.says(function, "hang");
        let ticket = scene.host.begin_unload(&plugin).unwrap();
        assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
        println!("{:?}", told.notes());
        told.notes() == ["start", function]
    };
    assert!([(SHORT, "drain-briefly"), (LONG / 2, "drain")].into_iter().any(has_drained));
}
