//! The processes that a host starts for a plugin, and keeps alive: with the plugin in the host's process and in a worker.

use std::time::{Duration, Instant};

use hookrail::{Config, Decision, HealthLimits, Isolation, Message, PluginConfig};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::recorder::{Heard, heard, listen};
use hookrail_tests::scene::Scene;
use hookrail_tests::{alone, specimens, zoo};
use serde_json::json;

use crate::scenes::limits;

const PLUGIN: &str = "keeps-units";
const SPECIMEN: &str = "keeps_units";

/// Answers each order that it is given, and ends when it is told to.
const OBEDIENT: &str =
    "echo ready; while read order; do case $order in Shutdown) echo done; exit 0;; *) echo done;; esac; done";

/// A host with the plugin in its own process, and one with it in a worker; each with a home of its own.
fn both() -> [(Scene, tempfile::TempDir); 2] {
    [Isolation::InProcess, Isolation::WORKER].map(|isolation| {
        let home = tempfile::tempdir().unwrap();
        let scene = Scene::new(config(isolation).with_home(home.path()));
        (scene, home)
    })
}

fn config(isolation: Isolation) -> Config {
    let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
    let mut config = Config::default().with_plugin(PLUGIN, plugin);
    config.unload.deadline = LONG;
    config.health = HealthLimits::default().with_every(Duration::ZERO).with_ready(LONG);
    config
}

/// What the plugin answers.
fn ask(scene: &Scene, what: &str) -> String {
    let mut message = Message::new("a.b", what);
    let _ = scene.publish.dispatch(&mut message);
    String::from_utf8(message.body.as_slice().into()).unwrap()
}

/// Waits until the plugin answers so.
#[track_caller]
fn becomes(scene: &Scene, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + LONG;
    loop {
        let answer = ask(scene, what);
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: {answer}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The process of a unit that runs.
#[track_caller]
fn pid(scene: &Scene, unit: &str) -> u32 {
    let status = becomes(scene, &format!("status {unit}"), |status| status.starts_with("Running"));
    status.split(' ').nth(1).unwrap().parse().unwrap()
}

fn lives(pid: u32) -> bool {
    std::fs::exists(format!("/proc/{pid}")).unwrap()
}

#[test]
fn a_unit_is_started_spoken_with_and_ended() {
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        assert_eq!(ask(&scene, &format!("start-pinged a {OBEDIENT}")), "began");
        let pid = pid(&scene, "a");
        assert!(lives(pid));
        let events = becomes(&scene, "events a", |events| events.contains("Ping"));
        assert!(events.starts_with("started 1, Ping"), "{events}");
        assert_eq!(ask(&scene, "end a"), "told");
        let events = becomes(&scene, "events a", |events| events.ends_with("over"));
        assert!(events.ends_with("Shutdown, ended 1 Status(0), over"), "{events}");
        assert_eq!(ask(&scene, "status a"), "over");
        assert!(!lives(pid));
        assert_eq!(ask(&scene, &format!("start a {OBEDIENT}")), "began", "its name is free again");
        assert!(scene.unload(plugin).is_unmapped());
    }
}

#[test]
fn a_unit_that_ends_is_started_again_and_not_for_ever() {
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        ask(&scene, &format!("start a {OBEDIENT}"));
        let first = pid(&scene, "a");
        assert_eq!(ask(&scene, "signal a 9"), "true");
        let status = becomes(&scene, "status a", |status| {
            status.starts_with("Running") && !status.starts_with(&format!("Running {first} "))
        });
        assert!(status.ends_with(" 1: "), "{status}");
        let events = ask(&scene, "events a");
        assert_eq!(events, "started 1, ended 1 Signal(9), started 2");
        assert_eq!(ask(&scene, "signal a 1000"), "false");

        ask(&scene, "start-once b exit 3");
        let events = becomes(&scene, "events b", |events| events.ends_with("failed"));
        assert_eq!(events, "started 1, ended 1 Status(3), failed");
        assert!(ask(&scene, "status b").starts_with("Failed 0 0: "));
        assert!(scene.unload(plugin).is_unmapped());
    }
}

#[test]
fn what_its_processes_answer_is_what_people_see_of_it() {
    let script = |pong: &str| {
        format!("echo ready; while read order; do case $order in Shutdown) echo done; exit 0;; *) {pong};; esac; done")
    };
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        let unwell = script("echo 'unwell the disk is full'");
        ask(&scene, &format!("start-pinged unwell {unwell}"));
        let status = becomes(&scene, "status unwell", |status| status.starts_with("Error"));
        assert!(status.ends_with(": the disk is full"), "{status}");
        let not_ready = script("echo not-ready");
        ask(&scene, &format!("start-pinged not-ready {not_ready}"));
        becomes(&scene, "events not-ready", |events| events.contains("Ping"));
        becomes(&scene, "status not-ready", |status| status.starts_with("Init"));
        assert!(scene.unload(plugin).is_unmapped());
    }
}

#[test]
fn the_units_of_an_instance_end_before_it_is_stopped_and_those_that_do_not_are_killed() {
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        ask(&scene, &format!("start obedient {OBEDIENT}"));
        // It leaves a descendant that is in a session of its own.
        ask(&scene, "start-unheard unheard setsid sleep 1000 & exec sleep 1000");
        let obedient = pid(&scene, "obedient");
        becomes(&scene, "is-readable unheard", |answer| answer == "true");
        becomes(&scene, "is-readable obedient", |answer| answer == "false");
        let unheard = becomes(&scene, "status unheard", |status| status.starts_with("Init"));
        let unheard: u32 = unheard.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(lives(obedient) && lives(unheard));
        assert!(scene.unload(plugin).is_unmapped());
        assert!(!lives(obedient) && !lives(unheard));
    }
}

#[test]
fn what_cannot_be_a_unit_is_refused_with_the_reason() {
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        ask(&scene, &format!("start a {OBEDIENT}"));
        assert_eq!(ask(&scene, &format!("start a {OBEDIENT}")), "it has a unit named `a` already");
        let refused = ask(&scene, &format!("start ../a {OBEDIENT}"));
        assert_eq!(refused, format!("the name `{PLUGIN}.../a` is no name of a unit"));
        assert_eq!(ask(&scene, "start-program b /no/such/program"), "began");
        let status = becomes(&scene, "status b", |status| status.contains("/no/such/program"));
        assert!(status.contains("No such file"), "{status}");
        assert!(scene.unload(plugin).is_unmapped());
    }
}

#[test]
fn two_hosts_do_not_have_one_unit() {
    let home = tempfile::tempdir().unwrap();
    let first = Scene::new(config(Isolation::InProcess).with_home(home.path()));
    let plugin = first.load(zoo(SPECIMEN));
    ask(&first, &format!("start a {OBEDIENT}"));
    pid(&first, "a");
    // In one program, as a generation waits for the other one.
    let second = Scene::new(config(Isolation::WORKER).with_home(home.path()));
    let other = second.load(zoo(SPECIMEN));
    assert_eq!(ask(&second, &format!("start a {OBEDIENT}")), "began");
    let status = becomes(&second, "status a", |status| status.starts_with("Waiting"));
    assert_eq!(status, "Waiting 0 0: the one before it, of that name, has not ended yet");
    assert!(first.unload(plugin).is_unmapped());
    pid(&second, "a");
    assert!(second.unload(other).is_unmapped());
}

/// A host that was killed leaves a guardian, which has the name until what the unit had started is gone.
#[test]
fn a_host_that_is_started_again_waits_for_what_is_left_of_the_one_before_and_for_no_other() {
    let home = tempfile::tempdir().unwrap();
    let scene = Scene::new(config(Isolation::InProcess).with_home(home.path()));
    let plugin = scene.load(zoo(SPECIMEN));
    std::fs::create_dir_all(home.path().join("units")).unwrap();
    let held = |name: &str, by: u32| {
        let path = home.path().join(format!("units/{PLUGIN}.{name}.lock"));
        std::fs::write(&path, format!("{by}\n")).unwrap();
        let file = std::fs::File::open(path).unwrap();
        file.lock().unwrap();
        file
    };
    // No process has such a number.
    let ended = held("a", u32::MAX / 2);
    assert_eq!(ask(&scene, &format!("start a {OBEDIENT}")), "began");
    becomes(&scene, "status a", |status| status.starts_with("Waiting"));
    drop(ended);
    pid(&scene, "a");
    let other = std::os::unix::process::parent_id();
    let _lives = held("b", other);
    let refused = ask(&scene, &format!("start b {OBEDIENT}"));
    assert!(refused.ends_with(&format!("is there already, held by process {other}")), "{refused}");
    assert!(scene.unload(plugin).is_unmapped());
}

#[test]
fn a_unit_passes_from_one_generation_to_the_next() {
    for isolation in [Isolation::InProcess, Isolation::WORKER] {
        let home = tempfile::tempdir().unwrap();
        let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
        let plugin = plugin.with_config(json!({ "script": OBEDIENT }));
        let config = config(Isolation::InProcess).with_home(home.path()).with_plugin(PLUGIN, plugin);
        let scene = Scene::new(config);
        let plugin = scene.load(zoo(SPECIMEN));
        let before = pid(&scene, "own");
        // SAFETY: our own library.
        unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap().old.wait();
        assert_ne!(pid(&scene, "own"), before);
        assert!(!lives(before), "there is one at a time");
    }
}

#[test]
fn a_worker_that_ends_takes_its_units_along() {
    let (scene, _home) = both().into_iter().nth(1).unwrap();
    let plugin = scene.load(zoo(SPECIMEN));
    ask(&scene, &format!("start a {OBEDIENT}"));
    let before = pid(&scene, "a");
    ask(&scene, "abort");
    eventually("its process has ended", || !lives(before));
    assert_eq!(ask(&scene, "status a"), "unknown", "it is another process by now");
    assert_eq!(ask(&scene, &format!("start a {OBEDIENT}")), "began");
    assert_ne!(pid(&scene, "a"), before);
    assert!(scene.unload(plugin).is_unmapped());
}

#[test]
fn a_plugin_in_c_has_a_unit() {
    for isolation in [Isolation::InProcess, Isolation::WORKER] {
        let home = tempfile::tempdir().unwrap();
        let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
        let scene =
            Scene::new(config(Isolation::InProcess).with_home(home.path()).with_plugin("keeps-a-unit-in-c", plugin));
        let plugin = scene.load(specimens::c("keeps_a_unit"));
        let mut message = Message::new("a.b", "through a process");
        assert!(scene.publish.dispatch(&mut message).decision() == Decision::Passed);
        assert_eq!(message.header("said"), Some("through a process"));
        assert!(scene.unload(plugin).is_unmapped());
    }
}

#[test]
fn what_a_unit_writes_to_its_stderr_is_logged_line_by_line() {
    alone!();
    listen();
    for (scene, _home) in both() {
        let plugin = scene.load(zoo(SPECIMEN));
        ask(&scene, &format!("start a echo 'a line'; printf 'half of one' >&2; echo ' and the rest' >&2; {OBEDIENT}"));
        let is_it = |heard: &Heard| {
            heard.message().ends_with("half of one and the rest")
                && heard.field("instance") == Some(&format!("text {PLUGIN:?}"))
                && heard.field("unit") == Some(r#"text "a""#)
        };
        eventually("it is logged", || heard().iter().any(is_it));
        assert!(scene.unload(plugin).is_unmapped());
        listen();
    }
}
