//! Each JSON form, both ways.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, UNIX_EPOCH};

use hookrail_abi::FaultPolicy;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;
use crate::command::{
    Action, Allow, Apply, Config, ConfigHistory, ConfigSchema, Configure, Disable, Embed, Enable, Events, Halt,
    ImportIncoming, Install, Isolate, List, Load, Metrics, PipelineAct, Pipelines, PluginSpec, Points, ReloadConfig,
    Replace, Restart, Resume, Rollback, SetCallback, SetLevel, SetLogLevel, SetPipeline, Show, ShowPipeline, Stage,
    Start, Status, Step, Stop, Tap, Trace, Uninstall, Unload, Unquarantine, Validate,
};
use crate::end::End;
use crate::event::EventKind;
use crate::health::Health;
use crate::installed::{FormerConfig, Kind, Origin, SignatureStatus, TrustSource};
use crate::isolation::Isolation;
use crate::log_level::LogLevel;
use crate::memory::Memory;
use crate::package::{Digest, KeyId, Metadata, Target};
use crate::stats;
use crate::tap::{TapItem, TapMissed, TapPlace, Tapped};
use crate::times::UpgradeTimes;
use crate::trace::{StepVerdict, TraceDecision};
use crate::view::{
    self, CallbackStatus, CallbackView, EffectsView, FaultPolicyView, PointKind, PointView, PriorityOrigin,
};

/// A command is written in that form, and read back from it.
fn check<C: Command>(command: C, text: &str) {
    assert_eq!(request(7, &command).unwrap(), format!("{text}\n").into_bytes());
    let raw = RawRequest::read(text.as_bytes()).unwrap();
    assert_eq!((raw.id, &*raw.command), (7, C::NAME));
    assert_eq!(super::command::<C>(raw.params).unwrap(), command);
}

#[test]
fn each_request_has_its_form_and_comes_back_from_it() {
    check(Events::new(), r#"{"id":7,"command":"events","params":{}}"#);
    check(Points::new(), r#"{"id":7,"command":"points","params":{}}"#);
    check(Points::of("a.b"), r#"{"id":7,"command":"points","params":{"point":"a.b"}}"#);
    let mut set = SetCallback::new("a.b", "c/d");
    check(set.clone(), r#"{"id":7,"command":"set-callback","params":{"point":"a.b","callback":"c/d"}}"#);
    (set.default, set.priority, set.enabled, set.fault_policy) =
        (true, Some(7), Some(false), Some(FaultPolicy::Closed));
    check(
        set,
        r#"{"id":7,"command":"set-callback","params":{"point":"a.b","callback":"c/d","default":true,"priority":7,"enabled":false,"fault_policy":"closed"}}"#,
    );
    check(
        SetLevel::new("a.b", stats::StatsLevel::Count),
        r#"{"id":7,"command":"set-level","params":{"point":"a.b","level":"count"}}"#,
    );
    check(
        Unquarantine::new("a.b", "c/d"),
        r#"{"id":7,"command":"unquarantine","params":{"point":"a.b","callback":"c/d"}}"#,
    );
    check(
        Trace::new("a.b", 3).filter("x=y".parse().unwrap()),
        r#"{"id":7,"command":"trace","params":{"point":"a.b","count":3,"filter":"x=y"}}"#,
    );
    check(Enable::new("mask"), r#"{"id":7,"command":"enable","params":{"plugin":"mask"}}"#);
    check(
        Disable::new("mask").wait(Duration::from_millis(5)),
        r#"{"id":7,"command":"disable","params":{"plugin":"mask","wait_ms":5}}"#,
    );
    check(Restart::new("mask"), r#"{"id":7,"command":"restart","params":{"plugin":"mask"}}"#);
    check(Rollback::new("mask"), r#"{"id":7,"command":"rollback","params":{"plugin":"mask","fresh":false}}"#);
    check(Uninstall::new("mask").purge(), r#"{"id":7,"command":"uninstall","params":{"plugin":"mask","purge":true}}"#);
    check(
        Install::new("/a.hrp").only("mask").downgrade(),
        r#"{"id":7,"command":"install","params":{"file":"/a.hrp","plugin":"mask","dry_run":false,"downgrade":true,"fresh":false}}"#,
    );
    check(Stage::new("/a.hrp"), r#"{"id":7,"command":"stage","params":{"file":"/a.hrp"}}"#);
    check(Validate::new("/a.hrp"), r#"{"id":7,"command":"validate","params":{"file":"/a.hrp"}}"#);
    check(
        Allow::new("mask", "1.2.3".parse().unwrap(), Digest::default(), Duration::from_millis(9)),
        &format!(
            r#"{{"id":7,"command":"allow","params":{{"plugin":"mask","version":"1.2.3","sha256":"{}","lasts_ms":9}}}}"#,
            "0".repeat(64)
        ),
    );
    check(Config::new("mask"), r#"{"id":7,"command":"config","params":{"plugin":"mask"}}"#);
    check(ConfigSchema::new("mask"), r#"{"id":7,"command":"config-schema","params":{"plugin":"mask"}}"#);
    check(ConfigHistory::new("mask"), r#"{"id":7,"command":"config-history","params":{"plugin":"mask"}}"#);
    let config = json!({ "a": 1 });
    check(
        Configure::new("mask", config.clone()).restart(),
        r#"{"id":7,"command":"configure","params":{"plugin":"mask","config":{"a":1},"restart":true}}"#,
    );
    check(
        Apply::new([("mask".into(), PluginSpec::new().config(config))].into()).dry_run(),
        r#"{"id":7,"command":"apply","params":{"plugins":{"mask":{"downgrade":false,"enabled":true,"config":{"a":1},"restart":false}},"dry_run":true}}"#,
    );
    check(ImportIncoming::new(), r#"{"id":7,"command":"import-incoming","params":{}}"#);
    check(List::new().verify(), r#"{"id":7,"command":"list","params":{"verify":true}}"#);
    check(List::new(), r#"{"id":7,"command":"list","params":{}}"#);
    check(
        SetLogLevel::new("mask", LogLevel::Debug),
        r#"{"id":7,"command":"set-log-level","params":{"plugin":"mask","level":"debug"}}"#,
    );
    check(Embed::new("mask"), r#"{"id":7,"command":"embed","params":{"plugin":"mask"}}"#);
    check(
        Isolate::new("mask").into_worker("auth"),
        r#"{"id":7,"command":"isolate","params":{"plugin":"mask","worker":"auth"}}"#,
    );
    check(Load::new("/a.so"), r#"{"id":7,"command":"load","params":{"file":"/a.so"}}"#);
    check(Metrics::new(), r#"{"id":7,"command":"metrics","params":{}}"#);
    check(Pipelines::new(), r#"{"id":7,"command":"pipelines","params":{}}"#);
    check(ShowPipeline::new("logs"), r#"{"id":7,"command":"pipeline","params":{"pipeline":"logs"}}"#);
    check(
        SetPipeline::new("logs", PipelineAct::Halt).wait(Duration::from_millis(5)),
        r#"{"id":7,"command":"set-pipeline","params":{"pipeline":"logs","act":"halt","wait_ms":5}}"#,
    );
    check(ReloadConfig::new(), r#"{"id":7,"command":"reload-config","params":{}}"#);
    check(Show::new("mask"), r#"{"id":7,"command":"show","params":{"plugin":"mask"}}"#);
    check(Start::new("mask"), r#"{"id":7,"command":"start","params":{"plugin":"mask"}}"#);
    check(Status::new(), r#"{"id":7,"command":"status","params":{}}"#);
    check(Halt::new("mask"), r#"{"id":7,"command":"halt","params":{"plugin":"mask"}}"#);
    check(Resume::new("mask"), r#"{"id":7,"command":"resume","params":{"plugin":"mask"}}"#);
    let mut tap = Tap::new("log.>");
    check(tap.clone(), r#"{"id":7,"command":"tap","params":{"topics":"log.>","at":"published"}}"#);
    (tap.at, tap.pipeline, tap.limit, tap.rate) = (TapPlace::Dropped, Some("logs".into()), Some(3), Some(2));
    tap.headers = [("a".to_owned(), "b".to_owned())].into();
    check(
        tap,
        r#"{"id":7,"command":"tap","params":{"topics":"log.>","at":"dropped","pipeline":"logs","headers":{"a":"b"},"limit":3,"rate":2}}"#,
    );
    check(Stop::new("mask"), r#"{"id":7,"command":"stop","params":{"plugin":"mask"}}"#);
    check(
        Unload::new("mask").wait(Duration::from_millis(5)),
        r#"{"id":7,"command":"unload","params":{"plugin":"mask","wait_ms":5}}"#,
    );
    check(
        Replace::new("mask", "/a.so").fresh(),
        r#"{"id":7,"command":"replace","params":{"plugin":"mask","file":"/a.so","fresh":true}}"#,
    );
}

#[test]
fn optional_fields_have_defaults() {
    let raw = RawRequest::read(br#"{"command":"replace","params":{"file":"/a.so","plugin":"mask"},"id":0}"#).unwrap();
    assert_eq!((raw.id, super::command(raw.params).unwrap()), (0, Replace::new("mask", "/a.so")));
    let raw = RawRequest::read(br#"{"command":"apply","params":{"plugins":{"mask":{}}},"id":0}"#).unwrap();
    let wanted: BTreeMap<_, _> = super::command::<Apply>(raw.params).unwrap().plugins;
    assert!(wanted["mask"].enabled && wanted["mask"].package.is_none());
}

#[test]
fn what_a_tap_tells_has_its_form_and_comes_back_from_it() {
    let check = |item: TapItem, text: &str| {
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
        assert_eq!(serde_json::from_str::<TapItem>(text).unwrap(), item);
    };
    check(TapItem::Missed(TapMissed::new(3, 4)), r#"{"missed":{"unread":3,"over_rate":4}}"#);
    let mut tapped = Tapped::new(TapPlace::Dropped, json!({ "topic": "log" }));
    (tapped.pipeline, tapped.endpoint) = ("logs".into(), "files".into());
    (tapped.topic_bytes, tapped.body_bytes, tapped.headers_left_out) = (Some(5000), Some(70_000), 2);
    (tapped.kind, tapped.reason, tapped.decided_by) = ("denied".into(), "no".into(), "mask/mask".into());
    check(
        TapItem::Message(Box::new(tapped)),
        r#"{"message":{"at":"dropped","pipeline":"logs","endpoint":"files","message":{"topic":"log"},"topic_bytes":5000,"body_bytes":70000,"headers_left_out":2,"kind":"denied","reason":"no","decided_by":"mask/mask"}}"#,
    );
    assert_eq!(serde_json::from_str::<TapItem>(r#"{"news":1}"#).unwrap(), TapItem::Unknown, "a newer host says it");
}

#[test]
fn an_invalid_request_is_reported_with_its_number_if_it_has_one() {
    for (text, id, why) in [
        ("", None, "EOF"),
        ("nonsense", None, "expected"),
        ("[]", None, "invalid type"),
        (r#"{"command":"list"}"#, None, "`id`"),
        (r#"{"id":"7","command":"list"}"#, None, "`id`"),
        (r#"{"id":-1,"command":"list"}"#, None, "`id`"),
        (r#"{"id":7}"#, Some(7), "`command`"),
        (r#"{"id":7,"command":8}"#, Some(7), "`command`"),
        (r#"{"id":7,"command":"show","params":[]}"#, Some(7), "`params`"),
        (r#"{"id":7,"command":"show","plugin":"mask"}"#, Some(7), "unknown field `plugin`"),
    ] {
        let InvalidRequest { id: found, why: said } = RawRequest::read(text.as_bytes()).unwrap_err();
        assert_eq!(found, id, "{text}");
        assert!(said.contains(why), "{text}: {said}");
    }
}

#[test]
fn fields_that_are_not_the_commands_are_refused() {
    fn check<C: Command>(text: &str, why: &str) {
        let said = super::command::<C>(RawRequest::read(text.as_bytes()).unwrap().params).unwrap_err().to_string();
        assert!(said.contains(why), "{text}: {said}");
    }
    check::<SetLogLevel>(
        r#"{"id":7,"command":"set-log-level","params":{"plugin":"mask","level":"loud"}}"#,
        "unknown variant `loud`",
    );
    check::<Show>(r#"{"id":7,"command":"show"}"#, "missing field `plugin`");
    check::<Show>(r#"{"id":7,"command":"show","params":{"plugin":1}}"#, "invalid type");
    check::<Status>(r#"{"id":7,"command":"status","params":{"plugin":"mask"}}"#, "unknown field `plugin`");
    // In silence the state would be handed over all the same.
    check::<Replace>(
        r#"{"id":7,"command":"replace","params":{"plugin":"a","file":"/a","frehs":true}}"#,
        "unknown field `frehs`",
    );
}

#[test]
fn each_answer_has_its_form_and_comes_back_from_it() {
    let check = |reply, id, text: &str| {
        let answer = Answer { id, reply };
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
        assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
    };
    check(Reply::Ok(Value::Null), Some(1), r#"{"id":1,"ok":null}"#);
    check(Reply::Ok(json!([])), Some(1), r#"{"id":1,"ok":[]}"#);
    let problem = Problem::new("HR0103", "a", "b");
    check(
        Reply::Error(problem),
        None,
        r#"{"id":null,"error":{"code":"HR0103","message":"a","fix":"b","retryable":false}}"#,
    );
    let busy = serde_json::to_value(Problem::new("HR0106", "a", "b")).unwrap();
    assert_eq!(busy, json!({ "code": "HR0106", "message": "a", "fix": "b", "retryable": true }));
}

/// A newer host may say what this version does not know: the rest is read all the same.
#[test]
fn answers_of_a_newer_host_are_read_as_unknown() {
    let event = |what: &str| {
        let text =
            format!(r#"{{"event":{{"plugin":"a","generation":1,"time":"2026-01-01T00:00:00Z",{what},"new":1}}}}"#);
        match serde_json::from_str::<StreamItem>(&text).unwrap() {
            StreamItem::Event(event) => event.what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(event(r#""event":"sublimated""#), EventKind::Unknown);
    assert_eq!(
        event(r#""event":"ended","end":"dreamt","of":2"#),
        EventKind::Ended { end: End::Unknown, unfreed_memory: None }
    );
    assert_eq!(serde_json::from_str::<StreamItem>(r#"{"weather":{"sunny":true}}"#).unwrap(), StreamItem::Unknown);
    fn check<T: DeserializeOwned + PartialEq + Debug>(unknown: T) {
        assert_eq!(serde_json::from_str::<T>(r#""shrug""#).unwrap(), unknown);
    }
    check(CallbackStatus::Unknown);
    check(EffectsView::Unknown);
    check(FaultPolicyView::Unknown);
    check(Health::Unknown);
    check(Kind::Unknown);
    check(Origin::Unknown);
    check(PointKind::Unknown);
    check(PriorityOrigin::Unknown);
    check(SignatureStatus::Unknown);
    check(StepVerdict::Unknown);
    check(TraceDecision::Unknown);
    check(view::Status::Unknown);
    assert_eq!(serde_json::from_str::<TrustSource>(r#"{"kind":"hearsay","of":"Jane"}"#).unwrap(), TrustSource::Unknown);
    check(Target::Unknown);
    let newer = json!({
        "format": 1, "name": "a", "version": "1.0.0", "description": "", "built_at": "", "files": [], "authors": [],
        "tar": { "sha256": Digest::default(), "size": 0, "new": 1 }, "builder": { "name": "", "contact": "", "new": 1 },
        "source": "", "functionality": ["dreaming"], "compatibility": { "host": "~> 1.0", "abi": "~> 1.0", "new": 1 },
        "targets": [{ "target": "riscv64gc-unknown-linux-gnu", "libc": "2.40", "library": "a.so", "new": 1 }],
        "hooks": [{ "point": "a", "revision": 1, "name": "a", "priority": 1, "effects": "pure", "new": 1 }],
        "new": 1,
    });
    let metadata: Metadata = serde_json::from_value(newer.clone()).unwrap();
    assert_eq!(
        (metadata.targets[0].target, &*String::from(metadata.functionality[0].clone())),
        (Target::Unknown, "dreaming")
    );
    assert!(
        Metadata::read(newer.to_string().as_bytes()).unwrap_err().to_string().contains("unknown field `builder.new`")
    );
    let action: Step = serde_json::from_str(r#"{"plugin":"mask","action":"praise","why":"it works"}"#).unwrap();
    assert_eq!(action, Step::new("mask", Action::Unknown));
    let former: FormerConfig = serde_json::from_str(r#"{"revision":1,"since":"now","value":2,"by":"Jane"}"#).unwrap();
    assert_eq!(former, FormerConfig::new(1, "now", json!(2)));
}

/// What a newer host says of a point is read, but nobody can ask for what this version does not know.
#[test]
fn an_unknown_level_is_read_in_a_view_and_refused_in_a_command() {
    let mut point = serde_json::to_value(PointView::new("a.b", PointKind::Fold, 1)).unwrap();
    point["level"] = json!("everything");
    assert_eq!(serde_json::from_value::<PointView>(point).unwrap().level, stats::StatsLevel::Unknown);
    let fields = json!({ "point": "a.b", "level": "unknown" });
    let refused = super::command::<SetLevel>(fields.as_object().unwrap().clone()).unwrap_err().to_string();
    assert_eq!(refused, "unknown variant `unknown`, expected one of `off`, `count`, `histogram`");
}

#[test]
fn a_chain_has_words_in_its_form() {
    let mut point = PointView::new("a.b", PointKind::Gate, 1);
    let mut callback = CallbackView::new("mask:logs", "mask", 900);
    (callback.priority_origin, callback.declared_priority) = (PriorityOrigin::Overridden, Some(500));
    (callback.effects, callback.fault_policy) = (EffectsView::Pure, FaultPolicyView::Rollback);
    point.chain = vec![callback];
    let json = json!({
        "point": "a.b", "kind": "gate", "revision": 1, "deniable": false, "local": false, "dispatched_by": null,
        "level": "off", "tracers": 0, "dispatches": 0, "empty": 0,
        "chain": [{
            "priority": 900, "priority_origin": "overridden", "declared_priority": 500,
            "callback": "mask:logs/mask", "instance": "mask:logs", "name": "mask",
            "effects": "pure", "fault_policy": "rollback", "enabled": true, "status": "armed",
            "faults": 0, "missed": 0, "slow": 0, "stuck": 0, "stuck_now": 0, "calls": { "total": 0, "skipped": 0, "denied": 0 },
        }],
    });
    assert_eq!(serde_json::to_value(&point).unwrap(), json);
    assert_eq!(serde_json::from_value::<PointView>(json).unwrap(), point);
}

#[test]
fn a_source_of_trust_has_a_kind() {
    for (by, text) in [
        (TrustSource::Allowed, r#"{"kind":"allowed"}"#),
        (TrustSource::key(KeyId::new(1), "Jane"), r#"{"kind":"key","id":"0000000000000001","name":"Jane"}"#),
    ] {
        assert_eq!(serde_json::to_string(&by).unwrap(), text);
        assert_eq!(serde_json::from_str::<TrustSource>(text).unwrap(), by);
    }
}

#[test]
fn each_end_has_its_form_with_named_fields() {
    for (end, text) in [
        (End::Busy(2), r#"{"end":"busy","threads":2}"#),
        (End::FileMappings(1), r#"{"end":"file-mappings","mappings":1}"#),
        (End::NoDelete, r#"{"end":"no-delete"}"#),
        (End::PinnedByHandles, r#"{"end":"pinned-by-handles"}"#),
        (End::PinnedByHandlers(vec![2, 15]), r#"{"end":"pinned-by-handlers","signals":[2,15]}"#),
        (End::PinnedByThreadLocals(3), r#"{"end":"pinned-by-thread-locals","thread_locals":3}"#),
        (End::PinnedByThreads(1), r#"{"end":"pinned-by-threads","threads":1}"#),
        (End::Unhooked("pthread_create".into()), r#"{"end":"unhooked","symbol":"pthread_create"}"#),
        (End::Unmapped, r#"{"end":"unmapped"}"#),
        (End::Vetoed("why".into()), r#"{"end":"vetoed","reason":"why"}"#),
    ] {
        assert_eq!(serde_json::to_string(&end).unwrap(), text);
        assert_eq!(serde_json::from_str::<End>(text).unwrap(), end);
    }
}

#[test]
fn each_event_comes_back_from_its_form() {
    let version = || "1.2.3".to_owned();
    let times = UpgradeTimes { swap: Duration::from_nanos(5), ..UpgradeTimes::default() };
    for what in [
        EventKind::Ended { end: End::Busy(2), unfreed_memory: None },
        EventKind::Ended { end: End::PinnedByHandlers(vec![2, 15]), unfreed_memory: None },
        EventKind::Ended { end: End::Unhooked("pthread_create".into()), unfreed_memory: None },
        EventKind::Ended { end: End::Unmapped, unfreed_memory: Some(Memory { bytes: 96, allocations: 2 }) },
        EventKind::Moved { from: 1, to: Isolation::WORKER, times },
        EventKind::OverMemory { bytes: 2, max_bytes: 1 },
        EventKind::Loaded { version: version() },
        EventKind::Halted,
        EventKind::HealthChanged { health: Health::Good, reason: None },
        EventKind::Resumed,
        EventKind::RolledBack { from: 2, reason: "faults".into() },
        EventKind::RollbackFailed { reason: "faults".into(), error: "none".into() },
        EventKind::Started,
        EventKind::Stopped,
        EventKind::Unloading,
        EventKind::Upgraded { from: 1, version: version(), times },
    ] {
        let told = StreamItem::Event(Event {
            plugin: "mask".into(),
            generation: 3,
            time: UNIX_EPOCH + Duration::from_nanos(4),
            what,
        });
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<StreamItem>(&text).unwrap(), told, "{text}");
    }
    assert_eq!(serde_json::to_string(&StreamItem::Dropped(7)).unwrap(), r#"{"dropped":7}"#);
}
