//! What a subscription wants.

use crate::boundary::{BUS_BLOCK, BUS_DROP_NEWEST, BUS_DROP_OLDEST, BUS_LATEST_PER_KEY, BusHeader, BusSpec, Str};

/// What a subscription wants, and how it waits. When its queue is full the oldest message is dropped, unless it says
/// otherwise.
///
/// ```
/// use hookrail_abi::bus::Subscribe;
///
/// let errors = Subscribe::to("errors", "log.>").topic("alarm").header("level", "error").capacity(64);
/// # drop(errors.drop_newest());
/// ```
#[derive(Clone, Debug)]
pub struct Subscribe {
    name: String,
    topics: Vec<String>,
    headers: Vec<(String, String)>,
    policy: u32,
    key: String,
    capacity: u64,
}

impl Subscribe {
    /// All topics, and the name of the subscription, which is unique among those of the instance.
    pub fn all(name: impl Into<String>) -> Self {
        Subscribe {
            name: name.into(),
            topics: Vec::new(),
            headers: Vec::new(),
            policy: BUS_DROP_OLDEST,
            key: String::new(),
            capacity: 0,
        }
    }

    /// As [`all`](Self::all), of one topic: `*` is any token, a last `>` all that follow.
    pub fn to(name: impl Into<String>, topic: impl Into<String>) -> Self {
        Self::all(name).topic(topic)
    }

    /// This topic, too.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    /// Only messages that have this header, with this value, and all others that are asked for.
    #[must_use]
    pub fn header(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((key.into(), value.into()));
        self
    }

    /// How many messages wait at most, those included that were received and not answered for.
    #[must_use]
    pub fn capacity(mut self, messages: u64) -> Self {
        self.capacity = messages;
        self
    }

    /// When its queue is full, whoever publishes waits: one that does not receive stops all of them.
    #[must_use]
    pub fn block(mut self) -> Self {
        self.policy = BUS_BLOCK;
        self
    }

    /// When its queue is full, a message is dropped.
    #[must_use]
    pub fn drop_newest(mut self) -> Self {
        self.policy = BUS_DROP_NEWEST;
        self
    }

    /// A message takes the place of one that has the same value of this header and still waits. Without a header, the same
    /// topic.
    #[must_use]
    pub fn latest_per_key(mut self, header: Option<&str>) -> Self {
        self.policy = BUS_LATEST_PER_KEY;
        self.key = header.unwrap_or_default().into();
        self
    }

    /// Calls `run` with it as it crosses the boundary.
    pub(super) fn crossing<R>(&self, run: impl FnOnce(&BusSpec) -> R) -> R {
        let topics: Vec<_> = self.topics.iter().map(|topic| Str::new(topic)).collect();
        let header = |(key, value): &(String, String)| BusHeader { key: Str::new(key), value: Str::new(value) };
        let headers: Vec<_> = self.headers.iter().map(header).collect();
        run(&BusSpec {
            size: size_of::<BusSpec>() as u32,
            policy: self.policy,
            name: Str::new(&self.name),
            key: Str::new(&self.key),
            topics: topics.as_ptr(),
            topic_count: topics.len(),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            capacity: self.capacity,
        })
    }
}
