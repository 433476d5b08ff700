//! A point with its callbacks.

use std::sync::Arc;

use hookrail_abi::Point;
use hookrail_model::config::{FaultPolicies, PointConfig};
use hookrail_model::stats::StatsLevel;

use super::point::PointState;
use crate::chain::{Callback, Chain, Snapshot, Watch};
use crate::fault;
use crate::stats::{PointCounts, Tracers};

/// A point, its callbacks in order, disabled and absent ones included, and how it is watched.
pub(super) struct PointEntry {
    pub(super) state: Arc<PointState>,
    pub(super) callbacks: Vec<Arc<Callback>>,
    pub(super) level: StatsLevel,
    pub(super) tracers: Tracers,
    pub(super) counts: PointCounts,
}

/// A view of a point.
pub struct Look<'a> {
    /// The declared point.
    pub state: &'a PointState,
    /// All of its callbacks, in order, including disabled and quarantined ones.
    pub callbacks: &'a [Arc<Callback>],
    pub(crate) level: StatsLevel,
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

    /// Sets the callbacks, which must be in order, and publishes them.
    pub(super) fn set_callbacks(&mut self, callbacks: Vec<Arc<Callback>>, is_left: bool) -> Replaced {
        self.callbacks = callbacks;
        self.publish(is_left)
    }

    /// Publishes the point and returns the snapshot to retire. While a plugin is being unloaded, readers enter the
    /// point even if it has no callbacks.
    pub(super) fn publish(&mut self, is_left: bool) -> Replaced {
        // INVARIANT: `callbacks` is in order, and the chain holds those that take part.
        let facts = &self.state.chain.facts;
        let takes_part = |callback: &&Arc<Callback>| callback.terms.enabled && !fault::lets_pass(facts, callback);
        let enabled: Vec<_> = self.callbacks.iter().filter(takes_part).cloned().collect();
        // Here too, so that the tallies of former chains do not pile up if the counts are never read.
        self.counts.bring_in();
        let record = |callback: &Arc<Callback>| callback.is_armed().then(|| callback.record.clone());
        let tally = (self.level > StatsLevel::Off).then(|| self.counts.follow(enabled.iter().map(record)));
        let watch = Watch { level: self.level, tracers: self.tracers.clone(), ops: self.state.ops, tally };
        let chain: &Chain = &self.state.chain;
        (chain.facts.point, chain.set_callbacks(&enabled, watch, is_left))
    }
}
