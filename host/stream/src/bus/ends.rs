//! The ends of pipelines at the bus: the source `bus` subscribes, the sink `bus` publishes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hookrail_abi::{Message, Received, Result, SinkIo, SourceIo};
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::Value;

use super::spec::Spec;
use super::{Bus, Subscription};
use crate::io::{SinkEnd, SourceEnd};
use crate::own::Own;
use crate::source::Inlet;
use crate::topic::Pattern;

/// What the subscriptions of pipelines have in place of an instance.
const PIPELINES: &str = "pipelines";
/// How many messages pass at once.
const BATCH: usize = 256;
/// How often one that waits for others looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// What an operator says of the source.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    topics: Vec<String>,
    headers: BTreeMap<String, String>,
    queue: Option<QueueConfig>,
}

/// What an operator says of the sink: nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Offers both to pipelines.
pub(crate) fn offer(own: &mut Own, bus: &Arc<Bus>) {
    let of_source = bus.clone();
    own.add_source_at("bus", move |path, config| {
        let (bus, spec) = (of_source.clone(), wanted(path, config)?);
        Ok(move |io: &mut SourceIo<'_>| Subscribed::new(&bus, spec.clone())?.pass(io))
    });
    let of_sink = bus.clone();
    own.add_sink("bus", move |config| {
        let Nothing {} = parse(config)?;
        let bus = of_sink.clone();
        Ok(move |io: &mut SinkIo<'_>| Publishing::new(&bus)?.pass(io))
    });
}

fn parse<T: for<'a> Deserialize<'a>>(config: &Value) -> Result<T> {
    T::deserialize(config).map_err(|error| format!("the configuration does not fit: {error}").into())
}

fn wanted(path: &str, config: &Value) -> Result<Spec> {
    let Wanted { topics, headers, queue } = parse(config)?;
    let pattern = |topic: &String| topic.parse::<Pattern>().map_err(|invalid| format!("`topics`: {invalid}"));
    let topics = topics.iter().map(pattern).collect::<std::result::Result<_, _>>()?;
    // As for other subscriptions: one that is slow is not to stop the others.
    let queue = queue.unwrap_or_else(|| {
        let mut queue = QueueConfig::default();
        queue.policy = QueuePolicy::DropOldest;
        queue
    });
    if queue.policy == QueuePolicy::Spill {
        return Err(
            "`queue.policy` is \"spill\": the bus keeps nothing on disk; use it before a sink of the pipeline".into()
        );
    }
    if queue.capacity == 0 {
        return Err("`queue.capacity` is 0: write how many messages may wait".into());
    }
    if queue.memory == 0 {
        return Err("`queue.memory` is 0: write how many bytes of messages may wait, for example \"64MiB\"".into());
    }
    Ok(Spec { name: path.into(), topics, headers, queue })
}

/// A subscription, until it is dropped.
struct Subscribed<'a> {
    bus: &'a Bus,
    subscription: Arc<Subscription>,
    /// There until it is dropped.
    end: Option<SinkEnd>,
}

impl<'a> Subscribed<'a> {
    fn new(bus: &'a Bus, spec: Spec) -> Result<Self> {
        // A source that runs anew is as a newer generation: it gets what the one before has left, if that still runs.
        static GENERATION: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: a number of its own.
        let subscription = bus.subscribe(PIPELINES, GENERATION.fetch_add(1, Ordering::Relaxed), spec)?;
        let end = Some(SinkEnd::new(&bus.flow, &subscription.outlet));
        Ok(Subscribed { bus, subscription, end })
    }

    /// Gives what comes to the pipeline, until either ends.
    fn pass(self, io: &mut SourceIo<'_>) -> Result<()> {
        let table = self.end.as_ref().expect("it is not dropped yet").io();
        // SAFETY: the end stays until `self` is dropped, and only this thread uses it.
        let mut from = unsafe { SinkIo::new(&table) }.map_err(|_| "the table is incomplete")?;
        let none = "the system has no more descriptors";
        let (closed, readable) = (io.watch().ok_or(none)?, from.watch().ok_or(none)?);
        let mut batch: Vec<Message> = Vec::new();
        loop {
            let taken = match from.recv(BATCH, Some(Duration::ZERO)) {
                Received::Closed => return Ok(()),
                Received::Nothing => {
                    let mut both = [PollFd::new(&readable, PollFlags::IN), PollFd::new(&closed, PollFlags::IN)];
                    match poll(&mut both, None) {
                        Ok(_) if !both[1].revents().is_empty() => return Ok(()),
                        Ok(_) | Err(Errno::INTR) => continue,
                        Err(error) => return Err(std::io::Error::from(error).into()),
                    }
                }
                Received::Messages(messages) => copy(messages, &mut batch),
            };
            io.send_batch(&mut batch, None)?;
            from.ack(taken);
        }
    }
}

impl Drop for Subscribed<'_> {
    fn drop(&mut self) {
        // What was not passed on goes back, and is the heir's or dropped.
        self.end.take().into_iter().for_each(SinkEnd::end);
        self.bus.unsubscribe(&self.subscription);
    }
}

/// A publisher, until it is dropped.
struct Publishing<'a> {
    bus: &'a Bus,
    inlet: Arc<Inlet>,
}

impl<'a> Publishing<'a> {
    fn new(bus: &'a Bus) -> Result<Self> {
        Ok(Publishing { bus, inlet: bus.publish()? })
    }

    /// Publishes what comes from the pipeline, until either ends.
    fn pass(self, io: &mut SinkIo<'_>) -> Result<()> {
        let end = SourceEnd::new(&self.bus.flow, &self.inlet);
        let table = end.io();
        // SAFETY: the end stays until this returns, and only this thread uses it.
        let mut to = unsafe { SourceIo::new(&table) }.map_err(|_| "the table is incomplete")?;
        let mut batch: Vec<Message> = Vec::new();
        loop {
            let taken = match io.recv(BATCH, None) {
                Received::Closed => return Ok(()),
                Received::Nothing => continue,
                Received::Messages(messages) => copy(messages, &mut batch),
            };
            // A subscription that blocks may have no room for long.
            while !to.send_within(&mut batch, None, Some(LOOK))? {
                if io.is_closed() {
                    return Ok(());
                }
            }
            io.ack(taken);
        }
    }
}

impl Drop for Publishing<'_> {
    fn drop(&mut self) {
        self.bus.unpublish(&self.inlet);
    }
}

/// Copies messages, and returns how many they are. What is left in the batch is empty.
fn copy(messages: &[&Message], batch: &mut Vec<Message>) -> usize {
    batch.clear();
    batch.extend(messages.iter().copied().cloned());
    messages.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_in_a_configuration_are_named() {
        for (config, said) in [
            (json!({ "topic": "a" }), "unknown field `topic`"),
            (json!({ "topics": ["a..b"] }), "`topics`: "),
            (json!({ "queue": { "policy": "spill" } }), "keeps nothing on disk"),
            (json!({ "queue": { "capacity": 0 } }), "`queue.capacity` is 0"),
            (json!({ "queue": { "memory": 0 } }), "`queue.memory` is 0"),
        ] {
            let why = wanted("p/s", &config).expect_err("it is a mistake").to_string();
            assert!(why.contains(said), "{config}: {why}");
        }
        let spec =
            wanted("p/s", &json!({ "topics": ["log.>"], "queue": { "policy": "block", "capacity": 3 } })).unwrap();
        assert_eq!((&*spec.name, spec.topics.len(), spec.queue.capacity), ("p/s", 1, 3));
        assert_eq!(wanted("p/s", &json!({})).unwrap().queue.policy, QueuePolicy::DropOldest);
    }
}
