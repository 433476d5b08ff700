//! A function for each command: a host that runs and a store alone answer alike.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hookrail::control::command::{
    self, Allow, Apply, ConfigHistory, ConfigSchema, Configure, Disable, Enable, ImportIncoming, Install, List, Load,
    Points, Replace, Restart, Rollback, SetLogLevel, Show, Stage, Start, Status as ProgramStatus, Stop, Uninstall,
    Unload, Unquarantine, Validate,
};
use hookrail::control::{Client, Manage, Offline};
use hookrail::store::Kind;
use hookrail::{Config, Host, LogLevel, Message, MessagePublish, PluginView, StatsLevel, Status};
use hookrail_tests::plugin;
use hookrail_tests::scene::patient;
use hookrail_tests::stocked::{Scene, digest, version};
use hookrail_tests::wired::{Directory, manager};
use serde_json::{Value, json};

const NAME: &str = "screen";
const POINT: &str = "message.publish";

/// What the store says of a plugin.
fn kept(plugin: &PluginView) -> Value {
    let listed = plugin.installed.as_ref().expect("it is installed");
    assert_eq!(listed.kind, Kind::External);
    json!([plugin.name, listed.version, listed.enabled, listed.previous])
}

/// Does all that can be done to what is installed, and answers what was answered.
fn from_first_to_last<M: Manage<Error: Debug>>(it: &mut M, scene: &Scene) -> Vec<Value> {
    let [first, second, allowed] = ["1.0.0", "1.1.0", "1.2.0"].map(|version| scene.package(version));
    let mut told = Vec::new();
    told.push(json!(it.ask(Validate::new(&first)).unwrap().metadata.full_name()));
    told.push(json!(it.ask(Stage::new(&first)).unwrap().installation.metadata.full_name()));
    let installed = it.ask(Install::new(&first)).unwrap();
    told.push(json!([installed.installation.enabled, installed.plan.len()]));
    told.push(json!(it.ask(Configure::new(NAME, json!({ "limit": 1 }))).unwrap().changed));
    told.push(json!(it.ask(Configure::new(NAME, json!({ "limit": 2 }))).unwrap().configured.revision));
    told.push(it.ask(command::Config::new(NAME)).unwrap().value);
    told.push(it.ask(ConfigHistory::new(NAME)).unwrap().into_iter().map(|former| former.value).collect());
    told.push(it.ask(ConfigSchema::new(NAME)).unwrap().unwrap_or_default());
    told.push(kept(&it.ask(Enable::new(NAME)).unwrap().plugin));
    told.push(json!(it.ask(Install::new(&second)).unwrap().installation.replaces));
    told.push(kept(&it.ask(Show::new(NAME)).unwrap().plugin));
    told.push(kept(&it.ask(Rollback::new(NAME)).unwrap().plugin));
    told.push(it.ask(List::new()).unwrap().iter().map(kept).collect());
    told.push(json!(it.ask(Apply::new([].into()).dry_run()).unwrap().steps.len()));
    told.push(kept(&it.ask(Disable::new(NAME)).unwrap().plugin));
    let allowance = it.ask(Allow::new(NAME, version("1.2.0"), digest(&allowed), Duration::from_secs(60)));
    told.push(json!(allowance.unwrap().version));
    told.push(json!(it.ask(ImportIncoming::new()).unwrap().len()));
    told.push(json!(it.ask(Uninstall::new(NAME)).unwrap().version));
    told.push(json!(it.ask(List::new()).unwrap().len()));
    told
}

/// Each store is another one: what is told twice is told of the same deeds.
#[test]
fn a_running_host_and_a_store_alone_answer_alike() {
    let [alone, live] = [Scene::new(), Scene::new()];
    let mut offline = Offline::new(Config::default(), alone.store.clone()).unwrap();
    let told = from_first_to_last(&mut offline, &alone);
    assert_eq!(told[3..8], [json!(true), json!(2), json!({ "limit": 2 }), json!([{ "limit": 1 }]), json!(null)]);

    let (host, directory) = (Host::new(patient()).unwrap(), Directory::new());
    let manager = manager(&host);
    // SAFETY: our own plugins.
    assert!(unsafe { manager.open_store(live.store.clone()) }.unwrap().is_empty());
    let control = manager.open_control(directory.0.join("c.sock")).unwrap();
    assert_eq!(from_first_to_last(&mut Client::connect(control.path()).unwrap(), &live), told);
}

#[test]
fn commands_that_need_a_host_are_refused_without_one() {
    let (host, directory) = (Host::new(patient()).unwrap(), Directory::new());
    let control = manager(&host).open_control(directory.0.join("c.sock")).unwrap();
    let mut client = Client::connect(control.path()).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Something is to be traced.
        scope.spawn(|| {
            let publish = host.point(MessagePublish).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                let _ = publish.dispatch(&mut Message::new("a", "b"));
            }
        });
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| only_a_host(&mut client, |result| result.unwrap())));
        is_over.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    // It is quarantined no more than it is there.
    let error = client.ask(Unquarantine::new(POINT, "hello/greet")).unwrap_err();
    assert!(error.code() == "HR0109" && error.to_string().contains("hello/greet"), "{error}");
    let scene = Scene::new();
    let mut offline = Offline::new(Config::default(), scene.store.clone()).unwrap();
    only_a_host(&mut offline, |result| assert_eq!(result.unwrap_err().code(), "HR0711"));
    assert_eq!(offline.ask(Unquarantine::new(POINT, "hello/greet")).unwrap_err().code(), "HR0711");
}

fn only_a_host<M: Manage>(it: &mut M, judge: impl Fn(Result<(), M::Error>)) {
    let is = |status| move |plugin: PluginView| assert_eq!(plugin.status, status);
    let hello = plugin("hello");
    judge(it.ask(Load::new(&hello)).map(is(Status::Running)));
    judge(it.ask(Stop::new("hello")).map(is(Status::Stopped)));
    judge(it.ask(Start::new("hello")).map(is(Status::Running)));
    judge(it.ask(Restart::new("hello")).map(is(Status::Running)));
    judge(it.ask(Replace::new("hello", &hello)).map(|replaced| assert_eq!(replaced.generation, 2)));
    judge(it.ask(SetLogLevel::new("hello", LogLevel::Warn)).map(is(Status::Running)));
    judge(it.ask(command::SetLevel::new(POINT, StatsLevel::Count)).map(|point| assert_eq!(point.point, POINT)));
    judge(it.ask(command::Trace::new(POINT, 2)).map(|traces| assert_eq!(traces.len(), 2)));
    judge(it.ask(Points::new()).map(|points| assert!(!points.is_empty())));
    judge(it.ask(ProgramStatus::new()).map(|program| assert_eq!(program.plugins, 1)));
    judge(it.ask(Unload::new("hello")).map(|ended| assert!(ended.end.is_unmapped())));
}

#[test]
fn a_host_says_of_no_other_program_that_it_dispatches_its_points() {
    let host = Host::new(Config::default()).unwrap();
    let by = |host: &Host| host.point_views().into_iter().find(|view| view.point == POINT).unwrap().dispatched_by;
    assert_eq!(by(&host), None);
    host.is_program("another program");
    assert_eq!(by(&host), None);
    let host = Host::new(Config::default()).unwrap();
    host.is_program("hookrail run");
    assert_eq!(by(&host).unwrap().program, "hookrail run");
}

#[test]
fn a_configuration_is_set_only_if_its_revision_is_the_current_one() {
    let scene = Scene::new();
    let mut offline = Offline::new(Config::default(), scene.store.clone()).unwrap();
    offline.ask(Install::new(scene.package("1.0.0"))).unwrap();
    let mut set =
        |limit: u32, revision| offline.ask(Configure::new(NAME, json!({ "limit": limit })).if_revision(revision));
    assert_eq!(set(1, 0).unwrap().configured.revision, 1);
    for stale in [0, 2, u64::MAX] {
        let error = set(2, stale).unwrap_err();
        assert_eq!(error.code(), "HR0837", "{error}");
        assert!(error.to_string().contains(&format!("has revision 1 by now, not {stale}")), "{error}");
    }
    assert_eq!(set(2, 1).unwrap().configured.revision, 2);
}
