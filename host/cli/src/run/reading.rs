//! Reading an input: its lines, until it ends or an interrupt comes.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use super::counters::Counters;
use super::encoding::{Encoding, MARK};
use super::input::Input;
use super::lines::{Line, Lines};
use super::parser::longest_line;
use super::progress::Progress;
use crate::args::{InputFormat, Run};
use crate::error::Error;
use crate::interrupt::{Interrupt, Ready};

/// How inputs are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) options: &'a Run,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a Progress,
    pub(super) counters: &'a Counters,
}

/// What becomes of the lines.
pub(super) trait Take {
    /// The input begins with a mark, which is no part of its first line.
    fn mark(&mut self);

    /// The next line, its number and when it was read, in nanoseconds since the Unix epoch.
    fn line(&mut self, line: Line<'_>, number: u64, input: &str, now: u64) -> Result<(), Error>;

    /// There is nothing to read now: whoever reads our output gets everything that is ready before we wait.
    fn pause(&mut self) -> Result<(), Error>;
}

impl Reading<'_> {
    pub(super) fn read(&self, input: &Input, to: &mut impl Take) -> Result<(), Error> {
        let failed = |cause| Error::reading(&input.name, cause);
        let mut lines = Lines::new(&input.file, longest_line(self.options));
        let (mut is_begun, mut number) = (false, 0);
        loop {
            let now = nanoseconds();
            while let Some(line) = lines.next() {
                number += 1;
                to.line(line, number, &input.name, now)?;
            }
            if lines.is_over() {
                return Ok(());
            }
            let mut ready = self.interrupt.look(&input.file).map_err(failed)?;
            if ready == Ready::NotYet {
                to.pause()?;
                ready = self.interrupt.wait(&input.file).map_err(failed)?;
            }
            if ready == Ready::Interrupted {
                return Ok(());
            }
            let read = lines.fill().map_err(failed)?;
            if !is_begun {
                is_begun = self.begin(&mut lines, &input.name, to)?;
            }
            self.counters.bytes.add(read as u64);
            self.progress.read(read);
        }
    }

    /// Looks at how an input begins; returns whether enough of it has been read for that.
    #[cold]
    fn begin<R: Read>(&self, lines: &mut Lines<R>, input: &str, to: &mut impl Take) -> Result<bool, Error> {
        match Encoding::of(lines.unread(), lines.is_over()) {
            None => return Ok(false),
            Some(Encoding::Bytes) => {}
            Some(Encoding::Marked) => {
                // A pattern that begins with `^` must match whatever system wrote the file.
                lines.skip(MARK.len());
                if self.options.input_format != InputFormat::Json {
                    to.mark();
                }
            }
            Some(Encoding::PerhapsUtf16) => tracing::warn!(
                "{input} looks like UTF-16, and is passed on as it is: patterns of plugins, such as masks, match UTF-8 \
                 only; `iconv -f UTF-16LE -t UTF-8`, or UTF-16BE, converts it"
            ),
            Some(Encoding::Other(encoding)) => return Err(Error::Encoding { input: input.into(), encoding }),
        }
        Ok(true)
    }
}

/// The current time, in nanoseconds since the Unix epoch.
fn nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
