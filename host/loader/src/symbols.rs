//! Names for addresses in a library, read from its private copy.
//!
//! Not by a crate that reads the process's own debug information: such crates list the loaded libraries only once, and
//! keep the files that they have read mapped.

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use hookrail_image::Bytes;
use object::{Object, ObjectSegment, SymbolMap, SymbolMapName};

use crate::mapped;

/// Where a library is mapped, and what it was opened from.
#[derive(Debug)]
pub(crate) struct Symbols {
    copy: OwnedFd,
    segments: Vec<Range<usize>>,
}

impl Symbols {
    /// The symbols of the library that was opened from `copy`.
    pub(crate) fn of(copy: &OwnedFd) -> Option<Self> {
        let segments = mapped::segments(copy.as_fd());
        Some(Symbols { segments, copy: copy.try_clone().ok()? })
    }

    /// The names of the functions with these return addresses, in order. Addresses outside the library are left out;
    /// the name is `None` where it is unknown.
    pub(crate) fn names(&self, returns: &[usize]) -> Vec<Option<String>> {
        // One byte earlier: the return address of a call that never returns is in the next function.
        let calls = returns.iter().map(|address| address.wrapping_sub(1));
        let own: Vec<_> = calls.filter(|call| self.segments.iter().any(|range| range.contains(call))).collect();
        self.look_up(&own).unwrap_or_else(|| vec![None; own.len()])
    }

    fn look_up(&self, addresses: &[usize]) -> Option<Vec<Option<String>>> {
        // The mapping ends here, long before the library is closed.
        let bytes = Bytes::of(&self.copy).ok()?;
        let file = object::File::parse(&*bytes).ok()?;
        let moved_by = (self.segments.first()?.start as u64).wrapping_sub(file.segments().next()?.address());
        let symbols = file.symbol_map();
        Some(addresses.iter().map(|address| name(&symbols, (*address as u64).wrapping_sub(moved_by))).collect())
    }
}

/// The names of the functions at these places of a library's file, in bytes from its beginning; `None` where it is
/// unknown.
pub fn names_in(copy: &OwnedFd, places: &[u64]) -> Vec<Option<String>> {
    let look_up = || {
        let bytes = Bytes::of(copy).ok()?;
        let file = object::File::parse(&*bytes).ok()?;
        let symbols = file.symbol_map();
        let address = |place: u64| {
            file.segments().find_map(|segment| {
                let (start, len) = segment.file_range();
                let within = place.checked_sub(start).filter(|within| *within < len)?;
                Some(segment.address().wrapping_add(within))
            })
        };
        Some(places.iter().map(|place| name(&symbols, address(*place)?)).collect())
    };
    look_up().unwrap_or_else(|| vec![None; places.len()])
}

fn name(symbols: &SymbolMap<SymbolMapName<'_>>, address: u64) -> Option<String> {
    Some(format!("{:#}", rustc_demangle::demangle(symbols.before(address)?.name())))
}
