//! What came of the cases.

use std::path::PathBuf;

use serde::Serialize;

use super::play::Failure;

/// What came of all cases.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) files: Vec<FileReport>,
}

#[derive(Serialize)]
pub(super) struct FileReport {
    pub(super) file: PathBuf,
    pub(super) cases: Vec<CaseReport>,
}

#[derive(Serialize)]
pub(super) struct CaseReport {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) pipeline: Option<String>,
    pub(super) messages: usize,
    pub(super) passed: bool,
    pub(super) failures: Vec<Failure>,
}
