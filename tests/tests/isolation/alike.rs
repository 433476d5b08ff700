//! What a plugin meets in a worker is what it meets in its host's own process.

use std::path::PathBuf;

use hookrail::{Config, End, Host, Message, MessageDelivered};
use hookrail_tests::cli::directory;
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::specimens::c;
use hookrail_tests::{plugin, zoo};
use serde_json::json;

use crate::scenes::{isolated, limited, limits, tried, worker};

/// The plugin asks for its directory through one of them.
#[test]
fn a_worker_offers_the_services_of_a_host() {
    let home = directory("isolated-services");
    let mut config = isolated("file-log");
    config.home = Some(home.clone());
    config.plugins.get_mut("file-log").unwrap().config = json!({ "path": "messages.log" });
    let host = Host::new(config).unwrap();
    // SAFETY: our own library.
    let loaded = unsafe { host.load(plugin("file-log")) }.unwrap();
    let _ = host.point(MessageDelivered).unwrap().dispatch(&mut Message::new("a.b", "text"));
    assert_eq!(host.unload(&loaded).unwrap(), End::Unmapped);
    let files = std::fs::read_dir(home.join("instances/file-log/state")).unwrap();
    assert_eq!(files.map(|file| file.unwrap().file_name()).collect::<Vec<_>>(), ["messages.log"]);
}

/// Nobody waits for a notification, but the end of the plugin does.
#[test]
fn what_was_queued_before_the_end_is_still_delivered() {
    const MANY: usize = 50;
    let home = directory("isolated-notes");
    let mut config = isolated("file-log");
    config.home = Some(home.clone());
    config.plugins.get_mut("file-log").unwrap().config = json!({ "path": "messages.log" });
    let host = Host::new(config).unwrap();
    // SAFETY: our own library.
    let loaded = unsafe { host.load(plugin("file-log")) }.unwrap();
    let delivered = host.point(MessageDelivered).unwrap();
    (0..MANY).for_each(|_| _ = delivered.dispatch(&mut Message::new("a.b", "text")));
    let dropped = host.plugin_views()[0].worker.clone().expect("it runs in a worker").dropped;
    assert_eq!(host.unload(&loaded).unwrap(), End::Unmapped);
    let log = std::fs::read_to_string(home.join("instances/file-log/state/messages.log")).unwrap();
    assert_eq!(log.lines().count() as u64 + dropped, MANY as u64);
}

#[test]
fn payload_operations_that_are_incomplete_are_refused() {
    for (specimen, said) in [("short_ops", "of 16 bytes"), ("ops_without_drop", "without the function `drop`")] {
        for config in [Config::default(), isolated(&specimen.replace('_', "-"))] {
            let host = Host::new(config).unwrap();
            // SAFETY: our own library, which does nothing else wrong.
            let error = unsafe { host.load(c(specimen)) }.unwrap_err().to_string();
            assert!(error.contains(&format!("payload operations {said}")), "{error}");
        }
    }
}

/// Its host hears what the library waits for, and does not wait for it in vain.
#[test]
fn a_library_that_cannot_be_closed_ends_with_its_worker() {
    // Where it does not get to say what it waits for, its worker is ended, too, and with it the library.
    tried(|limit, _| {
        let mut config = isolated("starts-a-thread");
        config.unload.deadline = limit;
        let scene = Scene::new(config);
        let plugin = scene.load(zoo("starts_a_thread"));
        let process = PathBuf::from(format!("/proc/{}", worker(&scene).pid.expect("it runs")));
        let end = scene.unload(plugin);
        println!("{end}");
        eventually("its worker has ended", || !process.exists());
        !end.is_unmapped()
    });
}

/// Of the environment a worker has a few variables, and those that are named.
#[test]
fn a_worker_is_given_the_variables_that_are_named() {
    let given = |variables: &[&str]| {
        let limits = limits().with_environment(variables.iter().map(|name| (*name).to_owned()).collect());
        let scene = Scene::new(limited("well-behaved", limits));
        let plugin = scene.load(c("well_behaved"));
        let pid = worker(&scene).pid.expect("it runs");
        let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
        assert_eq!(scene.unload(plugin), End::Unmapped);
        environment.split('\0').any(|variable| variable.starts_with("CARGO_MANIFEST_DIR="))
    };
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "cargo runs this test");
    assert!(!given(&[]));
    assert!(given(&["CARGO_MANIFEST_DIR", "NO_SUCH_VARIABLE"]));
}
