//! What happens to a plugin after a replacement, for its author.

use std::thread::JoinHandle;

use hookrail::control::wire::StreamItem;
use hookrail::control::{Client, EventStream};
use hookrail::{Event, EventKind};

use crate::error::Error;
use crate::stderr;

/// Listens to a host's events, and reports what the author should fix.
#[derive(Default)]
pub(super) struct PostUpgrade {
    listening: Option<JoinHandle<()>>,
}

impl PostUpgrade {
    /// Starts listening to the host's events about the plugin, unless it already does. Ends with the host.
    pub(super) fn of(&mut self, plugin: &str, host: impl FnOnce() -> Result<Client, Error>) -> Result<(), Error> {
        if self.listening.as_ref().is_some_and(|listening| !listening.is_finished()) {
            return Ok(());
        }
        let (plugin, events) = (plugin.to_owned(), host()?.events()?);
        let spawned = std::thread::Builder::new().name("events".into()).spawn(move || listen(&plugin, events));
        self.listening = Some(spawned.map_err(|cause| Error::system("start a thread", cause))?);
        Ok(())
    }
}

fn listen(plugin: &str, events: EventStream) {
    for told in events {
        match told {
            Ok(StreamItem::Event(event)) if event.plugin == plugin => text(&event).into_iter().for_each(stderr::line),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// The text for an event; `None` for an event that needs no attention.
fn text(event: &Event) -> Option<String> {
    let Event { plugin, generation, what, .. } = event;
    match what {
        EventKind::RolledBack { from, reason, .. } => Some(format!(
            "generation {from} of {plugin} is rolled back: {reason}; generation {generation}, the build before it, runs again"
        )),
        EventKind::RollbackFailed { reason, error, .. } => {
            Some(format!("generation {generation} of {plugin} fails, but keeps running: {reason}; {error}"))
        }
        EventKind::Ended { end, .. } if !end.is_unmapped() => {
            Some(format!("generation {generation} of {plugin}: {end}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hookrail::End;

    use super::*;

    #[test]
    fn only_what_an_author_should_fix_is_said() {
        let said = |what| text(&Event::new("a", 3, std::time::UNIX_EPOCH, what));
        assert_eq!(said(EventKind::Started), None);
        assert_eq!(said(EventKind::ended(End::Unmapped, None)), None);
        let kept = said(EventKind::ended(End::PinnedByThreads(2), None)).unwrap();
        assert!(kept.starts_with("generation 3 of a: kept: 2 thread(s)"), "{kept}");
        let rolled_back = said(EventKind::rolled_back(2, "3 faults")).unwrap();
        assert!(
            rolled_back.starts_with(
                "generation 2 of a is rolled back: 3 faults; generation 3, the build before it, runs again"
            ),
            "{rolled_back}"
        );
    }
}
