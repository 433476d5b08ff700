//! How an unloading ends is what really happened: never more is claimed, and what is kept is safe.

use std::path::Path;

use hookrail::{Config, End, Host, Message, MessagePublish};

/// Loads, dispatches on a thread that ends before and on one that ends behind the unloading, and
/// unloads.
fn end_of(file: &Path) -> End {
    let host = Host::new(Config::default()).unwrap();
    let publish = host.point::<MessagePublish>().unwrap();
    // SAFETY: our own plugins.
    let plugin = unsafe { host.load(file) }.unwrap();
    let dispatch = |publish: &hookrail::HookPoint<MessagePublish>| {
        publish.dispatch(&mut Message::new("a.b", "text"));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| dispatch(&publish)).join().unwrap();
        let (dispatched, wait) = std::sync::mpsc::channel();
        let (unloaded, go_on) = std::sync::mpsc::channel::<()>();
        let publish = publish.clone();
        scope.spawn(move || {
            dispatch(&publish);
            dispatched.send(()).unwrap();
            // The thread ends behind the unloading: what it left behind of the plugin runs then.
            let _ = go_on.recv();
        });
        wait.recv().unwrap();
        let end = host.unload(plugin).unwrap();
        drop(unloaded);
        end
    })
}

#[test]
fn a_plugin_without_thread_locals_is_unmapped() {
    assert_eq!(end_of(&hookrail_tests::plugin("hello")), End::Unmapped);
}

#[test]
fn a_thread_local_with_a_destructor_pins_nothing() {
    assert_eq!(end_of(&hookrail_tests::zoo("keeps_a_thread_local")), End::Unmapped);
}

#[test]
fn a_pthread_key_pins_nothing() {
    assert_eq!(end_of(&hookrail_tests::zoo("asks_for_its_thread")), End::Unmapped);
}

#[test]
fn a_thread_that_goes_on_keeps_its_library() {
    assert_eq!(end_of(&hookrail_tests::zoo("starts_a_thread")), End::PinnedByThreads(1));
}

#[test]
fn a_library_that_asks_to_stay_stays() {
    let file = hookrail_tests::zoo_with("one_instance", "nodelete", &[], "-Clink-arg=-Wl,-z,nodelete");
    assert_eq!(end_of(&file), End::NoDelete);
}

#[test]
fn a_library_on_the_shared_standard_library_is_kept() {
    let file = hookrail_tests::zoo_with("one_instance", "dynamic", &[], "-Cprefer-dynamic");
    let host = Host::new(Config::default()).unwrap();
    // Where libstd is not found it cannot be loaded, which is a clear error too.
    // SAFETY: our own plugin.
    match unsafe { host.load(file) } {
        Ok(plugin) => {
            assert!(matches!(host.unload(plugin).unwrap(), End::Unhooked(name) if name.starts_with("libstd")))
        }
        Err(error) => assert_eq!(error.code(), "HR0306"),
    }
}
