//! What a queue holds.

use std::sync::Arc;

use hookrail_abi::{DropKind, Message};

use crate::load::Load;
use crate::receipt::Receipt;
use crate::spill::place::Place;

/// A message on its way to one sink.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) message: Arc<Message>,
    pub(crate) kept: Kept,
    /// How much memory the message took when it came, in bytes: whoever has it alone may change it.
    bytes: u64,
}

impl Item {
    pub(crate) fn new(message: Arc<Message>, kept: Kept) -> Self {
        let bytes = (size_of::<Message>() + message.allocated()) as u64;
        Item { message, kept, bytes }
    }

    pub(crate) fn load(&self) -> Load {
        Load { messages: 1, bytes: self.bytes }
    }
}

/// Who has it when this process ends.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The queue, on disk.
    Disk(Place),
    /// Its source, if that keeps marks, until this is given back.
    Source(Receipt),
}

/// Messages that were delivered: what is given back to their sources, many at once.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    messages: Vec<Arc<Message>>,
    /// That of the messages.
    receipt: Option<Receipt>,
}

impl Settled {
    pub(crate) fn add(&mut self, item: Item) {
        let Kept::Source(receipt) = item.kept else { return };
        let other = match &mut self.receipt {
            Some(joined) => joined.join(receipt).err(),
            None => Some(receipt),
        };
        if other.is_some() {
            self.give_back();
            self.receipt = other;
        }
        self.messages.push(item.message);
    }

    /// Gives back what there is.
    pub(crate) fn give_back(&mut self) {
        if let Some(receipt) = self.receipt.take() {
            receipt.tracker().spares.put(&mut self.messages);
            receipt.settle();
        }
    }
}

/// What a sink has answered for, in order.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) load: Load,
    pub(crate) from_disk: usize,
    pub(crate) place: Option<Place>,
}

impl Answered {
    pub(crate) fn add(&mut self, item: &Item) {
        self.load += item.load();
        if let Kept::Disk(place) = item.kept {
            self.from_disk += 1;
            self.place = Some(place);
        }
    }
}

/// What a queue has no place for, and why.
pub(crate) type Refused = (Item, DropKind);
