//! What a plugin tells by `tracing` and `log` reaches the host's subscriber, with the instance and the
//! generation on it, and outlives the library.

use std::collections::BTreeMap;
use std::io::pipe;
use std::os::fd::AsRawFd;
use std::time::Duration;

use hookrail::{CallbackOverride, Config, End, HookPoint, Host, LogLevel, Message, MessagePublish, PluginHandle};
use hookrail_abi::Point;
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::recorder::{Heard, heard, listen, messages, open};
use hookrail_tests::{alone, zoo};
use serde_json::{Value, json};
use tracing::Level;

struct Stage {
    host: Host,
    publish: HookPoint<MessagePublish>,
}

impl Stage {
    /// A host whose plugins tell so much, when nothing else is said.
    fn new(level: LogLevel, plugins: Value) -> Self {
        let mut config: Config = serde_json::from_value(json!({ "plugins": plugins })).unwrap();
        config.log_level = Some(level);
        Stage::of(config)
    }

    fn of(mut config: Config) -> Self {
        config.unload.deadline = LONG;
        // The host would log that a plugin is late with its answer.
        config.health.every = Duration::ZERO;
        let host = Host::new(config).unwrap();
        Stage { publish: host.point(MessagePublish).unwrap(), host }
    }

    fn load(&self, specimen: &str) -> PluginHandle {
        // SAFETY: our own library.
        unsafe { self.host.load(zoo(specimen)) }.unwrap()
    }

    fn publish(&self, body: &str) {
        let _ = self.publish.dispatch(&mut Message::new("a", body));
    }

    fn unload(&self, plugin: PluginHandle) {
        assert_eq!(self.host.unload(&plugin).unwrap(), End::Unmapped);
    }
}

fn events() -> Vec<Heard> {
    heard().into_iter().filter(|heard| heard.what == "event").collect()
}

/// Whose an event is: instance or plugin, and the generation.
fn whose(event: &Heard) -> (Option<&str>, Option<&str>, Option<&str>) {
    (event.field("instance"), event.field("plugin"), event.field("generation"))
}

#[test]
fn an_event_keeps_its_fields_and_names_its_instance() {
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Info, json!({}));
    let plugin = stage.load("tells");
    stage.publish("fields");
    let event = events().into_iter().find(|event| event.target == "a::target").unwrap();
    assert_eq!(event.level, Some(Level::INFO));
    assert!(event.file.unwrap().ends_with("telling/mod.rs"));
    assert!(event.line.unwrap() > 40);
    let fields = [
        ("message", "shown a message of 2"),
        ("yes", "bool true"),
        ("less", "i64 -3"),
        ("more", "u64 18446744073709551615"),
        ("part", "f64 0.5"),
        ("text", r#"text "a \"text\"""#),
        ("shown", "shown shown"),
        ("seen", r#"shown Some("seen")"#),
        ("large", "shown 340282366920938463463374607431768211455"),
        ("own.instance", r#"text "its own""#),
        ("instance", r#"text "tells""#),
        ("generation", "u64 1"),
    ];
    for (name, value) in fields {
        assert_eq!(event.field(name), Some(value), "{name}");
    }
    assert_eq!(event.fields.len(), fields.len(), "{event:?}");
    stage.unload(plugin);
    assert_eq!(messages(), ["starts", "a message of 2", "stops"]);
    // What was told points nowhere into the library, which is gone.
    assert!(events().iter().all(|event| event.file.unwrap().ends_with("telling/mod.rs")));
}

/// The last callback of a chain that is counted is called by way of the host.
#[test]
fn an_event_names_its_instance_in_a_traced_chain_too() {
    alone!();
    listen();
    let last = CallbackOverride::new(MessagePublish::NAME, "tells/tell").with_priority(2000);
    let stage = Stage::of(Config::default().with_override(last));
    let plugin = stage.load("tells");
    for level in [hookrail::StatsLevel::Count, hookrail::StatsLevel::Histogram] {
        stage.host.set_level(MessagePublish::NAME, level).unwrap();
        stage.publish("fields");
        let event = events().into_iter().rfind(|event| event.target == "a::target").unwrap();
        assert_eq!(event.field("instance"), Some(r#"text "tells""#), "{level:?}");
    }
    stage.unload(plugin);
}

#[test]
fn a_line_of_log_has_its_target_and_its_place() {
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Info, json!({}));
    let plugin = stage.load("tells");
    stage.publish("log");
    let line = &events()[1];
    assert_eq!((line.level, line.target, line.name), (Some(Level::WARN), "a::place", "log"));
    assert_eq!(line.message(), "a line of log");
    assert_eq!(whose(line), (Some(r#"text "tells""#), None, Some("u64 1")));
    assert!(line.file.unwrap().ends_with("telling/mod.rs") && line.line.is_some());
    stage.unload(plugin);
    assert_eq!(messages(), ["starts", "a line of log", "stops"]);
}

#[test]
fn spans_open_nest_and_close_as_they_did() {
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Trace, json!({}));
    let plugin = stage.load("tells");
    listen();
    stage.publish("spans");
    let told: Vec<_> = heard().iter().map(|one| format!("{} {} {}", one.what, one.name, one.parent)).collect();
    let event = |one: &Heard| one.what == "event";
    let names: Vec<_> = told.iter().map(|line| if line.starts_with("event") { "event" } else { line.trim() }).collect();
    let expected = [
        "open outer current",
        "open inner outer",
        "open alone none",
        "follows alone inner",
        "record outer",
        "enter outer",
        "enter inner",
        "event",
        "exit inner",
        "event",
        "exit outer",
        "close inner",
        "close alone",
        "event",
        "close outer",
    ];
    assert_eq!(names, expected);
    let parents: Vec<_> = heard().iter().filter(|one| event(one)).map(|one| one.parent.clone()).collect();
    assert_eq!(parents, ["current", "none", "outer"]);
    let outer = &heard()[0];
    assert_eq!((outer.level, outer.field("number")), (Some(Level::ERROR), Some("u64 1")));
    assert_eq!(whose(outer), (Some(r#"text "tells""#), None, Some("u64 1")));
    assert_eq!(heard()[4].field("later"), Some(r#"text "it came""#));
    // It holds of its own spans what it holds.
    stage.publish("current");
    stage.unload(plugin);
    assert_eq!(open(), 0);
}

#[test]
fn a_forgotten_span_is_left_and_closed_when_its_plugin_goes() {
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Info, json!({}));
    let plugin = stage.load("tells");
    stage.publish("forget");
    assert_eq!(open(), 1);
    stage.unload(plugin);
    // This thread is asked to leave it; it comes by here, if it did not while it waited.
    stage.publish("");
    assert_eq!(open(), 0);
    let of_span: Vec<_> = heard().iter().filter(|one| one.name == "forgotten").map(|one| one.what).collect();
    assert_eq!(of_span, ["open", "enter", "exit", "close"]);
}

#[test]
fn the_level_is_the_hosts_to_say_per_plugin_and_at_any_time() {
    alone!();
    listen();
    let plugins = json!({ "tells": { "log_level": "warn" } });
    let stage = Stage::new(LogLevel::Debug, plugins);
    let (one, other) = (stage.load("tells"), stage.load("tells_again"));
    let levels = |body: &str| {
        listen();
        stage.publish(body);
        let of = |name: &str| events().iter().filter(|event| event.field("instance").unwrap().contains(name)).count();
        (of("tells\""), of("tells-again\""))
    };
    assert_eq!(levels("levels"), (2, 4));
    for (level, count) in [(LogLevel::Trace, 5), (LogLevel::Off, 0), (LogLevel::Error, 1), (LogLevel::Info, 3)] {
        stage.host.set_log_level(&one, level).unwrap();
        assert_eq!(levels("levels"), (count, 4), "{level:?}");
    }
    // It goes with the plugin over an upgrade, and the number of the generation goes up.
    // SAFETY: our own library.
    let upgraded = unsafe { stage.host.upgrade(&one, zoo("tells")) }.unwrap();
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(levels("levels"), (3, 4));
    let generations: BTreeMap<_, _> =
        events().iter().map(|event| (event.fields["instance"].clone(), event.fields["generation"].clone())).collect();
    let expected = [(r#"text "tells""#, "u64 2"), (r#"text "tells-again""#, "u64 1")];
    assert_eq!(generations, expected.map(|(name, number)| (name.to_owned(), number.to_owned())).into());
    stage.unload(one.clone());
    assert_eq!(stage.host.set_log_level(&one, LogLevel::Info).unwrap_err().code(), "HR0103");
    stage.unload(other);
}

#[test]
fn a_thread_of_a_plugins_own_tells_of_the_plugin() {
    alone!();
    listen();
    let (until, hold) = pipe().unwrap();
    let config = json!({ "tells": { "instances": { "a": { "config": { "until": until.as_raw_fd() } } } } });
    let stage = Stage::new(LogLevel::Info, config);
    let plugin = stage.load("tells");
    eventually("its thread tells", || messages().contains(&"a thread begins".into()));
    let ticket = stage.host.begin_unload(&plugin).unwrap();
    eventually("it stops", || messages().contains(&"stops".into()));
    drop(hold);
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    for event in events() {
        let instance = (Some(r#"text "tells:a""#), None, Some("u64 1"));
        let plugin = (None, Some(r#"text "tells""#), Some("u64 1"));
        let expected = if event.message().starts_with("a thread") { plugin } else { instance };
        assert_eq!(whose(&event), expected, "{event:?}");
    }
    assert_eq!(messages().last().unwrap(), "a thread ends");
}

#[test]
fn events_of_many_threads_survive_changes_of_generation() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    const UPGRADES: u64 = 5;
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Info, json!({}));
    let (one, other) = (stage.load("tells"), stage.load("tells_again"));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let publish = &stage.publish;
            scope.spawn(move || {
                for number in 0..EACH {
                    let _ = publish.dispatch(&mut Message::new("a", format!("{thread}-{number}")));
                }
            });
        }
        for _ in 0..UPGRADES {
            // SAFETY: our own library.
            let upgraded = unsafe { stage.host.upgrade(&one, zoo("tells")) }.unwrap();
            assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
        }
    });
    let mut told = BTreeMap::<_, Vec<_>>::new();
    for event in events().into_iter().filter(|event| event.message().contains('-')) {
        told.entry(event.fields["instance"].clone()).or_default().push(event.message());
    }
    let mut all: Vec<_> =
        (0..THREADS).flat_map(|thread| (0..EACH).map(move |number| format!("{thread}-{number}"))).collect();
    all.sort();
    assert_eq!(told.len(), 2);
    for (instance, mut told) in told {
        told.sort();
        assert_eq!(told, all, "{instance}");
    }
    stage.unload(one);
    stage.unload(other);
}

/// Two libraries of one source are one place to the subscriber, and so is each of their generations.
#[test]
fn places_are_copied_once_however_many_generations_tell_of_them() {
    alone!();
    listen();
    let stage = Stage::new(LogLevel::Info, json!({}));
    for _ in 0..3 {
        let plugin = stage.load("tells");
        stage.publish("fields");
        stage.unload(plugin);
    }
    let files: std::collections::BTreeSet<_> =
        events().iter().filter(|event| event.target == "a::target").map(|event| event.file.unwrap().as_ptr()).collect();
    assert_eq!(files.len(), 1);
}
