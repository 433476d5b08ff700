//! A request or a note, as the worker has it.

use super::lost::Malformed;

/// How many callbacks one crossing runs at most.
pub const MOST_CALLBACKS: usize = 16;

/// What the host asked for, beside the payload: a private copy, whose memory is used again.
///
/// # Invariants
/// `count` is at most [`MOST_CALLBACKS`].
#[derive(Debug, Default)]
pub struct Received {
    callbacks: [u32; MOST_CALLBACKS],
    count: usize,
    pub(super) flags: u32,
    pub(super) codec: u32,
    pub(super) has_context: bool,
    pub(super) deadline_ns: u64,
    pub(super) trace: [u8; 16],
    texts: Texts,
}

/// # Invariants
/// `first` is a boundary of characters in `both`.
#[derive(Debug, Default)]
struct Texts {
    both: String,
    first: usize,
}

/// The context of a dispatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The deadline, in nanoseconds of `CLOCK_MONOTONIC`; 0 for none.
    pub deadline_ns: u64,
    /// The trace that it belongs to; zeros for none.
    pub trace: [u8; 16],
    /// On whose behalf it runs; may be empty. 4096 bytes at most, or a request has no room.
    pub principal: &'a str,
    /// The node that it runs on; may be empty. Bounded alike.
    pub node: &'a str,
}

impl Received {
    /// What the callbacks are known by, in the order in which they are to run.
    pub fn callbacks(&self) -> &[u32] {
        &self.callbacks[..self.count]
    }

    /// For the two ends to agree on.
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// By which codec the payload is encoded.
    pub fn codec(&self) -> u32 {
        self.codec
    }

    /// The context of the dispatch, if it has one.
    pub fn context(&self) -> Option<Context<'_>> {
        let (principal, node) = self.texts.both.split_at(self.texts.first);
        self.has_context.then_some(Context { deadline_ns: self.deadline_ns, trace: self.trace, principal, node })
    }

    /// Room for `count` callbacks, all of which are to be written.
    ///
    /// # Panics
    /// If they are more than [`MOST_CALLBACKS`].
    pub(super) fn callbacks_mut(&mut self, count: usize) -> &mut [u32] {
        assert!(count <= MOST_CALLBACKS);
        // INVARIANT: just asserted.
        self.count = count;
        &mut self.callbacks[..count]
    }

    /// Sets the texts of the context: `fill` appends both, of which the first has `first` bytes.
    pub(super) fn set_texts(&mut self, first: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), Malformed> {
        let mut both = std::mem::take(&mut self.texts).both.into_bytes();
        both.clear();
        fill(&mut both);
        let both = String::from_utf8(both).map_err(|_| Malformed("texts that are not UTF-8"))?;
        if !both.is_char_boundary(first) {
            return Err(Malformed("texts that are not UTF-8"));
        }
        // INVARIANT: just checked.
        self.texts = Texts { both, first };
        Ok(())
    }
}
