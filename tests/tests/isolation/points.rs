//! A worker's callbacks have what callbacks have in the host's process: points of the program, verdicts and reasons,
//! the context of the dispatch, panics, configuration, directories, memory.

use std::time::{Duration, Instant};

use hookrail::{Config, Decision, DispatchContext, End, HookPoint, Host, Isolation, PluginConfig, Quarantine};
use hookrail_tests::parcels::{Parcel, ParcelPacked, ParcelSent};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::{specimens, zoo};
use serde_json::json;

use crate::scenes::{isolated, limited, limits, only, unasked, worker};

/// A host with the points of the program, and the plugin that hooks them.
struct Post {
    host: Host,
    packed: HookPoint<ParcelPacked>,
    sent: HookPoint<ParcelSent>,
}

impl Post {
    fn new(config: Config) -> Self {
        let host = Host::new(config).unwrap();
        let (packed, sent) = (host.point(ParcelPacked).unwrap(), host.point(ParcelSent).unwrap());
        // SAFETY: our own library.
        unsafe { host.load(zoo("handles_parcels")) }.unwrap();
        Post { host, packed, sent }
    }

    /// What the callback writes for a wish.
    fn line(&self, wish: &str) -> String {
        let mut parcel = Parcel::new(wish);
        assert_eq!(self.packed.dispatch(&mut parcel).decision(), Decision::Passed, "{wish}");
        assert_eq!(parcel.wish.as_str(), wish);
        parcel.lines.first().map(|line| line.as_str().to_owned()).unwrap_or_default()
    }

    fn last_fault(&self) -> String {
        let points = self.host.point_views();
        points.iter().flat_map(|point| &point.chain).find_map(|it| it.last_fault.clone()).unwrap().message
    }
}

fn both() -> [Post; 2] {
    [Post::new(Config::default()), Post::new(isolated("handles-parcels"))]
}

#[test]
fn a_payload_of_the_program_crosses_with_all_that_it_holds() {
    let post = Post::new(isolated("handles-parcels"));
    assert_ne!(post.line("process"), std::process::id().to_string());
    assert_eq!(post.line("key"), "true", "a secret crosses as it is");
    assert_eq!(post.line("grow 100000").len(), 100_000);
}

#[test]
fn verdicts_reasons_and_faults_are_the_same_in_both() {
    for post in both() {
        let mut parcel = Parcel::new("deny it is too heavy");
        let outcome = post.packed.dispatch(&mut parcel);
        assert_eq!(outcome.decision(), Decision::Denied(403));
        let denial = post.host.denial(&outcome).unwrap();
        assert_eq!(denial.reason.as_deref(), Some("it is too heavy"));
        assert_eq!(denial.by.as_deref(), Some("handles-parcels/pack"));
        post.line("fail it has no stamp");
        assert_eq!(post.last_fault(), "it has no stamp");
        post.line("panic jump");
        let fault = post.last_fault();
        assert!(
            fault.starts_with("panicked: it was asked to jump at ") && fault.contains("handles_parcels.rs:"),
            "{fault}"
        );
    }
}

#[test]
fn the_context_of_a_dispatch_is_the_same_in_both() {
    for post in both() {
        assert_eq!(post.line("context"), "");
        let deadline = Instant::now() + Duration::from_secs(600);
        let context = DispatchContext::default().with_principal("ada").with_node("north").with_trace([7; 16]);
        let line = context.with_deadline(deadline).scope(|| post.line("context"));
        assert_eq!(line, "ada north Some(7) true");
    }
}

#[test]
fn a_configuration_is_reloaded_and_outlives_the_worker() {
    let post = Post::new(isolated("handles-parcels"));
    post.host.reload("handles-parcels", &json!({ "mark": "fragile" })).unwrap();
    assert_eq!(post.line("mark"), "fragile");
    post.host.reload("handles-parcels", &json!({ "mark": 7 })).unwrap_err();
    let first = post.line("process");
    // SAFETY: the function takes two numbers.
    unsafe { libc::kill(first.parse().unwrap(), libc::SIGKILL) };
    let deadline = Instant::now() + Duration::from_secs(120);
    while matches!(post.line("process").as_str(), process if process == first || process.is_empty()) {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(post.line("mark"), "fragile");
}

#[test]
fn a_directory_is_the_same_in_both() {
    let home = tempfile::tempdir().unwrap();
    let lines = [Config::default(), isolated("handles-parcels")]
        .map(|config| Post::new(config.with_home(home.path())).line("directory"));
    assert!(lines[0].contains("handles-parcels") && lines[0] == lines[1], "{lines:?}");
}

#[test]
fn nobody_waits_for_what_only_looks() {
    let post = Post::new(isolated("handles-parcels"));
    for _ in 0..1000 {
        assert_eq!(post.sent.dispatch(&mut Parcel::new("")).decision(), Decision::Passed);
    }
    let view = || post.host.plugin_views().pop().unwrap().worker.unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let (seen, dropped) = (post.line("seen").parse::<u64>().unwrap(), view().dropped);
        if seen + dropped == 1000 {
            break;
        }
        assert!(seen + dropped < 1000 && Instant::now() < deadline, "{seen} seen, {dropped} dropped");
    }
}

#[test]
fn memory_is_counted_where_it_is() {
    let post = Post::new(isolated("handles-parcels"));
    post.line("grow 100");
    let deadline = Instant::now() + Duration::from_secs(120);
    while post.host.plugin_views().pop().unwrap().memory.is_none_or(|memory| memory.total_allocations == 0) {
        assert!(Instant::now() < deadline, "the worker tells nothing of its memory");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_payload_that_never_leaves_the_process_is_refused_with_its_point() {
    let host = Host::new(isolated("fails-on-demand")).unwrap();
    host.point(hookrail_tests::tasks::TaskSeen).unwrap();
    host.point(hookrail_tests::tasks::TaskDone).unwrap();
    host.point(hookrail_tests::tasks::TaskAllowed).unwrap();
    // SAFETY: our own library.
    let error = unsafe { host.load(zoo("fails_on_demand")) }.unwrap_err();
    assert_eq!(error.code(), "HR0318", "{error}");
    assert!(error.to_string().contains("task."), "{error}");
}

#[test]
fn plugins_share_a_worker_of_one_name() {
    let shared = |name: &str| {
        (
            name.to_owned(),
            PluginConfig::default().with_isolation(Isolation::Worker(Some("zoo".into()))).with_worker(limits()),
        )
    };
    let mut config = unasked();
    config.plugins.extend([shared("harms-its-worker"), shared("counter")]);
    let scene = Scene::new(config);
    let harms = scene.load(zoo("harms_its_worker"));
    let counter = scene.load(zoo("counter_one"));
    let workers: Vec<_> = scene.host.plugin_views().into_iter().map(|plugin| plugin.worker.unwrap()).collect();
    assert_eq!(workers[0], workers[1]);
    assert_eq!(workers[0].name, "zoo");
    let send = |body: &str| {
        let mut message = hookrail::Message::new("a.b", body);
        let _ = scene.publish.dispatch(&mut message);
        message.header("number").map(str::to_owned)
    };
    assert_eq!(send("which").as_deref(), Some("1"));
    // One ends it for both, and both come back.
    send("abort");
    assert!(send("which").is_some());
    assert_eq!(scene.unload(harms), End::Unmapped);
    assert!(send("which").is_some(), "the other one goes on");
    assert_eq!(scene.unload(counter), End::Unmapped);
}

#[test]
fn a_plugin_in_c_runs_in_a_worker() {
    let scene = Scene::new(isolated("well-behaved"));
    let plugin = scene.load(specimens::c("well_behaved"));
    scene.dispatch();
    assert!(worker(&scene).pid.is_some() && !only(&scene).instances.is_empty());
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn what_is_too_long_to_cross_is_a_fault_and_costs_no_worker() {
    let post = Post::new(limited("handles-parcels", limits().with_max_payload(64 << 10)));
    assert_eq!(post.line("grow 10").len(), 10);
    assert_eq!(post.line("grow 1000000"), "");
    let fault = post.last_fault();
    assert!(fault.contains("max_payload"), "{fault}");
    let mut parcel = Parcel::new(&"x".repeat(1_000_000));
    let _ = post.packed.dispatch(&mut parcel);
    assert!(post.last_fault().contains("max_payload") && parcel.lines.is_empty());
    assert_eq!(post.line("grow 10").len(), 10);
    assert_eq!(post.host.plugin_views().pop().unwrap().worker.unwrap().restarts, 0);
}

/// The operations of a payload are the plugin's code in a worker, and run outside of any call that could be caught.
#[test]
fn operations_of_a_payload_that_panic_cost_one_answer() {
    let config = isolated("handles-parcels").with_quarantine(Quarantine::default().with_faults(0));
    let post = Post::new(config);
    assert_eq!(post.line("unwritable"), "");
    assert!(post.last_fault().contains("was killed by SIGABRT"), "{}", post.last_fault());
    assert_eq!(post.line("grow 10").len(), 10);
    let mut parcel = Parcel::new("grow 10");
    parcel.lines.push("unreadable".into());
    assert_eq!(post.packed.dispatch(&mut parcel).decision(), Decision::Passed);
    assert_eq!(parcel.lines.len(), 1);
    assert_eq!(post.line("grow 10").len(), 10);
    // It serves before that is counted.
    eventually("both are counted", || post.host.plugin_views()[0].worker.as_ref().unwrap().restarts == 2);
}
