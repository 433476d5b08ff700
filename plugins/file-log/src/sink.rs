//! The sink: what a pipeline brings is appended to files.

mod batch;
mod config;
mod files;
mod name;
mod template;
mod writer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

pub(crate) use config::Config;
use files::Files;
use template::Template;
use writer::Writer;

/// How many messages are received at once.
const MOST: usize = 512;
/// How often files that were not written to for so long are closed, so that what was removed meanwhile frees its space.
const IDLE: Duration = Duration::from_secs(30);
const WHEN_FULL: &str = "free some space there; logging then goes on by itself";

/// One use of the sink in a pipeline.
pub(crate) struct FileSink {
    writer: Writer,
}

impl FileSink {
    /// Refuses what could not work, and opens nothing: it may be that it never runs.
    pub(crate) fn new(config: Config, absolute: impl FnOnce(PathBuf) -> Result<PathBuf>) -> Result<Self> {
        let mode = config.mode()?;
        let template = Template::new(&config.path)?;
        let files = Files::new(absolute(template.directory())?, mode, WHEN_FULL);
        files.check(template.source())?;
        Ok(FileSink { writer: Writer::new(template, files, config.format, config.sync) })
    }
}

impl Sink for FileSink {
    fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()> {
        let mut looked = Instant::now();
        loop {
            if looked.elapsed() >= IDLE {
                looked = Instant::now();
                self.writer.close_idle(looked, IDLE);
            }
            let (written, failure) = match io.recv(MOST, Some(IDLE)) {
                Received::Messages(messages) => self.writer.write(messages),
                Received::Nothing => continue,
                Received::Closed => return Ok(()),
            };
            // An answer for none would begin the pauses between two tries anew.
            if written > 0 {
                io.ack(written);
            }
            if let Some(failure) = failure {
                io.retry(&failure.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests;
