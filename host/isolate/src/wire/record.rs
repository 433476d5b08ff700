//! What is reported by `tracing`, as it crosses.

use serde::{Deserialize, Serialize};

/// Something that a worker's subscriber was told. Spans and places have numbers, by which later records refer to them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    /// A place in the code, before the first record that refers to it.
    Place(u32, Place),
    Event {
        place: u32,
        parent: Parent,
        values: Vec<(u16, Field)>,
    },
    SpanOpened {
        span: u64,
        place: u32,
        parent: Parent,
        values: Vec<(u16, Field)>,
    },
    SpanRecorded {
        span: u64,
        values: Vec<(u16, Field)>,
    },
    SpanFollows {
        span: u64,
        follows: u64,
    },
    SpanClosed {
        span: u64,
    },
}

/// What `tracing` calls metadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) is_span: bool,
    /// From 1, error, to 5, trace.
    pub(crate) level: u8,
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) module: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) fields: Vec<String>,
}

/// The span that a record is in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Parent {
    None,
    Span(u64),
}

/// A value, in the form in which it was reported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Field {
    Bool(bool),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Text(String),
    /// What is shown without quotes.
    Shown(String),
}
