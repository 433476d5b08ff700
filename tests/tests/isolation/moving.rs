//! A running plugin moves between processes, with its state, while messages flow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hookrail::{Decision, EventKind, Isolation, Message, PluginConfig};
use hookrail_tests::counter::Raise;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{limits, only, unasked};

/// A host whose plugin has time for everything, wherever it runs.
fn scene() -> Scene {
    Scene::new(unasked().with_plugin("counter", PluginConfig::default().with_worker(limits())))
}

#[test]
fn a_plugin_moves_there_and_back_with_its_state_while_messages_flow() {
    const MOVES: usize = 6;
    let scene = scene();
    let plugin = scene.load(zoo("counter_one"));
    let events = scene.host.events();
    let is_over = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let over = Raise(&is_over);
        let send = || {
            let mut sent = 0;
            while !is_over.load(Ordering::SeqCst) {
                let mut message = Message::new("a.b", "text");
                assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed);
                assert!(message.header("number").is_some(), "no message passes without its callback");
                sent += 1;
            }
            sent
        };
        let sending = [scope.spawn(send), scope.spawn(send)];
        for count in 0..MOVES {
            let to = if count % 2 == 0 { Isolation::WORKER } else { Isolation::InProcess };
            // SAFETY: our own library.
            unsafe { scene.host.move_to(&plugin, to.clone()) }.unwrap().old.wait();
            assert_eq!(only(&scene).worker.is_some(), to.is_isolated());
        }
        drop(over);
        sending.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>()
    });
    let mut message = Message::new("a.b", "text");
    let _ = scene.publish.dispatch(&mut message);
    assert_eq!(message.header("number"), Some((sent + 1).to_string().as_str()), "each was counted once");
    let moved = events.try_iter().filter(|event| matches!(event.what, EventKind::Moved { .. })).count();
    assert_eq!(moved, MOVES);
}

#[test]
fn where_a_plugin_was_moved_to_it_stays_through_upgrades() {
    let scene = scene();
    let plugin = scene.load(zoo("counter_one"));
    // SAFETY: our own libraries.
    unsafe {
        scene.host.move_to(&plugin, Isolation::WORKER).unwrap();
        scene.host.upgrade(&plugin, zoo("counter_two")).unwrap();
    }
    assert!(only(&scene).worker.is_some());
    let mut message = Message::new("a.b", "text");
    let _ = scene.publish.dispatch(&mut message);
    assert_eq!((message.header("number"), message.header("build")), (Some("1"), Some("2")));
}
