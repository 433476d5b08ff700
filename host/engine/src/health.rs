//! Whether a plugin does its work, and if not, why.

use hookrail_model::health::Health;
use hookrail_model::view::{CallbackStatus, CallbackView, PluginView, PointView};

/// Adds to the health of a loaded plugin, which has what it says of itself, what its callbacks in these chains and its
/// memory tell.
pub(crate) fn examine(plugin: &mut PluginView, points: &[PointView]) {
    let is_its = |callback: &&CallbackView| plugin.instances.contains(&callback.instance);
    let its = points.iter().flat_map(|view| view.chain.iter().filter(is_its).map(|callback| (&view.point, callback)));
    let wrong =
        |(point, callback): (&String, _)| [not_called(point, callback), stuck(point, callback)].into_iter().flatten();
    let mut reasons: Vec<_> = plugin.reason.take().into_iter().chain(its.flat_map(wrong)).collect();
    if let Some(memory) = plugin.memory.filter(|memory| memory.over) {
        let max = memory.max_bytes.unwrap_or_default();
        reasons.push(format!("it holds {} bytes and may hold {max}", memory.held.bytes));
    }
    if !reasons.is_empty() {
        if plugin.health == Health::Good {
            plugin.health = Health::Degraded;
        }
        plugin.reason = Some(reasons.join("; "));
    }
}

/// Why a callback is not called although it should be.
fn not_called(point: &str, callback: &CallbackView) -> Option<String> {
    let CallbackView { status, reason, .. } = callback;
    if matches!(status, CallbackStatus::Armed | CallbackStatus::Disabled) {
        return None;
    }
    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("{} on {point} is {}{why}", callback.callback, status.name()))
}

/// Why a callback that is called does not return.
fn stuck(point: &str, callback: &CallbackView) -> Option<String> {
    let CallbackView { instance, callback, stuck_now, .. } = callback;
    let calls = if *stuck_now == 1 { "a call".into() } else { format!("{stuck_now} calls") };
    (*stuck_now > 0).then(|| format!("{instance}/{callback} on {point} is stuck in {calls}"))
}
