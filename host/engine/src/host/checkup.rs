//! Asking plugins for their health, each on a thread of its own: whoever does not answer holds up nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_dispatch::reclaim;
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::event::EventKind;
use hookrail_model::health::Health;
use hookrail_model::log;

use super::core::Core;
use super::table::{Asked, Said, Table};
use crate::body::Response;
use crate::event::Announcer;
use crate::plugin::Loaded;

/// The longest reason that is kept, in bytes.
const LONGEST: usize = 1024;

/// Has plugins asked when it is time, and reports those that do not answer. Returns when to pass again.
pub(super) fn pass(core: &Core, next: &mut Option<Instant>) -> Option<Instant> {
    let limits = &core.config.health;
    if limits.every.is_zero() {
        return None;
    }
    for (plugin, generation, said) in core.table.take_silent(limits.deadline) {
        tell(&core.events, &plugin, generation, &said);
    }
    let now = Instant::now();
    let due = *next.get_or_insert(now + limits.every);
    if due <= now {
        *next = Some(now + limits.every);
        core.table.ask().into_iter().for_each(|asked| ask(core, asked));
    }
    next.iter().copied().chain(core.table.next_silent(limits.deadline)).min()
}

/// Asks a plugin on another thread, which keeps no host alive. If none can be started it is asked the next time.
fn ask(core: &Core, asked: Asked) {
    let (table, events) = (core.table.clone(), core.events.clone());
    let (within, plugin, owner) = (core.config.health.deadline, asked.plugin.clone(), asked.owner);
    let run = move || answer(&table, &events, &asked, within);
    if let Err(error) = reclaim::spawn("hookrail-health", run) {
        log!(warn, plugin, "it is not asked for its health: {error}");
        core.table.answered(&plugin, owner, None);
    }
}

fn answer(table: &Arc<Table>, events: &Announcer, asked: &Asked, within: Duration) {
    let Asked { plugin, owner, lifecycle } = asked;
    // If something else is being done to it, it is asked the next time.
    let said = lifecycle.try_lock().and_then(|loaded| said(loaded.as_ref()?, within));
    if let Some((generation, said)) = table.answered(plugin, *owner, said.as_ref()).zip(said) {
        tell(events, plugin, generation, &said);
    }
}

/// What a plugin says: the worst of what its instances do, with the reasons of all. `None` if one was not asked.
fn said(loaded: &Loaded, within: Duration) -> Option<Said> {
    let answers = loaded.health(within);
    let is_one = answers.len() == 1;
    let (mut health, mut reasons) = (Health::Good, Vec::new());
    for (instance, answer) in answers {
        let (its, why) = match answer {
            Ok(Response::Busy) => return None,
            Ok(Response::Done) => continue,
            Ok(Response::Partly(why)) => (Health::Degraded, why),
            Err(Error::PluginMisbehaved { why: Misbehaved::Failed { message, .. }, .. }) => (Health::Failed, message),
            // It did not get to answer.
            Err(Error::PluginMisbehaved { why, .. }) => (Health::Degraded, why.to_string()),
            Err(error) => (Health::Degraded, error.to_string()),
        };
        if health != Health::Failed {
            health = its;
        }
        reasons.push(if is_one { why } else { format!("{instance}: {why}") });
    }
    let reason = (health != Health::Good).then(|| brief(reasons.join("; ")));
    Some(Said { health, reason })
}

fn tell(events: &Announcer, plugin: &str, generation: u64, said: &Said) {
    let Said { health, reason } = said;
    match reason {
        Some(reason) => log!(warn, plugin, generation, "its health is {health}: {reason}"),
        None => log!(info, plugin, generation, "its health is {health}"),
    }
    events.tell(plugin, generation, EventKind::health_changed(*health, reason.clone()));
}

fn brief(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str(" ...");
    }
    text
}
