//! Commands with many answers: what follows the first one, until there is no more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use hookrail_engine::Events;
use hookrail_model::command::Command;
use hookrail_model::wire::{self, StreamItem};
use parking_lot::RwLock;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::{ControlError, Error};

/// What a caller is told after the answer to its command.
pub trait Feed: Send {
    /// Adds what there is to tell by now to `news`; waits for the first of it for at most `timeout`. Returns whether there
    /// will be no more. Called again and again, as fast as the caller reads: what does not wait for the caller belongs into
    /// a bounded queue.
    fn next(&mut self, timeout: Duration, news: &mut Vec<Value>) -> bool;
}

type Begin = dyn Fn(&Call<'_>, Map<String, Value>) -> Result<Box<dyn Feed>, Error> + Send + Sync;

/// How each of these commands begins, by its name.
#[derive(Default)]
pub(crate) struct Feeds {
    by_name: RwLock<BTreeMap<&'static str, Arc<Begin>>>,
}

impl Feeds {
    /// Registers how a command begins. The first one of a name stays; returns whether it is this one.
    pub(crate) fn register<C: Command>(
        &self,
        begin: impl Fn(&Call<'_>, C) -> Result<Box<dyn Feed>, Error> + Send + Sync + 'static,
    ) -> bool {
        let mut by_name = self.by_name.write();
        let is_new = !by_name.contains_key(C::NAME);
        if is_new {
            let begin: Arc<Begin> = Arc::new(move |call, fields| {
                let command = wire::command(fields).map_err(|error| ControlError::BadRequest(error.to_string()))?;
                begin(call, command)
            });
            by_name.insert(C::NAME, begin);
        }
        is_new
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Begin>> {
        self.by_name.read().get(name).cloned()
    }
}

/// The events of a host.
pub(crate) struct EventFeed {
    pub(crate) events: Events,
    /// How many were dropped when that was told.
    pub(crate) dropped: u64,
}

impl Feed for EventFeed {
    fn next(&mut self, timeout: Duration, news: &mut Vec<Value>) -> bool {
        let event = self.events.recv_timeout(timeout);
        let is_over = event == Err(RecvTimeoutError::Disconnected);
        let dropped = self.events.dropped();
        let lost = (dropped > self.dropped).then_some(StreamItem::Dropped(dropped));
        self.dropped = dropped;
        let told = event.ok().map(StreamItem::Event).into_iter().chain(lost);
        news.extend(told.map(|item| serde_json::to_value(item).expect("an event is JSON")));
        is_over
    }
}
