//! What is being written to the stdin of a process: never more at once than the pipe takes.

use std::collections::VecDeque;
use std::fs::File;
use std::ops::ControlFlow;

use rustix::io::Errno;

use crate::link::State;

/// How many bytes of messages are taken at once. What is said besides goes in between.
const AT_ONCE: usize = 64 << 10;

/// From so many bytes on that it is told and does not read, a process is not heard: each line may want an answer.
const MOST_TOLD: usize = 256 << 10;

/// What is written, and what is written next.
#[derive(Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
    /// How many of these are written.
    written: usize,
    /// Where messages end in the bytes, and their numbers.
    ends: VecDeque<(usize, u64)>,
    /// Lines that go before all messages that are not being written.
    lines: VecDeque<Vec<u8>>,
    /// How many bytes these have.
    told: usize,
}

/// What came of writing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wrote {
    /// All of it.
    All,
    /// The process reads no more.
    Closed,
    /// What the pipe took.
    Some,
}

impl Out {
    pub(crate) fn line(&mut self, line: Vec<u8>) {
        self.told += line.len();
        self.lines.push_back(line);
    }

    /// Whether it is told more than it reads.
    pub(crate) fn is_full(&self) -> bool {
        self.told >= MOST_TOLD
    }

    /// Takes what is to be written next, if what was taken is written. Messages only if they may be.
    pub(crate) fn fill(&mut self, state: &mut State, with_messages: bool) {
        if self.written < self.bytes.len() {
            return;
        }
        self.bytes.clear();
        self.written = 0;
        for line in self.lines.drain(..) {
            self.bytes.extend_from_slice(&line);
        }
        self.told = 0;
        if !with_messages {
            return;
        }
        if self.bytes.len() < AT_ONCE {
            state.take_outgoing(|delivery| {
                self.bytes.extend_from_slice(&delivery.line);
                self.ends.push_back((self.bytes.len(), delivery.number));
                if self.bytes.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
    }

    /// Whether there is something to be written.
    pub(crate) fn is_waiting(&self) -> bool {
        self.written < self.bytes.len() || !self.lines.is_empty()
    }

    /// Writes what the pipe takes now; `each` gets the numbers of the messages that are written whole.
    pub(crate) fn write(&mut self, pipe: &File, mut each: impl FnMut(u64)) -> Wrote {
        while self.written < self.bytes.len() {
            match rustix::io::write(pipe, &self.bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Wrote::Some,
                Err(_) => return Wrote::Closed,
            }
            while let Some((_, number)) = self.ends.pop_front_if(|(end, _)| *end <= self.written) {
                each(number);
            }
        }
        Wrote::All
    }

    /// The numbers of the messages that were taken and are not written whole.
    pub(crate) fn unwritten(&mut self) -> impl Iterator<Item = u64> {
        self.ends.drain(..).map(|(_, number)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_and_not_read_is_bounded() {
        let mut out = Out::default();
        let (mut count, line) = (0, vec![b'x'; 1000]);
        while !out.is_full() {
            out.line(line.clone());
            count += 1;
        }
        assert_eq!(count, MOST_TOLD / 1000 + 1);
        out.fill(&mut State::default(), false);
        assert!(!out.is_full(), "it is being written");
    }
}
