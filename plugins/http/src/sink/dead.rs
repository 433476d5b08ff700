//! The file of messages that are refused for good.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use rustix::fs::OFlags;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::config::Form;

/// How often, and with what pause, it is tried to have a file for oneself that another sink is writing to.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// Appends what is dead, if the operator wants that.
pub(crate) struct DeadLetters {
    path: Option<PathBuf>,
    form: Form,
}

/// Whether dead letters could be written there: nothing is made.
///
/// # Errors
/// Why they could not.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(no_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            directory.unwrap_or(Path::new(".")).read_dir().map(drop)
        }
        Err(error) => Err(error),
    }
}

impl DeadLetters {
    pub(crate) fn new(path: Option<PathBuf>, form: Form) -> Self {
        DeadLetters { path, form }
    }

    /// Appends a message as it was sent, and the reason: one JSON object in one line. It is on disk when this returns.
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn write(&self, sent: &[u8], reason: &str) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        // A pipe would have the sink wait for ever.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut file =
            File::options().read(true).append(true).create(true).mode(0o640).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(no_file());
        }
        // Other sinks may have the same file. It is free again when it is closed.
        lock(&file)?;
        let before = file.metadata()?.len();
        let mut line = self.line(sent, reason)?;
        // Whoever wrote last may not have come to the end of the line.
        let mut last = [b'\n'];
        if before > 0 {
            file.read_exact_at(&mut last, before - 1)?;
        }
        if last != [b'\n'] {
            line.insert(0, b'\n');
        }
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would be there again and again.
            let _ = file.set_len(before);
        }
        written
    }

    fn line(&self, sent: &[u8], reason: &str) -> io::Result<Vec<u8>> {
        let mut line = match self.form {
            Form::Message => {
                let reason = Value::from(reason);
                let message: &RawValue = serde_json::from_slice(sent)?;
                format!("{{\"reason\":{reason},\"message\":{}}}", message.get())
            }
            Form::Body => match std::str::from_utf8(sent) {
                Ok(body) => json!({ "reason": reason, "body": body }).to_string(),
                Err(_) => json!({ "reason": reason, "body_base64": BASE64_STANDARD.encode(sent) }).to_string(),
            },
        };
        line.push('\n');
        Ok(line.into_bytes())
    }
}

fn lock(file: &File) -> io::Result<()> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another process has locked it"))
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no file")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn sinks_that_share_a_file_spoil_no_line_of_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dead");
        // Somebody was killed while it wrote.
        std::fs::write(&path, "{\"half").unwrap();
        let letter = "x".repeat(10_000);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let dead = DeadLetters::new(Some(path.clone()), Form::Body);
                    (0..20).for_each(|_| dead.write(letter.as_bytes(), "no").unwrap());
                });
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (81, "{\"half"));
        assert!(lines[1..].iter().all(|line| serde_json::from_str::<Value>(line).unwrap()["body"] == *letter));
    }

    #[test]
    fn a_file_that_another_one_has_locked_is_not_written_and_not_waited_for_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dead");
        let other = File::create(&path).unwrap();
        other.lock().unwrap();
        let dead = DeadLetters::new(Some(path.clone()), Form::Body);
        assert_eq!(dead.write(b"x", "no").unwrap_err().to_string(), "another process has locked it");
        other.unlock().unwrap();
        dead.write(b"x", "no").unwrap();
    }

    #[test]
    fn what_is_no_file_is_refused_and_blocks_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        for path in [pipe.clone(), directory.path().into(), "/dev/null".into()] {
            assert_eq!(check(&path).unwrap_err().to_string(), "it is no file");
        }
        assert_eq!(
            DeadLetters::new(Some(pipe), Form::Body).write(b"x", "no").unwrap_err().to_string(),
            "it is no file"
        );
        assert!(check(&directory.path().join("none/dead")).is_err());
        check(&directory.path().join("dead")).unwrap();
        assert!(!directory.path().join("dead").exists());
    }
}
