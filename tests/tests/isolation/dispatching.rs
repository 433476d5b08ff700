//! A plugin dispatches points of its host: in the host's process and in a worker alike.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hookrail::{Callbacks, Config, Decision, DispatchContext, End, Message, MessagePublish, Priority, Verdict};
use hookrail_tests::parcels::{ParcelPacked, ParcelSent};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::tasks::TaskSeen;
use hookrail_tests::{alone, specimens, zoo};
use serde_json::json;

use crate::scenes::{isolated, last_fault, only, unasked, worker};

/// Both ways to run it; the first is that in the host's process.
fn both() -> [Config; 2] {
    [unasked(), isolated("dispatches")]
}

/// A host with points of its own and a rule for what is asked, and the plugin.
fn asking(config: Config) -> Scene {
    let scene = Scene::new(config);
    scene.host.point(ParcelPacked).unwrap();
    scene.host.point(ParcelSent).unwrap();
    scene.host.point(TaskSeen).unwrap();
    let rule = Callbacks::new("rules").on(MessagePublish, "judge", Priority::new(100), |message: &mut Message| {
        if message.topic.as_str() != "asked" {
            return Verdict::Continue;
        }
        match message.body.as_slice() {
            b"spam" => Verdict::deny(7, "it is spam"),
            b"known" => Verdict::Skip,
            _ => {
                message.set_header("answer", "42");
                Verdict::Continue
            }
        }
    });
    scene.host.register(rule).unwrap();
    scene.load(zoo("dispatches"));
    scene
}

/// What it has noted in the headers of a message that it was sent.
fn noted<const N: usize>(scene: &Scene, topic: &str, body: &str, headers: [&str; N]) -> [String; N] {
    let mut message = Message::new(topic, body);
    assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed, "{topic} {body}");
    headers.map(|header| message.header(header).unwrap_or("no header").to_owned())
}

#[test]
fn it_learns_what_was_decided_by_whom_and_why_and_gets_the_payload_back() {
    for config in both() {
        let scene = asking(config);
        let ask = |body| noted(&scene, "ask", body, ["decision", "by", "reason", "answer"]);
        assert_eq!(ask("eggs"), ["Passed", "", "", "42"]);
        assert_eq!(ask("spam"), ["Denied(7)", "rules/judge", "it is spam", "none"]);
        assert_eq!(ask("known"), ["Skipped", "rules/judge", "", "none"]);
        assert_eq!(ask("eggs"), ["Passed", "", "", "42"], "nothing of the denial is left");
    }
}

#[test]
fn points_of_the_program_are_dispatched_with_all_that_their_payload_holds() {
    for config in both() {
        let scene = asking(config);
        scene.load(zoo("handles_parcels"));
        let parcel = |wish| noted(&scene, "parcel", wish, ["decision", "by", "reason", "line", "key"]);
        assert_eq!(parcel("key"), ["Passed", "", "", "true", "kept"], "a secret crosses as it is");
        assert_eq!(parcel("grow 100000")[3].len(), 100_000);
        assert_eq!(parcel("deny it is too heavy")[..3], ["Denied(403)", "handles-parcels/pack", "it is too heavy"]);
    }
}

#[test]
fn it_gives_a_deadline_and_a_trace_but_says_not_on_whose_behalf() {
    for config in both() {
        let scene = asking(config);
        scene.load(zoo("handles_parcels"));
        let context = DispatchContext::default().with_principal("ada").with_node("north").with_trace([7; 16]);
        let [seen] = context.scope(|| noted(&scene, "parcel", "context", ["line"]));
        assert_eq!(seen, "ada north Some(9) false");
    }
}

#[test]
fn only_points_that_its_note_lists_and_its_host_has_are_found() {
    for (config, is_worker) in both().into_iter().zip([false, true]) {
        let scene = asking(config);
        let found = |body| noted(&scene, "find", body, ["found"]).concat();
        assert_eq!(found("parcel"), "yes");
        let unlisted = found("unlisted");
        assert!(unlisted.contains("message.delivered") && unlisted.contains("FIRES"), "{unlisted}");
        assert_eq!(found("local") == "yes", !is_worker);
        assert!(is_worker == found("local").contains("a local point"), "{}", found("local"));
        let many = found("many");
        assert!(many.contains("256 points") && found("parcel") == "yes", "what was found is given back: {many}");
    }
    let without = Scene::new(unasked());
    without.load(zoo("dispatches"));
    let [missing] = noted(&without, "find", "parcel", ["found"]);
    assert!(missing.contains("parcel.packed") && missing.contains("message.publish"), "{missing}");
}

#[test]
fn dispatches_within_each_other_come_to_an_end() {
    for (config, is_worker) in both().into_iter().zip([false, true]) {
        let scene = asking(config);
        let [depth, why] = noted(&scene, "deep", "", ["depth", "why"]);
        let depth: u64 = depth.parse().unwrap();
        assert!((2..=65).contains(&depth) && why == "no header", "{depth} {why}");
        if is_worker {
            assert!(last_fault(&scene).contains("within each other"), "{}", last_fault(&scene));
        }
        assert_eq!(noted(&scene, "ask", "eggs", ["answer"]), ["42"], "and it goes on");
        if is_worker {
            assert_eq!(worker(&scene).restarts, 0);
        }
    }
}

#[test]
fn it_dispatches_while_it_drains_and_not_when_it_is_stopped() {
    for config in both() {
        let scene = Scene::new(config);
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let sees = seen.clone();
        let see = Callbacks::new("test").on(MessagePublish, "see", Priority::new(1), move |message: &mut Message| {
            sees.lock().unwrap().push(message.topic.to_string());
        });
        scene.host.register(see).unwrap();
        let plugin = scene.load(zoo("dispatches"));
        assert_eq!(scene.unload(plugin), End::Unmapped);
        assert_eq!(*seen.lock().unwrap(), ["drained"]);
    }
}

/// More threads than may dispatch at once from a worker.
#[test]
fn its_threads_dispatch_until_it_is_stopped_and_not_after() {
    const THREADS: usize = 80;
    for config in both() {
        let mut threads = config.plugins.get("dispatches").cloned().unwrap_or_default();
        threads.config = json!({ "threads": THREADS });
        let scene = Scene::new(config.with_plugin("dispatches", threads));
        let counts: Arc<[AtomicU64; THREADS]> = Arc::new([const { AtomicU64::new(0) }; THREADS]);
        let counted = counts.clone();
        let count =
            Callbacks::new("test").on(MessagePublish, "count", Priority::new(1), move |message: &mut Message| {
                // What it dispatches while it drains and stops has no number.
                if let Ok(number) = message.body.to_display().parse::<usize>() {
                    counted[number].fetch_add(1, Ordering::SeqCst);
                }
            });
        scene.host.register(count).unwrap();
        let plugin = scene.load(zoo("dispatches"));
        eventually("each has its turn", || counts.iter().all(|count| count.load(Ordering::SeqCst) >= 3));
        assert_eq!(scene.unload(plugin), End::Unmapped);
        let all = || counts.iter().map(|count| count.load(Ordering::SeqCst)).sum::<u64>();
        let at_the_end = all();
        assert_eq!(scene.host.plugin_views().len(), 0);
        assert_eq!(all(), at_the_end);
    }
}

#[test]
fn a_worker_that_is_killed_amid_dispatches_comes_back_and_dispatches() {
    // Others have threads of that name, too.
    alone!();
    let scene = asking(isolated("dispatches"));
    for _ in 0..5 {
        assert_eq!(noted(&scene, "ask", "eggs", ["answer"]), ["42"]);
        let pid = worker(&scene).pid.unwrap();
        // SAFETY: the function takes two numbers.
        unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
        eventually("it comes back", || {
            let mut message = Message::new("ask", "eggs");
            let _ = scene.publish.dispatch(&mut message);
            worker(&scene).pid.is_some_and(|now| now != pid) && message.header("answer") == Some("42")
        });
    }
    eventually("the threads of those before have ended", || threads("hookrail-dispatch") <= 2);
    let name = only(&scene).name;
    assert_eq!(scene.unload(scene.host.plugin(&name).unwrap()), End::Unmapped);
    eventually("and so have those of the last", || threads("hookrail-dispatch") == 0);
}

/// How many threads of this process have that name, of which the system keeps fifteen letters.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|known| name.starts_with(known.trim_end())).count()
}

#[test]
fn a_plugin_in_c_dispatches() {
    for config in [unasked(), isolated("dispatches-in-c")] {
        let scene = Scene::new(config);
        let rule = Callbacks::new("rules").on(MessagePublish, "judge", Priority::new(100), |message: &mut Message| {
            if message.topic.as_str() == "asked" && message.body.as_slice() == b"spam" {
                return Verdict::deny(7, "it is spam");
            }
            Verdict::Continue
        });
        scene.host.register(rule).unwrap();
        scene.load(specimens::c("dispatches"));
        assert_eq!(noted(&scene, "ask", "spam", ["by", "reason"]), ["rules/judge", "it is spam"]);
        assert_eq!(noted(&scene, "ask", "eggs", ["by", "reason"]), ["", ""]);
    }
}
