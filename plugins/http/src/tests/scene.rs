//! A source that listens while a client acts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hookrail_abi::testing::{self, Running, Sent};

use super::client::LONG;
use crate::Http;

/// Runs a source with that configuration, at a port that is free, until `act` has ended.
pub(super) fn listening<T: Send>(config: &str, act: impl FnOnce(SocketAddr) -> T + Send) -> (Sent, T) {
    listening_by(&testing::start::<Http>("{}").unwrap(), config, act)
}

/// As [`listening`], of a plugin that the test has started.
pub(super) fn listening_by<T: Send>(
    plugin: &Running<Http>,
    config: &str,
    act: impl FnOnce(SocketAddr) -> T + Send,
) -> (Sent, T) {
    // No client is to lose its connection since this machine is busy, unless the test is about that.
    let mut all = serde_json::json!({
        "address": "127.0.0.1:0", "header_timeout": "10m", "body_timeout": "10m", "patience": "10m",
    });
    let own: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!("{{{config}}}")).unwrap();
    all.as_object_mut().unwrap().extend(own);
    let source = plugin.source("http", &all.to_string()).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let acting = scope.spawn(|| {
            let _over = Over(&is_over);
            act(address(plugin))
        });
        let sent = source.run(&[], |_| is_over.load(Ordering::SeqCst)).unwrap();
        (sent, acting.join().unwrap())
    })
}

/// Where the source listens.
pub(super) fn address(plugin: &Running<Http>) -> SocketAddr {
    let began = Instant::now();
    while began.elapsed() < LONG {
        for line in plugin.log() {
            if let Some(at) = line.strip_prefix("listening at http://") {
                return at.split('/').next().unwrap().parse().unwrap();
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("it does not listen: {:?}", plugin.log());
}

/// Ends the source, whatever becomes of the test.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
