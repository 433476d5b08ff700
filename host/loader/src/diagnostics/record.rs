//! The values of a record, in the form that the host's subscriber receives.

use std::borrow::Cow;

use hookrail_abi::boundary::{
    TraceValue, VALUE_BOOL, VALUE_FLOAT, VALUE_INTEGER, VALUE_SHOWN, VALUE_TEXT, VALUE_UNSIGNED,
};
use tracing::field::{DisplayValue, Value, ValueSet, display};

use super::of_plugin::PluginDiagnostics;
use super::site::{ADDED, Site};

/// One value, in the form in which it was reported.
enum Recorded<'a> {
    Bool(bool),
    F64(f64),
    I64(i64),
    Shown(DisplayValue<Cow<'a, str>>),
    Text(Cow<'a, str>),
    U64(u64),
}

impl Recorded<'_> {
    fn as_value(&self) -> &dyn Value {
        match self {
            Recorded::Bool(value) => value,
            Recorded::F64(value) => value,
            Recorded::I64(value) => value,
            Recorded::Shown(value) => value,
            Recorded::Text(Cow::Borrowed(value)) => value,
            Recorded::Text(Cow::Owned(value)) => value,
            Recorded::U64(value) => value,
        }
    }
}

/// Values of a plugin's own fields, each with the index of its field.
pub(super) struct Values<'a>(Vec<(usize, Recorded<'a>)>);

impl<'a> Values<'a> {
    /// # Safety
    /// `count` is 0, or so many values at `values` are readable for `'a`, with the texts that they point to.
    pub(super) unsafe fn of(values: *const TraceValue, count: usize) -> Self {
        // SAFETY: so many values are readable for `'a`; an array without elements may be anywhere.
        let values = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(values, count) } };
        let recorded = |value: &'a TraceValue| {
            // SAFETY: the text of each value is readable for `'a`.
            let text = || unsafe { value.text.to_text() };
            let recorded = match value.kind {
                VALUE_BOOL => Recorded::Bool(value.number != 0),
                VALUE_INTEGER => Recorded::I64(value.number.cast_signed()),
                VALUE_UNSIGNED => Recorded::U64(value.number),
                VALUE_FLOAT => Recorded::F64(f64::from_bits(value.number)),
                VALUE_TEXT => Recorded::Text(text()),
                VALUE_SHOWN => Recorded::Shown(display(text())),
                // From a newer plugin, which should be using another service.
                _ => return None,
            };
            Some((value.field as usize, recorded))
        };
        Values(values.iter().filter_map(recorded).collect())
    }

    /// The message of a log line.
    pub(super) fn message(text: Cow<'a, str>) -> Self {
        Values(vec![(0, Recorded::Shown(display(text)))])
    }

    /// Passes them to `use_it`, with the fields that the host adds, if it adds any.
    pub(super) fn with<R>(
        &self,
        site: &'static Site,
        whose: Option<(&PluginDiagnostics, Option<&str>)>,
        use_it: impl FnOnce(&ValueSet<'_>) -> R,
    ) -> R {
        let fields = site.metadata().fields();
        let own = fields.len() - ADDED.len();
        let mut all: Vec<Option<&dyn Value>> = vec![None; fields.len()];
        for (field, recorded) in self.0.iter().filter(|(field, _)| *field < own) {
            all[*field] = Some(recorded.as_value());
        }
        let (mut plugin, mut generation) = (None, None);
        if let Some((diagnostics, instance)) = &whose {
            plugin = instance.is_none().then_some(&*diagnostics.plugin);
            generation = diagnostics.generation();
            all[own] = instance.as_ref().map(|instance| instance as &dyn Value);
        }
        all[own + 1] = plugin.as_ref().map(|plugin| plugin as &dyn Value);
        all[own + 2] = generation.as_ref().map(|generation| generation as &dyn Value);
        use_it(&fields.value_set_all(&all))
    }
}
