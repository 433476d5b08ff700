//! The subscriber of the embedding program may panic: that ends no dispatch and no thread of the host.

use std::sync::atomic::{AtomicU32, Ordering};

use hookrail::{Callbacks, Config, Decision, End, EventKind, Host, Message, MessagePublish, Priority, StatsLevel};
use hookrail_abi::Point;
use hookrail_tests::probe::LONG;
use hookrail_tests::{alone, zoo};
use serde_json::json;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// How often it did.
static PANICKED: AtomicU32 = AtomicU32::new(0);

/// Panics over whatever the host says.
struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hookrail::")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        PANICKED.fetch_add(1, Ordering::Relaxed);
        panic!("the subscriber");
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_ends_nothing_of_the_hosts() {
    alone!();
    tracing::subscriber::set_global_default(Panics).unwrap();
    // Without backtraces: there are many.
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let quarantine = json!({ "faults": 4, "within": "1h", "pause": "1ms" });
    let config = json!({ "quarantine": quarantine, "unload": { "deadline": "120s" } });
    let host = Host::new(serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let point = host.point(MessagePublish).unwrap();
    let failing = Callbacks::new("own").on(MessagePublish, "fail", Priority::new(1), |message| {
        if message.body.starts_with(b"fail") { Err("as it was asked to".into()) } else { Ok(()) }
    });
    host.register(failing).unwrap();
    // SAFETY: our own library.
    let plugin = unsafe { host.load(zoo("tells")) }.unwrap();
    let events = host.events();
    for level in [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram] {
        host.set_level(MessagePublish::NAME, level).unwrap();
        assert_eq!(point.dispatch(&mut Message::new("a", "fail")).decision(), Decision::Passed);
    }
    let _ = point.dispatch(&mut Message::new("a", "fail"));
    // The thread that quarantines it says so, and goes on; as it does when it works again.
    let told = |is_it: fn(&EventKind) -> bool| {
        while !is_it(&events.recv_timeout(LONG).expect("it happens").what) {
            let _ = point.dispatch(&mut Message::new("a", "fine"));
        }
    };
    told(|what| matches!(what, EventKind::Quarantined { .. }));
    while host
        .point_views()
        .iter()
        .any(|view| view.chain.iter().any(|callback| callback.status != hookrail::CallbackStatus::Armed))
    {
        let _ = point.dispatch(&mut Message::new("a", "fine"));
    }
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
    assert!(PANICKED.load(Ordering::Relaxed) > 4, "the faults, the quarantine and its end were told");
}
