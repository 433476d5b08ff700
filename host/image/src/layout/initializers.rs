//! The functions that run when a library is opened or closed and are not in an array: the loader calls them wherever they
//! are.

use object::elf;
use object::{Endianness, I32};

use super::dynamic::Dynamic;
use super::memory::{Check, LITTLE, Memory, ensure};
use super::sections::Sections;
use super::symbols::Symbols;

pub(super) fn check(dynamic: &Dynamic, memory: &Memory<'_>, sections: &Sections, symbols: &Symbols<'_>) -> Check {
    for function in [elf::DT_INIT, elf::DT_FINI].into_iter().filter_map(|tag| dynamic.value(tag)) {
        // That of the C runtime is a section of its own. One of the author's own need not have a name.
        let is_start =
            sections.starts_code(function) || symbols.is_function(function) || is_unwound(function, sections, memory);
        let is_function = memory.is_code(function) && is_start;
        ensure(is_function, "a function that runs when it is opened or closed is none")?;
    }
    Ok(())
}

/// Whether the table for unwinding, which says where each function begins, has one there.
fn is_unwound(address: u64, sections: &Sections, memory: &Memory<'_>) -> bool {
    /// The version of the table, and how numbers in it are written; all linkers write it so.
    const FORM: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
    /// Beside the form, where the frames are and how many there are.
    const HEAD: u64 = 12;
    let Some(table) = sections.unwind_table() else { return false };
    if memory.bytes(table.start, FORM.len() as u64) != Some(&FORM) {
        return false;
    }
    let size = (table.end - table.start).saturating_sub(HEAD);
    let functions = memory.records::<[I32<Endianness>; 2]>(table.start + HEAD, size).unwrap_or_default();
    let start = |function: &[I32<Endianness>; 2]| table.start.wrapping_add_signed(function[0].get(LITTLE).into());
    functions.iter().any(|function| start(function) == address)
}
