//! An example of everything that a host says, with every field that it may have.
//!
//! They are recorded in `samples.json`. A value that changed or is gone there breaks programs that read it.

mod parts;

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use semver::Version;
use serde_json::json;

use self::parts::{
    MEMORY, callback, changed, configured, ended, installation, metadata, pipeline, plan, plugin, point, problem,
    replaced, signer, times, version,
};
use super::*;
use crate::command::*;
use crate::crash::{CrashReport, CrashedPlugin, LostCall};
use crate::end::End;
use crate::event::EventKind;
use crate::health::Health;
use crate::installed::{Allowance, FormerConfig, Kind, Origin, SignatureStatus, TrustSource};
use crate::isolation::Isolation;
use crate::log_level::LogLevel;
use crate::metrics::{Family, FamilyKind, Sample};
use crate::package::Digest;
use crate::stats::StatsLevel;
use crate::trace::{StepVerdict, TraceDecision, TraceStep};
use crate::view::{CallbackStatus, EffectsView, FaultPolicyView, PointKind, PriorityOrigin};

/// Some structures share an object with what they hold, where the last of two fields of one name would win.
fn sample(name: &str, said: &impl Serialize) -> Value {
    let (text, value) = (serde_json::to_string(said).unwrap(), serde_json::to_value(said).unwrap());
    // Otherwise only the order of the fields differs.
    assert_eq!(text.len(), value.to_string().len(), "{name} has a field twice: {text}");
    value
}

/// The answers of all commands, by their names.
fn answers() -> BTreeMap<&'static str, Value> {
    /// The answer has the command's type.
    fn of<C: Command>(answer: C::Answer) -> (&'static str, Value) {
        (C::NAME, sample(C::NAME, &answer))
    }
    let steps = [
        Action::Configure,
        Action::Disable,
        Action::Enable,
        Action::Install { version: version(), replaces: Some(Version::new(1, 2, 2)) },
        Action::Override,
    ];
    let steps = steps.map(|action| Step { plugin: "mask".into(), action }).into();
    let imported = ImportResult {
        file: "/home/incoming/mask.hrp".into(),
        installation: Some(installation()),
        error: Some(problem()),
        waiting: false,
    };
    let trace = crate::trace::Trace {
        time: UNIX_EPOCH,
        thread: "main".into(),
        thread_id: 7,
        payload: json!({ "topic": "log" }),
        steps: vec![TraceStep {
            callback: "mask/mask".into(),
            verdict: StepVerdict::Deny,
            code: Some(403),
            message: Some("why".into()),
            took_ns: 5,
            payload: Some(json!({ "topic": "log" })),
        }],
        decision: TraceDecision::Denied,
        code: Some(403),
        took_ns: 9,
    };
    let crash = CrashReport {
        id: "20261127T204907800-15106-0".into(),
        time: UNIX_EPOCH,
        worker: "mask".into(),
        pid: Some(7),
        plugins: vec![CrashedPlugin { name: "mask".into(), version: "1.2.3".into(), file: "/libmask.so".into() }],
        end: "was killed by SIGSEGV".into(),
        backtrace: vec!["mask::mask".into()],
        lost: vec![LostCall {
            point: "message.publish".into(),
            callback: "mask/mask".into(),
            input: Some(json!({ "topic": "log" })),
            without_input: Some("why".into()),
        }],
    };
    let answers = [
        of::<Crashes>(vec![crash.clone()]),
        of::<ShowCrash>(crash),
        of::<Allow>(Allowance {
            plugin: "mask".into(),
            version: version(),
            sha256: Digest::default(),
            until: "2026-11-27T05:00:00Z".into(),
        }),
        of::<Apply>(Applied { steps, dry_run: true, failed: Some("mask".into()), error: Some(problem()) }),
        of::<Config>(configured()),
        of::<ConfigHistory>(vec![FormerConfig {
            revision: 2,
            since: "2026-11-27T05:00:00Z".into(),
            origin: Origin::Plugin,
            value: json!({ "pattern": "x" }),
        }]),
        of::<ConfigSchema>(Some(json!({ "type": "object" }))),
        of::<Configure>(Reconfigured { changed: true, configured: configured(), replaced: Some(replaced()) }),
        of::<Disable>(changed()),
        of::<Embed>(changed()),
        of::<Enable>(changed()),
        of::<Events>(()),
        of::<ImportIncoming>(vec![imported]),
        of::<Install>(Installed { installation: installation(), plan: plan(), replaced: Some(replaced()) }),
        of::<Isolate>(changed()),
        of::<List>(vec![plugin()]),
        of::<Load>(plugin()),
        of::<Metrics>(vec![Family {
            name: "hookrail_callback_duration_seconds".into(),
            help: "How long calls took.".into(),
            kind: FamilyKind::Summary,
            samples: vec![Sample {
                suffix: "_sum".into(),
                labels: [("plugin".into(), "mask".into())].into(),
                value: 0.5,
            }],
        }]),
        of::<Pipelines>(vec![pipeline()]),
        of::<Points>(vec![point()]),
        of::<ReloadConfig>(ReloadedConfig {
            changed: vec!["logs is changed".into()],
            needs_restart: vec!["limits".into()],
        }),
        of::<Replace>(replaced()),
        of::<Restart>(plugin()),
        of::<Rollback>(changed()),
        of::<SetCallback>(point()),
        of::<SetLevel>(point()),
        of::<SetLogLevel>(plugin()),
        of::<SetPipeline>(pipeline()),
        of::<ShowPipeline>(pipeline()),
        of::<Show>(PluginDetail {
            plugin: plugin(),
            callbacks: vec![PlacedCallback { point: "message.publish".into(), callback: callback() }],
            left_out: vec![LeftOut { point: "message.publish".into(), callback: "mask/other".into() }],
            metadata: Some(metadata()),
        }),
        of::<Stage>(Staged { installation: installation(), plan: plan(), file: "/home/staged/mask.hrp".into() }),
        of::<Start>(plugin()),
        of::<Status>(Program { pid: 7, version: "1.0.0".into(), uptime_ms: 5, plugins: 1, report: json!({ "in": 1 }) }),
        of::<Halt>(plugin()),
        of::<Resume>(plugin()),
        of::<Stop>(plugin()),
        of::<Tap>(()),
        of::<Trace>(vec![trace]),
        of::<Uninstall>(Uninstalled {
            plugin: "mask".into(),
            version: Some(version()),
            purged: true,
            ended: Some(ended()),
        }),
        of::<Unload>(ended()),
        of::<Unquarantine>(point()),
        of::<Validate>(Validated { metadata: metadata(), trusted_by: signer() }),
    ];
    BTreeMap::from(answers)
}

fn events() -> Vec<Event> {
    let (on, callback) = (|| "message.publish".to_owned(), || "mask/mask".to_owned());
    let what = [
        EventKind::ConfigWritten { instance: "mask".into(), revision: 4 },
        EventKind::Ended { end: End::Unmapped, unfreed_memory: Some(MEMORY) },
        EventKind::Halted,
        EventKind::HealthChanged { health: Health::Degraded, reason: Some("no server".into()) },
        EventKind::Loaded { version: "1.2.3".into() },
        EventKind::Moved { from: 1, to: Isolation::Worker(Some("auth".into())), times: times() },
        EventKind::OverMemory { bytes: 2, max_bytes: 1 },
        EventKind::Quarantined { point: on(), callback: callback(), reason: "5 faults".into() },
        EventKind::Released { point: on(), callback: callback(), tried: true },
        EventKind::Resumed,
        EventKind::RolledBack { from: 2, reason: "faults".into() },
        EventKind::RollbackFailed { reason: "faults".into(), error: "no library".into() },
        EventKind::Slow { point: on(), callback: callback(), took_ns: 9, budget_ns: 5, count: 1 },
        EventKind::Started,
        EventKind::Stopped,
        EventKind::Stuck { point: on(), callback: callback(), thread: "main".into(), thread_id: 7, took_ms: 5 },
        EventKind::Unloading,
        EventKind::Upgraded { from: 1, version: "1.2.3".into(), times: times() },
    ];
    // A new kind does not compile here: it belongs into the list above.
    what.iter().for_each(|kind| match kind {
        EventKind::ConfigWritten { .. }
        | EventKind::Ended { .. }
        | EventKind::Halted
        | EventKind::HealthChanged { .. }
        | EventKind::Loaded { .. }
        | EventKind::Moved { .. }
        | EventKind::OverMemory { .. }
        | EventKind::Quarantined { .. }
        | EventKind::Released { .. }
        | EventKind::Resumed
        | EventKind::RolledBack { .. }
        | EventKind::RollbackFailed { .. }
        | EventKind::Slow { .. }
        | EventKind::Started
        | EventKind::Stopped
        | EventKind::Stuck { .. }
        | EventKind::Unloading
        | EventKind::Upgraded { .. }
        | EventKind::Unknown => {}
    });
    let event = |what| Event { plugin: "mask".into(), generation: 3, time: UNIX_EPOCH, what };
    what.map(event).into()
}

/// The values of each field that has only a few.
fn values() -> Value {
    use crate::view::Status as PluginStatus;
    json!({
        "chain[].effects": [EffectsView::External, EffectsView::Local, EffectsView::Pure],
        "chain[].fault_policy": [FaultPolicyView::Closed, FaultPolicyView::Open, FaultPolicyView::Rollback],
        "chain[].priority_origin": [PriorityOrigin::BuiltIn, PriorityOrigin::Declared, PriorityOrigin::Overridden],
        "chain[].status": [
            CallbackStatus::Absent,
            CallbackStatus::Armed,
            CallbackStatus::Disabled,
            CallbackStatus::HalfOpen,
            CallbackStatus::Quarantined,
        ],
        "config.origin": [Origin::Host, Origin::Nothing, Origin::Operator, Origin::Package, Origin::Plugin],
        "end": [
            End::Busy(1),
            End::FileMappings(1),
            End::NoDelete,
            End::PinnedByHandlers(vec![2, 15]),
            End::PinnedByHandles,
            End::PinnedByThreadLocals(1),
            End::PinnedByThreads(1),
            End::Unhooked("pthread_create".into()),
            End::Unmapped,
            End::Vetoed("it asks for it".into()),
        ],
        "plugin.health": [Health::Degraded, Health::Failed, Health::Good],
        "plugin.installed.trusted_by": [TrustSource::Allowed, signer()],
        "plugin.installed.kind": [Kind::External, Kind::Prebuilt],
        "plugin.installed.signature": [
            SignatureStatus::BuiltIn,
            SignatureStatus::Invalid,
            SignatureStatus::Modified,
            SignatureStatus::Signed,
            SignatureStatus::Unsigned,
        ],
        "plugin.log_level": [
            LogLevel::Off,
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ],
        "plugin.status": [
            PluginStatus::Disabled,
            PluginStatus::Halted,
            PluginStatus::Running,
            PluginStatus::Stopped,
            PluginStatus::Stopping,
            PluginStatus::Unloaded,
        ],
        "point.kind": [PointKind::Fold, PointKind::Gate, PointKind::Notify],
        "point.level": [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram],
        "trace.decision": [
            TraceDecision::Allowed,
            TraceDecision::Denied,
            TraceDecision::Skipped,
            TraceDecision::Undecided,
        ],
        "trace.steps[].verdict": [
            StepVerdict::Allow,
            StepVerdict::Continue,
            StepVerdict::Deny,
            StepVerdict::Fault,
            StepVerdict::NotCalled,
            StepVerdict::Skip,
        ],
    })
}

#[test]
fn everything_that_a_host_says_is_as_recorded() {
    let lines = [
        serde_json::to_value(Greeting { protocol: PROTOCOL, version: "1.0.0".into() }),
        serde_json::to_value(Answer { id: Some(1), reply: Reply::Ok(Value::Null) }),
        serde_json::to_value(Answer { id: None, reply: Reply::Error(problem()) }),
        serde_json::to_value(StreamItem::Event(events().remove(0))),
        serde_json::to_value(StreamItem::Dropped(7)),
    ];
    let samples = json!({
        "lines": lines.map(Result::unwrap),
        "answers": answers(),
        "events": events().iter().map(|event| sample("an event", event)).collect::<Vec<_>>(),
        "values": values(),
    });
    let written = serde_json::to_string_pretty(&samples).unwrap() + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/samples.json");
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        std::fs::write(file, &written).unwrap();
    }
    let recorded = std::fs::read_to_string(file).unwrap_or_default();
    let changed = written.lines().zip(recorded.lines()).find(|(now, then)| now != then);
    assert!(written == recorded, "{changed:?} is not what {file} has; HOOKRAIL_BLESS=1 writes it again");
}

/// Each command is declared by a line of this form.
#[test]
fn every_command_has_a_recorded_answer() {
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/command")).unwrap();
    let sources: Vec<_> = sources.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let declared = sources.iter().flat_map(|source| source.lines()).filter_map(|line| line.strip_prefix("command!("));
    let mut declared: Vec<_> = declared.filter_map(|rest| rest.split('"').nth(1)).collect();
    declared.sort();
    assert_eq!(declared, answers().into_keys().collect::<Vec<_>>());
}
