//! A plugin's file on its way into memory.
//!
//! Owns the sealed private copy of a library ([`SealedCopy`]), and what is read from it before any of its code runs:
//! its ELF headers, how it was linked ([`Image`]), and its note ([`Inspection`]). What was checked is what is opened
//! later, whatever happens to the file.
//!
//! Must know nothing of hook points and dispatch, nor of how a library is opened: nothing here runs a file's code.
//! Stands on the model.

mod copy;
mod elf;
mod imports;
mod layout;
mod linkage;
mod note;

use std::env::consts::ARCH;
use std::path::Path;

use hookrail_model::error::Error;

pub use copy::{Bytes, SealedCopy, path_of};
pub use elf::{Inspection, without_no_delete};
pub use linkage::{EntrySymbol, Image};

/// Returns what a library declares, without running any of its code.
///
/// # Errors
/// If the file cannot be read, or is not a plugin for this machine.
pub fn inspect(file: impl AsRef<Path>) -> Result<Inspection, Error> {
    inspect_copy(&SealedCopy::of(file.as_ref())?, ARCH)
}

/// Returns what a library for machines with that name declares.
///
/// # Errors
/// If the copy is not a plugin for such a machine.
pub fn inspect_copy(copy: &SealedCopy, arch: &'static str) -> Result<Inspection, Error> {
    elf::inspect(&copy.bytes()?, copy.file(), arch)
}
