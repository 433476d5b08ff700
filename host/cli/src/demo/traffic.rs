//! Loading and unloading while messages flow.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookrail::{
    Callbacks, HookPoint, Host, Message, MessageDelivered, MessageId, MessagePublish, PluginHandle, Priority,
};
use indicatif::HumanCount;
use serde::Serialize;

use super::sample::Sample;
use crate::error::Error;

/// How long messages flow.
const TIME: Duration = Duration::from_millis(1_000);

/// The results for the messages and the plugins.
#[derive(Serialize)]
pub(super) struct Traffic {
    published: u64,
    denied: u64,
    /// Counted by a callback on `message.delivered`, separately from the publisher.
    arrived: u64,
    lost: u64,
    /// How many went through the plugin that was loaded and unloaded.
    greeted: u64,
    loads: u64,
    load_us: u64,
    unload_us: u64,
    /// How many unloads ended in each way.
    ends: BTreeMap<String, u64>,
    seconds: f64,
}

/// Publishes the sample repeatedly; meanwhile unloads `first`, then loads and unloads the library at `hello` as often
/// as time allows.
pub(super) fn run(host: &Host, sample: &Sample, hello: &Path, first: Option<PluginHandle>) -> Result<Traffic, Error> {
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = arrived.clone();
    let counting =
        host.register(Callbacks::new("demo").on(MessageDelivered, "count", Priority::BUILT_IN, move |_message| {
            // Relaxed: read after the publisher has been joined.
            counter.fetch_add(1, Ordering::Relaxed);
        }))?;
    let (publish, delivered) = (host.point(MessagePublish)?, host.point(MessageDelivered)?);
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let (flow, comings) = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish_all(&publish, &delivered, sample, &is_over));
        let comings = come_and_go(host, hello, first, start);
        is_over.store(true, Ordering::Relaxed);
        (publisher.join().expect("publishing does not panic"), comings)
    });
    let seconds = start.elapsed().as_secs_f64();
    host.unregister(counting);
    let comings = comings?;
    let arrived = arrived.load(Ordering::Relaxed);
    Ok(Traffic {
        published: flow.published,
        denied: flow.denied,
        arrived,
        lost: flow.published - flow.denied - arrived,
        greeted: flow.greeted,
        loads: comings.load_times.len() as u64,
        load_us: median(comings.load_times),
        unload_us: median(comings.unload_times),
        ends: comings.ends,
        seconds,
    })
}

#[derive(Default)]
struct Flow {
    published: u64,
    denied: u64,
    greeted: u64,
}

fn publish_all(
    publish: &HookPoint<MessagePublish>,
    delivered: &HookPoint<MessageDelivered>,
    sample: &Sample,
    is_over: &AtomicBool,
) -> Flow {
    let mut flow = Flow::default();
    let mut message = Message::empty();
    while !is_over.load(Ordering::Relaxed) {
        for line in &sample.lines {
            (message.id, message.timestamp) = MessageId::now();
            message.topic.set("log.traffic");
            message.headers.clear();
            message.body.set(line.as_bytes());
            flow.published += 1;
            if publish.dispatch(&mut message).is_denied() {
                flow.denied += 1;
                continue;
            }
            flow.greeted += u64::from(message.header("greeting").is_some());
            let _ = delivered.dispatch(&mut message);
        }
    }
    flow
}

#[derive(Default)]
struct Comings {
    load_times: Vec<Duration>,
    unload_times: Vec<Duration>,
    ends: BTreeMap<String, u64>,
}

fn come_and_go(host: &Host, hello: &Path, first: Option<PluginHandle>, start: Instant) -> Result<Comings, Error> {
    let mut comings = Comings::default();
    if let Some(first) = first {
        let end = host.unload(&first)?;
        *comings.ends.entry(end.to_string()).or_default() += 1;
    }
    while start.elapsed() < TIME {
        let loading = Instant::now();
        // SAFETY: a prebuilt plugin, or one the operator put where plugins are looked for.
        let plugin = unsafe { host.load(hello)? };
        comings.load_times.push(loading.elapsed());
        // Time for some messages to go through it.
        std::thread::sleep(Duration::from_millis(5));
        let unloading = Instant::now();
        let end = host.unload(&plugin)?;
        comings.unload_times.push(unloading.elapsed());
        *comings.ends.entry(end.to_string()).or_default() += 1;
    }
    Ok(comings)
}

fn median(mut times: Vec<Duration>) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0, |time| time.as_micros() as u64)
}

impl Traffic {
    pub(super) fn to_text(&self) -> String {
        let count = |number| HumanCount(number).to_string();
        let ends: Vec<_> = self.ends.iter().map(|(end, times)| format!("{times} x {end}")).collect();
        format!(
            "  throttle unloaded; then hello loaded and unloaded {} times in {:.1} s\n  \
             load {:.1} ms, unload {:.1} ms (medians), with the wait for whoever is inside\n  \
             how it ended: {}\n  \
             {} published = {} arrived + {} denied: {} lost; {} went through hello",
            count(self.loads),
            self.seconds,
            self.load_us as f64 / 1e3,
            self.unload_us as f64 / 1e3,
            ends.join("; "),
            count(self.published),
            count(self.arrived),
            count(self.denied),
            count(self.lost),
            count(self.greeted)
        )
    }
}
