//! What a queue holds.

use std::sync::Arc;

use hookrail_abi::{DropKind, Message};

use crate::receipt::Receipt;
use crate::spill::place::Place;

/// A message on its way to one sink.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) message: Arc<Message>,
    pub(crate) kept: Kept,
}

/// Who has it when this process ends.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The queue, on disk.
    Disk(Place),
    /// Its source, if that keeps marks, until this is given back.
    Source(Receipt),
}

impl Item {
    /// It was delivered, or dropped for a reason that was counted.
    pub(crate) fn settle(self) {
        if let Kept::Source(receipt) = self.kept {
            receipt.settle();
        }
    }
}

/// What a sink has answered for, in order.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) count: usize,
    pub(crate) from_disk: usize,
    pub(crate) place: Option<Place>,
}

impl Answered {
    pub(crate) fn add(&mut self, item: &Item) {
        self.count += 1;
        if let Kept::Disk(place) = item.kept {
            self.from_disk += 1;
            self.place = Some(place);
        }
    }
}

/// What a queue has no place for, and why.
pub(crate) type Refused = (Item, DropKind);
