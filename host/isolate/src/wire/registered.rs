//! A registration as it crosses.

use hookrail_abi::boundary;
use hookrail_loader::complete;
use serde::{Deserialize, Serialize};

/// A callback that an instance registered in a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Registered {
    /// Its place in the worker's table of callbacks, if it has code to call.
    pub(crate) index: Option<u32>,
    /// What it registered.
    pub(crate) record: Record,
}

/// The record of a registration, without what points into the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    /// It was smaller than the first version of the structure.
    TooSmall { size: u64, needed: u64 },
    /// A record.
    Complete {
        flags: u32,
        point: String,
        revision: u32,
        priority: i32,
        callback: String,
        form: u32,
        effects: u32,
        fault: u32,
        budget_ns: u64,
        predicate: u64,
        fingerprint: [u64; 2],
        /// What is wrong with its payload operations, if they are incomplete.
        wrong_ops: Option<String>,
    },
}

impl Record {
    /// # Safety
    /// The texts of the record are readable for the call, and so are its payload operations, unless they are null.
    pub(crate) unsafe fn of(record: &boundary::Registration) -> Self {
        // SAFETY: its texts are readable for the call.
        let [point, callback] = [record.point, record.callback].map(|text| unsafe { text.to_text() }.into_owned());
        // SAFETY: they are readable.
        let ops = (!record.ops.is_null()).then(|| unsafe { complete(record.ops) });
        let wrong_ops = ops.and_then(|ops| ops.err()).map(|incomplete| incomplete.to_string());
        Record::Complete {
            flags: record.flags,
            point,
            revision: record.revision,
            priority: record.priority,
            callback,
            form: record.form,
            effects: record.effects,
            fault: record.fault,
            budget_ns: record.budget_ns,
            predicate: record.predicate,
            fingerprint: record.fingerprint,
            wrong_ops,
        }
    }
}
