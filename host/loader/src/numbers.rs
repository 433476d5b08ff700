//! The numbers that plugins count themselves.
//!
//! They are in the library (table `metrics/1`). Their names are copied once; the values are read when somebody asks, which
//! runs no code of the plugin.

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::boundary::{METRIC_COUNTER, METRIC_GAUGE, Metric, MetricsTable, Str};
use hookrail_model::log;
use hookrail_model::metrics::FamilyKind;
use hookrail_model::plugin_metrics::{MOST, MetricInfo, PluginMetric};
use parking_lot::Mutex;

/// The longest text of a table that is read, in bytes.
const LONGEST: usize = 1 << 10;

/// Reads the numbers of one library.
pub struct Numbers {
    infos: Vec<MetricInfo>,
    values: Mutex<Values>,
}

/// # Invariants
/// There is one for each name. Those of `There` are in a library that is loaded, aligned.
enum Values {
    There(Vec<*const AtomicU64>),
    /// What was read or told last.
    Told(Vec<u64>),
}

// SAFETY: the values are atomics.
unsafe impl Send for Values {}

impl Numbers {
    /// The numbers of a library, without those that do not keep to the rules.
    ///
    /// # Safety
    /// The table is one of a loaded library, in which its `count` metrics lie with what they point to.
    /// [`end`](Self::end) is called before that library is closed.
    pub(crate) unsafe fn new(table: &MetricsTable, plugin: &str) -> Option<Self> {
        if table.metrics.is_null() || !table.metrics.is_aligned() {
            return None;
        }
        let count = table.count as usize;
        if count > MOST {
            log!(warn, plugin, "it has {count} metrics, of which the first {MOST} are read");
        }
        // SAFETY: by the contract so many lie there.
        let metrics = unsafe { std::slice::from_raw_parts(table.metrics, count.min(MOST)) };
        let (mut infos, mut values) = (Vec::<MetricInfo>::new(), Vec::new());
        for (index, metric) in metrics.iter().enumerate() {
            // SAFETY: by the contract its texts lie in the library.
            let read = unsafe { info(metric) }.and_then(|info| match info.check_beside(&infos) {
                Ok(()) => Ok(info),
                Err(why) => Err(format!("`{}`: {why}", info.name.escape_debug())),
            });
            match read {
                Ok(info) => {
                    infos.push(info);
                    values.push(metric.value);
                }
                Err(why) => log!(warn, plugin, "its metric {index} is left out: {why}"),
            }
        }
        // INVARIANT: they are in the library, which is loaded until `end`, by the contract; `info` has looked whether each
        // is aligned.
        (!infos.is_empty()).then(|| Numbers { infos, values: Mutex::new(Values::There(values)) })
    }

    /// The numbers of a library in another process, which tells them; that it keeps to the rules is checked.
    pub fn elsewhere(mut infos: Vec<MetricInfo>) -> Option<Self> {
        infos.truncate(MOST);
        let is_right = |index: usize| infos[index].check_beside(&infos[..index]).is_ok();
        let are_right = (0..infos.len()).all(is_right) && !infos.is_empty();
        are_right.then(|| Numbers { values: Mutex::new(Values::Told(vec![0; infos.len()])), infos })
    }

    /// Takes the values that another process tells.
    pub fn tell(&self, values: Vec<u64>) {
        if values.len() == self.infos.len() {
            *self.values.lock() = Values::Told(values);
        }
    }

    /// What the numbers are.
    pub fn infos(&self) -> &[MetricInfo] {
        &self.infos
    }

    /// The bits of each, in the order of [`infos`](Self::infos).
    pub fn bits(&self) -> Vec<u64> {
        self.values.lock().bits()
    }

    /// The numbers as they are now, or were when the library was closed.
    pub fn view(&self) -> Vec<PluginMetric> {
        self.infos.iter().zip(self.bits()).map(|(info, bits)| info.with_bits(bits)).collect()
    }

    /// Reads the values for the last time.
    pub(crate) fn end(&self) {
        let mut values = self.values.lock();
        *values = Values::Told(values.bits());
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.view().fmt(f)
    }
}

impl Values {
    fn bits(&self) -> Vec<u64> {
        match self {
            // SAFETY: by the type invariant each lies in a library that is loaded, aligned. Relaxed: they are numbers.
            Values::There(values) => values.iter().map(|value| unsafe { &**value }.load(Ordering::Relaxed)).collect(),
            Values::Told(values) => values.clone(),
        }
    }
}

/// # Safety
/// Its texts are readable.
unsafe fn info(metric: &Metric) -> Result<MetricInfo, String> {
    let text = |text: &Str| {
        if text.len == 0 {
            return Ok(String::new());
        }
        if text.len > LONGEST || text.ptr.is_null() {
            return Err(format!("it has a text that is null or of {} bytes", text.len));
        }
        // SAFETY: the caller promises it.
        Ok(unsafe { text.to_text() }.into_owned())
    };
    let kind = match metric.kind {
        METRIC_COUNTER => FamilyKind::Counter,
        METRIC_GAUGE => FamilyKind::Gauge,
        _ => FamilyKind::Unknown,
    };
    let mut info = MetricInfo::new(text(&metric.name)?, text(&metric.help)?, kind);
    info.unit = text(&metric.unit)?;
    if metric.value.is_null() || !metric.value.is_aligned() {
        return Err(format!("`{}` has no aligned value", info.name.escape_debug()));
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_keep_to_the_rules_is_left_out_and_the_rest_is_read() {
        let value = AtomicU64::new(7);
        let metric = |name: &'static str, kind, value: *const AtomicU64| Metric {
            kind,
            reserved: 0,
            name: Str::new(name),
            help: Str::new("What it is."),
            unit: Str::new(""),
            value,
        };
        let metrics = [
            metric("good", METRIC_COUNTER, &raw const value),
            metric("good", METRIC_GAUGE, &raw const value),
            metric("Bad name", METRIC_COUNTER, &raw const value),
            metric("no_value", METRIC_COUNTER, std::ptr::null()),
            metric("askew", METRIC_COUNTER, (&raw const value).wrapping_byte_add(1)),
            metric("no_kind", 9, &raw const value),
            Metric { name: Str { ptr: std::ptr::null(), len: 9 }, ..metric("null", METRIC_GAUGE, &raw const value) },
            Metric {
                help: Str { ptr: c"a".as_ptr().cast(), len: 1 << 40 },
                ..metric("long", METRIC_GAUGE, &raw const value)
            },
            Metric { unit: Str::new("bytes"), ..metric("held", METRIC_GAUGE, &raw const value) },
            metric("held_bytes", METRIC_COUNTER, &raw const value),
            metric("also_good", METRIC_GAUGE, &raw const value),
        ];
        let table = MetricsTable { size: 16, count: metrics.len() as u32, metrics: metrics.as_ptr() };
        // SAFETY: they outlive the numbers.
        let numbers = unsafe { Numbers::new(&table, "a") }.unwrap();
        let view = numbers.view();
        let named: Vec<_> = view.iter().map(|metric| (&*metric.info.name, metric.value)).collect();
        assert_eq!(named, [("good", 7), ("held", 7), ("also_good", 7)]);
        numbers.end();
        value.store(8, Ordering::Relaxed);
        assert_eq!(numbers.bits(), [7, 7, 7], "it is not read any more");
    }

    #[test]
    fn what_another_process_tells_is_checked() {
        let info = |name: &str| MetricInfo::new(name, "What it is.", FamilyKind::Counter);
        assert!(Numbers::elsewhere(vec![info("a\n")]).is_none() && Numbers::elsewhere(Vec::new()).is_none());
        assert!(Numbers::elsewhere(vec![info("a"), info("a")]).is_none());
        let mut in_bytes = info("a");
        in_bytes.unit = "bytes".into();
        assert!(Numbers::elsewhere(vec![info("a_bytes"), in_bytes]).is_none());
        let numbers = Numbers::elsewhere(vec![info("a"), info("b")]).unwrap();
        numbers.tell(vec![1]);
        assert_eq!(numbers.bits(), [0, 0]);
        numbers.tell(vec![1, 2]);
        assert_eq!(numbers.bits(), [1, 2]);
    }
}
