//! How soon the end of a worker is seen, and how soon the next one answers.

use std::time::{Duration, Instant};

use hookrail::{Config, Host, Isolation, Message, MessagePublish, PluginConfig};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::passing::Passing;
use super::rows::Rows;

const RUNS: usize = 5;

pub(super) fn measure(rows: &mut Rows) {
    let seen = median((0..RUNS).map(|_| death_seen()));
    let bound = ("1 ms, the median of five", seen <= Duration::from_millis(1));
    rows.print("the death of a worker, seen by a caller", &format!("{seen:.0?}"), Some(bound));
    let all: Vec<_> = (0..RUNS).map(|_| restart()).collect();
    let of = |part: fn(&Restart) -> Duration| median(all.iter().map(part));
    let (first, load) = (of(|it| it.first_answer), of(|it| it.load));
    rows.print("mask, from the kill to the first answer", &format!("{first:.1?}"), None);
    rows.print("of that, a process with the plugin in it", &format!("{load:.1?}"), None);
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn kill(worker: u32) -> Instant {
    let pid = Pid::from_raw(worker as i32).expect("a process");
    let now = Instant::now();
    kill_process(pid, Signal::KILL).expect("it is our child's child");
    now
}

/// From the kill until the call that was inside returns.
fn death_seen() -> Duration {
    let passing = Passing::isolated(json!({}));
    let worker = passing.worker();
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path().join("here");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut message = Message::new("never", "");
            message.source.set(here.to_str().expect("a name of letters"));
            let _ = passing.publish.dispatch(&mut message);
            Instant::now()
        });
        while !here.exists() {
            std::thread::yield_now();
        }
        let killed = kill(worker);
        let took = waiting.join().expect("it returned") - killed;
        assert_eq!(passing.faults(), 1);
        took
    })
}

/// How long the parts of a restart take.
struct Restart {
    first_answer: Duration,
    /// Another worker with the same plugin, from nothing.
    load: Duration,
}

fn restart() -> Restart {
    let config = || {
        let mask = PluginConfig::default().with_isolation(Isolation::WORKER);
        Config::default().with_plugin("mask", mask.with_config(json!({ "patterns": ["secret[0-9]+"] })))
    };
    let load = || {
        let host = Host::new(config()).expect("a host");
        let start = Instant::now();
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::plugin("mask")) }.expect("it is built");
        (host, start.elapsed())
    };
    let (host, took) = load();
    let publish = host.point(MessagePublish).expect("a built-in point");
    let is_masked = || {
        let mut message = Message::new("a.b", "a secret42 in it");
        let _ = publish.dispatch(&mut message);
        !message.body.to_display().contains("secret42")
    };
    assert!(is_masked());
    let worker = host.plugin_views().pop().and_then(|view| view.worker?.pid).expect("it runs");
    let killed = kill(worker);
    // The first one may be lost with the worker.
    while !is_masked() {}
    Restart { first_answer: killed.elapsed(), load: took }
}
