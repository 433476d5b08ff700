//! What makes a queue durable: data, then the index, then the removal of what is behind it.

use std::fs::{self, File};
use std::io;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hookrail_model::log;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::receipt::Receipt;
use crate::whole::{self, invalid, sync_directory};

/// The format of the index.
const FORMAT: u32 = 1;
/// The longest index that is read, in bytes.
const LONGEST: u64 = 4096;

/// From where on messages are not answered for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    format: u32,
    pub(super) segment: u64,
    /// In bytes.
    pub(super) at: u64,
}

impl Index {
    /// That of a directory. Without one that can be read, the queue begins with the first message that it has: it may come
    /// again, and none is missing.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let file = directory.join("index");
        let content = match fs::metadata(&file) {
            Ok(about) if about.len() <= LONGEST => fs::read(&file)?,
            Ok(_) => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
            Err(error) => return Err(error),
        };
        let index = serde_json::from_slice(&content).map_err(|error| invalid(error.to_string()));
        let index = index.and_then(|index: Index| match index.format {
            FORMAT => Ok(index),
            other => Err(invalid(format!("its format is {other}, this host reads {FORMAT}"))),
        });
        Ok(index.unwrap_or_else(|error| {
            log!(error, "{}: {error}; all messages of the queue are delivered again", file.display());
            Index::default()
        }))
    }
}

/// What is to be made durable.
#[derive(Debug, Default)]
pub(crate) struct Flush {
    directory: PathBuf,
    /// Written to, and not synced.
    files: Vec<Arc<File>>,
    /// Whether there are files whose names are not synced.
    has_new_names: bool,
    /// What is settled when the files are synced.
    receipts: Vec<Receipt>,
    /// What is to be written.
    index: Option<Place>,
    /// What is to be removed when the index is written.
    gone: Vec<PathBuf>,
}

impl Flush {
    pub(super) fn new(directory: &Path, gone: Vec<PathBuf>) -> Self {
        Flush { directory: directory.to_owned(), gone, has_new_names: true, ..Flush::default() }
    }

    pub(super) fn name_is_new(&mut self) {
        self.has_new_names = true;
    }

    pub(super) fn wrote(&mut self, file: &Arc<File>) {
        if !self.files.iter().any(|known| Arc::ptr_eq(known, file)) {
            self.files.push(file.clone());
        }
    }

    pub(super) fn settle_later(&mut self, receipt: Receipt) {
        self.receipts.push(receipt);
    }

    pub(super) fn answered(&mut self, place: Place) {
        self.index = Some(place);
    }

    pub(super) fn remove(&mut self, path: PathBuf) {
        self.gone.push(path);
    }

    pub(super) fn is_due(&self) -> bool {
        !self.files.is_empty() || self.index.is_some() || !self.gone.is_empty()
    }

    /// All that there is to do, which is then somebody else's to do.
    pub(super) fn take(&mut self) -> Option<Flush> {
        self.is_due().then(|| {
            let directory = self.directory.clone();
            std::mem::replace(self, Flush { directory, ..Flush::default() })
        })
    }

    /// What was left undone, before what has come since.
    pub(super) fn put_back(&mut self, left: Flush) {
        left.files.iter().for_each(|file| self.wrote(file));
        self.has_new_names |= left.has_new_names;
        self.receipts.splice(..0, left.receipts);
        self.index = self.index.or(left.index);
        self.gone.splice(..0, left.gone);
    }

    /// Does it. What could not be done is left in this.
    ///
    /// # Errors
    /// If the system refuses. What could not be synced is not settled any more: the system may have forgotten it, so its
    /// source sends it again when the host is started again.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let synced = self.files.iter().try_for_each(|file| file.sync_data());
        self.files.clear();
        let receipts = take(&mut self.receipts);
        synced?;
        if take(&mut self.has_new_names) {
            sync_directory(&self.directory).inspect_err(|_| self.has_new_names = true)?;
        }
        receipts.into_iter().for_each(Receipt::settle);
        if let Some(Place { segment, at, .. }) = self.index {
            whole::replace(&self.directory.join("index"), &Index { format: FORMAT, segment, at })?;
            self.index = None;
        }
        while let Some(path) = self.gone.last() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => _ = self.gone.pop(),
            }
        }
        Ok(())
    }
}
