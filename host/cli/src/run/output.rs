//! The output of allowed messages.

use std::io;
use std::mem::replace;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use hookrail::Message;

use super::batch::CHUNK;
use super::encoding::MARK;
use crate::args::OutputFormat;
use crate::error::Error;
use crate::stdout;

/// The number of buffers: one is filled while one is written and one waits.
const BUFFERS: usize = 3;

/// Stdout, written by its own thread: the system takes as long to write as this program does to process.
pub(super) struct Output {
    form: OutputFormat,
    buffer: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    written: Receiver<Vec<u8>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Output {
    pub(super) fn new(form: OutputFormat) -> Result<Self, Error> {
        let (full, to_write) = sync_channel(BUFFERS);
        let (done, written) = channel();
        for _ in 1..BUFFERS {
            let _ = done.send(Vec::with_capacity(CHUNK));
        }
        let writer = std::thread::Builder::new().name("stdout".into()).spawn(move || write(&to_write, &done));
        let writer = writer.map_err(|cause| Error::system("start a thread", cause))?;
        Ok(Output { form, buffer: Vec::with_capacity(CHUNK), full, written, writer })
    }

    /// Writes the mark that an input of text began with.
    pub(super) fn mark(&mut self) {
        if self.form == OutputFormat::Text {
            self.buffer.extend_from_slice(MARK);
        }
    }

    /// Writes a message; as text, with the end that its input line had.
    #[inline]
    pub(super) fn write(&mut self, message: &Message, end: &[u8]) -> Result<(), Error> {
        append(&mut self.buffer, self.form, message, end);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Hands over what is buffered; it is written at once. Waits if the writer cannot keep up.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let handed_over = self.written.recv().ok().map(|next| replace(&mut self.buffer, next));
        match handed_over.map(|buffer| self.full.send(buffer)) {
            Some(Ok(())) => Ok(()),
            // The writer has given up, and keeps the reason for `finish`.
            _ => Err(Error::Stdout(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Waits until everything is written.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let flushed = self.flush();
        drop(self.full);
        let written = self.writer.join().expect("writing does not panic");
        written.map_err(Error::Stdout).and(flushed)
    }
}

/// Appends a message in this form; as text, with the end that its input line had. Always inlined: it is done for each line.
#[inline(always)]
pub(super) fn append(to: &mut Vec<u8>, form: OutputFormat, message: &Message, end: &[u8]) {
    match form {
        OutputFormat::Text => {
            to.extend_from_slice(&message.body);
            to.extend_from_slice(end);
        }
        OutputFormat::Json => {
            serde_json::to_writer(&mut *to, message).expect("memory takes everything, and all keys are strings");
            to.push(b'\n');
        }
    }
}

fn write(full: &Receiver<Vec<u8>>, done: &Sender<Vec<u8>>) -> io::Result<()> {
    for mut buffer in full {
        stdout::write_all(&buffer)?;
        buffer.clear();
        // One huge message must not hold its memory forever.
        buffer.shrink_to(CHUNK * 2);
        // When the run has ended, the receiver is gone.
        let _ = done.send(buffer);
    }
    Ok(())
}
