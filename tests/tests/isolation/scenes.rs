//! Hosts with a plugin in a worker.

use std::time::Duration;

use hookrail::{Config, HealthLimits, Isolation, PluginConfig, PluginView, WorkerLimits, WorkerView};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::{Scene, patient};

/// The configuration of a plugin in a worker of its own, which is given as long as a busy machine needs.
pub(crate) fn isolated(plugin: &str) -> Config {
    limited(plugin, limits())
}

/// Limits that no test is to reach by accident.
pub(crate) fn limits() -> WorkerLimits {
    let long = Duration::from_secs(120);
    WorkerLimits::default().with_deadline(long).with_patience(long)
}

/// The configuration of a plugin in a worker with these limits.
pub(crate) fn limited(plugin: &str, limits: WorkerLimits) -> Config {
    let plugin_config = PluginConfig::default().with_isolation(Isolation::WORKER).with_worker(limits);
    unasked().with_plugin(plugin, plugin_config)
}

/// A configuration by which nobody is asked how it is: a worker on a busy machine may be too late to say so, and is ended
/// then.
pub(crate) fn unasked() -> Config {
    // What crashes is reported there.
    let home = concat!(env!("CARGO_TARGET_TMPDIR"), "/isolation");
    patient().with_home(home).with_health(HealthLimits::default().with_every(Duration::ZERO))
}

/// The only plugin of a host.
pub(crate) fn only(scene: &Scene) -> PluginView {
    scene.host.plugin_views().pop().expect("a plugin is loaded")
}

/// The worker of the only plugin.
pub(crate) fn worker(scene: &Scene) -> WorkerView {
    only(scene).worker.expect("it runs in a worker")
}

/// Waits until the worker was started again that often: it serves before that is counted.
#[track_caller]
pub(crate) fn restarted(scene: &Scene, times: u64) {
    eventually(&format!("it was started again {times} times"), || worker(scene).restarts == times);
}

/// Tries what has to begin, and is ended then, within a limit of time, which is given with its text: with a short one, and
/// where this machine was too busy for that, with longer ones.
#[track_caller]
pub(crate) fn tried(it: impl Fn(Duration, &str) -> bool) {
    let limits = [(2, "2s"), (20, "20s"), (100, "1m 40s")];
    let is_so = limits.into_iter().any(|(seconds, text)| it(Duration::from_secs(seconds), text));
    assert!(is_so, "it never came to this, however long the time was");
}

/// How many faults the callbacks on `message.publish` have had.
pub(crate) fn faults(scene: &Scene) -> u64 {
    let points = scene.host.point_views();
    let publish = points.iter().find(|view| view.point == "message.publish").expect("a built-in point");
    publish.chain.iter().map(|callback| callback.faults).sum()
}

/// Whether a process is there, and has not ended.
pub(crate) fn alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// What the callback's last fault was.
pub(crate) fn last_fault(scene: &Scene) -> String {
    let points = scene.host.point_views();
    let last = points.into_iter().flat_map(|point| point.chain).find_map(|callback| callback.last_fault);
    last.expect("there was a fault").message
}
