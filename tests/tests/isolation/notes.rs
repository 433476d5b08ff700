//! Callbacks for which nobody waits: what they fail in is counted as it is in the host's process, and what a worker that
//! ends has not come to is counted as dropped.

use hookrail::{
    CallbackStatus, Config, End, HookPoint, Isolation, Message, MessageDelivered, PluginConfig, Quarantine,
};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;
use serde_json::json;

use crate::scenes::{limits, unasked};

const PLUGIN: &str = "hears-notes";
const SPECIMEN: &str = "hears_notes";

fn config(isolation: Isolation, file: &str) -> Config {
    let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
    unasked().with_plugin(PLUGIN, plugin.with_config(json!({ "file": file })))
}

fn delivered(scene: &Scene) -> HookPoint<MessageDelivered> {
    scene.host.point(MessageDelivered).unwrap()
}

/// What is known of the only callback on `message.delivered`: its faults, the last one, and whether it is quarantined.
fn known(scene: &Scene) -> (u64, Option<String>, bool) {
    let points = scene.host.point_views();
    let point = points.into_iter().find(|view| view.point == "message.delivered").unwrap();
    let callback = point.chain.into_iter().next().unwrap();
    (callback.faults, callback.last_fault.map(|fault| fault.message), callback.status == CallbackStatus::Quarantined)
}

#[test]
fn faults_of_which_nobody_waits_to_hear_are_counted_and_quarantine() {
    for isolation in [Isolation::InProcess, Isolation::WORKER] {
        let scene = Scene::new(config(isolation, "").with_quarantine(Quarantine::default().with_faults(3)));
        let plugin = scene.load(zoo(SPECIMEN));
        let point = delivered(&scene);
        assert_eq!(known(&scene), (0, None, false));
        let mut sent = 0;
        eventually("it is quarantined", || {
            let _ = point.dispatch(&mut Message::new("a.b", format!("panic for the {sent}th time")));
            sent += 1;
            known(&scene).2
        });
        let (faults, last, _) = known(&scene);
        // Others may have been on their way when the third one was known.
        assert!(
            (3..=sent).contains(&faults)
                && last.as_ref().is_some_and(|last| last.contains("panic") && last.contains("th time")),
            "{last:?}"
        );
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
}

#[test]
fn a_notification_is_answered_for_by_a_later_one_and_none_twice() {
    let scene = Scene::new(config(Isolation::WORKER, "").with_quarantine(Quarantine::default().with_faults(0)));
    let plugin = scene.load(zoo(SPECIMEN));
    let point = delivered(&scene);
    let _ = point.dispatch(&mut Message::new("a.b", "panic once"));
    eventually("it is counted", || {
        let _ = point.dispatch(&mut Message::new("a.b", "go on"));
        known(&scene).0 > 0
    });
    for _ in 0..100 {
        let _ = point.dispatch(&mut Message::new("a.b", "go on"));
    }
    assert_eq!(known(&scene).0, 1);
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

/// In = heard + dropped, for several threads, however the worker ends.
#[test]
fn notifications_add_up_when_the_worker_ends_among_them() {
    const EACH: usize = 300;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("heard");
    let config = config(Isolation::WORKER, file.to_str().unwrap());
    let scene = Scene::new(config.with_quarantine(Quarantine::default().with_faults(0)));
    let plugin = scene.load(zoo(SPECIMEN));
    let point = delivered(&scene);
    let threads = 4;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let point = &point;
            scope.spawn(move || {
                for number in 0..EACH {
                    let body = match number {
                        // So that others wait behind it.
                        100 | 200 => format!("wait 2 of {thread}"),
                        120 if thread == 0 => "abort".into(),
                        _ => format!("{thread} {number}"),
                    };
                    let _ = point.dispatch(&mut Message::new("a.b", body));
                }
            });
        }
    });
    let worker = || scene.host.plugin_views().pop().unwrap().worker.unwrap();
    // What is queued in the last process is heard before it is left.
    eventually("it is started again", || worker().restarts == 1);
    let view = worker();
    assert_eq!(scene.unload(plugin), End::Unmapped);
    let heard = std::fs::read_to_string(&file).unwrap();
    let heard: Vec<_> = heard.lines().collect();
    // One of each thread may have been begun when the process ended: heard, and not done. That of the one that ended it was.
    let twice = (heard.len() as u64 + view.dropped).checked_sub((threads * EACH) as u64);
    assert!(twice.is_some_and(|twice| (1..=threads as u64).contains(&twice)), "{twice:?} {} {view:?}", heard.len());
    assert!(view.dropped > 0);
    let mut once = heard.iter().filter(|body| !body.starts_with("wait")).collect::<Vec<_>>();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), heard.iter().filter(|body| !body.starts_with("wait")).count(), "none twice");
}
