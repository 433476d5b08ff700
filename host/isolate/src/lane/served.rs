//! A crossing that the worker is in.

use super::area::Area;
use super::lost::Malformed;
use super::mail::WORDS;
use super::memory::Progress;
use super::received::{MOST_CALLBACKS, Received};
use super::reply;

/// A request that the worker serves: its callbacks are run in order, up to the first whose verdict is not to continue.
#[derive(Debug)]
pub struct Served<'a> {
    request: &'a Received,
    payload: Area<'a>,
    depth: usize,
    frame: Area<'a>,
    progress: &'a Progress,
    passed: u32,
    ran: usize,
    verdict: u32,
    durations: [u64; MOST_CALLBACKS],
    report: Option<(u32, String)>,
}

/// The reply is written.
#[derive(Debug)]
pub struct Answered(pub(super) Result<[u64; WORDS], Malformed>);

impl<'a> Served<'a> {
    /// The crossing that was passed with this word, whose reply is to go to `frame`.
    pub(super) fn new(
        request: &'a Received,
        payload: Area<'a>,
        depth: usize,
        frame: Area<'a>,
        (progress, passed): (&'a Progress, u32),
    ) -> Self {
        let durations = [0; MOST_CALLBACKS];
        Served { request, payload, depth, frame, progress, passed, ran: 0, verdict: 0, durations, report: None }
    }

    /// What the host asked for.
    pub fn request(&self) -> &'a Received {
        self.request
    }

    /// The encoded payload. It lies there until the reply is written.
    pub fn payload(&self) -> Area<'a> {
        self.payload
    }

    /// In how many other crossings of this lane this one is.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Says that the callback with this index in the request is about to run: should the worker die, it was this one.
    pub fn begin(&self, index: usize) {
        self.progress.note(self.depth, self.passed, index);
    }

    /// Records the verdict of the callback that has run, and how many nanoseconds it took.
    ///
    /// # Panics
    /// If all callbacks have run already, or one did not continue.
    pub fn end(&mut self, verdict: u32, duration: u64) {
        assert!(self.ran < self.request.callbacks().len() && self.verdict == 0, "no callback was to run");
        self.durations[self.ran] = duration;
        self.ran += 1;
        self.verdict = verdict;
    }

    /// Reports a text about the last callback, of which the first 16 KiB are sent; `kind` is not 0. The last report
    /// counts.
    pub fn report(&mut self, kind: u32, text: impl Into<String>) {
        self.report = Some((kind, text.into()));
    }

    /// Replies that the payload is as it was.
    pub fn unchanged(self) -> Answered {
        self.answer(None::<fn(Area<'_>) -> Option<usize>>)
    }

    /// Replies that the payload was changed: `encode` writes the changes, where the request was, and returns how many
    /// bytes they need; `None` if they cannot be encoded.
    pub fn changed(self, encode: impl FnOnce(Area<'_>) -> Option<usize>) -> Answered {
        self.answer(Some(encode))
    }

    fn answer(self, encode: Option<impl FnOnce(Area<'_>) -> Option<usize>>) -> Answered {
        let durations = &self.durations[..self.ran];
        Answered(reply::put(self.frame, self.verdict, durations, self.report.as_ref(), encode))
    }
}
