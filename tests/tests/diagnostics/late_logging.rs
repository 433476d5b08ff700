//! A plugin may log for as long as its code is there, and whoever takes the log may dispatch.

use std::io::pipe;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use hookrail::{Config, End, HookPoint, Host, Message, MessagePublish};
use hookrail_tests::listener::{Listener, fields};
use hookrail_tests::probe::eventually;
use hookrail_tests::{alone, zoo};
use serde_json::json;

static POINT: OnceLock<HookPoint<MessagePublish>> = OnceLock::new();
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes what instances log, and publishes it; not what the host logs of them, as that one drains slowly.
const PUBLISHES: Listener = Listener {
    wants: |metadata| ["instance", "generation"].iter().all(|name| metadata.fields().field(name).is_some()),
    hears: |event| {
        let _ = POINT.get().unwrap().dispatch(&mut Message::new("log", ""));
        LINES.lock().unwrap().push(fields(event));
    },
};

/// A thread of the plugin goes on after the end of its instance. What it holds is its own until it
/// ends, though it leaves dispatches meanwhile.
#[test]
fn a_plugins_thread_may_log_when_its_instance_is_gone() {
    const WHILE_IT_WAITS: Duration = Duration::from_millis(50);
    alone!();
    let (until, hold) = pipe().unwrap();
    let plugin = json!({ "logs-to-the-last": { "config": { "until": until.as_raw_fd() } } });
    let mut config: Config = serde_json::from_value(json!({ "plugins": plugin })).unwrap();
    config.unload.deadline = WHILE_IT_WAITS;
    let host = Host::new(config).unwrap();
    assert!(POINT.set(host.point(MessagePublish).unwrap()).is_ok());
    tracing::subscriber::set_global_default(PUBLISHES).unwrap();
    // SAFETY: our own library.
    let plugin = unsafe { host.load(zoo("logs_to_the_last")) }.unwrap();
    eventually("its thread begins", || LINES.lock().unwrap().len() == 1);
    let ticket = host.begin_unload(&plugin).unwrap();
    eventually("the thread is waited for", || ticket.wait_timeout(Duration::ZERO) == End::PinnedByThreads(1));
    drop(hold);
    eventually("it is unmapped", || ticket.try_wait() == Some(End::Unmapped));
    let lines = ["begins", "goes on", "holds", "lets go"]
        .map(|line| format!("message={line} instance=\"logs-to-the-last\" generation=1 "));
    assert_eq!(*LINES.lock().unwrap(), lines);
}
