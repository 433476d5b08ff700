//! What a plugin keeps on a thread is taken down once, by its own code, on that thread: at the thread's
//! end if that comes first, else when the plugin is unloaded and the thread comes by.

use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::without_provenance_mut;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::time::Duration;

use hookrail::End;
use hookrail_tests::executor::block_on;
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::scene::{Scene, config, prints};
use hookrail_tests::traffic::{THREADS, Traffic};
use hookrail_tests::{alone, has_peer, zoo, zoo_cpp};
use serde_json::json;

#[test]
fn destructors_that_begin_other_thread_locals_run_to_the_last() {
    alone!();
    takes_down_each(&zoo("keeps_nested_thread_locals"), "keeps-nested-thread-locals");
}

#[test]
fn destructors_of_cpp_run() {
    alone!();
    if has_peer("c++", "g++") {
        takes_down_each(&zoo_cpp("keeps_a_cpp_thread_local"), "keeps-a-cpp-thread-local");
    }
}

#[test]
fn destructors_of_keys_run() {
    alone!();
    takes_down_each(&zoo("makes_its_own_key"), "makes-its-own-key");
}

/// The threads that go on dispatching, one that ended before, and the one that unloads.
fn takes_down_each(file: &Path, name: &str) {
    let count = Count::new();
    let scene = count.scene(name);
    let plugin = scene.load(file);
    let traffic = Traffic::on(&scene.publish);
    traffic.meets_a_specimen();
    std::thread::scope(|scope| assert!(scope.spawn(|| scene.dispatch()).join().unwrap().is_some()));
    assert!(scene.dispatch().is_some());
    assert_eq!(scene.unload(plugin), End::Unmapped);
    traffic.passes();
    // The threads end: nothing of the plugin may be left for them to do.
    drop(traffic);
    assert_eq!(count.total(), THREADS + 2, "{name}");
}

#[test]
fn a_thread_may_end_while_what_it_keeps_is_being_unloaded() {
    const ROUNDS: usize = 50;
    alone!();
    let count = Count::new();
    let scene = count.scene("keeps-nested-thread-locals");
    for _ in 0..ROUNDS {
        let plugin = scene.load(zoo("keeps_nested_thread_locals"));
        let go = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(scene.dispatch().is_some());
                go.wait();
            });
            go.wait();
            assert_eq!(scene.unload(plugin), End::Unmapped);
        });
    }
    assert_eq!(count.total(), ROUNDS);
}

/// A thread that dispatched once and then does something else is reached by nobody: past the deadline
/// the end says so, or it has been given up. Either way it is safe when it comes back.
#[test]
fn an_idle_thread_is_not_waited_for_beyond_the_deadline() {
    alone!();
    for comes_back in [false, true] {
        let count = Count::new();
        let mut config = config("keeps-nested-thread-locals", json!({ "tell": count.descriptor() }));
        config.unload.deadline = Duration::from_millis(50);
        let scene = Scene::new(config);
        let plugin = scene.load(zoo("keeps_nested_thread_locals"));
        std::thread::scope(|scope| {
            let (dispatched, wait) = channel();
            let (unloaded, go_on) = channel::<()>();
            let borrowed = &scene;
            let idle = scope.spawn(move || {
                assert!(borrowed.dispatch().is_some());
                dispatched.send(()).unwrap();
                let _ = go_on.recv();
                if comes_back {
                    assert_eq!(borrowed.dispatch(), None);
                }
            });
            wait.recv().unwrap();
            let ticket = scene.host.begin_unload(&plugin).unwrap();
            let is_named = |end| matches!(end, End::PinnedByThreadLocals(1) | End::Unmapped);
            eventually("the deadline passes", || is_named(ticket.wait_timeout(Duration::ZERO)));
            let end = ticket.wait_timeout(Duration::ZERO);
            prints(&end, if end.is_unmapped() { "unmapped" } else { "1 thread-local" });
            drop(unloaded);
            idle.join().unwrap();
            eventually("it is unmapped", || ticket.try_wait() == Some(End::Unmapped));
            let former = scene.host.history(ticket.plugin()).remove(0);
            assert_eq!(
                (former.skipped_destructors, former.skipped_destructors > 0),
                (ticket.skipped_destructors(), true),
                "what was given up is told"
            );
        });
        assert!(count.total() <= 1, "at most once");
    }
}

#[test]
fn a_task_that_awaits_an_unload_runs_what_its_thread_has_left() {
    alone!();
    let count = Count::new();
    let scene = count.scene("keeps-nested-thread-locals");
    let plugin = scene.load(zoo("keeps_nested_thread_locals"));
    assert!(scene.dispatch().is_some());
    let ticket = scene.host.begin_unload(&plugin).unwrap();
    assert_eq!(block_on(ticket.clone()), End::Unmapped);
    assert_eq!((count.total(), ticket.skipped_destructors()), (1, 0));
}

/// A thread that waits for one unloading is there for all of them.
#[test]
fn a_thread_waiting_for_one_plugin_takes_down_its_locals_of_another() {
    alone!();
    let count = Count::new();
    let (until, hold) = pipe().unwrap();
    let plugins = json!({
        "keeps-nested-thread-locals": { "config": { "tell": count.descriptor() } },
        "leaves-a-reading-thread": { "config": { "until": until.as_raw_fd() } },
    });
    let mut config: hookrail::Config = serde_json::from_value(json!({ "plugins": plugins })).unwrap();
    config.unload.deadline = LONG;
    let scene = Scene::new(config);
    let [keeps, leaves] =
        ["keeps_nested_thread_locals", "leaves_a_reading_thread"].map(|specimen| scene.load(zoo(specimen)));
    assert!(scene.dispatch().is_some());
    let [keeps, leaves] = [keeps, leaves].map(|plugin| scene.host.begin_unload(&plugin).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            eventually("the other one is unmapped", || keeps.try_wait() == Some(End::Unmapped));
            drop(hold);
        });
        assert_eq!(leaves.wait_timeout(LONG), End::Unmapped);
    });
    assert_eq!((keeps.skipped_destructors(), count.total()), (0, 1));
}

/// The numbers of keys are given again. What the host takes down of a plugin must be the plugin's still.
#[test]
fn a_key_that_a_plugin_deleted_itself_is_not_deleted_again() {
    alone!();
    let scene = Scene::new(config("makes-its-own-key", json!({ "delete": true })));
    let plugin = scene.load(zoo("makes_its_own_key"));
    let theirs: libc::pthread_key_t = scene.dispatch().unwrap().parse().unwrap();
    // The system gives the lowest number that is free: a few keys, and one of them has theirs.
    let mut ours = vec![];
    while ours.last() != Some(&theirs) {
        assert!(ours.len() < 100, "{theirs} is taken again: {ours:?}");
        let mut key = 0;
        // SAFETY: there is room for the key; without a destructor.
        assert_eq!(unsafe { libc::pthread_key_create(&mut key, None) }, 0);
        ours.push(key);
    }
    let value = without_provenance_mut(77);
    // SAFETY: the key is ours, and nobody follows the value.
    assert_eq!(unsafe { libc::pthread_setspecific(theirs, value) }, 0);
    assert_eq!(scene.unload(plugin), End::Unmapped);
    // SAFETY: the key is ours.
    assert_eq!(unsafe { libc::pthread_getspecific(theirs) }, value);
    for key in ours {
        // SAFETY: the key is ours, and is not used again.
        assert_eq!(unsafe { libc::pthread_key_delete(key) }, 0, "it was still there");
    }
}

/// Counts what a specimen tells by a byte each. Its pipe stays open until the total is asked for: when a
/// test fails before, the specimen may still tell, and must not write into something else.
struct Count {
    told: ManuallyDrop<PipeReader>,
    tell: ManuallyDrop<PipeWriter>,
}

impl Count {
    fn new() -> Self {
        let (told, tell) = pipe().unwrap();
        Count { told: ManuallyDrop::new(told), tell: ManuallyDrop::new(tell) }
    }

    fn descriptor(&self) -> i32 {
        self.tell.as_raw_fd()
    }

    fn scene(&self, plugin: &str) -> Scene {
        Scene::new(config(plugin, json!({ "tell": self.descriptor() })))
    }

    /// All that was told; nobody tells any more.
    fn total(self) -> usize {
        drop(ManuallyDrop::into_inner(self.tell));
        let mut told = ManuallyDrop::into_inner(self.told);
        let mut bytes = Vec::new();
        told.read_to_end(&mut bytes).unwrap();
        bytes.len()
    }
}
