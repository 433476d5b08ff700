//! A plugin's file on its way into memory.
//!
//! Owns the sealed private copy of a library ([`SealedCopy`]), and what is read of it before any of its code
//! runs: its ELF headers, how it was linked ([`Image`]), and its note ([`Inspection`]). What was checked is what
//! is opened later, whatever happens to the file.
//!
//! Must know nothing of hook points and dispatch, nor how a library is opened: nothing here runs code of a file.
//! Stands on the model.

mod copy;
mod elf;
mod linkage;

use std::env::consts::ARCH;
use std::path::Path;

use hookrail_model::error::Error;

pub use copy::{Bytes, SealedCopy, path_of};
pub use elf::{Inspection, without_no_delete};
pub use linkage::{EntrySymbol, Image};

/// What a library says of itself, without running any of its code.
pub fn inspect(file: impl AsRef<Path>) -> Result<Inspection, Error> {
    inspect_copy(&SealedCopy::of(file.as_ref())?, ARCH)
}

/// What a library for a machine of that name says of itself.
pub fn inspect_copy(copy: &SealedCopy, arch: &'static str) -> Result<Inspection, Error> {
    elf::inspect(&copy.bytes()?, copy.file(), arch)
}
