//! What a plugin tells by `tracing` and `log` reaches the host's subscriber from a worker as from the host's own process:
//! the same events and spans, with the same places, fields and parents.

use hookrail::{Isolation, Message, PluginConfig};
use hookrail_tests::probe::eventually;
use hookrail_tests::recorder::{Heard, heard, listen, open};
use hookrail_tests::scene::Scene;
use hookrail_tests::{alone, zoo};

use crate::scenes::{limits, unasked};

/// All that is told until the plugin has stopped.
fn told(isolation: Isolation) -> Vec<Heard> {
    listen();
    let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
    let scene = Scene::new(unasked().with_plugin("tells", plugin));
    let plugin = scene.load(zoo("tells"));
    for body in ["levels", "fields", "log", "spans", "a line"] {
        let _ = scene.publish.dispatch(&mut Message::new("a", body));
    }
    assert!(scene.unload(plugin).is_unmapped());
    let has_stopped = |heard: &Heard| heard.field("message").is_some_and(|message| message.contains("stops"));
    eventually("it has told that it stops", || heard().iter().any(has_stopped));
    eventually("all of its spans are closed", || open() == 0);
    resolved(heard())
}

/// With the parents by name: what the subscriber of this process would take from the span that is entered, a worker has
/// found out itself. Entering and leaving belong to a thread, and are left out.
fn resolved(all: Vec<Heard>) -> Vec<Heard> {
    let mut entered = Vec::new();
    let mut kept = Vec::new();
    for mut heard in all {
        match heard.what {
            "enter" => entered.push(heard.name),
            "exit" => drop(entered.pop()),
            _ => {
                if heard.parent == "current" {
                    heard.parent = entered.last().copied().unwrap_or("none").into();
                }
                kept.push(heard);
            }
        }
    }
    kept
}

#[test]
fn events_and_spans_are_the_same_in_both() {
    alone!();
    let (here, there) = (told(Isolation::InProcess), told(Isolation::WORKER));
    assert!(here.len() > 10 && here.iter().any(|heard| heard.what == "open"), "{here:#?}");
    for (here, there) in here.iter().zip(&there) {
        assert_eq!(here, there);
    }
    assert_eq!(here.len(), there.len(), "{:#?}", there.last());
}
