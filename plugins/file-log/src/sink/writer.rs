//! All or nothing: what is written of a batch, and what is taken back.
//!
//! Messages are acknowledged in their order, but written file by file. So when one file fails,
//!
//! 1. all messages before the first one for it are written, since the files are written in the order of their first
//!    messages: these are acknowledged;
//! 2. what was written of the messages after it is taken back, so that nothing stands in a file twice when they come
//!    again;
//! 3. when they come again, the file that failed is the first to be written, so that nothing is taken back a second time.

use std::time::{Duration, Instant};

use hookrail_abi::Error;
use hookrail_abi::prelude::*;

use super::batch::Batch;
use super::config::{Format, Sync};
use super::files::Files;
use super::template::Template;
use crate::file::Place;

pub(crate) struct Writer {
    template: Template,
    files: Files,
    format: Format,
    sync: Sync,
}

impl Writer {
    pub(crate) fn new(template: Template, files: Files, format: Format, sync: Sync) -> Self {
        Writer { template, files, format, sync }
    }

    /// Returns how many of the messages are written, the oldest ones, and why the others are not.
    pub(crate) fn write(&mut self, messages: &[&Message]) -> (usize, Option<Error>) {
        let mut done = 0;
        while done < messages.len() {
            let batch = match Batch::of(&messages[done..], &self.template, self.format) {
                Ok(batch) => batch,
                Err(error) => return (done, Some(error)),
            };
            let (written, failure) = self.put(&batch);
            done += written;
            if failure.is_some() {
                return (done, failure);
            }
        }
        (done, None)
    }

    /// Closes the files that were not used for so long.
    pub(crate) fn close_idle(&mut self, now: Instant, idle: Duration) {
        self.files.close_idle(now, idle);
    }

    fn put(&mut self, batch: &Batch) -> (usize, Option<Error>) {
        let mut places = Vec::new();
        let mut outcome = (batch.count, None);
        for group in &batch.groups {
            match self.files.get(&group.name).append(&group.bytes) {
                Ok(place) => places.push(place),
                Err(error) => {
                    outcome = (group.first(), Some(error));
                    break;
                }
            }
        }
        if self.sync == Sync::Batch {
            for group in &batch.groups[..places.len()] {
                if let Err(error) = self.files.get(&group.name).sync_data() {
                    outcome = (group.first(), Some(error));
                    break;
                }
            }
        }
        if outcome.1.is_some() {
            self.take_back(batch, &places, outcome.0);
        }
        outcome
    }

    /// Takes back the messages from that place in the batch on.
    fn take_back(&mut self, batch: &Batch, places: &[Place], written: usize) {
        for (group, place) in batch.groups.iter().zip(places) {
            let kept = group.bytes_before(written);
            if kept < group.bytes.len() {
                self.files.get(&group.name).take_back(place, kept as u64);
            }
        }
    }
}

#[cfg(test)]
mod tests;
