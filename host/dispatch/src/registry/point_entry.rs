//! A point with what hangs on it.

use std::sync::Arc;

use hookrail_abi::Point;
use hookrail_model::config::{FaultPolicies, PointConfig};
use hookrail_model::stats::Level;

use super::point::PointState;
use crate::chain::{Callback, Chain, Snapshot, Watch};
use crate::stats::{PointCounts, Tracers};

/// A point, the callbacks on it, in order, disabled ones included, and how it is looked at.
pub(super) struct PointEntry {
    pub(super) state: Arc<PointState>,
    pub(super) callbacks: Vec<Arc<Callback>>,
    pub(super) level: Level,
    pub(super) tracers: Tracers,
    pub(super) counts: PointCounts,
}

/// A point, as it is for whoever looks.
pub struct Look<'a> {
    /// The declared point.
    pub state: &'a PointState,
    /// All of its callbacks, in order; also those that are left out or quarantined.
    pub callbacks: &'a [Arc<Callback>],
    pub(crate) level: Level,
    pub(crate) tracers: usize,
    pub(crate) counts: &'a PointCounts,
}

/// The snapshot that a publication replaced, and the name of its point.
pub(super) type Replaced = (&'static str, Snapshot);

impl PointEntry {
    pub(super) fn new<P: Point>(config: Option<&PointConfig>, faults: FaultPolicies) -> Self {
        PointEntry {
            state: Arc::new(PointState::of::<P>(config, faults)),
            callbacks: Vec::new(),
            level: config.map(|config| config.level).unwrap_or_default(),
            tracers: Tracers::default(),
            counts: PointCounts::default(),
        }
    }

    /// Makes these the callbacks, which are in order.
    pub(super) fn hang(&mut self, callbacks: Vec<Arc<Callback>>, is_left: bool) -> Replaced {
        self.callbacks = callbacks;
        self.publish(is_left)
    }

    /// Publishes what there is; returns the snapshot to retire. While a plugin leaves, readers enter the
    /// point even if it has no callbacks.
    pub(super) fn publish(&mut self, is_left: bool) -> Replaced {
        // INVARIANT: `callbacks` is in order, and the chain holds the enabled ones.
        let enabled: Vec<_> = self.callbacks.iter().filter(|callback| callback.enabled).cloned().collect();
        // Here too, so that the tallies of chains that are no more do not gather where nobody looks.
        self.counts.bring_in();
        let record = |callback: &Arc<Callback>| callback.is_armed().then(|| callback.record.clone());
        let tally = (self.level > Level::Off).then(|| self.counts.follow(enabled.iter().map(record)));
        let watch = Watch { level: self.level, tracers: self.tracers.clone(), ops: self.state.ops, tally };
        let chain: &Chain = &self.state.chain;
        (chain.facts.point, chain.hang(&enabled, watch, is_left))
    }
}
