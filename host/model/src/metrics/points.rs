//! Hook points and their callbacks.

use super::{Family, PLUGIN};
use crate::instance;
use crate::stats::{Latency, StatsLevel};
use crate::view::{CallbackStatus, CallbackView, Calls, PointView};

/// The families of points that a host dispatches.
///
/// Faults, missed dispatches and stuck calls are counted at every level; calls and durations are there once they are.
pub fn of_points(points: &[PointView]) -> Vec<Family> {
    let mut families = Families::default();
    for point in points.iter().filter(|point| point.revision > 0) {
        let is_counted = point.level != StatsLevel::Off || point.dispatches > 0;
        if is_counted {
            families.dispatches.add([("point", &point.point)], point.dispatches);
            families.empty.add([("point", &point.point)], point.empty);
        }
        for callback in &point.chain {
            families.callback(&point.point, callback, is_counted);
        }
    }
    families.all()
}

struct Families {
    dispatches: Family,
    empty: Family,
    up: Family,
    calls: Family,
    errors: Family,
    missed: Family,
    slow: Family,
    stuck: Family,
    stuck_now: Family,
    duration: Family,
}

impl Default for Families {
    fn default() -> Self {
        let counter = |name: &str, help: &str| Family::counter(format!("hookrail_{name}_total"), help);
        Families {
            dispatches: counter("point_dispatches", "Dispatches of a hook point while they were counted."),
            empty: counter("point_empty_dispatches", "Those of the dispatches that found no callback."),
            up: Family::gauge("hookrail_callback_up", "Whether the callback is called: 1 or 0."),
            calls: counter(
                "callback_calls",
                "Calls while they were counted; those that decided nothing, faults among them, have passed.",
            ),
            errors: counter("callback_errors", "Faults of the callback."),
            missed: counter("callback_missed", "Dispatches without the callback, since it was quarantined or absent."),
            slow: counter("callback_slow_calls", "Calls that exceeded their time budget."),
            stuck: counter("callback_stuck_calls", "Calls that were found stuck."),
            stuck_now: Family::gauge("hookrail_callback_stuck", "Calls that are stuck now."),
            duration: Family::summary(
                "hookrail_callback_duration_seconds",
                "How long calls took while they were timed; quantiles since the beginning, up to an eighth too high.",
            ),
        }
    }
}

impl Families {
    fn callback(&mut self, point: &str, callback: &CallbackView, is_counted: bool) {
        let plugin = instance::plugin_of(&callback.instance);
        let labels = [(PLUGIN, plugin), ("point", point), ("callback", &*callback.callback)];
        self.up.add(labels, (callback.status == CallbackStatus::Armed).into());
        self.errors.add(labels, callback.faults);
        self.missed.add(labels, callback.missed);
        self.slow.add(labels, callback.slow);
        self.stuck.add(labels, callback.stuck);
        self.stuck_now.add(labels, callback.stuck_now);
        let [plugin, point, callback_name] = labels;
        if is_counted {
            let Calls { total, skipped, denied } = callback.calls;
            // The counts are read one after the other, while calls go on.
            let passed = total.saturating_sub(skipped).saturating_sub(denied);
            for (outcome, count) in [("denied", denied), ("passed", passed), ("skipped", skipped)] {
                self.calls.add([plugin, point, callback_name, ("outcome", outcome)], count);
            }
        }
        if let Some(Latency { timed, p50_ns, p99_ns, p999_ns, total_ns, .. }) = callback.latency {
            for (quantile, nanoseconds) in [("0.5", p50_ns), ("0.99", p99_ns), ("0.999", p999_ns)] {
                let labels = [plugin, point, callback_name, ("quantile", quantile)];
                self.duration.sample("", labels, seconds(nanoseconds));
            }
            self.duration.sample("_sum", labels, seconds(total_ns));
            self.duration.sample("_count", labels, timed as f64);
        }
    }

    fn all(self) -> Vec<Family> {
        let Families { dispatches, empty, up, calls, errors, missed, slow, stuck, stuck_now, duration } = self;
        vec![dispatches, empty, up, calls, errors, missed, slow, stuck, stuck_now, duration]
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::text;
    use crate::view::PointKind;

    #[test]
    fn what_was_counted_is_there_and_what_was_not_is_absent() {
        let mut point = PointView::new("message.publish", PointKind::Fold, 1);
        let mut callback = CallbackView::new("throttle:topics", "limit", 900);
        (callback.faults, callback.status) = (2, CallbackStatus::Quarantined);
        point.chain.push(callback);
        let labels = r#"{callback="throttle:topics/limit",plugin="throttle",point="message.publish"}"#;
        let off = text(&of_points(&[point.clone()]));
        assert!(off.contains(&format!("hookrail_callback_errors_total{labels} 2\n")), "{off}");
        assert!(off.contains(&format!("hookrail_callback_up{labels} 0\n")), "{off}");
        assert!(!off.contains("calls_total{callback=\"throttle:topics/limit\",outcome"), "{off}");
        assert!(!off.contains("dispatches") && !off.contains("duration"), "{off}");

        (point.level, point.dispatches) = (StatsLevel::Histogram, 9);
        point.chain[0].calls = Calls::new(9, 1, 3);
        point.chain[0].latency =
            Some(Latency { timed: 9, p50_ns: 500, p99_ns: 1000, total_ns: 4_500_000_000, ..Latency::default() });
        let timed = text(&of_points(&[point]));
        for line in [
            r#"hookrail_callback_calls_total{callback="throttle:topics/limit",outcome="denied",plugin="throttle",point="message.publish"} 3"#,
            r#"hookrail_callback_calls_total{callback="throttle:topics/limit",outcome="passed",plugin="throttle",point="message.publish"} 5"#,
            r#"hookrail_callback_duration_seconds{callback="throttle:topics/limit",plugin="throttle",point="message.publish",quantile="0.5"} 0.0000005"#,
            &format!("hookrail_callback_duration_seconds_sum{labels} 4.5"),
            &format!("hookrail_callback_duration_seconds_count{labels} 9"),
            r#"hookrail_point_dispatches_total{point="message.publish"} 9"#,
        ] {
            assert!(timed.contains(&format!("{line}\n")), "{line} is missing in\n{timed}");
        }
    }

    #[test]
    fn a_point_that_nobody_dispatches_has_no_numbers() {
        assert_eq!(text(&of_points(&[PointView::new("client.connect", PointKind::Notify, 0)])), "");
    }
}
