//! The file of messages that are refused for good.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::config::Form;

/// Appends what is dead, if the operator wants that.
pub(crate) struct DeadLetters {
    path: Option<PathBuf>,
    form: Form,
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
        let mut file = File::options().append(true).create(true).mode(0o640).open(path)?;
        let before = file.metadata()?.len();
        let written = file.write_all(&self.line(sent, reason)?).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would spoil the one that is appended next.
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
