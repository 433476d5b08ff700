//! What is reported of a worker that has ended otherwise than its host wanted.

use std::path::Path;
use std::time::{Duration, Instant};

use hookrail::worker::Crashes;
use hookrail::{Config, CrashReport, Message, PluginConfig, Quarantine, WorkerLimits};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;
use serde_json::json;
use tempfile::TempDir;

use crate::scenes::{limited, limits, tried};

/// A host with a home of its own.
struct Reported {
    scene: Scene,
    home: TempDir,
}

impl Reported {
    fn new(config: Config) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = config.with_home(home.path()).with_quarantine(Quarantine::default().with_faults(0));
        Reported { scene: Scene::new(config), home }
    }

    fn loaded(plugin: &str, limits: WorkerLimits) -> Self {
        let reported = Reported::new(limited(plugin, limits));
        reported.scene.load(zoo(&plugin.replace('-', "_")));
        reported
    }

    fn send(&self, body: &str) {
        let _ = self.scene.publish.dispatch(&mut Message::new("a.b", body));
    }

    /// The newest of so many reports, once they are complete.
    fn report(&self, count: usize, lost: usize) -> CrashReport {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let reports = Crashes::of(self.home.path()).list().unwrap();
            match reports.first() {
                Some(newest) if reports.len() == count && newest.lost.len() == lost => return newest.clone(),
                _ => assert!(Instant::now() < deadline, "{reports:?}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn names(report: &CrashReport, function: &str) -> bool {
    report.backtrace.iter().any(|name| name.contains(function))
}

#[test]
fn a_report_says_how_the_worker_ended_where_and_in_which_call() {
    let reported = Reported::loaded("stands-beside-itself", limits().with_keep_input(true));
    reported.send("abort 2");
    let report = reported.report(1, 1);
    assert_eq!(report.worker, "stands-beside-itself");
    assert!(report.end.starts_with("was killed by SIGABRT"), "{}", report.end);
    let [plugin] = &report.plugins[..] else { panic!("{report:?}") };
    assert_eq!((&*plugin.name, Path::new(&plugin.file)), ("stands-beside-itself", &*zoo("stands_beside_itself")));
    assert!(names(&report, "stands_beside_itself::run"), "{:#?}", report.backtrace);
    let [lost] = &report.lost[..] else { panic!("{report:?}") };
    assert_eq!((&*lost.point, &*lost.callback), ("message.publish", "stands-beside-itself/second"));
    let input = lost.input.as_ref().expect("it is kept");
    assert_eq!((&input["topic"], &input["body"]), (&json!("a.b"), &json!("abort 2")));
    // It is what the callback got.
    assert_eq!(input["headers"], json!([["ran", "1"]]));
}

/// The way to end, what is said of it, and the function that it was in.
const WAYS: [(&str, &str, &str); 3] = [
    ("memory", "was killed by SIGSEGV", "ends_the_host::"),
    ("stack", "was killed by SIG", "ends_the_host::"),
    ("abort", "was killed by SIGABRT", "ends_the_host::"),
];

#[test]
fn a_plugin_is_found_wherever_it_ends_its_worker() {
    let reported = Reported::loaded("ends-the-host", limits());
    for (count, (way, end, function)) in (1..).zip(WAYS) {
        reported.send(way);
        let report = reported.report(count, 1);
        assert!(report.end.starts_with(end), "{way}: {}", report.end);
        assert!(names(&report, function), "{way}: {:#?}", report.backtrace);
        assert!(report.lost[0].input.is_none(), "inputs are kept only where that is asked for");
    }
}

#[test]
fn a_call_that_does_not_return_says_where_it_is() {
    tried(|limit, text| {
        let reported = Reported::loaded("stands-beside-itself", limits().with_deadline(limit));
        reported.send("hang 3");
        let crashes = Crashes::of(reported.home.path());
        // The first one: those before it are called again, and may be too late for the same reason.
        let first = || crashes.list().unwrap().pop().filter(|report| report.lost.len() == 1);
        eventually("it is reported", || first().is_some());
        let report = first().expect("it stays");
        assert_eq!(report.end, format!("a call on message.publish did not return within {text}"));
        println!("{:#?}", report.backtrace);
        // For the next call, another worker is to be started within that time.
        reported.send("go on");
        let is_only_one = crashes.list().unwrap().len() == 1;
        names(&report, "stands_beside_itself::run") && is_only_one
    });
}

#[test]
fn a_start_that_does_not_return_says_where_it_is() {
    tried(|limit, text| {
        let plugin = PluginConfig::default()
            .with_isolation(hookrail::Isolation::WORKER)
            .with_worker(limits().with_patience(limit))
            .with_config(json!({ "start": "hang" }));
        let reported = Reported::new(crate::scenes::unasked().with_plugin("harms-its-worker", plugin));
        // SAFETY: it runs in a worker.
        let refused = unsafe { reported.scene.host.load(zoo("harms_its_worker")) }.unwrap_err().to_string();
        println!("{refused}");
        if !refused.contains(&format!("its start did not return within {text}")) {
            return false;
        }
        let report = reported.report(1, 0);
        assert_eq!(report.end, format!("did not answer within {text}"));
        println!("{:#?}", report.backtrace);
        names(&report, "harms_its_worker::hang")
    });
}

/// A program may end with the very call that was lost.
#[test]
fn a_report_is_whole_when_its_plugin_is_unloaded() {
    let reported = Reported::new(limited("stands-beside-itself", limits().with_keep_input(true)));
    let plugin = reported.scene.load(zoo("stands_beside_itself"));
    reported.send("abort 4");
    assert!(reported.scene.unload(plugin).is_unmapped());
    let reports = Crashes::of(reported.home.path()).list().unwrap();
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert!(report.lost.len() == 1 && report.lost[0].input.is_some(), "{report:?}");
    assert!(names(report, "stands_beside_itself::run"), "{:#?}", report.backtrace);
}

#[test]
fn one_of_several_threads_that_end_it_at_once_says_where_it_was() {
    let reported = Reported::loaded("stands-beside-itself", limits());
    let threads = 4;
    let together = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (reported, together) = (&reported, &together);
            scope.spawn(move || {
                // Its lane is served before the others are.
                reported.send("go on");
                together.wait();
                // Each in another callback.
                reported.send(&format!("abort {}", thread + 1));
            });
        }
    });
    let deadline = Instant::now() + Duration::from_secs(120);
    let crashes = Crashes::of(reported.home.path());
    let calls = |reports: &[CrashReport]| reports.iter().map(|report| report.lost.len()).sum::<usize>();
    // Each has ended one worker, alone or with others.
    while calls(&crashes.list().unwrap()) < threads {
        assert!(Instant::now() < deadline, "{:?}", crashes.list());
        std::thread::sleep(Duration::from_millis(10));
    }
    for report in crashes.list().unwrap() {
        assert!(names(&report, "stands_beside_itself::run"), "{report:#?}");
    }
}

#[test]
fn a_worker_that_is_not_needed_any_more_is_no_crash() {
    let reported = Reported::new(limited("stands-beside-itself", limits()));
    let plugin = reported.scene.load(zoo("stands_beside_itself"));
    reported.send("go on");
    assert!(reported.scene.unload(plugin).is_unmapped());
    assert!(Crashes::of(reported.home.path()).list().unwrap().is_empty());
}
