//! Callbacks of one worker that stand next to each other cross together, and nobody can tell.

use std::path::PathBuf;

use hookrail::{Config, Decision, Message, Quarantine, StatsLevel};
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;
use tempfile::TempDir;

use crate::scenes::{faults, isolated, last_fault, limited, limits, restarted, tried, worker};

const PLUGIN: &str = "stands-beside-itself";

/// The plugin with four callbacks, of which the third has external effects; and what they write.
struct Four {
    scene: Scene,
    directory: TempDir,
}

impl Four {
    fn new(config: Config) -> Self {
        let scene = Scene::new(config.with_quarantine(Quarantine::default().with_faults(0)));
        scene.load(zoo("stands_beside_itself"));
        Four { scene, directory: tempfile::tempdir().unwrap() }
    }

    fn isolated() -> Self {
        Four::new(isolated(PLUGIN))
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Sends a message; returns what became of it, why, which callbacks have changed it, and which have run.
    fn send(&self, body: &str) -> (Decision, Option<String>, String, String) {
        let mut message = Message::new("a.b", body);
        message.set_header("log", self.log().to_str().unwrap());
        let outcome = self.scene.publish.dispatch(&mut message);
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let _ = std::fs::remove_file(self.log());
        let reason = self.scene.host.denial(&outcome).and_then(|denial| denial.reason);
        (outcome.decision(), reason, message.header("ran").unwrap_or_default().into(), log)
    }
}

#[test]
fn whatever_a_neighbour_answers_is_as_in_the_hosts_process() {
    let (here, there) = (Four::new(Config::default()), Four::isolated());
    let ways = ["deny", "panic", "skip"];
    let bodies = ways.iter().flat_map(|way| ["1", "2", "3", "4", "24", "1234"].map(|whom| format!("{way} {whom}")));
    for body in std::iter::once("go on".to_owned()).chain(bodies) {
        assert_eq!(there.send(&body), here.send(&body), "{body}");
        assert_eq!(faults(&there.scene), faults(&here.scene), "{body}");
        if faults(&here.scene) > 0 {
            assert_eq!(last_fault(&there.scene), last_fault(&here.scene), "{body}");
        }
    }
    assert_eq!(worker(&there.scene).restarts, 0);
}

/// What came before it is made again, unless it has effects on others: in the file is who ran in which process.
#[test]
fn a_worker_that_ends_in_one_of_them_costs_the_answer_of_that_one() {
    let four = Four::isolated();
    for way in ["abort", "kill"] {
        for (whom, changed, ran) in
            [("1", "234", "1234"), ("2", "134", "12134"), ("3", "124", "123124"), ("4", "123", "1234")]
        {
            let before = faults(&four.scene);
            let (decision, _, by, log) = four.send(&format!("{way} {whom}"));
            assert_eq!((decision, &*by, &*log), (Decision::Passed, changed, ran), "{way} {whom}");
            assert_eq!(faults(&four.scene), before + 1, "{way} {whom}");
            // The next one is answered, by another process.
            assert_eq!(four.send("go on"), (Decision::Passed, None, "1234".into(), "1234".into()));
        }
    }
    restarted(&four.scene, 8);
}

#[test]
fn an_input_that_ends_it_in_one_of_them_twice_in_a_row_is_skipped_by_that_one() {
    let four = Four::isolated();
    for _ in 0..2 {
        assert_eq!(four.send("abort 2").2, "134");
    }
    restarted(&four.scene, 2);
    let (decision, _, changed, ran) = four.send("abort 2");
    assert_eq!((decision, &*changed, &*ran), (Decision::Passed, "134", "134"));
    assert!(last_fault(&four.scene).contains("twice in a row"), "{}", last_fault(&four.scene));
    restarted(&four.scene, 2);
    // It looks at each input from now on, so it crosses with no callback before it.
    assert_eq!(four.send("abort 3").3, "12324");
}

#[test]
fn one_that_hangs_is_ended_when_its_own_time_is_over() {
    // Within the same time another worker is to be started for the others.
    tried(|limit, text| {
        let four = Four::new(limited(PLUGIN, limits().with_deadline(limit)));
        let (decision, _, changed, ran) = four.send("hang 2");
        let fault = last_fault(&four.scene);
        println!("{decision:?} {changed} {ran} {fault}");
        let is_its_own = fault.contains(&format!("it did not return within {text}"));
        (decision, &*changed, &*ran) == (Decision::Passed, "134", "12134") && is_its_own
    });
}

/// What a measured call takes is its own.
#[test]
fn while_calls_are_timed_each_crosses_by_itself() {
    let four = Four::isolated();
    four.scene.host.set_level("message.publish", StatsLevel::Histogram).unwrap();
    let (_, _, changed, ran) = four.send("abort 2");
    assert_eq!((&*changed, &*ran), ("134", "1234"));
    four.scene.host.set_level("message.publish", StatsLevel::Count).unwrap();
    assert_eq!(four.send("kill 3").3, "123124");
}
