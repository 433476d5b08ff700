//! From a finished library on disk to the first message through its code, while the previous build serves.

use std::path::PathBuf;
use std::ptr::from_mut;
use std::time::{Duration, Instant};

use hookrail::{Config, Decision, HookPoint, Host, Message, MessagePublish, PluginConfig, PluginHandle, UpgradeTimes};
use hookrail_abi::Point;
use hookrail_benches::{Work, WorkDone};
use serde_json::{Value, json};

use super::by_hand::ByHand;
use super::load::timed;

/// The measured phases, in order.
pub(crate) const PARTS: [&str; 5] = ["copy, inspect", "open, attach", "create, start", "swap", "first message"];

/// How long the phases took. Loading by hand has no swap.
pub(crate) type Parts = [Duration; PARTS.len()];

/// A plugin in two builds.
pub(crate) struct Builds<P: Point> {
    name: &'static str,
    config: Value,
    files: [PathBuf; 2],
    payload: fn() -> P::Payload,
    /// Whether this is the result of that build for the payload.
    saw: fn(&P::Payload, usize) -> bool,
}

/// The smallest plugin, with a mark for each build.
pub(crate) fn small() -> Builds<WorkDone> {
    Builds {
        name: "marked",
        config: Value::Null,
        files: [1, 2].map(|mark| hookrail_tests::marked("marked", mark)),
        payload: Work::default,
        saw: |work, build| work.count == build as u64 + 1,
    }
}

/// A realistic plugin, which compiles patterns. Both builds are the same file, since nothing on the way checks whether
/// they differ; the address of its code shows which one is called.
pub(crate) fn real() -> Builds<MessagePublish> {
    Builds {
        name: "mask",
        config: json!({ "patterns": ["secret[0-9]+"] }),
        files: [(), ()].map(|()| hookrail_tests::plugin("mask")),
        payload: || Message::new("a", "secret1"),
        saw: |message, _| **message.body == *b"***",
    }
}

/// A host in which one build replaces the other.
pub(crate) struct Replacing<P: Point> {
    builds: Builds<P>,
    host: Host,
    point: HookPoint<P>,
    plugin: PluginHandle,
    serving: usize,
}

impl<P: Point> Replacing<P> {
    pub(crate) fn new(builds: Builds<P>) -> Self {
        let plugin = PluginConfig::default().with_config(builds.config.clone());
        let host = Host::new(Config::default().with_plugin(builds.name, plugin)).expect("a host");
        let point = host.point(P::default()).expect("declared once");
        // SAFETY: our own plugin.
        let plugin = unsafe { host.load(&builds.files[0]) }.expect("it loads");
        Replacing { builds, host, point, plugin, serving: 0 }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.builds.name
    }

    /// Upgrades to the other build; returns how long it took until the first message went through it, and the phases.
    /// The end of the old build, which the host performs after that, is waited for outside the measurement.
    pub(crate) fn upgrade(&mut self) -> (Duration, Parts) {
        let before = self.point.raw_pairs();
        let next = 1 - self.serving;
        let mut payload = (self.builds.payload)();
        let start = Instant::now();
        // SAFETY: our own plugin.
        let upgraded = unsafe { self.host.upgrade(&self.plugin, &self.builds.files[next]) };
        let outcome = self.point.dispatch(&mut payload);
        let elapsed = start.elapsed();
        let upgraded = upgraded.expect("it takes over");
        assert_eq!(outcome.decision(), Decision::Passed);
        assert!((self.builds.saw)(&payload, next), "the first message went through the new build");
        assert_ne!(self.point.raw_pairs(), before, "which is other code");
        assert!(upgraded.old.wait_timeout(Duration::from_secs(60)).is_unmapped());
        self.serving = next;
        let UpgradeTimes { copy, open, create, swap, .. } = upgraded.times;
        (elapsed, [copy, open, create, swap, elapsed.saturating_sub(copy + open + create + swap)])
    }

    /// The same by hand, for the next build.
    pub(crate) fn by_hand(&self) -> (Duration, Parts) {
        let next = 1 - self.serving;
        let mut payload = (self.builds.payload)();
        let config = if self.builds.config.is_null() { "{}".into() } else { self.builds.config.to_string() };
        let start = Instant::now();
        let ([copy, open, create], by_hand) = ByHand::start(&self.builds.files[next], &config);
        // SAFETY: the plugin is on this one point.
        let (call, answer) = timed(|| unsafe { by_hand.call(from_mut(&mut payload).cast()) });
        let elapsed = start.elapsed();
        assert_eq!(answer, 0);
        assert!((self.builds.saw)(&payload, next), "the message went through the new build");
        (elapsed, [copy, open, create, Duration::ZERO, call])
    }
}
