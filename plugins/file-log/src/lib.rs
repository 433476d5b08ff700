//! Appends delivered messages, and dropped ones if asked to, to a file that rotates by size; as a sink, it appends what a
//! pipeline brings.

mod config;
mod file;
mod line;
mod rotation;
mod sink;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;

use config::{Config, Format};
use line::Line;
use rotation::RotatingLog;
use sink::FileSink;

struct FileLog {
    host: Instance,
    /// Whether dropped messages are logged; which callbacks are registered is decided at the start.
    dropped: bool,
    /// What the callbacks write to; without it none is registered.
    log: Option<Mutex<Log>>,
}

struct Log {
    format: Format,
    file: RotatingLog,
    /// The buffer for a line, kept to reuse its memory.
    line: Vec<u8>,
}

impl FileLog {
    fn delivered(&self, message: &Message) -> Result<()> {
        self.append(message)
    }

    fn dropped(&self, dropped: &Dropped) -> Result<()> {
        self.append(dropped)
    }

    fn append(&self, what: &impl Line) -> Result<()> {
        let warning = self.log().map_or(Ok(None), |mut log| log.append(what))?;
        if let Some(warning) = warning {
            self.host.log(Level::Warn, warning);
        }
        Ok(())
    }

    fn log(&self) -> Option<MutexGuard<'_, Log>> {
        Some(self.log.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn file(&self, config: sink::Config) -> Result<FileSink> {
        FileSink::new(config, |path| absolute(self.host, path))
    }

    fn sync(&self, log: &Log) {
        if let Err(error) = log.file.sync() {
            self.host.log(Level::Error, error);
        }
    }
}

impl Log {
    /// `None` if nothing is to be logged.
    fn open(host: Instance, config: Config) -> Result<Option<Self>> {
        config.check()?;
        let Some(path) = config.path else { return Ok(None) };
        let file = RotatingLog::open(absolute(host, path)?, config.max_bytes, config.keep)?;
        Ok(Some(Log { format: config.format, file, line: Vec::new() }))
    }

    fn append(&mut self, what: &impl Line) -> Result<Option<String>> {
        self.line.clear();
        what.put(&mut self.line, self.format)?;
        self.file.append(&self.line)
    }
}

fn absolute(host: Instance, path: PathBuf) -> Result<PathBuf> {
    if path.is_absolute() { Ok(path) } else { Ok(host.dir(Dir::State)?.join(path)) }
}

impl Plugin for FileLog {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![
        MessageDelivered, "write" => Self::delivered, priority = 500;
        MessageDropped, "write-dropped" => Self::dropped, priority = 500;
    ];
    const ENDPOINTS: Endpoints<Self> = endpoints![sink "file" => Self::file, guarantee = at_least_once];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let dropped = config.dropped;
        if !dropped {
            host.leave_out("write-dropped");
        }
        let log = Log::open(host.instance(), config)?.map(Mutex::new);
        if log.is_none() {
            host.leave_out("write");
        }
        Ok(FileLog { host: host.instance(), dropped, log })
    }

    fn reload(&self, config: Config) -> Result<()> {
        if config.dropped != self.dropped {
            return Err("`dropped` takes effect only at a restart".into());
        }
        match (Log::open(self.host, config)?, self.log()) {
            (Some(new), Some(mut log)) => {
                let old = std::mem::replace(&mut *log, new);
                drop(log);
                self.sync(&old);
                Ok(())
            }
            (None, None) => Ok(()),
            _ => Err("whether there is a `path` takes effect only at a restart".into()),
        }
    }

    fn stop(&self) {
        if let Some(log) = self.log() {
            self.sync(&log);
        }
    }
}

export!(FileLog);

#[cfg(test)]
mod tests;
