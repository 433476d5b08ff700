//! The path of a message where several threads run the chain: one thread reads and frames, several run
//! `message.publish`, one writes in the order of the input.
//!
//! The writer also counts, and runs `message.delivered` and `message.dropped`, so that they keep that order too.

use std::mem::take;
use std::sync::Arc;
use std::thread::Scope;

use hookrail::{HookPoint, Host, MessageDelivered, MessageDropped};

use super::batch::{Batch, Done, Event, Spare};
use super::complaints::Complaints;
use super::counters::Counters;
use super::denials::{ByCause, Denials};
use super::input::Input;
use super::lines::Line;
use super::ordered::{InOrder, Ordered, Over};
use super::reading::{Reading, Take};
use super::worker::Chain;
use crate::args::Run;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::stdout;

/// The threads, from the side of the reader.
pub(super) struct Threads<'scope> {
    ordered: Ordered<'scope, Batch, Result<ByCause, Error>>,
    batch: Option<Batch>,
    is_marked: bool,
    spare: Arc<Spare>,
}

struct Writer<'a> {
    host: &'a Host,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    counters: Arc<Counters>,
    complaints: Complaints<'a>,
    denials: ByCause,
    spare: Arc<Spare>,
}

impl<'scope> Threads<'scope> {
    pub(super) fn begin(
        scope: &'scope Scope<'scope, '_>,
        host: &'scope Host,
        options: &'scope Run,
        interrupt: &'scope Interrupt,
        counters: &Arc<Counters>,
    ) -> Result<Self, Error> {
        let spare = Arc::<Spare>::default();
        let chain = |index| Chain::new(host, options, interrupt.ended_by_panic(), counters, index, &spare);
        let chains = (0..options.threads.into()).map(chain).collect::<Result<Vec<_>, _>>()?;
        let mut writer = Writer {
            host,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            counters: counters.clone(),
            complaints: Complaints::new(options, counters.clone()),
            denials: ByCause::new(),
            spare: spare.clone(),
        };
        let write = move |results: InOrder<Done>| {
            let _ended = interrupt.ended_by_panic();
            let written = results.into_iter().try_for_each(|done| writer.write(done));
            written.inspect_err(|_| interrupt.end_reading())?;
            Ok(writer.denials)
        };
        let ordered = Ordered::begin(scope, chains, write)?;
        Ok(Threads { ordered, batch: None, is_marked: false, spare })
    }

    /// Sends all messages of an input through the points, until it ends or an interrupt comes.
    pub(super) fn read(&mut self, reading: &Reading<'_>, input: &Input) -> Result<(), Error> {
        let read = reading.read(input, self);
        if take(&mut self.is_marked) {
            // There is nothing but the mark.
            self.batch = Some(Batch::new(input.name.as_str().into(), 1, 0, true, self.spare.take()));
        }
        // What was read before it failed counts; the next batch has another source.
        self.pause().and(read)
    }

    /// Waits until everything is written, and returns what was denied.
    pub(super) fn finish(self) -> Result<ByCause, Error> {
        self.ordered.finish()
    }

    fn hand_over(&mut self, batch: Batch) -> Result<(), Error> {
        // The writer has given up, and keeps the reason for `finish`.
        self.ordered.give(batch).map_err(|Over| Error::Stdout(std::io::ErrorKind::BrokenPipe.into()))
    }
}

impl Take for Threads<'_> {
    fn mark(&mut self) {
        self.is_marked = true;
    }

    #[inline]
    fn line(&mut self, line: Line<'_>, number: u64, input: &str, now: u64) -> Result<(), Error> {
        let batch = self
            .batch
            .get_or_insert_with(|| Batch::new(input.into(), number, now, take(&mut self.is_marked), self.spare.take()));
        batch.push(line);
        if batch.is_full() { self.pause() } else { Ok(()) }
    }

    fn pause(&mut self) -> Result<(), Error> {
        self.batch.take().map_or(Ok(()), |batch| self.hand_over(batch))
    }
}

impl Writer<'_> {
    fn write(&mut self, done: Done) -> Result<(), Error> {
        stdout::write_all(&done.bytes).map_err(Error::Stdout)?;
        self.spare.put(done.bytes);
        self.counters.delivered.add(done.delivered);
        for event in done.events {
            match event {
                Event::Bad { line, error } => self.complaints.bad(&done.input, line, &error),
                Event::TooLong { line, length } => self.complaints.too_long(&done.input, line, length),
                Event::Delivered(mut message) => _ = self.delivered.dispatch(&mut message),
                Event::Denied { cause, why, message } => {
                    let why = why.unwrap_or_default();
                    if let Some(message) = message {
                        why.tell(self.host, &self.dropped, cause.1, *message);
                    }
                    self.denials.entry(cause).or_insert(Denials { why: *why, count: 0 }).count += 1;
                    self.counters.denied.add(1);
                }
            }
        }
        Ok(())
    }
}
