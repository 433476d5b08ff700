//! In which process a plugin runs, in words.

use hookrail::Isolation;

/// Where a plugin runs.
pub(crate) fn place(isolation: &Isolation) -> String {
    match isolation {
        Isolation::InProcess => "in the process of the host".into(),
        Isolation::Worker(None) => "in a worker of its own".into(),
        Isolation::Worker(Some(name)) => format!("in the worker {name}"),
        _ => "where this version does not know".into(),
    }
}
