//! The values of fields of views that are words.

use hookrail_abi::{Effects, FaultPolicy, RawKind};
use serde::{Deserialize, Serialize};

/// What the callbacks of a point may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PointKind {
    /// They edit the payload.
    Fold,
    /// They allow or deny.
    Gate,
    /// They look.
    Notify,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// Where the priority of a callback comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PriorityOrigin {
    /// The host: the callback is one of its own.
    BuiltIn,
    /// The plugin, or the embedding program.
    Declared,
    /// The operator.
    Overridden,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// What a callback touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EffectsView {
    /// Anything: the network, files, other processes.
    External,
    /// The state of its process.
    Local,
    /// Only the payload.
    Pure,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// What the fault of a callback means for the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultPolicyView {
    /// The fault denies.
    Closed,
    /// The chain continues; what the callback wrote into the payload stays.
    Open,
    /// The chain continues with the payload as it was before the callback.
    Rollback,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl PointKind {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            PointKind::Fold => "fold",
            PointKind::Gate => "gate",
            PointKind::Notify => "notify",
            PointKind::Unknown => "unknown",
        }
    }
}

impl PriorityOrigin {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            PriorityOrigin::BuiltIn => "built-in",
            PriorityOrigin::Declared => "declared",
            PriorityOrigin::Overridden => "overridden",
            PriorityOrigin::Unknown => "unknown",
        }
    }
}

impl EffectsView {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            EffectsView::External => "external",
            EffectsView::Local => "local",
            EffectsView::Pure => "pure",
            EffectsView::Unknown => "unknown",
        }
    }
}

impl FaultPolicyView {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            FaultPolicyView::Closed => "closed",
            FaultPolicyView::Open => "open",
            FaultPolicyView::Rollback => "rollback",
            FaultPolicyView::Unknown => "unknown",
        }
    }
}

impl From<RawKind> for PointKind {
    fn from(kind: RawKind) -> Self {
        match kind {
            RawKind::Fold => PointKind::Fold,
            RawKind::Gate => PointKind::Gate,
            RawKind::Notify => PointKind::Notify,
        }
    }
}

impl From<Effects> for EffectsView {
    fn from(effects: Effects) -> Self {
        match effects {
            Effects::External => EffectsView::External,
            Effects::Local => EffectsView::Local,
            Effects::Pure => EffectsView::Pure,
        }
    }
}

impl From<FaultPolicy> for FaultPolicyView {
    fn from(policy: FaultPolicy) -> Self {
        match policy {
            FaultPolicy::Closed => FaultPolicyView::Closed,
            FaultPolicy::Open => FaultPolicyView::Open,
            FaultPolicy::Rollback => FaultPolicyView::Rollback,
        }
    }
}
