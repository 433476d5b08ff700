//! The order of a chain is that of (priority, instance, callback), and of nothing else.

use std::collections::BTreeSet;

use hookrail::{CallbackOverride, Callbacks, Config, Host, Message, MessagePublish, PointView, Priority};
use proptest::prelude::*;

/// A callback: priority, instance, name.
type Entry = (i32, String, String);

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_registration_gives_one_chain(callbacks in shuffled()) {
        let host = Host::new(Config::default()).unwrap();
        callbacks.iter().for_each(|callback| register(&host, callback));
        check(&host, expected(&callbacks, None));
    }

    #[test]
    fn callbacks_registered_together_are_in_the_same_order(callbacks in shuffled()) {
        let host = Host::new(Config::default()).unwrap();
        let (instance, others): (Vec<_>, Vec<_>) = callbacks.iter().cloned().partition(|(_, instance, _)| instance == "a");
        others.iter().for_each(|callback| register(&host, callback));
        let together = instance.iter().fold(Callbacks::new("a"), on);
        host.register(together).unwrap();
        check(&host, expected(&callbacks, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// A real plugin among them, loaded at any moment, at its own priority or the operator's.
    #[test]
    fn a_plugin_stands_at_its_priority_whenever_it_is_loaded(
        callbacks in shuffled(),
        before in any::<prop::sample::Index>(),
        priority in prop::option::of(priority()),
        disabled in any::<bool>(),
    ) {
        let mut hook = CallbackOverride::new("message.publish", "hello/greet").with_enabled(!disabled);
        hook.priority = priority;
        let host = Host::new(Config::default().with_override(hook)).unwrap();
        let before = before.index(callbacks.len() + 1);
        callbacks[..before].iter().for_each(|callback| register(&host, callback));
        // SAFETY: our own plugin.
        unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
        callbacks[before..].iter().for_each(|callback| register(&host, callback));
        let hello = (priority.unwrap_or(500), "hello".to_string(), "greet".to_string());
        check(&host, expected(&callbacks, Some((hello, disabled))));
    }
}

/// Distinct callbacks of few instances, in any order, often of the same priority.
fn shuffled() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::btree_map(("[abz]", "[a-d]"), priority(), 0..10)
        .prop_map(|callbacks| {
            callbacks.into_iter().map(|((instance, name), number)| (number, instance, name)).collect()
        })
        .prop_flat_map(|callbacks: Vec<_>| Just(callbacks).prop_shuffle())
}

fn priority() -> impl Strategy<Value = i32> {
    let number = prop_oneof![Just(-1), Just(499), Just(500), Just(501), Just(999), Just(1001), any::<i32>()];
    number.prop_filter("numbers kept for the host", |number| Priority::checked(*number).is_some())
}

fn register(host: &Host, callback: &Entry) {
    host.register(on(Callbacks::new(&callback.1), callback)).unwrap();
}

/// A callback that leaves its name in the message.
fn on(callbacks: Callbacks, (number, instance, name): &Entry) -> Callbacks {
    let trace = format!("{instance}/{name}");
    callbacks.on(MessagePublish, name, Priority::new(*number), move |message| message.add_header("ran", &trace))
}

/// What the chain must be, and which of it runs.
fn expected(callbacks: &[Entry], hello: Option<(Entry, bool)>) -> Vec<(Entry, bool)> {
    let built_in = ((1000, "hookrail".to_string(), "validate".to_string()), false);
    let mut entries: Vec<_> = callbacks.iter().map(|callback| (callback.clone(), false)).collect();
    entries.push(built_in);
    entries.extend(hello);
    entries.sort();
    entries.into_iter().map(|(entry, disabled)| (entry, !disabled)).collect()
}

fn check(host: &Host, expected: Vec<(Entry, bool)>) {
    let PointView { chain, .. } =
        host.point_views().into_iter().find(|point| point.point == "message.publish").expect("a built-in point");
    let shown: Vec<_> = chain
        .into_iter()
        .map(|callback| ((callback.priority, callback.instance, callback.name), callback.enabled))
        .collect();
    assert_eq!(shown, expected, "what is shown");

    let publish = host.point(MessagePublish).unwrap();
    let mut message = Message::new("a.b", "text");
    let _ = publish.dispatch(&mut message);
    let ran: Vec<_> = message
        .headers
        .as_slice()
        .iter()
        .map(|header| match header.key.as_str() {
            "greeting" => "hello/greet".to_string(),
            _ => header.value.as_str().to_string(),
        })
        .collect();
    let should: Vec<_> = expected
        .into_iter()
        .filter(|((_, instance, _), runs)| *runs && instance != "hookrail")
        .map(|((_, instance, callback), _)| format!("{instance}/{callback}"))
        .collect();
    assert_eq!(ran, should, "what ran");
    assert_eq!(ran.iter().collect::<BTreeSet<_>>().len(), ran.len(), "each once");
}
