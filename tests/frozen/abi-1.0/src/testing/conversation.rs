//! What a test says to a plugin in place of other plugins, and hears of it: on the bus, and at the points that it dispatches.

use std::time::Duration;

use super::Running;
use super::answered::Answered;
use crate::{Decision, Message, Plugin, Point};

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

    /// Decides from now on what the plugin [dispatches](crate::dispatch) on that point, in place of the callbacks of other
    /// plugins. On a point for which this was not called nobody decides: a gate of the catalogue denies, and everything else
    /// passes.
    pub fn decide<T: Point>(&self, _point: T, decide: impl Fn(&mut T::Payload) -> Decision + Send + Sync + 'static) {
        self.handle.points.decide::<T>(decide);
    }
}
