//! What counting its memory costs a plugin.

use std::time::Duration;

use hookrail::{Config, HookPoint, Host, PluginConfig};
use hookrail_benches::WorkDone;

use super::loops;

/// The largest number of blocks allocated at a time: a block that is freed at once is the next one again.
pub(crate) const BLOCKS: [usize; 2] = [1, 8];

/// A plugin that allocates, in its own host.
pub(crate) struct Allocating {
    blocks: usize,
    point: HookPoint<WorkDone>,
    _host: Host,
}

impl Allocating {
    /// `blocks` blocks in each call; counted or not.
    pub(crate) fn new(blocks: usize, counted: bool) -> Self {
        let plugin = PluginConfig::default().with_config(serde_json::json!({ "blocks": blocks }));
        let host = Host::new(Config::default().with_plugin("allocating", plugin)).expect("a host");
        let point = host.point(WorkDone).expect("its own point");
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::allocating(counted)) }.expect("the library loads");
        assert_eq!(host.plugin_views()[0].memory.is_some(), counted);
        Allocating { blocks, point, _host: host }
    }

    /// Allocates and frees `blocks` blocks, or a few more.
    pub(crate) fn run(&self, blocks: u64) -> Duration {
        loops::dispatch(blocks.div_ceil(self.blocks as u64), &self.point, 1)
    }
}
