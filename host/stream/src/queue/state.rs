//! What is behind a queue's lock.

use std::collections::{HashMap, VecDeque};

use hookrail_abi::{DropKind, Message};
use hookrail_engine::Actor;
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};

use super::disk::Disk;
use crate::item::{Item, Refused};
use crate::watched::Watched;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) config: QueueConfig,
    pub(super) items: VecDeque<Item>,
    /// For `spill`: what is written, and what of it is not among the items. All of that is behind them.
    pub(super) disk: Option<Disk>,
    /// For `latest_per_key`: the number of the item with that key. The first one in the queue has the number `first`; they
    /// wrap around.
    pub(super) by_key: HashMap<String, u64>,
    pub(super) first: u64,
    /// How many were taken and not answered for.
    pub(super) taken: usize,
    /// Who took the last of them.
    pub(super) taker: Option<Actor>,
    pub(super) mode: Mode,
    /// Whether the sink has just taken many: then it, and whoever waits for it, look for a moment before they sleep.
    pub(super) is_busy: bool,
    /// Whether a source looks for room, and does not sleep.
    pub(super) is_looked_at: bool,
    /// Whether the sink is to end, though the queue goes on.
    pub(super) is_reader_closed: bool,
    /// The number of the sink's endpoint that takes messages; the ones before are to end.
    pub(super) reader: u64,
    /// Readable while there is something to take, once the sink has asked for it.
    pub(super) watched: Option<Watched>,
}

/// Whether messages come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They come and go.
    #[default]
    Open,
    /// None comes any more.
    Draining,
    /// None comes and none goes.
    Closed,
}

impl State {
    /// Whether that endpoint of the sink gets nothing more.
    pub(super) fn is_over(&self, reader: u64) -> bool {
        let is_over = match self.mode {
            Mode::Open => false,
            // What is on disk stays there.
            Mode::Draining => self.items.is_empty() || self.disk.is_some(),
            Mode::Closed => true,
        };
        is_over || self.is_reader_closed || self.reader != reader
    }

    /// Whether there is something to take.
    pub(super) fn has_some(&self) -> bool {
        !self.items.is_empty() || self.disk.as_ref().is_some_and(Disk::has_some)
    }

    /// What was taken counts, so that a sink that never answers fills its queue.
    pub(super) fn is_full(&self) -> bool {
        let held = self.items.len() + self.taken;
        match &self.disk {
            Some(disk) => disk.is_full(held, &self.config),
            None => held >= self.config.capacity,
        }
    }

    /// Whether there is room for many.
    pub(super) fn has_much_room(&self) -> bool {
        self.disk.is_some() || self.items.len() + self.taken <= self.config.capacity / 2
    }

    pub(super) fn put_latest(&mut self, item: Item, refused: &mut Vec<Refused>) {
        if let Some(number) = self.by_key.get(key(&self.config, &item.message)) {
            let place = number.wrapping_sub(self.first) as usize;
            refused.push((std::mem::replace(&mut self.items[place], item), DropKind::Replaced));
            return;
        }
        if self.is_full() {
            match self.take_first() {
                Some(oldest) => refused.push((oldest, DropKind::Full)),
                None => {
                    refused.push((item, DropKind::Full));
                    return;
                }
            }
        }
        let number = self.first.wrapping_add(self.items.len() as u64);
        self.by_key.insert(key(&self.config, &item.message).to_owned(), number);
        self.items.push_back(item);
    }

    pub(super) fn take_first(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if self.config.policy == QueuePolicy::LatestPerKey {
            self.by_key.remove(key(&self.config, &item.message));
            self.first = self.first.wrapping_add(1);
        }
        Some(item)
    }

    pub(super) fn put_back(&mut self, taken: &mut VecDeque<Item>, refused: &mut Vec<Refused>) {
        self.taken -= taken.len();
        while let Some(item) = taken.pop_back() {
            if self.config.policy == QueuePolicy::LatestPerKey {
                let key = key(&self.config, &item.message);
                if self.by_key.contains_key(key) {
                    refused.push((item, DropKind::Replaced));
                    continue;
                }
                self.first = self.first.wrapping_sub(1);
                self.by_key.insert(key.to_owned(), self.first);
            }
            self.items.push_front(item);
        }
    }
}

/// By what `latest_per_key` knows a message.
fn key<'a>(config: &QueueConfig, message: &'a Message) -> &'a str {
    match &config.key {
        Some(header) => message.header(header).unwrap_or_default(),
        None => message.topic.as_str(),
    }
}
