//! What the samples are made of, with every field that it may have.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use semver::Version;
use serde_json::json;

use crate::command::*;
use crate::end::End;
use crate::health::Health;
use crate::installed::{Configured, Installation, Kind, Listed, Origin, SignatureStatus, TrustSource};
use crate::isolation::{Isolation, LimitView, LimitedBy, Placed, PlacedBy, WorkerState, WorkerView};
use crate::log_level::LogLevel;
use crate::memory::{Memory, MemoryView};
use crate::metrics::FamilyKind;
use crate::note::{EndpointKind, Guarantee, NoteEndpoint, NoteHook, NotePoint};
use crate::package::{Build, Builder, Compatibility, Digest, File, KeyId, Metadata, Requirement, Tar, Target};
use crate::pipeline::{DiskView, EndpointState, PipelineState, PipelineView, SinkView, SourceView};
use crate::plugin_metrics::{MetricInfo, PluginMetric};
use crate::stats::{LastFault, Latency, StatsLevel};
use crate::times::UpgradeTimes;
use crate::view::{
    CallbackStatus, CallbackView, Calls, Dispatcher, EffectsView, FaultPolicyView, GenerationView, PluginView,
    PointKind, PointView, PriorityOrigin,
};
use crate::wire::Problem;

pub(super) const MEMORY: Memory = Memory { bytes: 96, allocations: 2 };

pub(super) fn version() -> Version {
    Version::new(1, 2, 3)
}

pub(super) fn times() -> UpgradeTimes {
    let [copy, open, create, swap] = [1, 2, 3, 4].map(std::time::Duration::from_nanos);
    UpgradeTimes { copy, open, create, swap }
}

pub(super) fn hook() -> NoteHook {
    NoteHook {
        point: "message.publish".into(),
        revision: 1,
        name: "mask".into(),
        priority: 900,
        effects: "pure".into(),
    }
}

pub(super) fn callback() -> CallbackView {
    CallbackView {
        priority: 900,
        priority_origin: PriorityOrigin::Overridden,
        declared_priority: Some(500),
        callback: "mask:logs/mask".into(),
        instance: "mask:logs".into(),
        name: "mask".into(),
        effects: EffectsView::Pure,
        fault_policy: FaultPolicyView::Rollback,
        declared_fault_policy: Some(FaultPolicyView::Open),
        overridden_by: Some(Origin::Operator),
        enabled: true,
        status: CallbackStatus::HalfOpen,
        reason: Some("5 faults".into()),
        budget_ns: Some(1000),
        faults: 5,
        missed: 7,
        last_fault: Some(LastFault { time: UNIX_EPOCH, generation: Some(2), message: "a panic".into() }),
        slow: 1,
        stuck: 2,
        stuck_now: 1,
        calls: Calls { total: 9, skipped: 1, denied: 2 },
        latency: Some(Latency { timed: 9, p50_ns: 1, p99_ns: 2, p999_ns: 3, max_ns: 4, total_ns: 5 }),
    }
}

pub(super) fn point() -> PointView {
    PointView {
        point: "message.publish".into(),
        kind: PointKind::Fold,
        revision: 1,
        deniable: true,
        local: false,
        dispatched_by: Some(Dispatcher::new("hookrail run", "1.0")),
        level: StatsLevel::Count,
        tracers: 1,
        dispatches: 9,
        empty: 1,
        chain: vec![callback()],
    }
}

pub(super) fn signer() -> TrustSource {
    TrustSource::Key { id: KeyId::new(1), name: "Jane".into() }
}

pub(super) fn plugin() -> PluginView {
    let former = GenerationView {
        generation: 1,
        version: "1.2.2".into(),
        end: End::Busy(1),
        skipped_destructors: 1,
        unfreed_memory: Some(MEMORY),
    };
    let installed = Listed {
        name: "mask".into(),
        version: version(),
        kind: Kind::External,
        enabled: true,
        isolation: Placed::new(Isolation::WORKER, PlacedBy::Note),
        signature: SignatureStatus::Modified,
        reason: Some("another library".into()),
        trusted_by: Some(signer()),
        installed_at: Some("2026-11-27T05:00:00Z".into()),
        previous: Some(Version::new(1, 2, 2)),
    };
    PluginView {
        name: "mask".into(),
        version: "1.2.3".into(),
        generation: Some(2),
        loaded: true,
        status: crate::view::Status::Running,
        health: Health::Degraded,
        reason: Some("a callback is quarantined".into()),
        file: Some("/opt/libhookrail_mask.so".into()),
        instances: vec!["mask:logs".into()],
        declared: vec![hook()],
        endpoints: vec![endpoint()],
        log_level: LogLevel::Info,
        metrics: vec![PluginMetric {
            info: MetricInfo {
                name: "seen".into(),
                help: "What it saw.".into(),
                unit: "bytes".into(),
                kind: FamilyKind::Counter,
            },
            value: 5,
        }],
        memory: Some(MemoryView { held: MEMORY, total_allocations: 7, max_bytes: Some(95), over: true }),
        isolation: Some(Placed::new(Isolation::Worker(Some("auth".into())), PlacedBy::Store)),
        worker: Some(WorkerView {
            name: "mask".into(),
            state: WorkerState::Running,
            pid: Some(4711),
            restarts: 1,
            dropped: 2,
            last_end: Some("was killed by SIGSEGV".into()),
            limits: vec![LimitView::new("max_memory", 512 << 20, LimitedBy::Cgroup)],
        }),
        former: vec![former],
        installed: Some(installed),
    }
}

fn endpoint() -> NoteEndpoint {
    NoteEndpoint { kind: EndpointKind::Sink, name: "file".into(), guarantee: Guarantee::AtLeastOnce }
}

pub(super) fn pipeline() -> PipelineView {
    let dropped = || BTreeMap::from([("denied".to_owned(), 1)]);
    PipelineView {
        name: "logs".into(),
        state: PipelineState::Running,
        received: 4,
        dropped: dropped(),
        routed: 3,
        sources: vec![SourceView {
            name: "files".into(),
            uses: "tail".into(),
            state: EndpointState::Failed,
            reason: Some("no such file".into()),
            restarts: 2,
            sent: 4,
        }],
        sinks: vec![SinkView {
            name: "archive".into(),
            uses: "file-log".into(),
            state: EndpointState::Waiting,
            reason: Some("its plugin does not run".into()),
            restarts: 1,
            policy: "spill".into(),
            capacity: 1024,
            memory: 64 << 20,
            given: 3,
            delivered: 1,
            dropped: dropped(),
            held: 1,
            held_bytes: 100,
            disk: Some(DiskView { bytes: 512, size: 1 << 30, damaged: 1, lost: 1 }),
        }],
    }
}

pub(super) fn metadata() -> Metadata {
    Metadata {
        format: 1,
        name: "mask".into(),
        version: version(),
        description: "Masks what matches.".into(),
        built_at: "2026-11-27T05:00:00Z".into(),
        tar: Tar { sha256: Digest::default(), size: 1024 },
        files: vec![File { path: "lib/libmask.so".parse().unwrap(), sha256: Digest::default(), size: 512 }],
        authors: vec!["Jane <jane@example.org>".into()],
        builder: Builder {
            name: "Jane".into(),
            contact: "jane@example.org".into(),
            website: Some("https://example.org".into()),
            signature: Some("untrusted comment: ...".into()),
        },
        source: "https://example.org/mask".into(),
        functionality: vec![serde_json::from_value(json!("message_processing")).unwrap()],
        compatibility: Compatibility { host: "~> 1.0".parse().unwrap(), abi: "~> 1.0".parse().unwrap() },
        requires: vec![Requirement { name: "stamp".into(), versions: "~> 1.0".parse().unwrap() }],
        targets: vec![Build {
            target: Target::X86_64,
            libc: "2.31".parse().unwrap(),
            library: "lib/libmask.so".parse().unwrap(),
        }],
        hooks: vec![hook()],
        fires: vec![NotePoint::new("message.publish", 1)],
        endpoints: vec![endpoint()],
        capabilities: vec!["fs.read:/etc/mask".into()],
        isolation: Some("worker".into()),
    }
}

pub(super) fn ended() -> Ended {
    Ended {
        plugin: "mask".into(),
        generation: 1,
        version: "1.2.2".into(),
        end: End::PinnedByThreads(2),
        skipped_destructors: 1,
        unfreed_memory: Some(MEMORY),
    }
}

pub(super) fn replaced() -> Replaced {
    Replaced { plugin: "mask".into(), generation: 2, version: "1.2.3".into(), times: times(), old: ended() }
}

pub(super) fn changed() -> Changed {
    Changed { changed: true, plugin: plugin(), ended: Some(ended()), replaced: Some(replaced()) }
}

pub(super) fn installation() -> Installation {
    Installation {
        metadata: metadata(),
        sha256: Digest::default(),
        trusted_by: signer(),
        replaces: Some(Version::new(1, 2, 2)),
        enabled: true,
        dry_run: false,
    }
}

pub(super) fn plan() -> Vec<Planned> {
    vec![Planned {
        point: "message.publish".into(),
        callback: "mask/mask".into(),
        priority: 900,
        position: 2,
        chain_length: 3,
        previous: Some("stamp/stamp".into()),
        next: Some("hello/greet".into()),
        point_known: true,
    }]
}

pub(super) fn configured() -> Configured {
    Configured {
        value: json!({ "pattern": "x" }),
        origin: Origin::Operator,
        revision: 3,
        since: Some("2026-11-27T05:00:00Z".into()),
    }
}

pub(super) fn problem() -> Problem {
    Problem { code: "HR0106".into(), message: "busy".into(), fix: "try again".into(), retryable: true }
}
