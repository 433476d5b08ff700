//! Plugins publish and subscribe on the bus of their host: whatever happens to them, messages add up.

use std::fs;
use std::path::PathBuf;

use hookrail::stream::Streams;
use hookrail::{BusView, Config, End, Host, InstanceConfig, Isolation, PluginConfig, PluginHandle, SubscriptionView};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::zoo;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scenes::{SOON, limits, numbers, unasked};

const PLUGIN: &str = "talks-on-the-bus";

/// A host whose plugin has these instances. Fields are dropped in this order.
pub(crate) struct Talks {
    pub(crate) plugin: PluginHandle,
    pub(crate) streams: Streams,
    pub(crate) host: Host,
    pub(crate) home: TempDir,
}

impl Talks {
    /// What is configured can name files of the home.
    fn of(instances: impl FnOnce(&dyn Fn(&str) -> PathBuf) -> Vec<(&'static str, Value)>) -> Self {
        Self::in_process(Isolation::default(), instances)
    }

    pub(crate) fn in_process(
        isolation: Isolation,
        instances: impl FnOnce(&dyn Fn(&str) -> PathBuf) -> Vec<(&'static str, Value)>,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
        for (name, config) in instances(&|name| home.path().join(name)) {
            plugin = plugin.with_instance(name, InstanceConfig::default().with_config(config));
        }
        let host = host_of(&home, plugin);
        let streams = Streams::of(&host).unwrap().begin(&host).unwrap();
        // SAFETY: our own library.
        let plugin = unsafe { host.load(zoo("talks_on_the_bus")) }.unwrap();
        Talks { plugin, streams, host, home }
    }

    /// Makes the file that an instance waits for.
    pub(crate) fn tell(&self, name: &str) {
        fs::write(self.home.path().join(name), "").unwrap();
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.home.path().join(name)).unwrap_or_default().lines().map(Into::into).collect()
    }

    /// Waits until that much was published, and nothing is held any more.
    pub(crate) fn settled(&self, published: u64) -> BusView {
        eventually("all is published and taken", || {
            let bus = self.streams.bus();
            let decided = bus.routed + bus.dropped.values().sum::<u64>();
            (bus.received, decided) == (published, published)
                && bus.subscriptions.iter().all(|subscription| subscription.held == 0)
        });
        adds_up(self.streams.bus())
    }

    pub(crate) fn upgrade(&self) {
        // SAFETY: our own library.
        let upgraded = unsafe { self.host.upgrade(&self.plugin, zoo("talks_on_the_bus")) }.unwrap();
        assert_eq!(upgraded.old.wait(), End::Unmapped);
    }
}

fn host_of(home: &TempDir, plugin: PluginConfig) -> Host {
    let mut config = Config::default().with_home(home.path()).with_health(unasked()).with_plugin(PLUGIN, plugin);
    config.unload.deadline = LONG;
    Host::new(config).unwrap()
}

pub(crate) fn adds_up(bus: BusView) -> BusView {
    assert_eq!(bus.received, bus.routed + bus.dropped.values().sum::<u64>(), "{bus:?}");
    for subscription in &bus.subscriptions {
        let dropped: u64 = subscription.dropped.values().sum();
        assert_eq!(subscription.given, subscription.delivered + dropped + subscription.held, "{subscription:?}");
    }
    bus
}

pub(crate) fn of<'a>(bus: &'a BusView, instance: &str) -> &'a SubscriptionView {
    let instance = format!("{PLUGIN}:{instance}");
    bus.subscriptions.iter().find(|subscription| subscription.instance == instance).expect("it has subscribed")
}

#[test]
fn what_one_instance_publishes_each_gets_that_wants_its_topic_and_its_headers() {
    let talks = Talks::of(|file| {
        vec![
            ("errors", json!({ "file": file("errors"), "topic": "log.>", "level": "error" })),
            ("logs", json!({ "file": file("logs"), "topic": "log.>", "retries_every": 3 })),
            ("one", json!({ "sends": 50, "sends_on": "log.one", "sends_level": "error", "sends_when": file("go") })),
            ("other", json!({ "sends": 7, "sends_on": "metric", "sends_when": file("go") })),
            ("two", json!({ "sends": 30, "sends_on": "log.two.deep", "sends_when": file("go") })),
        ]
    });
    talks.tell("go");
    let bus = talks.settled(87);
    assert_eq!(talks.lines("errors"), numbers(50), "in order");
    assert_eq!(talks.lines("logs").len(), 80);
    assert_eq!((bus.routed, bus.dropped["unrouted"]), (80, 7));
    assert_eq!((of(&bus, "errors").delivered, of(&bus, "logs").delivered), (50, 80));
    assert_eq!(of(&bus, "errors").topics, ["log.>"]);
}

/// One that holds up and has this policy, beside one that goes on.
fn slow(policy: &str) -> Talks {
    Talks::of(|file| {
        vec![
            ("fast", json!({ "file": file("fast"), "capacity": 1000 })),
            ("slow", json!({ "file": file("slow"), "policy": policy, "capacity": 10, "waits_for": file("receive") })),
            ("source", json!({ "sends": 100, "sends_on": "number", "sends_when": file("go") })),
        ]
    })
}

fn slow_gets(policy: &str, reason: &str, expected: &[String]) {
    let talks = slow(policy);
    talks.tell("go");
    eventually("all others get everything", || talks.lines("fast").len() == 100);
    talks.tell("receive");
    let bus = talks.settled(100);
    let dropped = 100 - expected.len() as u64;
    assert_eq!(of(&bus, "slow").dropped, [(reason.to_owned(), dropped)].into(), "{bus:?}");
    assert_eq!(talks.lines("slow"), expected);
}

#[test]
fn a_slow_subscriber_loses_the_oldest_and_stops_nobody() {
    slow_gets("drop_oldest", "full", &numbers(100)[90..]);
}

#[test]
fn a_slow_subscriber_that_drops_the_newest_keeps_the_first() {
    slow_gets("drop_newest", "full", &numbers(10));
}

#[test]
fn a_slow_subscriber_that_keeps_the_latest_gets_the_last_of_each_topic() {
    slow_gets("latest_per_key", "replaced", &numbers(100)[99..]);
}

#[test]
fn a_slow_subscriber_that_blocks_stops_who_publishes_and_loses_nothing() {
    let talks = slow("block");
    talks.tell("go");
    eventually("its queue is full", || of(&talks.streams.bus(), "slow").held == 10);
    std::thread::sleep(SOON);
    assert_eq!(talks.streams.bus().received, 10, "nobody publishes any more");
    talks.tell("receive");
    let bus = talks.settled(100);
    assert_eq!(talks.lines("slow"), numbers(100));
    assert!(of(&bus, "slow").dropped.is_empty());
}

#[test]
fn a_newer_generation_gets_what_the_older_has_left_and_the_order_stays() {
    let talks = Talks::of(|file| {
        vec![
            ("kept", json!({ "file": file("kept"), "waits_for": file("receive"), "topic": "number" })),
            ("source", json!({ "sends": 100, "sends_on": "number", "sends_when": file("go") })),
        ]
    });
    talks.tell("go");
    eventually("all is published", || of(&talks.streams.bus(), "kept").held == 100);
    fs::remove_file(talks.home.path().join("go")).unwrap();
    talks.upgrade();
    talks.upgrade();
    let bus = adds_up(talks.streams.bus());
    assert_eq!((bus.subscriptions.len(), of(&bus, "kept").held), (1, 100));
    talks.tell("receive");
    talks.settled(100);
    assert_eq!(talks.lines("kept"), numbers(100));
}

#[test]
fn a_plugin_is_unmapped_while_its_threads_wait_on_the_bus() {
    let talks = Talks::of(|file| {
        vec![
            ("full", json!({ "file": file("full"), "policy": "block", "capacity": 5, "waits_for": file("never") })),
            ("source", json!({ "sends": 100, "sends_on": "number" })),
            ("waits", json!({ "file": file("waits"), "topic": "other" })),
        ]
    });
    eventually("the publisher waits", || of(&talks.streams.bus(), "full").held == 5);
    let end = talks.host.unload(&talks.plugin).unwrap();
    assert!(end.is_unmapped(), "{end:?}");
    assert!(talks.streams.bus().subscriptions.is_empty());
}

#[test]
fn a_callback_may_publish_but_not_for_ever() {
    let talks = Talks::of(|file| {
        vec![
            ("answers", json!({ "reacts_to": "question", "reacts_on": "answer", "errors": file("none") })),
            ("hears", json!({ "file": file("heard"), "topic": "answer" })),
            ("loops", json!({ "reacts_to": "loop", "reacts_on": "loop", "errors": file("errors") })),
            ("source", json!({ "sends": 3, "sends_on": "question", "sends_when": file("ask") })),
            ("starts", json!({ "sends": 1, "sends_on": "loop", "sends_when": file("loop") })),
        ]
    });
    talks.tell("ask");
    talks.settled(6);
    assert_eq!(talks.lines("heard"), numbers(3));
    talks.tell("loop");
    // One, and three that it has caused.
    talks.settled(10);
    assert!(talks.lines("none").is_empty());
    let errors = talks.lines("errors");
    assert!(matches!(&*errors, [error] if error.contains("while its own message is being published")), "{errors:?}");
}

/// One that receives all its queue has room for, and publishes each message again before it answers for any, and one that
/// hears what is published so.
pub(crate) fn passing_on(isolation: Isolation, topic: &'static str) -> Talks {
    let talks = Talks::in_process(isolation, |file| {
        let passes = json!({
            "file": file("raw"), "topic": "raw.>", "policy": "block", "capacity": 8, "waits_for": file("receive"),
            "passes_on": topic, "errors": file("errors"),
        });
        vec![
            ("hears", json!({ "file": file("heard"), "topic": topic })),
            ("passes", passes),
            ("source", json!({ "sends": 8, "sends_on": "raw.one", "sends_when": file("go") })),
        ]
    });
    talks.tell("go");
    eventually("its queue is full", || of(&talks.streams.bus(), "passes").held == 8);
    talks.tell("receive");
    talks
}

#[test]
fn who_receives_may_publish_what_it_does_not_want_itself_before_it_answers() {
    for isolation in [Isolation::default(), Isolation::WORKER] {
        let talks = passing_on(isolation, "cooked.one");
        talks.settled(16);
        assert_eq!((talks.lines("raw"), talks.lines("heard")), (numbers(8), numbers(8)));
        assert!(talks.lines("errors").is_empty());
    }
}

#[test]
fn who_receives_is_not_let_wait_for_itself() {
    for isolation in [Isolation::default(), Isolation::WORKER] {
        let talks = passing_on(isolation, "raw.two");
        talks.settled(8);
        assert_eq!((talks.lines("raw"), talks.lines("heard")), (numbers(8), Vec::new()));
        let errors = talks.lines("errors");
        assert!(errors.len() == 8 && errors[0].contains("this thread is to empty it"), "{errors:?}");
    }
}

#[test]
fn a_subscription_that_blocks_stops_nobody_whose_messages_it_does_not_want() {
    let talks = Talks::of(|file| {
        vec![
            (
                "blocks",
                json!({ "file": file("blocks"), "topic": "raw.>", "policy": "block", "capacity": 5, "waits_for": file("never") }),
            ),
            ("hears", json!({ "file": file("heard"), "topic": "other" })),
            ("one", json!({ "sends": 100, "sends_on": "raw.one" })),
            ("other", json!({ "sends": 100, "sends_on": "other", "sends_when": file("go") })),
        ]
    });
    eventually("it is full", || of(&talks.streams.bus(), "blocks").held == 5);
    talks.tell("go");
    eventually("the others go on", || talks.lines("heard").len() == 100);
    assert_eq!(adds_up(talks.streams.bus()).received, 105);
}

/// One whose callback has what is published on `plain` go on by `moved.here`, and one that wants only that, and blocks.
fn moving(passes_on: &'static str, sends_on: &'static str) -> Talks {
    let talks = Talks::of(|file| {
        let blocks = json!({
            "file": file("out"), "topic": "moved.*", "policy": "block", "capacity": 5, "waits_for": file("receive"),
            "passes_on": passes_on, "errors": file("errors"),
        });
        vec![
            ("blocks", blocks),
            ("moves", json!({ "reacts_to": "plain", "moves_to": "moved.here" })),
            (
                "source",
                json!({ "sends": if passes_on.is_empty() { 100 } else { 5 }, "sends_on": sends_on, "sends_when": file("go") }),
            ),
        ]
    });
    // Callbacks are called once all instances have started.
    talks.tell("go");
    talks
}

#[test]
fn a_subscription_that_blocks_also_stops_who_publishes_what_a_callback_has_made_it_want() {
    let talks = moving("", "plain");
    eventually("its queue is full, and one more is decided", || talks.streams.bus().received == 6);
    std::thread::sleep(SOON);
    assert_eq!((talks.streams.bus().received, of(&talks.streams.bus(), "blocks").held), (6, 5));
    talks.tell("receive");
    let bus = talks.settled(100);
    assert_eq!(talks.lines("out"), numbers(100));
    assert!(of(&bus, "blocks").dropped.is_empty());
}

#[test]
fn what_a_callback_has_made_its_own_publisher_want_is_dropped_where_it_would_wait_for_itself() {
    let talks = moving("plain", "moved.first");
    eventually("its queue is full", || of(&talks.streams.bus(), "blocks").held == 5);
    talks.tell("receive");
    let bus = talks.settled(10);
    assert_eq!(talks.lines("out"), numbers(5));
    assert_eq!(of(&bus, "blocks").dropped, [("full".to_owned(), 5)].into());
    assert!(talks.lines("errors").is_empty(), "it was taken");
}

#[test]
fn what_is_published_in_one_host_is_not_heard_in_another() {
    let one = slow("block");
    let other = Talks::of(|file| vec![("hears", json!({ "file": file("heard") }))]);
    one.tell("receive");
    one.tell("go");
    one.settled(100);
    let bus = other.streams.bus();
    assert_eq!((bus.received, bus.subscriptions.len()), (0, 1));
    assert!(other.lines("heard").is_empty());
}

#[test]
fn a_host_without_streams_has_no_bus_and_says_so_in_a_worker_too() {
    let refused = |config: PluginConfig| {
        let home = tempfile::tempdir().unwrap();
        let instance = InstanceConfig::default().with_config(json!({ "file": home.path().join("f") }));
        let host = host_of(&home, config.with_instance("hears", instance));
        // SAFETY: our own library.
        unsafe { host.load(zoo("talks_on_the_bus")) }.expect_err("it has no bus").to_string()
    };
    // So that the table is there, and it is the host that has none.
    let _streams = slow("block");
    let why = refused(PluginConfig::default());
    assert!(why.contains("this host has no streams, and so no bus"), "{why}");
    let why = refused(PluginConfig::default().with_isolation(Isolation::WORKER).with_worker(limits()));
    assert!(why.contains("this host has no streams, and so no bus"), "{why}");
}
