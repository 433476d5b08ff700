//! The values of fields, as they cross the boundary.

use std::fmt::{Debug, Write};

use tracing_core::Field;
use tracing_core::field::Visit;

use crate::boundary::{
    Str, TraceValue, VALUE_BOOL, VALUE_FLOAT, VALUE_INTEGER, VALUE_SHOWN, VALUE_TEXT, VALUE_UNSIGNED,
};

/// Values, collected.
#[derive(Default)]
pub(super) struct Values {
    values: Vec<TraceValue>,
    /// The texts, concatenated in the order of their values.
    texts: String,
}

impl Values {
    pub(super) fn collect(record: impl FnOnce(&mut dyn Visit)) -> Self {
        let mut values = Values::default();
        record(&mut values);
        let mut rest = values.texts.as_str();
        // Set only now: the buffer moved while it grew.
        for value in values.values.iter_mut().filter(|value| matches!(value.kind, VALUE_TEXT | VALUE_SHOWN)) {
            let (text, behind) = rest.split_at(value.text.len);
            value.text = Str::new(text);
            rest = behind;
        }
        values
    }

    /// The values, which point into `self`.
    pub(super) fn as_slice(&self) -> &[TraceValue] {
        &self.values
    }

    fn number(&mut self, field: &Field, kind: u32, number: u64) {
        self.push(field, kind, number, 0);
    }

    fn text(&mut self, field: &Field, kind: u32, write: impl FnOnce(&mut String)) {
        let before = self.texts.len();
        write(&mut self.texts);
        self.push(field, kind, 0, self.texts.len() - before);
    }

    fn push(&mut self, field: &Field, kind: u32, number: u64, len: usize) {
        let text = Str { ptr: std::ptr::null(), len };
        self.values.push(TraceValue { field: field.index() as u32, kind, number, text });
    }
}

impl Visit for Values {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, VALUE_BOOL, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, VALUE_INTEGER, value.cast_unsigned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, VALUE_UNSIGNED, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, VALUE_FLOAT, value.to_bits());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, VALUE_TEXT, |texts| texts.push_str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, VALUE_SHOWN, |texts| {
            // If formatting fails, what was written so far is shown.
            let _ = write!(texts, "{value:?}");
        });
    }
}
