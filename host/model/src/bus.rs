//! The bus of a host, as it is now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::QueueConfig;

/// The bus of a host, as it is now: what was published = dropped + routed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BusView {
    /// How many messages were published.
    pub received: u64,
    /// How many of those no subscription has got, by the reason.
    pub dropped: BTreeMap<String, u64>,
    /// How many went to at least one subscription.
    pub routed: u64,
    /// The subscriptions, by instance and name.
    pub subscriptions: Vec<SubscriptionView>,
}

/// A subscription, as it is now: given = delivered + dropped + held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionView {
    /// The instance whose it is.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// The patterns of the topics that it wants; all topics if there are none.
    pub topics: Vec<String>,
    /// The headers that a message must have.
    pub headers: BTreeMap<String, String>,
    /// Its queue.
    pub queue: QueueConfig,
    /// How many messages were put into its queue, or refused by it.
    pub given: u64,
    /// How many it has answered for.
    pub delivered: u64,
    /// How many were dropped, by the reason.
    pub dropped: BTreeMap<String, u64>,
    /// How many are in the queue, or taken and not answered for.
    pub held: u64,
}
