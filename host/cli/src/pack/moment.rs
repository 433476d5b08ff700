//! The build time of a package, which is the same when it is packed again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::stderr;

/// `$SOURCE_DATE_EPOCH`, else the time of the last commit, else now; as RFC 3339.
pub(super) fn of(directory: &Path) -> Result<String, Error> {
    let moment = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            let wrong = || Error::NotPacked {
                package: directory.display().to_string(),
                why: format!("$SOURCE_DATE_EPOCH is `{text}`: it is a number of seconds since 1970"),
            };
            after_epoch(text.parse().map_err(|_| wrong())?).ok_or_else(wrong)?
        }
        Err(_) => committed(directory).unwrap_or_else(|| {
            stderr::line(
                "neither $SOURCE_DATE_EPOCH nor a commit gives a time: packing it again will give other bytes",
            );
            SystemTime::now()
        }),
    };
    Ok(humantime::format_rfc3339_seconds(moment.max(UNIX_EPOCH)).to_string())
}

fn committed(directory: &Path) -> Option<SystemTime> {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    after_epoch(String::from_utf8(output.stdout).ok()?.trim().parse().ok()?)
}

/// Up to the year 9999, where the format ends.
fn after_epoch(seconds: u64) -> Option<SystemTime> {
    (seconds < 253_402_300_800).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}
