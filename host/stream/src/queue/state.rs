//! What is behind a queue's lock.

use std::collections::{HashMap, VecDeque};

use hookrail_abi::{DropKind, Message};
use hookrail_engine::Actor;
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};

use super::disk::Disk;
use super::line::Line;
use crate::item::{Item, Refused};
use crate::load::Load;
use crate::watched::Watched;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) config: QueueConfig,
    pub(super) items: Line,
    /// For `spill`: what is written, and what of it is not among the items. All of that is behind them.
    pub(super) disk: Option<Disk>,
    /// For `latest_per_key`: the number of the item with that key. The first one in the queue has the number `first`; they
    /// wrap around.
    pub(super) by_key: HashMap<String, u64>,
    pub(super) first: u64,
    /// What was taken and not answered for.
    pub(super) taken: Load,
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
        !self.items.is_empty() || self.may_refill() && self.disk.as_ref().is_some_and(Disk::has_some)
    }

    /// What it holds in memory. What was taken counts, so that a sink that never answers fills its queue.
    pub(super) fn load(&self) -> Load {
        let behind = self.disk.as_ref().map(|disk| disk.behind.load());
        self.items.load() + self.taken + behind.unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        match &self.disk {
            Some(disk) => disk.is_full(&self.config) || disk.is_failing && !has_room(&self.config, self.load()),
            None => !has_room(&self.config, self.load()),
        }
    }

    /// Whether there is room for many.
    pub(super) fn has_much_room(&self) -> bool {
        let held = self.load();
        self.disk.is_some() || held.messages <= self.config.capacity / 2 && held.bytes <= self.config.memory / 2
    }

    pub(super) fn put_if_room(&mut self, item: Item, refused: &mut Vec<Refused>) {
        if self.is_full() {
            refused.push((item, DropKind::Full));
        } else {
            self.items.push_back(item);
        }
    }

    pub(super) fn put_newest(&mut self, item: Item, refused: &mut Vec<Refused>) {
        self.make_room(refused);
        self.put_if_room(item, refused);
    }

    pub(super) fn put_latest(&mut self, item: Item, refused: &mut Vec<Refused>) {
        if let Some(number) = self.by_key.get(key(&self.config, &item.message)) {
            let (place, own) = (number.wrapping_sub(self.first) as usize, item.load().bytes);
            refused.push((self.items.replace(place, item), DropKind::Replaced));
            // It may be larger than what it has replaced: then those before it make room for it.
            for _ in 0..place {
                if self.load().bytes - own < self.config.memory {
                    break;
                }
                refused.extend(self.take_first().map(|oldest| (oldest, DropKind::Full)));
            }
            return;
        }
        self.make_room(refused);
        if self.is_full() {
            refused.push((item, DropKind::Full));
            return;
        }
        let number = self.first.wrapping_add(self.items.len() as u64);
        self.by_key.insert(key(&self.config, &item.message).to_owned(), number);
        self.items.push_back(item);
    }

    /// Gives up the oldest messages until there is room. What the sink has taken is not to be given up: if that leaves no
    /// room, nothing is.
    fn make_room(&mut self, refused: &mut Vec<Refused>) {
        if !has_room(&self.config, self.taken) {
            return;
        }
        while self.is_full()
            && let Some(oldest) = self.take_first()
        {
            refused.push((oldest, DropKind::Full));
        }
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
        while let Some(item) = taken.pop_back() {
            self.taken -= item.load();
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

/// Whether there is room beside that.
pub(super) fn has_room(config: &QueueConfig, held: Load) -> bool {
    held.messages < config.capacity && held.bytes < config.memory
}

/// By what `latest_per_key` knows a message.
fn key<'a>(config: &QueueConfig, message: &'a Message) -> &'a str {
    match &config.key {
        Some(header) => message.header(header).unwrap_or_default(),
        None => message.topic.as_str(),
    }
}
