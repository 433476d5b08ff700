//! The share of a plugin: one with too many series must not cost the monitoring of all others.

use std::collections::BTreeMap;

use super::{Family, PLUGIN};

/// The largest number of series with the name of one plugin.
pub const MOST_OF_A_PLUGIN: usize = 1000;

/// Leaves out what each plugin has beyond its share, in the order of the families, and adds how much that is.
pub fn limited(mut families: Vec<Family>) -> Vec<Family> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for family in &mut families {
        family.samples.retain(|sample| {
            let Some(plugin) = sample.labels.get(PLUGIN) else { return true };
            let count = seen.entry(plugin.clone()).or_default();
            *count += 1;
            *count <= MOST_OF_A_PLUGIN
        });
    }
    let mut left_out = Family::gauge(
        "hookrail_metrics_left_out_series",
        "Series of the plugin that are missing here, since it has more than its share.",
    );
    for (plugin, count) in seen {
        left_out.add([(PLUGIN, &plugin)], count.saturating_sub(MOST_OF_A_PLUGIN) as u64);
    }
    families.push(left_out);
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_with_too_many_series_loses_its_own_and_that_is_counted() {
        let mut calls = Family::counter("calls_total", "Calls.");
        for number in 0..MOST_OF_A_PLUGIN + 7 {
            calls.add([(PLUGIN, "greedy"), ("callback", &number.to_string())], 1);
        }
        calls.add([(PLUGIN, "modest")], 1);
        calls.add([], 1);
        let families = limited(vec![calls]);
        assert_eq!(families[0].samples.len(), MOST_OF_A_PLUGIN + 2);
        let left_out: Vec<_> =
            families[1].samples.iter().map(|sample| (&*sample.labels[PLUGIN], sample.value)).collect();
        assert_eq!(left_out, [("greedy", 7.0), ("modest", 0.0)]);
    }
}
