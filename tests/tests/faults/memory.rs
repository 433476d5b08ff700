//! Memory that plugins count: exactly, whoever allocates and frees it; with a quota that quarantines and
//! harms nobody else; and with a report of what is left in the end.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use hookrail::{
    CallbackStatus, Callbacks, Config, Decision, End, Event, EventKind, Events, Host, Memory, MemoryView, PluginHandle,
    Priority, inspect,
};
use hookrail_abi::Point;
use hookrail_tests::blocks::*;
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::tasks::*;
use hookrail_tests::zoo;
use serde_json::{Value, json};

const NAME: &str = "holds-memory";

/// What is left of every plugin that counts: the receiver of its `tracing`, which the SDK puts there.
const OURS: Memory = Memory::new(16, 1);

/// A host with the specimen that counts its memory.
struct Scene {
    host: Host,
    plugin: PluginHandle,
}

impl Scene {
    /// Nobody asks for its health: a thread that does so may hold memory of it for a moment. And what threads have left
    /// of it is not given up where they are late.
    fn new(config: Value) -> Self {
        let mut config: Config = serde_json::from_value(config).unwrap();
        config.health.every = Duration::ZERO;
        config.unload.deadline = LONG;
        let host = Host::new(config).unwrap();
        host.point(TaskSeen).unwrap();
        host.point(TaskDone).unwrap();
        // SAFETY: our own library.
        let plugin = unsafe { host.load(zoo("holds_memory")) }.unwrap();
        let scene = Scene { host, plugin };
        // What a thread and a dispatch need once is not what is counted here.
        scene.tell(KEEP_ON_A_THREAD, 1);
        scene.tell(FREE, 0);
        scene
    }

    /// On a point where others do not stand in the way.
    fn tell(&self, cause: u32, hold: usize) {
        assert_eq!(self.dispatch::<TaskSeen>(cause, hold), Decision::Passed);
    }

    fn dispatch<P: Point<Payload = Task>>(&self, cause: u32, hold: usize) -> Decision {
        let mut task = Task { cause, trail: NAME.into(), hold };
        self.host.point(P::default()).unwrap().dispatch(&mut task).decision()
    }

    fn memory(&self) -> MemoryView {
        memory(&self.host, NAME).expect("it counts")
    }

    /// What it holds more after `run`.
    fn more(&self, run: impl FnOnce()) -> (i64, i64) {
        let before = self.memory().held;
        run();
        let after = self.memory().held;
        let more = |after: u64, before: u64| after as i64 - before as i64;
        (more(after.bytes, before.bytes), more(after.allocations, before.allocations))
    }

    fn standings(&self) -> Vec<(String, CallbackStatus, Option<String>)> {
        let chains = self.host.point_views().into_iter().flat_map(|point| point.chain);
        let ours = chains.filter(|callback| callback.instance != "hookrail");
        ours.map(|callback| (callback.instance, callback.status, callback.reason)).collect()
    }

    /// Whether all its callbacks stand so.
    fn is(&self, status: CallbackStatus) -> bool {
        let mut its = self.standings().into_iter().filter(|(instance, ..)| instance == NAME);
        its.all(|(_, its, _)| its == status)
    }

    fn end(self) -> (End, Option<Memory>) {
        let ticket = self.host.begin_unload(&self.plugin).unwrap();
        (ticket.wait_timeout(LONG), ticket.unfreed_memory())
    }
}

fn memory(host: &Host, name: &str) -> Option<MemoryView> {
    host.plugin_views().into_iter().find(|plugin| plugin.name == name).unwrap().memory
}

#[test]
fn every_way_to_allocate_is_counted_exactly() {
    let scene = Scene::new(json!({}));
    for (cause, size, more) in [
        (KEEP, 100, (100, 1)),
        (RESIZE, 1000, (900, 0)),
        (RESIZE, 10, (-990, 0)),
        (KEEP_ZEROED, 70_000, (70_000, 1)),
        (KEEP_ALIGNED, 3, (3, 1)),
        (RESIZE, 5000, (4997, 0)),
        (KEEP_ON_A_THREAD, 50, (50, 1)),
        (CHURN, 100, (0, 0)),
        (FREE, 0, (-10 - 70_000 - 5000 - 50, -4)),
    ] {
        assert_eq!(scene.more(|| scene.tell(cause, size)), more, "{cause} {size}");
    }
    let before = scene.memory().total_allocations;
    scene.tell(CHURN, 100);
    assert_eq!(scene.memory().total_allocations - before, 100);
}

/// It lives on the process's malloc, and may be freed by anybody.
#[test]
fn a_payload_is_not_counted() {
    let scene = Scene::new(json!({}));
    let mut task = Task { cause: WRITE, trail: NAME.into(), hold: 100_000 };
    let point = scene.host.point(TaskDone).unwrap();
    assert_eq!(scene.more(|| _ = point.dispatch(&mut task)), (0, 0));
    assert_eq!(task.trail.len(), NAME.len() + 100_000);
}

#[test]
fn memory_may_be_freed_by_another_thread() {
    let scene = Scene::new(json!({}));
    thread::scope(|threads| {
        let keep = || scene.more(|| scene.tell(KEEP, 4000));
        assert_eq!(threads.spawn(keep).join().unwrap(), (4000, 1));
        let free = || scene.more(|| scene.tell(FREE, 0));
        assert_eq!(threads.spawn(free).join().unwrap(), (-4000, -1));
    });
}

#[test]
fn sixteen_threads_at_once_lose_no_count() {
    const THREADS: usize = 16;
    const ROUNDS: usize = 200;
    let scene = Scene::new(json!({}));
    let before = scene.memory().total_allocations;
    let more = scene.more(|| {
        thread::scope(|threads| {
            for number in 1..=THREADS {
                let scene = &scene;
                threads.spawn(move || {
                    (0..ROUNDS).for_each(|_| scene.tell(CHURN, 50));
                    scene.tell(KEEP, number);
                });
            }
        });
    });
    assert_eq!(more, ((1..=THREADS as i64).sum(), THREADS as i64));
    assert_eq!(scene.memory().total_allocations - before, (THREADS * (ROUNDS * 50 + 1)) as u64);
}

/// There is room for 256 of them; those beyond share.
#[test]
fn more_threads_than_have_a_place_of_their_own_lose_no_count() {
    const THREADS: usize = 400;
    let scene = Scene::new(json!({}));
    let all_are_there = Barrier::new(THREADS);
    let more = scene.more(|| {
        thread::scope(|threads| {
            for _ in 0..THREADS {
                let small = thread::Builder::new().stack_size(128 << 10);
                let spawned = small.spawn_scoped(threads, || {
                    all_are_there.wait();
                    scene.tell(CHURN, 50);
                    scene.tell(KEEP, 10);
                    all_are_there.wait();
                });
                spawned.unwrap();
            }
        });
    });
    assert_eq!(more, (10 * THREADS as i64, THREADS as i64));
    assert_eq!(scene.more(|| scene.tell(FREE, 0)), (-10 * THREADS as i64, -(THREADS as i64)));
}

#[test]
fn a_plugin_that_does_not_count_has_no_memory_view_and_no_quota() {
    let host = Host::new(serde_json::from_value(quota("keeps-a-thread-local", 1)).unwrap()).unwrap();
    // SAFETY: our own library.
    let plugin = unsafe { host.load(zoo("keeps_a_thread_local")) }.unwrap();
    assert_eq!(memory(&host, "keeps-a-thread-local"), None);
    let ticket = host.begin_unload(&plugin).unwrap();
    assert_eq!((ticket.wait_timeout(LONG), ticket.unfreed_memory()), (End::Unmapped, None));
}

#[test]
fn a_plugin_without_leaks_leaves_nothing_and_is_unmapped() {
    let scene = Scene::new(json!({}));
    scene.tell(KEEP, 100);
    scene.tell(KEEP_ON_A_THREAD, 100);
    assert_eq!(scene.end(), (End::Unmapped, Some(OURS)));
    assert!(!inspect(zoo("holds_memory")).unwrap().static_tls);
}

#[test]
fn memory_held_by_statics_is_reported_exactly_at_the_end() {
    let scene = Scene::new(json!({}));
    let (host, events) = (&scene.host, scene.host.events());
    scene.tell(LEAK, 7);
    let left = Some(Memory::new(OURS.bytes + 7 * LEAKED as u64, OURS.allocations + 7));
    // SAFETY: our own library.
    let upgraded = unsafe { host.upgrade(&scene.plugin, zoo("holds_memory")) }.unwrap();
    assert_eq!((upgraded.old.wait_timeout(LONG), upgraded.old.unfreed_memory()), (End::Unmapped, left));
    assert_eq!(host.history(NAME)[0].unfreed_memory, left);
    let mut ended = std::iter::from_fn(|| events.recv_timeout(LONG).ok()).map(|event| event.what);
    assert!(ended.any(|what| what == EventKind::ended(End::Unmapped, left)));
    // Its statics are its own.
    assert_eq!(scene.end(), (End::Unmapped, Some(OURS)));
}

/// A configuration in which that plugin may hold so much.
fn quota(plugin: &str, max: u64) -> Value {
    json!({
        "plugins": { plugin: { "max_memory": max }, "holds-memory-too": { "max_memory": max } },
        "points": { "task.done": { "fault_policy": "closed" } },
        "quarantine": { "pause": "0ms" },
        "limits": { "stuck": "0ms" },
    })
}

const MAX: u64 = 1 << 20;
const TOO_MUCH: usize = 2 << 20;

#[test]
fn a_plugin_that_is_over_its_quota_again_when_it_was_started_again_is_quarantined_again() {
    let scene = Scene::new(quota(NAME, MAX));
    let events = scene.host.events();
    let is_told =
        || while !matches!(events.recv_timeout(LONG).expect("it is told").what, EventKind::OverMemory { .. }) {};
    scene.tell(KEEP, TOO_MUCH);
    is_told();
    scene.host.stop(&scene.plugin).unwrap();
    scene.host.start(&scene.plugin).unwrap();
    // What it kept may have gone with its instance.
    scene.tell(KEEP, TOO_MUCH);
    is_told();
}

#[test]
fn only_the_plugin_over_its_quota_is_quarantined() {
    let scene = Scene::new(quota(NAME, MAX));
    let neighbour = Callbacks::new("neighbour").on(TaskSeen, "look", Priority::new(900), |_| ());
    scene.host.register(neighbour).unwrap();
    let events = scene.host.events();
    scene.tell(KEEP, TOO_MUCH);
    let told = events.recv_timeout(LONG).unwrap().what;
    assert!(matches!(told, EventKind::OverMemory { bytes, max_bytes: MAX, .. } if bytes > TOO_MUCH as u64), "{told:?}");
    for _ in 0..2 {
        let told = events.recv_timeout(LONG).unwrap().what;
        assert!(matches!(told, EventKind::Quarantined { .. }), "{told:?}");
    }
    for (instance, status, reason) in scene.standings() {
        if instance == NAME {
            assert_eq!(status, CallbackStatus::Quarantined);
            assert!(reason.unwrap().ends_with("bytes of memory, 1048576 are allowed"));
        } else {
            assert_eq!((status, reason), (CallbackStatus::Armed, None));
        }
    }
    let MemoryView { max_bytes, over, .. } = scene.memory();
    assert_eq!((max_bytes, over), (Some(MAX), true));
    // Closed denies, open goes on.
    assert_eq!(scene.dispatch::<TaskDone>(FREE, 0), Decision::Denied(0));
    assert_eq!(scene.dispatch::<TaskSeen>(FREE, 0), Decision::Passed);
    assert!(scene.memory().over, "it was not called");
    assert_eq!(scene.end(), (End::Unmapped, Some(OURS)));
}

#[test]
fn a_released_plugin_is_called_until_it_exceeds_its_quota_anew() {
    let scene = Scene::new(quota(NAME, MAX));
    let mut looks = Looks::of(&scene.host);
    scene.tell(KEEP, TOO_MUCH);
    eventually("it is quarantined", || scene.is(CallbackStatus::Quarantined));
    for point in [TaskDone::NAME, TaskSeen::NAME] {
        scene.host.unquarantine(point, &format!("{NAME}/obey")).unwrap();
    }
    looks.wait();
    // More of the same is nothing new.
    assert_eq!(scene.more(|| scene.tell(KEEP, TOO_MUCH)), (TOO_MUCH as i64, 1));
    looks.wait();
    assert!(scene.is(CallbackStatus::Armed));
    scene.tell(FREE, 0);
    looks.wait();
    scene.tell(KEEP, TOO_MUCH);
    eventually("it is quarantined again", || scene.is(CallbackStatus::Quarantined));
}

#[test]
fn a_new_generation_begins_with_nothing_and_is_called() {
    let scene = Scene::new(quota(NAME, MAX));
    scene.tell(KEEP, TOO_MUCH);
    eventually("it is quarantined", || scene.is(CallbackStatus::Quarantined));
    // SAFETY: our own library.
    unsafe { scene.host.upgrade(&scene.plugin, zoo("holds_memory")) }.unwrap();
    assert!(!scene.memory().over);
    assert_eq!(scene.more(|| scene.tell(KEEP, 1)), (1, 1));
}

#[test]
fn a_trial_waits_until_the_plugin_holds_less() {
    let mut config = quota(NAME, MAX);
    config["quarantine"]["pause"] = json!("1ms");
    // It outlives the plugin, whose thread looks at it, also if an assertion fails.
    let hold = Hold::default();
    let scene = Scene::new(config);
    let mut looks = Looks::of(&scene.host);
    let _let_go = LetGo(&hold);
    scene.tell(FREE_WHEN_LET_GO, (&raw const hold).expose_provenance());
    scene.tell(KEEP, TOO_MUCH);
    eventually("it is quarantined", || scene.is(CallbackStatus::Quarantined));
    looks.wait();
    looks.wait();
    assert!(scene.is(CallbackStatus::Quarantined), "though the pause is over");
    hold.let_go();
    eventually("it is to be tried", || scene.is(CallbackStatus::HalfOpen));
    assert!(!scene.memory().over);
    eventually("it works again", || {
        scene.dispatch::<TaskSeen>(FINE, 0);
        scene.dispatch::<TaskDone>(FINE, 0);
        scene.is(CallbackStatus::Armed)
    });
}

/// Waits until the host has looked at all plugins, by one that comes to hold too much.
struct Looks<'a> {
    host: &'a Host,
    events: Events,
    plugin: PluginHandle,
}

impl<'a> Looks<'a> {
    fn of(host: &'a Host) -> Self {
        // SAFETY: our own library.
        let plugin = unsafe { host.load(zoo("holds_memory_too")) }.unwrap();
        Looks { host, events: host.events(), plugin }
    }

    fn wait(&mut self) {
        // A new generation holds nothing.
        // SAFETY: our own library.
        unsafe { self.host.upgrade(&self.plugin, zoo("holds_memory_too")) }.unwrap();
        let mut task = Task { cause: KEEP, trail: "holds-memory-too".into(), hold: TOO_MUCH };
        let _ = self.host.point(TaskSeen).unwrap().dispatch(&mut task);
        let mut events = std::iter::from_fn(|| self.events.recv_timeout(LONG).ok());
        let is_over = |event: &Event| matches!(event.what, EventKind::OverMemory { .. });
        assert!(events.any(|event| event.plugin == self.plugin.name() && is_over(&event)));
    }
}
