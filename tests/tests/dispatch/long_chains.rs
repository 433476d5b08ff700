//! Chains that are run by a loop of their own: more than three callbacks, of plugins and of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hookrail::{
    Callbacks, Config, Decision, Flow, Host, InstanceConfig, Message, MessageDelivered, MessagePublish, PluginConfig,
    Priority, StatsLevel,
};
use hookrail_abi::Point;

#[test]
fn each_callback_of_plugins_runs_once_in_every_dispatch() {
    for len in 1..=20_usize {
        let plugin = (0..len).step_by(8).fold(PluginConfig::default(), |plugin, from| {
            let config = serde_json::json!({ "callbacks": 8.min(len - from) });
            plugin.with_instance(format!("{from:02}"), InstanceConfig::default().with_config(config))
        });
        let host = Host::new(Config::default().with_plugin("bench", plugin)).unwrap();
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::plugin("bench")) }.unwrap();
        host.set_level(MessageDelivered::NAME, StatsLevel::Count).unwrap();
        let point = host.point(MessageDelivered).unwrap();
        for _ in 0..10 {
            assert_eq!(point.dispatch(&mut Message::new("a", "")).decision(), Decision::Passed);
        }
        let views = host.point_views();
        let view = views.iter().find(|view| view.point == MessageDelivered::NAME).unwrap();
        let calls: Vec<_> = view.chain.iter().map(|callback| callback.calls.total).collect();
        assert_eq!(calls, vec![10; len]);
    }
}

#[test]
fn behind_a_fault_the_others_run() {
    for (len, faulty) in (1..=12).flat_map(|len| (0..len).map(move |faulty| (len, faulty))) {
        let host = Host::new(Config::default()).unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let callbacks = (0..len).fold(Callbacks::new("long"), |callbacks, own| {
            let ran = ran.clone();
            let run = move |_: &mut Message| {
                assert!(own != faulty, "on purpose");
                ran.fetch_add(1, Ordering::Relaxed);
                Flow::Continue
            };
            callbacks.on(MessagePublish, &format!("{own:02}"), Priority::new(10), run)
        });
        host.register(callbacks).unwrap();
        let outcome = host.point(MessagePublish).unwrap().dispatch(&mut Message::new("a", ""));
        assert_eq!((outcome.decision(), ran.load(Ordering::Relaxed)), (Decision::Passed, len - 1), "{faulty} of {len}");
    }
}
