//! Waiting for the ends of generations.

use std::time::Duration;

use hookrail_engine::{Core, PluginHandle, Ticket, Upgraded};
use hookrail_model::command::{Ended, LONGEST_WAIT, Replaced};

use crate::error::Error;

/// Waits for the end of a generation.
pub(crate) fn ended(core: &Core, generation: u64, ticket: &Ticket, wait_ms: Option<u64>) -> Ended {
    let wait = wait_ms.map_or(core.wait_timeout(), Duration::from_millis).min(LONGEST_WAIT);
    // Looked up before the wait, since only a few former generations are remembered.
    let former = core.table.history(ticket.plugin()).into_iter().find(|former| former.generation == generation);
    let version = former.map(|former| former.version).unwrap_or_default();
    let end = ticket.wait_timeout(wait);
    let mut ended = Ended::new(ticket.plugin(), generation, version, end);
    (ended.skipped_destructors, ended.unfreed_memory) = (ticket.skipped_destructors(), ticket.unfreed_memory());
    ended
}

/// The answer of an upgrade, with the end of the replaced generation.
pub(crate) fn replaced(core: &Core, upgraded: Upgraded, wait_ms: Option<u64>) -> Replaced {
    let Upgraded { generation, version, from, old, times, .. } = upgraded;
    Replaced::new(old.plugin(), generation, version, times, ended(core, from, &old, wait_ms))
}

/// Unloads a plugin and waits for its end.
pub(crate) fn unload(core: &Core, plugin: &PluginHandle, wait_ms: Option<u64>) -> Result<Ended, Error> {
    let ticket = core.begin_unload(plugin)?;
    // It was recorded together with its ticket, and is the newest record.
    let generation = core.table.history(plugin.name()).last().map_or(0, |former| former.generation);
    Ok(ended(core, generation, &ticket, wait_ms))
}
