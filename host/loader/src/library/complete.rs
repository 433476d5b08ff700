//! Structures of functions that a plugin states, read once it is known that all of their functions are there: where an author
//! in C has left one out, there is a null, which no function may be.

use std::ffi::c_void;
use std::fmt;
use std::mem::offset_of;

use hookrail_abi::PayloadOps;
use hookrail_abi::boundary::{Entry, Growing, TooSmall};
use hookrail_model::error::Incompatible;

/// A structure with functions.
///
/// # Safety
/// `FUNCTIONS` are the names of its fields that are functions and may not be null, each with its offset, within its first
/// version.
pub unsafe trait Functions: Growing {
    /// Names and offsets.
    const FUNCTIONS: &'static [(&'static str, usize)];
}

// SAFETY: these are its functions, all of which its first version had.
unsafe impl Functions for Entry {
    const FUNCTIONS: &'static [(&'static str, usize)] = &[
        ("attach", offset_of!(Entry, attach)),
        ("create", offset_of!(Entry, create)),
        ("start", offset_of!(Entry, start)),
        ("stop", offset_of!(Entry, stop)),
        ("destroy", offset_of!(Entry, destroy)),
        ("query", offset_of!(Entry, query)),
    ];
}

// SAFETY: these are its functions that may not be null, all of which its first version had.
unsafe impl Functions for PayloadOps {
    const FUNCTIONS: &'static [(&'static str, usize)] = &[
        ("clone", offset_of!(PayloadOps, clone)),
        ("assign", offset_of!(PayloadOps, assign)),
        ("drop", offset_of!(PayloadOps, drop)),
    ];
}

/// What is wrong with a structure.
#[derive(Clone, Copy, Debug)]
pub enum Incomplete {
    /// It has no such function.
    Lacks(&'static str),
    /// It is smaller than its first version.
    TooSmall(TooSmall),
}

impl Incomplete {
    /// The error; `what` is how it calls the structure.
    pub(super) fn error(self, what: impl Into<String>) -> Incompatible {
        match self {
            Incomplete::Lacks(function) => Incompatible::missing_function(what, function),
            Incomplete::TooSmall(TooSmall { size, needed }) => Incompatible::too_small(what, size, needed),
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incomplete::Lacks(function) => write!(f, "without the function `{function}`"),
            Incomplete::TooSmall(too_small) => write!(f, "of {too_small}"),
        }
    }
}

/// Reads a structure, if it is complete.
///
/// # Errors
/// If it is not.
///
/// # Safety
/// As for [`Growing::read`], but functions may be null.
pub unsafe fn complete<T: Functions>(at: *const T) -> Result<T, Incomplete> {
    // SAFETY: by the contract it begins with its size.
    let size = unsafe { at.cast::<u32>().read() } as usize;
    if size < T::FIRST {
        return Err(Incomplete::TooSmall(TooSmall { size, needed: T::FIRST }));
    }
    let is_missing = |(_, offset): &&(&str, usize)| {
        // SAFETY: by the trait's contract an address stands there, within the first version, which is all there.
        unsafe { at.byte_add(*offset).cast::<*const c_void>().read() }.is_null()
    };
    if let Some((function, _)) = T::FUNCTIONS.iter().find(is_missing) {
        return Err(Incomplete::Lacks(function));
    }
    // SAFETY: by the contract, and none of its functions is null.
    unsafe { T::read(at) }.map_err(Incomplete::TooSmall)
}
