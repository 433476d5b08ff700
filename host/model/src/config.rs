//! Settings of the operator that more than one crate of the host has to know.

use std::time::Duration;

use hookrail_abi::{FaultPolicy, RawKind};
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::setters;
use crate::stats::StatsLevel;
use crate::units::fields;

/// The largest configuration of a plugin, in bytes of JSON: it is sent to a host on one line.
pub const MAX_CONFIG: usize = 512 << 10;

/// What the operator changes about one callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CallbackOverride {
    /// The point, for example `message.publish`.
    pub point: String,
    /// The callback, as `instance/callback`.
    pub callback: String,
    /// Another priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether it stands in the chain; `false` leaves it out.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub enabled: bool,
    /// What its fault means, `open`, `closed` or `rollback`.
    #[serde(
        default,
        deserialize_with = "fault_policy",
        serialize_with = "fault_policy_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub fault_policy: Option<FaultPolicy>,
    /// The time a call of it may take; looked at while its point is counted.
    #[serde(
        default,
        deserialize_with = "fields::optional_duration",
        serialize_with = "fields::duration_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub budget: Option<Duration>,
}

setters!(CallbackOverride {
    with_priority(priority: i32) = Some,
    with_enabled(enabled: bool),
    with_fault_policy(fault_policy: FaultPolicy) = Some,
    with_budget(budget: Duration) = Some,
});

impl CallbackOverride {
    /// An override of a callback, `instance/callback`, on a point, without changes yet.
    pub fn new(point: impl Into<String>, callback: impl Into<String>) -> Self {
        let (point, callback) = (point.into(), callback.into());
        CallbackOverride { point, callback, priority: None, enabled: true, fault_policy: None, budget: None }
    }

    /// Refuses a list that contradicts itself, whatever plugins there are.
    ///
    /// # Errors
    /// If two overrides name the same callback, or one uses a reserved priority.
    pub fn check(all: &[Self]) -> Result<(), ConfigError> {
        for (index, hook) in all.iter().enumerate() {
            let meaningless =
                |why: &str| Err(ConfigError::InvalidValue { key: format!("overrides[{index}]"), why: why.into() });
            if !hook.callback.contains('/') {
                return meaningless("names its callback without its instance: write `instance/callback`");
            }
            let same = |other: &Self| (&other.point, &other.callback) == (&hook.point, &hook.callback);
            if all[..index].iter().any(same) {
                return meaningless("is about a callback that an entry before it is about");
            }
        }
        Ok(())
    }

    /// Leaves it out of the chain.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }
}

/// The operator's settings of one point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PointConfig {
    /// What a fault of its callbacks means, `open`, `closed` or `rollback`, unless the callback or an override of it
    /// says otherwise.
    #[serde(deserialize_with = "fault_policy", serialize_with = "fault_policy_name")]
    pub fault_policy: Option<FaultPolicy>,
    /// How closely its dispatches are looked at from the start: `off`, `count` or `histogram`.
    pub level: StatsLevel,
}

setters!(PointConfig {
    with_fault_policy(fault_policy: FaultPolicy) = Some,
    with_level(level: StatsLevel),
});

/// What a fault means on all points of a kind, `open`, `closed` or `rollback`, unless the callback or the operator's
/// setting of the point says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultPolicies {
    /// For notify points.
    #[serde(deserialize_with = "fault_policy", serialize_with = "fault_policy_name")]
    pub notify: Option<FaultPolicy>,
    /// For fold points.
    #[serde(deserialize_with = "fault_policy", serialize_with = "fault_policy_name")]
    pub fold: Option<FaultPolicy>,
    /// For points whose callbacks allow or deny.
    #[serde(deserialize_with = "fault_policy", serialize_with = "fault_policy_name")]
    pub gate: Option<FaultPolicy>,
}

setters!(FaultPolicies {
    with_notify(notify: FaultPolicy) = Some,
    with_fold(fold: FaultPolicy) = Some,
    with_gate(gate: FaultPolicy) = Some,
});

impl FaultPolicies {
    /// What is said of points of a kind.
    pub fn of(&self, kind: RawKind) -> Option<FaultPolicy> {
        match kind {
            RawKind::Notify => self.notify,
            RawKind::Fold => self.fold,
            RawKind::Gate => self.gate,
        }
    }
}

/// When a failing callback is quarantined, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Quarantine {
    /// How many faults within the time quarantine it; 0 for never.
    pub faults: usize,
    /// The time.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub within: Duration,
    /// How long until one dispatch calls it on trial; if that succeeds, all dispatches call it again. Zero: never.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub pause: Duration,
}

impl Default for Quarantine {
    fn default() -> Self {
        Quarantine { faults: 10, within: Duration::from_secs(10), pause: Duration::from_secs(30) }
    }
}

setters!(Quarantine {
    with_faults(faults: usize),
    with_within(within: Duration),
    with_pause(pause: Duration),
});

/// The limits of an upgrade, from an old build to a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UpgradeLimits {
    /// The longest state of one instance that is handed over, in bytes.
    #[serde(deserialize_with = "fields::size")]
    pub max_state: usize,
    /// How long a new generation is on probation.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub probation: Duration,
    /// How many faults during probation cause a rollback; 0 for no probation.
    pub probation_faults: u64,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        UpgradeLimits { max_state: 64 << 20, probation: Duration::from_secs(10), probation_faults: 3 }
    }
}

setters!(UpgradeLimits {
    with_max_state(max_state: usize),
    with_probation(probation: Duration),
    with_probation_faults(probation_faults: u64),
});

/// What instances are asked about themselves: whether they are ready, and how they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HealthLimits {
    /// How long a call of `health` may take before the plugin is degraded for that; a worker in which it runs is ended.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub deadline: Duration,
    /// How often each plugin is asked for its health; zero for never.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub every: Duration,
    /// How long a started instance may take to be ready; then the start has failed.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub ready: Duration,
}

impl Default for HealthLimits {
    fn default() -> Self {
        let [deadline, every, ready] = [2, 10, 30].map(Duration::from_secs);
        HealthLimits { deadline, every, ready }
    }
}

setters!(HealthLimits {
    with_deadline(deadline: Duration),
    with_every(every: Duration),
    with_ready(ready: Duration),
});

fn yes() -> bool {
    true
}

pub(crate) fn fault_policy_name<S: serde::Serializer>(
    policy: &Option<FaultPolicy>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    policy.map(FaultPolicy::name).serialize(serializer)
}

pub(crate) fn fault_policy<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<FaultPolicy>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None => Ok(None),
        Some("open") => Ok(Some(FaultPolicy::Open)),
        Some("closed") => Ok(Some(FaultPolicy::Closed)),
        Some("rollback") => Ok(Some(FaultPolicy::Rollback)),
        Some(other) => Err(serde::de::Error::unknown_variant(other, &["open", "closed", "rollback"])),
    }
}
