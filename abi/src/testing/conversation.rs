//! What a test says and hears on the bus of a plugin.

use std::sync::Arc;
use std::time::Duration;

use super::answered::Answered;
use super::bus::{Bus, HasBus};
use super::{Handle, Running};
use crate::{Message, Plugin};

impl<P: Plugin> Running<P> {
    /// Publishes a message as another plugin would: each subscription of this one that wants it gets it. Returns how many
    /// do. No callback is called for it, and queues have no bounds.
    pub fn publish(&self, message: Message) -> usize {
        self.handle.bus.publish(message)
    }

    /// Takes the next `count` messages that the plugin has published, in order; fewer if there are no more in that time.
    pub fn published(&self, count: usize, limit: Duration) -> Vec<Message> {
        self.handle.bus.published(count, limit)
    }

    /// What became of the messages for the subscription of that name, once so many were answered for or the time is over.
    /// `None` if the plugin has never subscribed by that name.
    pub fn answered(&self, subscription: &str, count: usize, limit: Duration) -> Option<Answered> {
        self.handle.bus.answered(subscription, count, limit)
    }
}

impl HasBus for Handle {
    fn bus(&self) -> &Arc<Bus> {
        &self.bus
    }
}
