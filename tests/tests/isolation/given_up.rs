//! A worker that ends again and again is given up: its plugin says so, its points answer by their policies, and whoever
//! starts the plugin, or replaces it by another build, starts it anew.

use std::time::Duration;

use hookrail::worker::Restarts;
use hookrail::{
    CallbackOverride, Config, Decision, End, Health, HealthLimits, Isolation, Message, PluginConfig, Quarantine,
    WorkerState,
};
use hookrail_abi::FaultPolicy;
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{alive, limited, limits, only, worker};

const PLUGIN: &str = "harms-its-worker";
const SPECIMEN: &str = "harms_its_worker";
const HOUR: Duration = Duration::from_secs(3600);

/// A host whose workers are given up when they have ended twice in a row, and which denies what its plugin cannot answer.
fn config() -> Config {
    let restarts = Restarts::default().with_first(Duration::from_millis(1)).with_limit(2);
    // One that has served for that long is not one that has failed to start.
    let restarts = restarts.with_longest(HOUR);
    let closed =
        CallbackOverride::new("message.publish", "harms-its-worker/harm").with_fault_policy(FaultPolicy::Closed);
    let often = HealthLimits::default().with_every(Duration::from_millis(10)).with_deadline(Duration::from_secs(120));
    let mut config = limited(PLUGIN, limits().with_restarts(restarts));
    // What is given up here is to stay so.
    config.upgrade.probation_faults = 0;
    config.with_quarantine(Quarantine::default().with_faults(0)).with_override(closed).with_health(often)
}

fn send(scene: &Scene, body: &str) -> (Decision, Option<u32>) {
    let mut message = Message::new("a.b", body);
    let decision = scene.publish.dispatch(&mut message).decision();
    (decision, message.header("process").map(|process| process.parse().unwrap()))
}

/// Has its worker end twice in a row.
#[track_caller]
fn give_up(scene: &Scene) {
    for _ in 0..2 {
        let (decision, process) = send(scene, "kill");
        assert!(matches!(decision, Decision::Denied(_)) && process.is_none(), "{decision:?}");
    }
    eventually("it is given up", || worker(scene).state == WorkerState::Failed);
    assert!(matches!(send(scene, "which").0, Decision::Denied(_)), "it goes on denying");
    eventually("people see it", || only(scene).health == Health::Failed);
    let reason = only(scene).reason.unwrap();
    assert!(reason.contains("its worker was given up: it was killed by SIGKILL"), "{reason}");
}

#[track_caller]
fn serves(scene: &Scene) {
    assert!(send(scene, "which").1.is_some(), "{:?}", worker(scene));
    eventually("its health is good again", || only(scene).health == Health::Good);
}

#[test]
fn a_plugin_whose_worker_was_given_up_is_started_anew() {
    let scene = Scene::new(config());
    let plugin = scene.load(zoo(SPECIMEN));
    for _ in 0..2 {
        give_up(&scene);
        scene.host.stop(&plugin).unwrap();
        scene.host.start(&plugin).unwrap();
        serves(&scene);
    }
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn a_plugin_whose_worker_was_given_up_is_replaced_and_moved() {
    let scene = Scene::new(config());
    let plugin = scene.load(zoo(SPECIMEN));
    give_up(&scene);
    // SAFETY: our own library.
    unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap().old.wait();
    serves(&scene);
    give_up(&scene);
    // SAFETY: as above; it is in another worker.
    unsafe { scene.host.move_to(&plugin, Isolation::Worker(Some("other".into()))) }.unwrap().old.wait();
    serves(&scene);
    give_up(&scene);
    assert_eq!(scene.unload(plugin), End::Unmapped, "what is not there is unloaded too");
}

#[test]
fn a_stopped_plugin_whose_worker_has_ended_is_started() {
    let scene = Scene::new(config());
    let plugin = scene.load(zoo(SPECIMEN));
    scene.host.stop(&plugin).unwrap();
    let process = worker(&scene).pid.unwrap();
    // SAFETY: the function takes two numbers; the process is our child's, and not yet reaped.
    unsafe { libc::kill(process as i32, libc::SIGKILL) };
    eventually("it has ended", || worker(&scene).state == WorkerState::Stopped && !alive(process));
    scene.host.start(&plugin).unwrap();
    serves(&scene);
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

/// Whoever is loaded while the worker is being started again finds one process with all plugins in it.
#[test]
fn a_plugin_that_enters_a_worker_that_is_down_finds_the_others_there() {
    for given_up in [false, true] {
        // After the second end it waits for so long.
        let pause = Duration::from_millis(300);
        let limit = if given_up { 2 } else { 100 };
        let restarts = Restarts::default().with_first(pause).with_longest(HOUR).with_limit(limit);
        let shared = |name: &str| {
            let plugin = PluginConfig::default().with_isolation(Isolation::Worker(Some("shared".into())));
            (name.to_owned(), plugin.with_worker(limits().with_restarts(restarts)))
        };
        let mut config = config().with_health(HealthLimits::default().with_every(Duration::ZERO));
        config.plugins.extend([shared(PLUGIN), shared("counter")]);
        let scene = Scene::new(config);
        let harms = scene.load(zoo(SPECIMEN));
        for _ in 0..2 {
            send(&scene, "kill");
        }
        if given_up {
            eventually("it is given up", || worker(&scene).state == WorkerState::Failed);
        }
        let counter = scene.load(zoo("counter_one"));
        let mut message = Message::new("a.b", "which");
        assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed);
        let process = message.header("process").expect("the first one is there").parse().unwrap();
        assert!(message.header("number").is_some(), "and so is the other");
        let workers: Vec<_> = scene.host.plugin_views().into_iter().map(|plugin| plugin.worker.unwrap().pid).collect();
        assert_eq!(workers, [Some(process); 2]);
        assert_eq!((scene.unload(harms), scene.unload(counter)), (End::Unmapped, End::Unmapped));
        assert!(!alive(process));
    }
}
