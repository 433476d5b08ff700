//! The path of a message: in, through the points, out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::mem::take;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hookrail::{
    CallbackId, Decision, Dropped, DroppedContent, HookPoint, Host, Message, MessageDelivered, MessageDropped,
    MessageId, MessagePublish, Outcome,
};

use super::counters::Counters;
use super::encoding::{Encoding, MARK};
use super::input::Input;
use super::lines::{Line, Lines};
use super::object::Fields;
use super::output::Output;
use super::progress::Progress;
use crate::args::{InputFormat, Run};
use crate::error::Error;
use crate::interrupt::{Interrupt, Ready};
use crate::stderr;

/// How many malformed lines are shown; all are counted.
const SHOWN: u64 = 10;

/// A pipeline from lines to lines. One message is reused for all lines, so that no line costs an allocation.
pub(super) struct Pipeline<'a> {
    host: &'a Host,
    options: &'a Run,
    interrupt: &'a Interrupt,
    progress: &'a Progress,
    publish: HookPoint<MessagePublish>,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    message: Message,
    output: Output,
    counters: Arc<Counters>,
    denials: HashMap<(Option<CallbackId>, u32), Denials>,
}

/// The results of a run.
pub(super) struct Counts {
    pub(super) counters: Arc<Counters>,
    /// By callback and code: the number of denials, and the reason of the first one.
    pub(super) denials: HashMap<(Option<CallbackId>, u32), Denials>,
}

/// How many bytes topic, source and headers of a message in JSON may have.
const BESIDE_BODY: usize = 1 << 20;

/// How much of why a line is no message is shown, in bytes: it may name a field of any length.
const LONGEST_REASON: usize = 300;

/// What a line of JSON is.
enum Parsed {
    Blank,
    Message,
    /// Its body, or what is beside that, is longer than allowed.
    TooLong {
        length: u64,
    },
}

pub(super) struct Denials {
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) count: u64,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(
        host: &'a Host,
        options: &'a Run,
        interrupt: &'a Interrupt,
        progress: &'a Progress,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        Ok(Pipeline {
            host,
            options,
            interrupt,
            progress,
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            message: Message::empty(),
            output: Output::new(options.output_format())?,
            counters,
            denials: HashMap::new(),
        })
    }

    /// Sends all messages of an input through the points, until it ends or an interrupt comes.
    pub(super) fn read(&mut self, input: &Input) -> Result<(), Error> {
        let failed = |cause| Error::reading(&input.name, cause);
        let mut lines = Lines::new(&input.file, self.longest_line());
        let mut is_begun = false;
        loop {
            let now = nanoseconds();
            while let Some(line) = lines.next() {
                match line {
                    Line::TooLong { length } => self.count_long(&input.name, lines.number(), length),
                    Line::Whole { text, end } => match self.options.input_format {
                        InputFormat::Text => {
                            self.fill(text, &input.name, now);
                            self.dispatch(end)?;
                        }
                        format => match self.parse(format, text, &input.name, now) {
                            Ok(Parsed::Blank) => {}
                            Ok(Parsed::Message) => {
                                self.dispatch(if format == InputFormat::Json { b"\n" } else { end })?
                            }
                            Ok(Parsed::TooLong { length }) => self.count_long(&input.name, lines.number(), length),
                            Err(error) => self.count_bad(&input.name, lines.number(), &error),
                        },
                    },
                }
            }
            if lines.is_over() {
                return Ok(());
            }
            let mut ready = self.interrupt.look(&input.file).map_err(failed)?;
            if ready == Ready::NotYet {
                // The reader of our output gets everything that is ready before we wait.
                self.output.flush()?;
                ready = self.interrupt.wait(&input.file).map_err(failed)?;
            }
            if ready == Ready::Interrupted {
                return Ok(());
            }
            let read = lines.fill().map_err(failed)?;
            if !is_begun {
                is_begun = self.begin(&mut lines, &input.name)?;
            }
            self.counters.bytes.add(read as u64);
            self.progress.read(read);
        }
    }

    /// Writes what is left, and returns the results.
    pub(super) fn finish(self) -> Result<Counts, Error> {
        self.output.finish()?;
        Ok(Counts { counters: self.counters, denials: self.denials })
    }

    /// The longest line that can have a body of the allowed length.
    fn longest_line(&self) -> usize {
        let body = self.options.max_line.0;
        match self.options.input_format {
            // JSON writes a control character as six; topic, source and headers come on top.
            InputFormat::Json => body.saturating_add(BESIDE_BODY).saturating_mul(6),
            InputFormat::Ndjson | InputFormat::Text => body,
        }
    }

    /// Looks at how an input begins; returns whether enough of it has been read for that.
    #[cold]
    fn begin<R: Read>(&mut self, lines: &mut Lines<R>, input: &str) -> Result<bool, Error> {
        match Encoding::of(lines.unread(), lines.is_over()) {
            None => return Ok(false),
            Some(Encoding::Bytes) => {}
            Some(Encoding::Marked) => {
                // A pattern that begins with `^` must match whatever system wrote the file.
                lines.skip(MARK.len());
                if self.options.input_format != InputFormat::Json {
                    self.output.mark();
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

    /// Fills the message with a line. Always inlined: a call would cost each line of text.
    #[inline(always)]
    fn fill(&mut self, text: &[u8], source: &str, now: u64) {
        let message = &mut self.message;
        message.id = MessageId::at(now);
        message.timestamp = now;
        message.flags = 0;
        message.body.set(text);
        message.headers.clear();
        // A plugin may have changed them; usually none has, and comparing is cheaper than copying.
        if message.source != *source {
            message.source.set(source);
        }
        if message.topic != *self.options.topic {
            message.topic.set(&self.options.topic);
        }
    }

    /// Parses a line of JSON into the message. Never inlined: lines of text must not pay for it.
    #[inline(never)]
    fn parse(&mut self, format: InputFormat, line: &[u8], source: &str, now: u64) -> Result<Parsed, serde_json::Error> {
        if line.trim_ascii().is_empty() {
            return Ok(Parsed::Blank);
        }
        if format == InputFormat::Ndjson {
            self.fill(line, source, now);
            let fields = Fields { topic: self.options.topic_field.as_deref(), headers: &self.options.header_fields };
            fields.take(line, &mut self.message)?;
            return Ok(Parsed::Message);
        }
        self.message = serde_json::from_slice(line)?;
        let Message { source: from, topic, headers, body, .. } = &self.message;
        let beside = headers.iter().map(|header| header.key.len() + header.value.len()).sum::<usize>();
        let beside = from.len() + topic.len() + beside;
        if body.len() > self.options.max_line.0 || beside > BESIDE_BODY {
            return Ok(Parsed::TooLong { length: (body.len() + beside) as u64 });
        }
        if self.message.source.is_empty() {
            self.message.source.set(source);
        }
        if self.message.topic.is_empty() {
            self.message.topic.set(&self.options.topic);
        }
        Ok(Parsed::Message)
    }

    #[inline]
    fn dispatch(&mut self, end: &[u8]) -> Result<(), Error> {
        self.counters.messages.add(1);
        let outcome = self.publish.dispatch(&mut self.message);
        if let Decision::Denied(code) = outcome.decision() {
            self.drop(outcome, code);
            return Ok(());
        }
        self.output.write(&self.message, end)?;
        self.counters.delivered.add(1);
        let _ = self.delivered.dispatch(&mut self.message);
        Ok(())
    }

    fn drop(&mut self, outcome: Outcome, code: u32) {
        // Of many denials with the same cause, the reason is formatted for the first one only, unless `message.dropped`
        // is hooked.
        let key = (outcome.decided_by(), code);
        let known = self.denials.contains_key(&key);
        let denial = if known && !self.dropped.is_hooked() { None } else { self.host.denial(&outcome) };
        let (by, reason) = denial.map(|denial| (denial.by, denial.reason)).unwrap_or_default();
        let (by, reason) = (by.unwrap_or_default(), reason.unwrap_or_default());
        if self.dropped.is_hooked() {
            let mut dropped = Dropped::denied(take(&mut self.message), by.as_str(), code, reason.as_str());
            if self.host.config().message.dropped != DroppedContent::Raw {
                dropped.withhold();
            }
            let _ = self.dropped.dispatch(&mut dropped);
            self.message = dropped.message;
        }
        self.denials.entry(key).or_insert(Denials { by, reason, count: 0 }).count += 1;
        self.counters.denied.add(1);
    }

    #[cold]
    fn count_bad(&mut self, source: &str, line: u64, error: &serde_json::Error) {
        self.counters.bad_lines.add(1);
        if self.counters.bad_lines.value() <= SHOWN {
            // The parser counts lines too, and for it there is only one.
            let what = error.to_string();
            let what = without_value(what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what));
            let what = &what[..what.floor_char_boundary(LONGEST_REASON)];
            stderr::line(format_args!("{source}:{line}:{}: not a message: {what}", error.column()));
        }
        if self.counters.bad_lines.value() == SHOWN + 1 {
            stderr::line("more lines that are not messages are counted, but not shown");
        }
    }

    #[cold]
    fn count_long(&mut self, source: &str, line: u64, length: u64) {
        self.counters.long_lines.add(1);
        if self.counters.long_lines.value() <= SHOWN {
            let longest = self.options.max_line.0;
            stderr::line(format_args!("{source}:{line}: skipped: it has {length} bytes, --max-line allows {longest}"));
        }
        if self.counters.long_lines.value() == SHOWN + 1 {
            stderr::line("more lines that are too long are counted, but not shown");
        }
    }
}

/// Why a value is not the right one, without the value: a mask has not seen it.
fn without_value(what: &str) -> Cow<'_, str> {
    let is_quoted = what.starts_with("invalid type: ") || what.starts_with("invalid value: ");
    match (what.find(['"', '`']), what.rfind(", expected ")) {
        (Some(value), Some(expected)) if is_quoted && value < expected => {
            format!("{}{}", what[..value].trim_end(), &what[expected..]).into()
        }
        _ => what.into(),
    }
}

/// The current time, in nanoseconds since the Unix epoch.
fn nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
