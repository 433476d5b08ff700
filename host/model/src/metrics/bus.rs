//! The bus.

use super::endpoints::by_reason;
use super::{Family, PLUGIN};
use crate::bus::BusView;
use crate::instance::plugin_of;

/// The families of the bus and its subscriptions.
///
/// While nothing is under way, they add up as [`BusView`] does: received = dropped + routed, and for each subscription
/// given = delivered + dropped + held.
pub fn of_bus(bus: &BusView) -> Vec<Family> {
    let of_bus = |name: &str, help: &str| Family::counter(format!("hookrail_bus_{name}_messages_total"), help);
    let counter =
        |name: &str, help: &str| Family::counter(format!("hookrail_subscription_{name}_messages_total"), help);
    let mut received = of_bus("received", "Messages that were published on the bus.");
    let mut lost = of_bus("dropped", "Those of the received messages that reached no subscription, by reason.");
    let mut routed = of_bus("routed", "Those of the received messages that were given to one subscription or more.");
    received.add([], bus.received);
    routed.add([], bus.routed);
    for (reason, count) in by_reason(&bus.dropped) {
        lost.add([("reason", reason)], count);
    }
    let mut given = counter("given", "Messages that the subscription was given.");
    let mut delivered = counter("delivered", "Those of the given messages that the subscription has answered for.");
    let mut dropped = counter("dropped", "Those of the given messages that were dropped, by reason.");
    let mut held = Family::gauge(
        "hookrail_subscription_held_messages",
        "Messages in the subscription's queue, or taken and not answered for.",
    );
    for subscription in &bus.subscriptions {
        let instance = ("instance", &*subscription.instance);
        let labels = [(PLUGIN, plugin_of(&subscription.instance)), instance, ("subscription", &*subscription.name)];
        let [plugin, instance, name] = labels;
        given.add(labels, subscription.given);
        delivered.add(labels, subscription.delivered);
        for (reason, count) in by_reason(&subscription.dropped) {
            dropped.add([plugin, instance, name, ("reason", reason)], count);
        }
        held.add(labels, subscription.held);
    }
    vec![received, lost, routed, given, delivered, dropped, held]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bus::SubscriptionView;
    use crate::metrics::text;

    #[test]
    fn each_count_of_the_bus_is_a_series() {
        let mut bus = BusView::default();
        (bus.received, bus.routed) = (5, 3);
        bus.dropped = BTreeMap::from([("unrouted".into(), 2)]);
        let mut one = SubscriptionView::default();
        (one.instance, one.name) = ("counts:a".into(), "errors".into());
        (one.given, one.delivered, one.held) = (3, 1, 2);
        bus.subscriptions.push(one);
        let shown = text(&of_bus(&bus));
        for line in [
            "hookrail_bus_received_messages_total 5",
            r#"hookrail_bus_dropped_messages_total{reason="unrouted"} 2"#,
            "hookrail_bus_routed_messages_total 3",
            r#"hookrail_subscription_given_messages_total{instance="counts:a",plugin="counts",subscription="errors"} 3"#,
            r#"hookrail_subscription_delivered_messages_total{instance="counts:a",plugin="counts",subscription="errors"} 1"#,
            r#"hookrail_subscription_dropped_messages_total{instance="counts:a",plugin="counts",reason="full",subscription="errors"} 0"#,
            r#"hookrail_subscription_held_messages{instance="counts:a",plugin="counts",subscription="errors"} 2"#,
        ] {
            assert!(shown.contains(&format!("{line}\n")), "{line} is missing in\n{shown}");
        }
    }
}
