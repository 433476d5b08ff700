//! How an unloading ends is what really happened: whatever a plugin keeps on the threads that dispatch
//! and whatever threads it starts, it is gone when they are, and nothing of it is left.

use std::path::Path;
use std::time::Duration;

use hookrail::End;
use hookrail_tests::child::{Ended, in_child};
use hookrail_tests::leftovers::Leftovers;
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::{Scene, config, prints};
use hookrail_tests::traffic::Traffic;
use hookrail_tests::{alone, has_peer, plugin, zoo, zoo_cpp, zoo_with};
use serde_json::json;

/// Loads it several times beside threads that go on dispatching: each generation meets those threads,
/// one that ends before the unloading, and the one that unloads.
fn is_gone(file: &Path, name: &str) {
    const GENERATIONS: usize = 5;
    let scene = Scene::new(config(name, json!({})));
    let traffic = Traffic::on(&scene.publish);
    let generation = || {
        let plugin = scene.load(file);
        assert_eq!(plugin.name(), name);
        traffic.meets_a_specimen();
        std::thread::scope(|scope| assert!(scope.spawn(|| scene.dispatch()).join().unwrap().is_some()));
        assert!(scene.dispatch().is_some(), "{name} runs");
        let end = scene.unload(plugin);
        traffic.passes();
        assert_eq!(scene.dispatch(), None, "{name} ran after its unloading");
        end
    };
    // The first unloading starts the reaper.
    assert_eq!(generation(), End::Unmapped, "{name}");
    let mut before = Leftovers::now();
    // The harness may start the thread of its next test meanwhile.
    before.threads += 1;
    for _ in 0..GENERATIONS {
        assert_eq!(generation(), End::Unmapped, "{name}");
    }
    // The system's list has an ended thread for a moment longer, and the host starts some that end soon.
    let mut more = Vec::new();
    eventually(&format!("{name} leaves no more than {before:?}"), || {
        let now = Leftovers::now().beyond(&before);
        if now != more {
            println!("{name} has left so far: {now:?}");
            more = now;
        }
        more.is_empty()
    });
}

fn are_gone(specimens: &[&str]) {
    specimens.iter().for_each(|specimen| is_gone(&zoo(specimen), &specimen.replace('_', "-")));
}

#[test]
fn thread_locals_of_dispatching_threads_do_not_keep_their_library() {
    alone!();
    are_gone(&[
        "asks_for_its_thread",
        "contends_for_a_lock",
        "keeps_a_thread_local",
        "keeps_nested_thread_locals",
        "makes_its_own_key",
        "searches_with_regex",
    ]);
}

#[test]
fn threads_of_a_library_that_end_do_not_keep_it() {
    alone!();
    are_gone(&["joins_its_thread", "leaves_a_thread_that_ends", "runs_on_tokio", "sends_to_its_worker"]);
}

#[test]
fn thread_locals_of_cpp_do_not_keep_their_library() {
    alone!();
    if has_peer("c++", "g++") {
        is_gone(&zoo_cpp("keeps_a_cpp_thread_local"), "keeps-a-cpp-thread-local");
    }
}

#[test]
fn a_signal_handler_that_was_taken_back_does_not_keep_its_library() {
    alone!();
    let scene = Scene::new(config("leaves-a-signal-handler", json!({ "take_back": true })));
    let plugin = scene.load(zoo("leaves_a_signal_handler"));
    assert!(scene.dispatch().is_some());
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn a_plugin_that_keeps_nothing_is_unmapped() {
    alone!();
    let scene = Scene::new(config("hello", json!({})));
    let traffic = Traffic::on(&scene.publish);
    let hello = scene.load(plugin("hello"));
    traffic.passes();
    let end = scene.unload(hello);
    assert_eq!(end, End::Unmapped);
    prints(&end, "unmapped");
}

#[test]
fn an_endless_wait_ends_with_the_unloading() {
    alone!();
    let mut config = config("one-instance", json!({}));
    config.unload.deadline = Duration::MAX;
    let scene = Scene::new(config);
    let plugin = scene.load(zoo("one_instance"));
    let ticket = scene.host.begin_unload(&plugin).unwrap();
    assert_eq!(ticket.wait_timeout(Duration::MAX), End::Unmapped);
}

#[test]
fn a_library_that_asks_to_stay_stays_unless_the_operator_forces_it() {
    alone!();
    let file = zoo_with("one_instance", "nodelete", &[], "-Clink-arg=-Wl,-z,nodelete");
    assert!(hookrail::inspect(&file).unwrap().no_delete);
    let end_of = |force: &[&str]| {
        let mut config = config("one-instance", json!({}));
        for plugin in force {
            config.plugins.entry((*plugin).into()).or_default().force_unload = true;
        }
        let scene = Scene::new(config);
        let plugin = scene.load(&file);
        let _ = scene.dispatch();
        scene.unload(plugin)
    };
    assert_eq!(end_of(&["one-instance"]), End::Unmapped);
    for other in [&[][..], &["another"]] {
        let end = end_of(other);
        assert_eq!(end, End::NoDelete);
        prints(&end, "nodelete");
    }
}

#[test]
fn a_library_on_the_shared_standard_library_is_kept() {
    alone!();
    let file = zoo_with("one_instance", "dynamic", &[], "-Cprefer-dynamic");
    let scene = Scene::new(config("one-instance", json!({})));
    // Where libstd is not found it cannot be loaded, which is a clear error too.
    // SAFETY: our own plugin.
    match unsafe { scene.host.load(file) } {
        Ok(plugin) => {
            let end = scene.unload(plugin);
            assert!(matches!(&end, End::Unhooked(name) if name.starts_with("libstd")), "{end}");
            prints(&end, "libstd");
        }
        Err(error) => assert_eq!(error.code(), "HR0306"),
    }
}

/// A thread that never ends is named when the deadline has passed, and lives on unharmed.
#[test]
fn a_thread_that_never_ends_keeps_its_library() {
    alone!();
    let mut config = config("starts-a-thread", json!({}));
    config.unload.deadline = Duration::from_millis(50);
    let scene = Scene::new(config);
    let plugin = scene.load(zoo("starts_a_thread"));
    assert!(scene.dispatch().is_some());
    // `unload` would answer after two deadlines, whether or not anybody has looked for threads by then.
    let ticket = scene.host.begin_unload(&plugin).unwrap();
    let now = || ticket.wait_timeout(Duration::ZERO);
    eventually("the deadline passes, and the thread is seen", || now() == End::PinnedByThreads(1));
    prints(&now(), "1 thread");
    assert_eq!(scene.dispatch(), None, "its callbacks are gone all the same");
}

/// Of a process whose main thread has ended, `/proc/self` says nothing.
#[test]
fn a_library_is_loaded_and_proved_gone_after_the_main_thread_has_ended() {
    alone!();
    let file = plugin("hello");
    let ended = in_child(|| {
        let rest = std::thread::spawn(move || {
            let load_and_unload = || {
                // Until the main thread is one that has ended.
                let is_gone = || std::fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.is_empty());
                eventually("the main thread has ended", is_gone);
                let scene = Scene::new(config("hello", json!({})));
                let plugin = scene.load(&file);
                scene.unload(plugin)
            };
            // A panic would end this thread, and the child with it, as if all were well.
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(load_and_unload));
            // SAFETY: it ends the child, in which nothing else runs.
            unsafe { libc::_exit(if end.is_ok_and(|end| end == End::Unmapped) { 0 } else { 1 }) };
        });
        std::mem::forget(rest);
        // SAFETY: it ends this thread, of which nothing is needed any more.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
    assert_eq!(ended, Ended::Exited(0));
}

/// A name is free when the callbacks under it have left, and not before.
#[test]
fn a_load_beside_an_unload_of_the_same_name_succeeds_or_is_told_to_wait() {
    alone!();
    let (scene, file) = (Scene::new(config("hello", json!({}))), plugin("hello"));
    let mut loaded = scene.load(&file);
    for _ in 0..300 {
        let (host, old) = (&scene.host, &loaded);
        loaded = std::thread::scope(|scope| {
            let unloading = scope.spawn(|| host.begin_unload(old).unwrap());
            let new = loop {
                // SAFETY: our own plugin.
                match unsafe { host.load(&file) } {
                    Ok(new) => break new,
                    Err(error) => assert!(["HR0101", "HR0106"].contains(&error.code()), "{error}"),
                }
            };
            unloading.join().unwrap();
            new
        });
    }
    assert_eq!(scene.unload(loaded), End::Unmapped);
}
