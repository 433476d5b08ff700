//! One of several threads that run the chain of `message.publish`.

use std::collections::HashSet;
use std::mem::{replace, take};
use std::sync::Arc;

use hookrail::{Decision, HookPoint, Host, MessageDelivered, MessageDropped, MessagePublish, Outcome};

use super::batch::{Batch, Done, Event, Spare};
use super::counters::Counters;
use super::denials::{Cause, Why};
use super::encoding::MARK;
use super::lines::Line;
use super::ordered::{Over, Results, Worker};
use super::output::append;
use super::parser::{Parsed, Parser};
use crate::args::{InputFormat, OutputFormat, Run};
use crate::interrupt::EndedByPanic;

pub(super) struct Chain<'a> {
    host: &'a Host,
    options: &'a Run,
    form: OutputFormat,
    publish: HookPoint<MessagePublish>,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    parser: Parser<'a>,
    counters: Arc<Counters>,
    /// Which of the counters is this thread's.
    index: usize,
    spare: Arc<Spare>,
    known: HashSet<Cause>,
    _ended: EndedByPanic<'a>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(
        host: &'a Host,
        options: &'a Run,
        ended: EndedByPanic<'a>,
        counters: &Arc<Counters>,
        index: usize,
        spare: &Arc<Spare>,
    ) -> Result<Self, hookrail::Error> {
        Ok(Chain {
            host,
            options,
            form: options.output_format(),
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            parser: Parser::new(options),
            counters: counters.clone(),
            index,
            spare: spare.clone(),
            known: HashSet::new(),
            _ended: ended,
        })
    }

    fn batch(&mut self, batch: &Batch, results: &Results<Done>) -> Result<(), Over> {
        let spare = self.spare.clone();
        let fresh = || Done::new(batch.input.clone(), spare.take());
        let mut done = fresh();
        if batch.is_marked && self.form == OutputFormat::Text {
            done.bytes.extend_from_slice(MARK);
        }
        for (number, line) in batch.lines() {
            match line {
                Line::TooLong { length } => done.push(Event::TooLong { line: number, length }),
                Line::Whole { text, end } if self.options.input_format == InputFormat::Text => {
                    self.parser.fill(text, &batch.input, batch.now);
                    self.dispatch(end, &mut done);
                }
                Line::Whole { text, end } => match self.parser.parse(text, &batch.input, batch.now) {
                    Ok(Parsed::Blank) => {}
                    Ok(Parsed::Message) => self.dispatch(self.parser.end(end), &mut done),
                    Ok(Parsed::TooLong { length }) => done.push(Event::TooLong { line: number, length }),
                    Err(error) => done.push(Event::Bad { line: number, error }),
                },
            }
            if done.is_full() {
                results.send(replace(&mut done, fresh()))?;
            }
        }
        results.send(done)
    }

    #[inline]
    fn dispatch(&mut self, end: &[u8], done: &mut Done) {
        self.counters.on_thread(self.index).add(1);
        let outcome = self.publish.dispatch(&mut self.parser.message);
        if let Decision::Denied(code) = outcome.decision() {
            self.drop(&outcome, code, done);
            return;
        }
        append(&mut done.bytes, self.form, &self.parser.message, end);
        done.delivered += 1;
        if self.delivered.is_hooked() {
            done.push(Event::Delivered(Box::new(take(&mut self.parser.message))));
        }
    }

    fn drop(&mut self, outcome: &Outcome, code: u32, done: &mut Done) {
        let cause = (outcome.decided_by(), code);
        let is_hooked = self.dropped.is_hooked();
        // Only this thread can say why.
        let is_first = self.known.insert(cause);
        let why = (is_first || is_hooked).then(|| Box::new(Why::of(self.host, outcome)));
        let message = is_hooked.then(|| Box::new(take(&mut self.parser.message)));
        done.push(Event::Denied { cause, why, message });
    }
}

impl Worker<Batch, Done> for Chain<'_> {
    fn work(&mut self, batch: Batch, results: &Results<Done>) {
        // If nobody takes the results, the run is over, and there is nobody to tell.
        let _ = self.batch(&batch, results);
        self.spare.put(batch.into_text());
    }

    /// Does what the host has asked each thread to do when it next leaves a dispatch, such as destroying what a plugin that
    /// has left keeps in this thread: without messages there is none.
    fn idle(&mut self) {
        self.host.pin(|_| ());
    }
}
