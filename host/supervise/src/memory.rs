//! What a guardian keeps of the memory that it is a copy of.
//!
//! A copy of a process shares its pages until one of the two writes to them. A guardian lives as long as its child, so
//! each page that the host writes to in that time would be there twice. The guardian therefore unmaps nearly all of it.

use std::fs;
use std::ops::Range;

use crate::sys;

/// The ranges of this process's memory, as starts and ends, without which its copy can run the guardian's code.
///
/// Kept are the mappings with one of those addresses, and all mappings of the files among these: the code with its
/// tables. What the system has mapped by itself cannot always be unmapped. Empty if the system does not tell.
pub(crate) fn dispensable(needed: &[usize]) -> Vec<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let maps: Vec<_> = maps.lines().filter_map(Mapping::parse).collect();
    let of_needed = |mapping: &&Mapping<'_>| needed.iter().any(|address| mapping.range.contains(address));
    let files: Vec<_> =
        maps.iter().filter(of_needed).map(|mapping| mapping.file).filter(|file| file.1 != "0").collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut after_file = false;
    for mapping in &maps {
        let is_of_file = files.contains(&mapping.file);
        // Behind a file's data is what it has of zeros.
        let is_zeros = after_file && mapping.file.1 == "0" && !mapping.is_named;
        after_file = is_of_file;
        if is_of_file || is_zeros || of_needed(&mapping) || mapping.is_of_system {
            continue;
        }
        match ranges.last_mut() {
            Some((_, end)) if *end == mapping.range.start => *end = mapping.range.end,
            _ => ranges.push((mapping.range.start, mapping.range.end)),
        }
    }
    ranges
}

/// Unmaps them, in a copy of the process that they were found in.
///
/// # Safety
/// The caller uses none of them any more.
pub(crate) unsafe fn unmap(ranges: &[(usize, usize)]) {
    for (start, end) in ranges {
        // One that is refused stays.
        // SAFETY: by the contract.
        let _ = unsafe { sys::call(libc::SYS_munmap, [*start, end.wrapping_sub(*start), 0, 0, 0, 0]) };
    }
}

/// A line of `/proc/self/maps`.
struct Mapping<'a> {
    range: Range<usize>,
    /// Device and inode.
    file: (&'a str, &'a str),
    is_named: bool,
    /// Whether it is `[vdso]` or the like.
    is_of_system: bool,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let file = (words.nth(2)?, words.next()?);
        let name = words.next().unwrap_or_default();
        Some(Mapping {
            range: address(start)?..address(end)?,
            file,
            is_named: !name.is_empty(),
            is_of_system: name.starts_with("[v"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_kept_and_the_heap_is_not() {
        let large = vec![1_u8; 1 << 22];
        let local = 0;
        let needed = [sys::pid as *const () as usize, libc::syscall as *const () as usize, &raw const local as usize];
        let ranges = dispensable(&needed);
        let has = |address: usize| ranges.iter().any(|(start, end)| (*start..*end).contains(&address));
        assert!(needed.iter().all(|address| !has(*address)));
        assert!(has(large.as_ptr() as usize + large.len() / 2));
        let code = [libc::malloc as *const () as usize, dispensable as *const () as usize];
        assert!(code.iter().all(|address| !has(*address)), "a file is kept as a whole");
    }
}
