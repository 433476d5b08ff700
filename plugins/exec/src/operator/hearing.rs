//! What a process says, taken line by line.

use std::sync::Arc;

use hookrail_abi::host::Level;

use super::{KILL, Running};
use crate::link::{Phase, Published, Receipt, Settled};
use crate::process::{Heard, MOST_LOGGED};
use crate::said::{Ready, Said, What};
use crate::shown::{shown, shown_up_to};
use crate::terms::Terms;
use crate::told;
use crate::wanted::Filter;

/// After so many lines in a row that are none it speaks another language, and is killed.
const MOST_MISTAKES: u32 = 100;
/// How many subscriptions a process may have.
const MOST_FILTERS: usize = 256;
/// The longest line that an operator logs, in characters.
const LONGEST_LOG: usize = 8 << 10;

impl Running<'_> {
    /// A line was read, or could not be.
    pub(super) fn heard(&mut self, heard: Heard) {
        let understood = heard.and_then(|(said, size)| self.understand(said, size));
        let Some(process) = &mut self.process else { return };
        let Err(why) = understood else {
            process.mistakes.0 = 0;
            return;
        };
        process.mistakes.0 += 1;
        process.mistakes.1 += 1;
        let (in_a_row, all) = process.mistakes;
        if all <= MOST_LOGGED {
            self.keeper.log(Level::Warn, &format!("a line of its stdout is passed over: {why}"));
        }
        if in_a_row == MOST_MISTAKES {
            self.keeper.log(Level::Error, &format!("{MOST_MISTAKES} lines in a row could not be read: it is killed"));
            self.unit.signal(KILL);
        }
    }

    /// # Errors
    /// Why it cannot have meant that.
    fn understand(&mut self, said: Said, size: usize) -> Result<(), String> {
        let link = self.keeper.link.clone();
        match said {
            Said::Publish { mut message, reference } => {
                if message.source.is_empty() {
                    message.source.set(&link.name);
                }
                let process = self.process.as_ref().map_or(0, |process| process.number);
                let receipt = reference.map(|reference| Receipt { process, reference });
                link.state().publish(Published { message: *message, receipt, size });
                link.source.ring();
            }
            Said::Ack(number) => self.settle(number, Settled::Delivered)?,
            Said::Reject(number, why) => self.settle(number, Settled::Rejected(reason(&why)))?,
            Said::Retry(number, why) => self.settle(number, Settled::Retried(reason(&why)))?,
            Said::Subscribe(filter) => self.subscribe(filter)?,
            Said::Ready(ready) => self.ready(ready)?,
            Said::Pong(pong) => self.ponged(&pong),
            Said::Done(what) => self.answered(what, Ok(())),
            Said::Refused(what, why) => self.answered(what, Err(reason(&why))),
            Said::Log(level, text) => self.keeper.log(level, &shown_up_to(&text, LONGEST_LOG)),
            Said::Config(config) => {
                let kept = self.keeper.store(config);
                if let Some(process) = &mut self.process {
                    process.out.line(told::config_kept(kept));
                }
            }
            Said::Unknown(what) => {
                let is_first = self
                    .process
                    .as_mut()
                    .is_some_and(|process| !std::mem::replace(&mut process.has_said_unknown, true));
                if is_first {
                    let line = format!("says `{}`, which this version does not know: it is passed over", shown(&what));
                    self.keeper.log(Level::Warn, &line);
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, number: u64, settled: Settled) -> Result<(), String> {
        let acks = self.process.as_ref().and_then(|process| process.ready.as_ref()).is_some_and(|ready| ready.acks);
        if !acks {
            return Err("it answers for a message and was not `ready` with `\"acks\": true`".into());
        }
        let link = &self.keeper.link;
        link.state().settle(number, settled);
        link.sink.ring();
        Ok(())
    }

    fn subscribe(&mut self, filter: Filter) -> Result<(), String> {
        let Some(process) = &mut self.process else { return Ok(()) };
        if process.filters.len() == MOST_FILTERS {
            return Err(format!("it has {MOST_FILTERS} subscriptions already"));
        }
        process.filters.push(filter);
        self.agree();
        Ok(())
    }

    fn ready(&mut self, ready: Ready) -> Result<(), String> {
        let Some(process) = &mut self.process else { return Ok(()) };
        if process.ready.is_some() {
            return Err("it was ready already".into());
        }
        if let Some(version) = ready.protocol.filter(|version| *version != told::PROTOCOL) {
            let speaks = told::PROTOCOL;
            let why = format!("it speaks version {version} of the protocol, and this plugin {speaks}: it is killed");
            self.keeper.log(Level::Error, &why);
            self.unit.signal(KILL);
            return Ok(());
        }
        process.ready = Some(ready);
        if self.keeper.link.state().is_halted && process.answers(What::Halt.name()) {
            process.out.line(told::bare(What::Halt.name()));
        }
        self.keeper.link.state().illness = None;
        self.unit.ready(process.run);
        self.agree();
        Ok(())
    }

    /// What it has said of itself holds from now on, if it is ready.
    fn agree(&self) {
        let Some(process) = self.process.as_ref().filter(|process| process.ready.is_some()) else { return };
        let max_line = self.keeper.operator.max_line;
        let terms = Terms { filters: process.filters.clone(), max_line };
        self.keeper.link.set(Phase::Ready(process.number, Arc::new(terms)));
    }
}

/// Why it does not do something: there is always a reason to be shown.
fn reason(why: &str) -> String {
    if why.is_empty() { "it gives no reason".into() } else { shown(why) }
}
