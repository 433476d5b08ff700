//! The built-in hook points, named as in EMQX 4.x.

use crate::{Dropped, Message, Point, RawKind, points};

points! {
    /// A message was accepted and is about to be routed: callbacks may edit it or deny it.
    // SAFETY: a message owns all it holds.
    pub unsafe MessagePublish: "message.publish", 1, Fold<Message> { const DENIABLE: bool = true; }

    /// A message reached its sink.
    // SAFETY: a message owns all it holds.
    pub unsafe MessageDelivered: "message.delivered", 1, Notify<Message> {}

    /// A message was denied or dropped, and will not reach a sink.
    // SAFETY: a message owns all it holds, and so does the rest.
    pub unsafe MessageDropped: "message.dropped", 1, Notify<Dropped> {}
}

/// One built-in point, whether any program dispatches it yet or not.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BuiltIn {
    /// The name.
    pub name: &'static str,
    /// What callbacks may do.
    pub kind: RawKind,
    /// 0 while no program dispatches the point: its payload is not frozen, and registering at it is refused.
    pub revision: u32,
    /// The program that dispatches it, and since which version; `None` while none does.
    pub dispatched_by: Option<(&'static str, &'static str)>,
}

const fn dispatched<P: Point>(by: &'static str, since: &'static str) -> BuiltIn {
    BuiltIn {
        name: P::NAME,
        kind: <P::Kind as crate::Kind>::RAW,
        revision: P::REVISION,
        dispatched_by: Some((by, since)),
    }
}

const fn planned(name: &'static str, kind: RawKind) -> BuiltIn {
    BuiltIn { name, kind, revision: 0, dispatched_by: None }
}

/// Every built-in point, by name.
pub const BUILT_IN: &[BuiltIn] = &[
    planned("client.authenticate", RawKind::Gate),
    planned("client.authorize", RawKind::Gate),
    planned("client.check_authz_complete", RawKind::Notify),
    planned("client.connack", RawKind::Fold),
    planned("client.connect", RawKind::Fold),
    planned("client.connected", RawKind::Notify),
    planned("client.disconnected", RawKind::Notify),
    planned("client.enhanced_authenticate", RawKind::Gate),
    planned("client.subscribe", RawKind::Fold),
    planned("client.unsubscribe", RawKind::Fold),
    planned("delivery.completed", RawKind::Notify),
    planned("delivery.dropped", RawKind::Notify),
    planned("message.acked", RawKind::Notify),
    dispatched::<MessageDelivered>("hookrail run", "1.0"),
    dispatched::<MessageDropped>("hookrail run", "1.0"),
    dispatched::<MessagePublish>("hookrail run", "1.0"),
    planned("session.created", RawKind::Notify),
    planned("session.discarded", RawKind::Notify),
    planned("session.resumed", RawKind::Notify),
    planned("session.subscribed", RawKind::Notify),
    planned("session.takenover", RawKind::Notify),
    planned("session.terminated", RawKind::Notify),
    planned("session.unsubscribed", RawKind::Notify),
    planned("tls_handshake.psk_lookup", RawKind::Gate),
];

/// EMQX 4.x names that changed later, and the names used here.
pub const RENAMED: &[(&str, &str)] = &[
    ("client.check_acl", "client.authorize"),
    ("client.check_acl_complete", "client.check_authz_complete"),
    ("session.takeovered", "session.takenover"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sorted_and_names_each_point_once() {
        assert!(BUILT_IN.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(RENAMED.iter().all(|(_, now)| BUILT_IN.iter().any(|point| point.name == *now)));
    }
}
