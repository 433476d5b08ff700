//! Settings of the operator that more than one crate of the host has to know.

use std::time::Duration;

use hookrail_abi::{FaultPolicy, RawKind};
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::stats::Level;

/// The operator's override of one callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookOverride {
    /// The point, for example `message.publish`.
    pub point: String,
    /// The callback, as `instance/callback`.
    pub callback: String,
    /// Another priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether to leave it out of the chain.
    #[serde(default)]
    pub disabled: bool,
    /// What its fault means: `open`, `closed` or `rollback`.
    #[serde(
        default,
        deserialize_with = "fault_policy",
        serialize_with = "fault_policy_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub fault: Option<FaultPolicy>,
    /// The time that a call may take, in microseconds; checked while its point is counted.
    #[serde(
        default,
        rename = "budget_us",
        deserialize_with = "microseconds",
        serialize_with = "as_microseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub budget: Option<Duration>,
}

impl HookOverride {
    /// Refuses a list that contradicts itself, whatever plugins there are.
    ///
    /// # Errors
    /// If an override is not valid, or two are about the same callback.
    pub fn check(all: &[Self]) -> Result<(), ConfigError> {
        for (index, hook) in all.iter().enumerate() {
            let meaningless =
                |why: &str| Err(ConfigError::InvalidValue { key: format!("hooks[{index}]"), why: why.into() });
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
}

/// The operator's settings of one point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PointConfig {
    /// What a fault of its callbacks means, `open`, `closed` or `rollback`, unless the callback or an override of it
    /// says otherwise.
    #[serde(deserialize_with = "fault_policy")]
    pub fault: Option<FaultPolicy>,
    /// How much its dispatches record from the start: `off`, `count` or `histogram`.
    pub level: Level,
}

/// What a fault means on all points of a kind, `open`, `closed` or `rollback`, unless the callback or the operator's
/// setting of the point says otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// For points whose callbacks only read.
    #[serde(deserialize_with = "fault_policy")]
    pub notify: Option<FaultPolicy>,
    /// For points whose callbacks edit.
    #[serde(deserialize_with = "fault_policy")]
    pub fold: Option<FaultPolicy>,
    /// For points whose callbacks allow or deny.
    #[serde(deserialize_with = "fault_policy")]
    pub gate: Option<FaultPolicy>,
}

impl Faults {
    /// The setting for points of a kind.
    pub fn of(&self, kind: RawKind) -> Option<FaultPolicy> {
        match kind {
            RawKind::Notify => self.notify,
            RawKind::Fold => self.fold,
            RawKind::Gate => self.gate,
        }
    }
}

/// When a failing callback is quarantined, and when it is tried again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quarantine {
    /// How many faults within the time quarantine it; 0 for never.
    pub faults: usize,
    /// The length of that time, in milliseconds.
    #[serde(rename = "within_ms", deserialize_with = "milliseconds")]
    pub within: Duration,
    /// How long after quarantine one dispatch calls it again, in milliseconds; if that call succeeds, all dispatches
    /// call it again. 0 for never.
    #[serde(rename = "pause_ms", deserialize_with = "milliseconds")]
    pub pause: Duration,
}

impl Default for Quarantine {
    fn default() -> Self {
        Quarantine { faults: 10, within: Duration::from_secs(10), pause: Duration::from_secs(30) }
    }
}

/// The limits of an upgrade, from an old build to a new one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpgradeLimits {
    /// The largest state of one instance that is handed over, in bytes.
    pub max_state: usize,
    /// How long a new generation is on probation, in milliseconds.
    #[serde(rename = "probation_ms", deserialize_with = "milliseconds")]
    pub probation: Duration,
    /// How many faults during probation cause a rollback; 0 for no probation.
    pub probation_faults: u64,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        UpgradeLimits { max_state: 64 << 20, probation: Duration::from_secs(10), probation_faults: 3 }
    }
}

/// Deserialises a field in milliseconds.
///
/// # Errors
/// If the value is not a number of milliseconds.
pub fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn microseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_micros))
}

fn as_microseconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_micros() as u64).serialize(serializer)
}

fn fault_policy_name<S: serde::Serializer>(policy: &Option<FaultPolicy>, serializer: S) -> Result<S::Ok, S::Error> {
    policy.map(FaultPolicy::name).serialize(serializer)
}

fn fault_policy<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<FaultPolicy>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None => Ok(None),
        Some("open") => Ok(Some(FaultPolicy::Open)),
        Some("closed") => Ok(Some(FaultPolicy::Closed)),
        Some("rollback") => Ok(Some(FaultPolicy::Rollback)),
        Some(other) => Err(serde::de::Error::unknown_variant(other, &["open", "closed", "rollback"])),
    }
}
