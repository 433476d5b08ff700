//! Traces: what single dispatches did, step by step, for callers that asked for them.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::time::SystemTime;

use hookrail_abi::{Bytes, Format, PayloadOps};
use hookrail_model::trace::{MissingField, StepVerdict, Trace, TraceDecision, TraceFilter, TraceStep};
use parking_lot::Mutex;
use serde_json::Value;

use super::fields;
use crate::queue::Queue;

/// A request for a number of traces.
#[derive(Debug)]
pub struct Tracer {
    filter: Option<TraceFilter>,
    wanted: usize,
    state: Mutex<Progress>,
    /// The traces that were taken. Closed when there are as many as were wanted, or when no more will be taken.
    pub taken: Queue<Trace>,
}

#[derive(Debug, Default)]
struct Progress {
    /// How many were begun.
    begun: usize,
    /// How many of them have ended.
    ended: usize,
    /// How many dispatches there were while more traces were wanted.
    came: u64,
    /// Whether any of them had the field of the filter.
    has_field: bool,
    /// The fields of those that did not have it.
    fields: BTreeSet<String>,
}

impl Tracer {
    /// Collects `wanted` traces of dispatches that match the filter.
    pub fn new(filter: Option<TraceFilter>, wanted: usize) -> Self {
        let tracer = Tracer { filter, wanted, state: Mutex::default(), taken: Queue::new(wanted) };
        if wanted == 0 {
            tracer.close();
        }
        tracer
    }

    /// No more traces will be taken.
    pub fn close(&self) {
        self.taken.close().wake();
    }

    fn wants_more(&self) -> bool {
        self.state.lock().begun < self.wanted
    }

    fn begin(&self, payload: &Value) -> bool {
        let mut state = self.state.lock();
        let wants = state.begun < self.wanted && state.comes(payload, self.filter.as_ref());
        state.begun += usize::from(wants);
        wants
    }

    /// The field that the filter names and no dispatch has had, if there were any dispatches.
    pub fn missing_field(&self) -> Option<MissingField> {
        let state = self.state.lock();
        let field = self.filter.as_ref().filter(|_| state.came > 0 && !state.has_field)?.field().to_owned();
        Some(MissingField::new(field, state.came, state.fields.clone()))
    }

    fn end(&self, trace: Trace) {
        self.taken.push(trace).wake();
        let mut state = self.state.lock();
        state.ended += 1;
        let is_last = state.ended == self.wanted;
        drop(state);
        if is_last {
            self.close();
        }
    }
}

impl Progress {
    /// Looks at a dispatch; returns whether it matches the filter.
    fn comes(&mut self, payload: &Value, filter: Option<&TraceFilter>) -> bool {
        self.came += 1;
        let Some(filter) = filter else { return true };
        let values = fields::values(payload, filter.field());
        if !values.is_empty() {
            self.has_field = true;
        } else if !self.has_field {
            fields::names(payload, &mut self.fields);
        }
        values.into_iter().any(|value| filter.is(value))
    }
}

/// The tracers of one point.
#[derive(Clone, Debug, Default)]
pub struct Tracers(pub Vec<Arc<Tracer>>);

/// A trace in progress.
pub(crate) struct Taking<'a> {
    for_whom: Vec<&'a Tracer>,
    ops: &'a PayloadOps,
    payload: *const c_void,
    last: Value,
    trace: Trace,
}

impl Tracers {
    /// Begins to trace a dispatch.
    ///
    /// # Safety
    /// `payload` is a payload of these operations until the trace ends, and no callback has it when a step is told.
    pub(crate) unsafe fn begin<'a>(&'a self, ops: &'a PayloadOps, payload: *const c_void) -> Option<Taking<'a>> {
        // Writing a payload as JSON takes longer than the dispatch, so it is not done for tracers that have all they
        // wanted.
        if !self.0.iter().any(|tracer| tracer.wants_more()) {
            return None;
        }
        // SAFETY: `payload` is a payload of these operations, which no callback has yet.
        let before = unsafe { shown(ops, payload) };
        let for_whom: Vec<_> = self.0.iter().map(Arc::as_ref).filter(|tracer| tracer.begin(&before)).collect();
        if for_whom.is_empty() {
            return None;
        }
        // SAFETY: the call touches no memory.
        let thread_id = unsafe { libc::gettid() }.cast_unsigned();
        let trace = Trace::new(SystemTime::now(), thread_name(), thread_id, before.clone());
        Some(Taking { for_whom, ops, payload, last: before, trace })
    }
}

impl Taking<'_> {
    /// Records the step of a callback that was called or answered for. If its payload is to be restored, that has been
    /// done. A denial comes with its code.
    pub(crate) fn step(
        &mut self,
        callback: String,
        (verdict, code): (StepVerdict, Option<u32>),
        message: Option<String>,
        took_ns: u64,
    ) {
        // SAFETY: the payload is still one of these operations, and no callback has it now: `begin` was promised that.
        let after = unsafe { shown(self.ops, self.payload) };
        let payload = (after != self.last).then(|| after.clone());
        self.last = after;
        self.trace.took_ns += took_ns;
        let mut step = TraceStep::new(callback, verdict);
        (step.code, step.message, step.took_ns, step.payload) = (code, message, took_ns, payload);
        self.trace.steps.push(step);
    }

    /// Records the decision of the dispatch, with the code of a denial, and ends the trace.
    pub(crate) fn end(mut self, decision: TraceDecision, code: Option<u32>) {
        (self.trace.decision, self.trace.code) = (decision, code);
        for tracer in self.for_whom {
            tracer.end(self.trace.clone());
        }
    }
}

/// The name of this thread, as the system has it: the thread may be ending, when std no longer knows it and panics.
fn thread_name() -> String {
    let mut name = [0_u8; 17];
    // SAFETY: the system writes at most 16 bytes, the last one of them 0, into an array of 17.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    CStr::from_bytes_until_nul(&name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A payload as people may read it, with secrets masked; null where it cannot be written.
///
/// # Safety
/// `payload` is a payload of these operations, which nobody writes during the call.
pub unsafe fn shown(ops: &PayloadOps, payload: *const c_void) -> Value {
    let Some(encode) = ops.encode else { return Value::Null };
    let mut json = Bytes::new();
    // SAFETY: the payload is one of these operations, which nobody writes meanwhile; the bytes are ours.
    match unsafe { encode(payload, Format::Json as u32, &mut json) } {
        0 => serde_json::from_slice(&json).unwrap_or_default(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_looks_into_the_payload() {
        let payload = serde_json::json!({
            "topic": "a.b", "size": 5, "request": {"path": "/x=y"}, "headers": [["k", "1"], ["k", "2"], ["l", "3"]],
        });
        let holds = |text: &str| Progress::default().comes(&payload, Some(&text.parse().unwrap()));
        for text in ["topic=a.b", "size=5", "request.path=/x=y", "headers.k=1", "headers.k=2", "headers.l=3"] {
            assert!(holds(text), "{text}");
        }
        for text in ["topic=a", "topic.b=a", "size=6", "path=/x=y", "missing=", "headers.k=3", "headers=k"] {
            assert!(!holds(text), "{text}");
        }
        assert!("topic".parse::<TraceFilter>().is_err() && "=x".parse::<TraceFilter>().is_err());
    }

    #[test]
    fn a_field_that_none_has_is_told_with_those_that_they_have() {
        let tracer = Tracer::new("headers.nosuch=x".parse().ok(), 1);
        assert_eq!(tracer.missing_field(), None, "there was no dispatch");
        tracer.begin(&serde_json::json!({"topic": "a"}));
        let said = tracer.missing_field().unwrap().to_string();
        assert_eq!(said, "no field `headers.nosuch` in 1 dispatch: they have topic");
        tracer.begin(&serde_json::json!({"headers": [["a\u{1b}", "b"]]}));
        let said = tracer.missing_field().unwrap().to_string();
        assert!(said.starts_with("no field `headers.nosuch` in 2 dispatches: "), "{said}");
        assert!(said.ends_with(r"they have headers.a\u{1b}, topic"), "{said}");
        tracer.begin(&serde_json::json!({"headers": [["nosuch", "another value"]]}));
        assert_eq!(tracer.missing_field(), None);
    }
}
