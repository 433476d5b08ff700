//! The path of a message on one thread: in, through the points, out.

use std::mem::take;
use std::sync::Arc;

use hookrail::{Decision, HookPoint, Host, MessageDelivered, MessageDropped, MessagePublish, Outcome};

use super::complaints::Complaints;
use super::counters::Counters;
use super::denials::{ByCause, Denials, Why};
use super::lines::Line;
use super::output::Output;
use super::parser::{Parsed, Parser};
use super::reading::Take;
use crate::args::{InputFormat, Run};
use crate::error::Error;

/// A pipeline from lines to lines.
pub(super) struct Pipeline<'a> {
    host: &'a Host,
    options: &'a Run,
    publish: HookPoint<MessagePublish>,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    parser: Parser<'a>,
    output: Output,
    counters: Arc<Counters>,
    complaints: Complaints<'a>,
    denials: ByCause,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(host: &'a Host, options: &'a Run, counters: Arc<Counters>) -> Result<Self, Error> {
        Ok(Pipeline {
            host,
            options,
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            parser: Parser::new(options),
            output: Output::new(options.output_format())?,
            complaints: Complaints::new(options, counters.clone()),
            counters,
            denials: ByCause::new(),
        })
    }

    /// Writes what is left, and returns what was denied.
    pub(super) fn finish(self) -> Result<ByCause, Error> {
        self.output.finish()?;
        Ok(self.denials)
    }

    #[inline(always)]
    fn dispatch(&mut self, end: &[u8]) -> Result<(), Error> {
        self.counters.messages.add(1);
        let outcome = self.publish.dispatch(&mut self.parser.message);
        if let Decision::Denied(code) = outcome.decision() {
            self.drop(outcome, code);
            return Ok(());
        }
        self.output.write(&self.parser.message, end)?;
        self.counters.delivered.add(1);
        let _ = self.delivered.dispatch(&mut self.parser.message);
        Ok(())
    }

    fn drop(&mut self, outcome: Outcome, code: u32) {
        // Of many denials with the same cause, the reason is formatted for the first one only, unless `message.dropped`
        // is hooked.
        let cause = (outcome.decided_by(), code);
        let known = self.denials.contains_key(&cause);
        let why = if known && !self.dropped.is_hooked() { Why::default() } else { Why::of(self.host, &outcome) };
        if self.dropped.is_hooked() {
            let message = take(&mut self.parser.message);
            self.parser.message = why.tell(self.host, &self.dropped, code, message);
        }
        self.denials.entry(cause).or_insert(Denials { why, count: 0 }).count += 1;
        self.counters.denied.add(1);
    }
}

impl Take for Pipeline<'_> {
    fn mark(&mut self) {
        self.output.mark();
    }

    #[inline(always)]
    fn line(&mut self, line: Line<'_>, number: u64, input: &str, now: u64) -> Result<(), Error> {
        match line {
            Line::TooLong { length } => self.complaints.too_long(input, number, length),
            Line::Whole { text, end } if self.options.input_format == InputFormat::Text => {
                self.parser.fill(text, input, now);
                self.dispatch(end)?;
            }
            Line::Whole { text, end } => match self.parser.parse(text, input, now) {
                Ok(Parsed::Blank) => {}
                Ok(Parsed::Message) => self.dispatch(self.parser.end(end))?,
                Ok(Parsed::TooLong { length }) => self.complaints.too_long(input, number, length),
                Err(error) => self.complaints.bad(input, number, &error),
            },
        }
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Error> {
        self.output.flush()
    }
}
