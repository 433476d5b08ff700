//! Names for addresses in a library, read from its private copy.
//!
//! Not by a crate that reads the process's own debug information: those learn once which libraries
//! are loaded, and keep the files that they have read mapped.

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use hookrail_image::Bytes;
use object::{Object, ObjectSegment};

use crate::mapped;

/// Where a library lies, and what it was read from.
#[derive(Debug)]
pub(crate) struct Symbols {
    copy: OwnedFd,
    segments: Vec<Range<usize>>,
}

impl Symbols {
    /// Those of the library that was opened from `copy`.
    pub(crate) fn of(copy: &OwnedFd) -> Option<Self> {
        let segments = mapped::segments(copy.as_fd());
        Some(Symbols { segments, copy: copy.try_clone().ok()? })
    }

    /// The names of the functions that were to be returned to at these addresses, in order; without
    /// those that lie elsewhere, and without a name where none is known.
    pub(crate) fn names(&self, returns: &[usize]) -> Vec<Option<String>> {
        // One before: after a call that never returns stands the next function.
        let calls = returns.iter().map(|address| address.wrapping_sub(1));
        let own: Vec<_> = calls.filter(|call| self.segments.iter().any(|range| range.contains(call))).collect();
        self.look_up(&own).unwrap_or_else(|| vec![None; own.len()])
    }

    fn look_up(&self, addresses: &[usize]) -> Option<Vec<Option<String>>> {
        // The mapping ends here, long before anybody closes the library.
        let bytes = Bytes::of(&self.copy).ok()?;
        let file = object::File::parse(&*bytes).ok()?;
        let moved_by = (self.segments.first()?.start as u64).wrapping_sub(file.segments().next()?.address());
        let symbols = file.symbol_map();
        let name = |address: &usize| {
            let symbol = symbols.before((*address as u64).wrapping_sub(moved_by))?;
            Some(format!("{:#}", rustc_demangle::demangle(symbol.name())))
        };
        Some(addresses.iter().map(name).collect())
    }
}
