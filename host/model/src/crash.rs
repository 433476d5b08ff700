//! What is known of a worker process that has ended otherwise than its host wanted.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constructors;

/// The report of a worker process that has ended otherwise than its host wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrashReport {
    /// By which it is asked for.
    pub id: String,
    /// When.
    #[serde(with = "crate::time")]
    pub time: SystemTime,
    /// The worker's name.
    pub worker: String,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<u32>,
    /// The plugins that ran in it.
    pub plugins: Vec<CrashedPlugin>,
    /// How it ended, as in `was killed by SIGSEGV`.
    pub end: String,
    /// Where the thread was that ended it, or that did not return, innermost first; empty if it could not be told.
    #[serde(default)]
    pub backtrace: Vec<String>,
    /// The calls that were lost with it; of more than 64 only the first.
    #[serde(default)]
    pub lost: Vec<LostCall>,
}

/// A plugin in a worker that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrashedPlugin {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that it was loaded from.
    pub file: PathBuf,
}

/// A call of a callback that has no answer, since its worker ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LostCall {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
    /// The payload, with secrets masked, if inputs are kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input: Option<Value>,
    /// Why there is no input.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub without_input: Option<String>,
}

constructors! {
    /// The report of a worker that ended now, of which nothing else is known.
    CrashReport(id: impl Into<String>, time: SystemTime, worker: impl Into<String>, end: impl Into<String>) {
        pid: None, plugins: Vec::new(), backtrace: Vec::new(), lost: Vec::new()
    }
    /// A plugin of that worker.
    CrashedPlugin(name: impl Into<String>, version: impl Into<String>, file: impl Into<PathBuf>)
    /// A call whose input is not kept.
    LostCall(point: impl Into<String>, callback: impl Into<String>) { input: None, without_input: None }
}
