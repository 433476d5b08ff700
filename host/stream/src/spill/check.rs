//! What queues on disk have, seen without their host.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hookrail_abi::Message;
use serde::Serialize;

use super::flush::Index;
use super::reader::{Found, Reader};
use super::segment;

/// What a queue on disk has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueReport {
    /// The pipeline that it is of.
    pub pipeline: String,
    /// The sink before which it is.
    pub sink: String,
    /// How many messages are not answered for.
    pub messages: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// When the oldest one was made, in nanoseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u64>,
    /// What is no record: the file, where, and how many bytes.
    pub damaged: Vec<DamagedPart>,
    /// Whether a host has it open: then what it is writing may look damaged.
    pub is_open: bool,
}

/// Bytes of a queue that are no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DamagedPart {
    /// The name of the file.
    pub file: String,
    /// Where they begin.
    pub at: u64,
    /// How many they are.
    pub bytes: u64,
}

/// Looks at the queues in the home of a host, and changes nothing.
///
/// # Errors
/// If the system refuses.
pub fn check(home: &Path) -> io::Result<Vec<QueueReport>> {
    let mut reports = Vec::new();
    for (pipeline, sinks) in directories(&home.join("streams/queues"))? {
        for (sink, directory) in directories(&sinks)? {
            reports.push(check_one(pipeline.clone(), sink, &directory)?);
        }
    }
    Ok(reports)
}

/// The directories in that one, with their names, in order.
fn directories(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            all.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    all.sort();
    Ok(all)
}

fn check_one(pipeline: String, sink: String, directory: &Path) -> io::Result<QueueReport> {
    let mut report = QueueReport { pipeline, sink, is_open: is_open(directory)?, ..QueueReport::default() };
    let index = Index::read(directory)?;
    for (number, path) in segment::list(directory)?.into_iter().filter(|(number, _)| *number >= index.segment) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = File::open(&path)?;
        let end = file.metadata()?.len();
        if segment::check_magic(&file, end).is_err() {
            report.damaged.push(DamagedPart { file: name, at: 0, bytes: end });
            continue;
        }
        let mut at = if number == index.segment { index.at.clamp(segment::START, end) } else { segment::START };
        let mut reader = Reader::new(&file, at, end);
        while let Some(found) = reader.next()? {
            let until = match found {
                Found::Damaged { until } => {
                    report.damaged.push(DamagedPart { file: name.clone(), at, bytes: until - at });
                    until
                }
                Found::Record { payload, until } => {
                    report.messages += 1;
                    report.bytes += until - at;
                    if report.oldest.is_none() {
                        report.oldest =
                            rmp_serde::from_slice::<Message>(&payload).ok().map(|message| message.timestamp);
                    }
                    until
                }
            };
            at = until;
        }
    }
    Ok(report)
}

fn is_open(directory: &Path) -> io::Result<bool> {
    match File::open(directory.join("lock")) {
        Ok(lock) => Ok(lock.try_lock_shared().is_err()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
