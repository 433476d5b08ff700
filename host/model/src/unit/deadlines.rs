//! How long a unit may take.

use std::time::Duration;

use serde::Deserialize;

use crate::setters;
use crate::units::fields;

/// How long a unit may take for what it is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Deadlines {
    /// Until it is ready, from its start.
    #[serde(deserialize_with = "fields::duration")]
    pub ready: Duration,
    /// Until it has answered an order to halt, to resume or to reload.
    #[serde(deserialize_with = "fields::duration")]
    pub order: Duration,
    /// Until it has ended, from the order to do so. Then it is killed.
    #[serde(deserialize_with = "fields::duration")]
    pub shutdown: Duration,
    /// Until it has answered a ping.
    #[serde(deserialize_with = "fields::duration")]
    pub pong: Duration,
    /// From one ping to the next. Without it, it is pinged by command only.
    #[serde(deserialize_with = "fields::optional_duration")]
    pub ping_every: Option<Duration>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines {
            ready: Duration::from_secs(30),
            order: Duration::from_secs(10),
            shutdown: Duration::from_secs(10),
            pong: Duration::from_secs(5),
            ping_every: Some(Duration::from_secs(10)),
        }
    }
}

setters!(Deadlines {
    with_ready(ready: Duration),
    with_order(order: Duration),
    with_shutdown(shutdown: Duration),
    with_pong(pong: Duration),
    with_ping_every(ping_every: Option<Duration>),
});
