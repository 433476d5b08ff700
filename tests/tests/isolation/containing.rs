//! What ends the host in its own process (`tests/tests/faults/uncontained.rs`) ends a worker, and costs one answer.

use hookrail::{Config, Decision, End, Message, Quarantine};
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{faults, isolated, worker};

/// The way to end, and what is said of the worker.
const WAYS: [(&str, &str); 8] = [
    ("abort", "was killed by SIGABRT"),
    ("exit", "exited with status 7"),
    ("stack", "was killed by SIG"),
    ("unwinding", "was killed by SIGABRT"),
    ("memory", "was killed by SIGSEGV"),
    ("thread", "was killed by SIGABRT"),
    ("foreign", "was killed by SIGABRT"),
    ("allocation", "was killed by SIGABRT"),
];

/// A configuration in which no fault has further consequences.
fn forgiving(plugin: &str) -> Config {
    isolated(plugin).with_quarantine(Quarantine::default().with_faults(0))
}

#[test]
fn what_the_guide_calls_uncontained_costs_one_answer_in_a_worker() {
    let scene = Scene::new(forgiving("ends-the-host"));
    let plugin = scene.load(zoo("ends_the_host"));
    for (count, (way, how)) in (1..).zip(WAYS) {
        let mut message = Message::new("a.b", way);
        assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed, "{way}");
        assert_eq!((message.body.as_slice(), faults(&scene)), (way.as_bytes(), count), "{way}");
        let last = scene.host.point_views().iter().flat_map(|point| point.chain.clone()).find_map(|it| it.last_fault);
        let what = last.expect("there was a fault").message;
        assert!(what.contains(how), "{way}: {what}");
        // The next one is answered, by another process.
        assert_eq!(scene.publish.dispatch(&mut Message::new("a.b", "go on")).decision(), Decision::Passed);
        let worker = worker(&scene);
        assert_eq!((faults(&scene), worker.restarts), (count, count), "{way}: {worker:?}");
    }
    assert_eq!(scene.unload(plugin), End::Unmapped);
}
