//! Hosts whose plugin lets messages pass.

use std::time::{Duration, Instant};

use hookrail::{Config, Decision, HookPoint, Host, Isolation, Message, MessagePublish, PluginConfig, WorkerLimits};
use serde_json::Value;

use super::shared::lanes::message;

/// The bytes of a message's body.
pub(super) const BODY: usize = 200;

/// A host with the plugin that lets messages pass.
pub(super) struct Passing {
    host: Host,
    pub(super) publish: HookPoint<MessagePublish>,
}

impl Passing {
    pub(super) fn new(isolation: Isolation, config: Value) -> Self {
        let limits = WorkerLimits::default().with_deadline(Duration::from_secs(600));
        let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits).with_config(config);
        let host = Host::new(Config::default().with_plugin("passing", plugin)).expect("a host");
        let publish = host.point(MessagePublish).expect("a built-in point");
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::passing()) }.expect("it is built");
        Passing { host, publish }
    }

    pub(super) fn isolated(config: Value) -> Self {
        Passing::new(Isolation::WORKER, config)
    }

    pub(super) fn worker(&self) -> u32 {
        let view = self.host.plugin_views().pop().expect("it is loaded");
        view.worker.and_then(|worker| worker.pid).expect("it runs")
    }

    pub(super) fn run(&self, rounds: u64) -> Duration {
        let mut message = message(BODY);
        // The first ones find out again whether spinning pays off.
        (0..100).for_each(|_| self.pass(&mut message));
        let start = Instant::now();
        (0..rounds).for_each(|_| self.pass(&mut message));
        start.elapsed()
    }

    fn pass(&self, message: &mut Message) {
        assert_eq!(self.publish.dispatch(message).decision(), Decision::Passed);
    }

    /// How many calls have failed.
    pub(super) fn faults(&self) -> u64 {
        self.host.point_views().iter().flat_map(|point| &point.chain).map(|callback| callback.faults).sum()
    }
}
