//! The traits that programs expect of the public types.

use std::fmt::Debug;
use std::hash::Hash;

use hookrail::*;

/// Checks, when it is compiled, that each of the types has the traits.
macro_rules! have {
    ($($bound:ident)+ : $($type:ty),+ $(,)?) => {{
        fn has<T: $($bound +)+>() {}
        $(has::<$type>();)+
    }};
}

#[test]
fn public_types_can_be_printed_sent_compared_and_used_as_keys() {
    // What a program holds, or is handed.
    have!(Debug Send Sync: Host, HookPoint<MessagePublish>, Outcome, Registered, Events, Traces, Ticket, Ticket<Status>);
    have!(Debug Send: Callbacks);
    have!(Debug: PinnedChains<'static>, CurrentContext<'static>);
    have!(Clone: HookPoint<MessagePublish>, Outcome, Ticket, Ticket<Status>, Upgraded, CurrentContext<'static>);
    // What it writes.
    have!(Debug Clone Default Eq Send Sync: Config, FaultPolicies, InstanceConfig, Limits, MessageLimits, PluginConfig);
    have!(Debug Clone Default Eq Send Sync: HealthLimits, PointConfig, Quarantine, UnloadLimits, UpgradeLimits);
    have!(Debug Clone Default Eq Hash Send Sync: DispatchContext<'static>);
    have!(Debug Clone Eq Send Sync: CallbackOverride, TraceFilter);
    // What it reads.
    have!(Debug Clone PartialEq Send Sync: Inspection, Note, Trace, TraceStep);
    have!(Debug Clone Eq Send Sync: CallbackView, Calls, Denial, EntrySymbol, Event, EventKind, GenerationView, Image);
    have!(Debug Clone Eq Send Sync: LastFault, Latency, Memory, MemoryView, MissingField, NoteHook, PluginView, PointView);
    have!(Debug Clone Eq Send Sync: UpgradeTimes);
    // What it may look up by.
    have!(Debug Clone Eq Hash Send Sync: CallbackId, End, PluginHandle);
    have!(Debug Copy Eq Hash Send Sync: Access, Decision, Flow, Health, LogLevel, MessageId, Priority, StatsLevel, Verdict);
    have!(Debug Eq Hash: Registered);
    // Of packages and the control socket.
    have!(Debug: package::Package, package::Unpacked<'static>, control::Call<'static>);
    have!(Debug Send Sync: package::Signature, package::Trust, control::Client, control::EventStream, control::Manager);
    have!(Debug Clone Eq Send Sync: package::PublicKey);
}

/// Whether the type of its point can be printed or not.
#[test]
fn a_hook_point_is_printed_by_its_name() {
    fn printed<P: hookrail_abi::Point>(point: &HookPoint<P>) -> String {
        format!("{point:?}")
    }
    let host = Host::new(Config::default()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    assert_eq!(printed(&publish), r#"HookPoint { point: "message.publish", .. }"#);
    assert_eq!(format!("{:?}", Callbacks::new("a")), r#"Callbacks { instance: "a", callbacks: 0, .. }"#);
}
