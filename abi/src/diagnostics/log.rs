//! The receiver of `log`.

use std::ptr::null;

use log::{Log, Metadata, Record};

use super::bound::host;
use crate::boundary::{SITE_EVENT, Str, TraceSite};

/// Passes every record to the host. Installed only once a host has bound.
pub(super) struct ToHost;

impl Log for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let Some((service, library)) = host() else { return };
        let site = TraceSite {
            size: size_of::<TraceSite>() as u32,
            kind: SITE_EVENT,
            level: record.level() as u32,
            line: record.line().unwrap_or(0),
            // Records are created again each time, and so may be their target.
            id: null(),
            name: Str::new("log"),
            target: Str::new(record.target()),
            module: Str::new(record.module_path().unwrap_or_default()),
            file: Str::new(record.file().unwrap_or_default()),
            fields: null(),
            field_count: 0,
        };
        let text = record.args().to_string();
        // SAFETY: the site and the text hold for the call; the host has bound the service.
        unsafe { (service.log)(library, &site, Str::new(&text)) }
    }

    fn flush(&self) {}
}
