//! A process of an operator: its pipes, and what it has said.

use std::fs::File;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use hookrail_abi::unit;
use rustix::event::PollFd;
use rustix::io::Errno;

use crate::bell::{readable, writable};
use crate::lines::{Line, Lines};
use crate::link::{Settled, State};
use crate::out::{Out, Wrote};
use crate::said::{Ready, Said};
use crate::wanted::Filter;

/// How much is read before everything else is looked at again.
const AT_ONCE: usize = 64 << 10;

/// How many mistakes of a process are logged one by one.
pub(crate) const MOST_LOGGED: u64 = 10;

/// A process, as long as it is there.
pub(crate) struct Process {
    /// Its number in its unit.
    pub(crate) run: u64,
    /// Its number among all processes of the operator in this instance.
    pub(crate) number: u64,
    stdin: Option<File>,
    stdout: Option<File>,
    lines: Lines,
    pub(crate) out: Out,
    pub(crate) ready: Option<Ready>,
    pub(crate) filters: Vec<Filter>,
    /// How many lines could not be read: in a row, and all of them.
    pub(crate) mistakes: (u32, u64),
    pub(crate) has_said_unknown: bool,
    /// When it is told to end by a signal.
    pub(crate) terminate_at: Option<Instant>,
    /// Its stdin is closed once everything is written.
    is_closing: bool,
}

/// What a process has said, with the bytes that it took, or why that is nothing.
pub(crate) type Heard = Result<(Said, usize), String>;

impl Process {
    /// # Errors
    /// If its pipes cannot be used without waiting.
    pub(crate) fn new(started: unit::Process, number: u64, max_line: usize) -> Result<Self> {
        let unit::Process { run, stdin, stdout, .. } = started;
        // These ends are ours alone, so what it has is as it was.
        for pipe in [&stdin, &stdout] {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Process {
            run,
            number,
            stdin: Some(stdin),
            stdout: Some(stdout),
            lines: Lines::new(max_line),
            out: Out::default(),
            ready: None,
            filters: Vec::new(),
            mistakes: (0, 0),
            has_said_unknown: false,
            terminate_at: None,
            is_closing: false,
        })
    }

    /// Whether it has said that it answers that.
    pub(crate) fn answers(&self, what: &str) -> bool {
        self.ready.as_ref().is_some_and(|ready| ready.answers(what))
    }

    fn acks(&self) -> bool {
        self.ready.as_ref().is_some_and(|ready| ready.acks)
    }

    /// Tells it to end: by a line and the end of its stdin, and after a while by a signal.
    pub(crate) fn shut_down(&mut self, stop: Duration) {
        self.out.line(crate::told::bare("shutdown"));
        self.is_closing = true;
        // Whoever takes nothing does not read that its stdin has ended.
        let reads = !self.filters.is_empty() || self.answers("shutdown");
        self.terminate_at = Some(Instant::now() + if reads { stop / 2 } else { Duration::ZERO });
    }

    /// Writes what its stdin takes now.
    pub(crate) fn write(&mut self, state: &mut State, is_halted: bool) {
        let acks = self.acks();
        while let Some(stdin) = &self.stdin {
            let with_messages = self.ready.is_some() && !self.is_closing && !is_halted;
            self.out.fill(state, with_messages);
            if !self.out.is_waiting() {
                if self.is_closing {
                    self.stdin = None;
                }
                return;
            }
            let mut written = Vec::new();
            let wrote = self.out.write(stdin, |number| written.push(number));
            if !acks {
                written.into_iter().for_each(|number| state.settle(number, Settled::Delivered));
            }
            match wrote {
                Wrote::All => {}
                Wrote::Closed => self.stdin = None,
                Wrote::Some => return,
            }
        }
        self.give_back(state, "the operator has closed its stdin");
    }

    /// What can be written no more comes again.
    fn give_back(&mut self, state: &mut State, why: &str) {
        let mut unwritten: Vec<_> = self.out.unwritten().collect();
        if self.ready.is_some() && !self.is_closing {
            state.take_outgoing(|delivery| {
                unwritten.push(delivery.number);
                std::ops::ControlFlow::Continue(())
            });
        }
        unwritten.into_iter().for_each(|number| state.settle(number, Settled::Retried(why.into())));
    }

    /// Reads what there is, up to a limit. Returns what was heard, and whether there may be more.
    pub(crate) fn read(&mut self) -> (Vec<Heard>, bool) {
        let mut heard = Vec::new();
        let Some(stdout) = &self.stdout else { return (heard, false) };
        let mut bytes = [0; AT_ONCE];
        match rustix::io::read(stdout, &mut bytes) {
            Ok(0) => self.end_of_output(&mut heard),
            Ok(count) => {
                self.lines.take(&bytes[..count], |line| heard.push(hear(line)));
                return (heard, true);
            }
            Err(Errno::INTR) => return (heard, true),
            Err(Errno::AGAIN) => {}
            Err(_) => self.end_of_output(&mut heard),
        }
        (heard, false)
    }

    /// There will be no more from it: what no newline has ended is a line.
    pub(crate) fn end_of_output(&mut self, heard: &mut Vec<Heard>) {
        self.lines.finish(|line| heard.push(hear(line)));
        self.stdout = None;
    }

    /// What it is waited for.
    pub(crate) fn polled(&self, reads: bool) -> impl Iterator<Item = PollFd<'_>> {
        let stdin = self.stdin.as_ref().filter(|_| self.out.is_waiting()).map(|stdin| writable(stdin));
        let stdout = self.stdout.as_ref().filter(|_| reads).map(|stdout| readable(stdout));
        stdin.into_iter().chain(stdout)
    }
}

fn hear(line: Line<'_>) -> Heard {
    match line {
        Line::Whole(line) => Said::read(line).map(|said| (said, line.len())).map_err(|why| {
            let line = crate::shown::shown(&String::from_utf8_lossy(&line[..line.len().min(1024)]));
            format!("{}: {line}", crate::shown::shown(&why))
        }),
        Line::TooLong(length) => Err(format!("a line of {length} bytes, which is longer than `max_line`")),
    }
}
