//! Where the loader puts the parts of a file, and with which rights.

use std::ops::{Range, RangeInclusive};

use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::ProgramHeader;
use object::{Endianness, Pod};

pub(crate) type Header = FileHeader64<Endianness>;
pub(crate) type Segment = ProgramHeader64<Endianness>;

/// What is found, or what is wrong with it.
pub(crate) type Check<T = ()> = Result<T, String>;

pub(super) const LITTLE: Endianness = Endianness::Little;

pub(super) fn ensure(holds: bool, otherwise: &str) -> Check {
    ensure_or(holds, || otherwise.into())
}

/// As [`ensure`], where the text takes time to make and something is checked often.
pub(super) fn ensure_or(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// The memory of a library, at the addresses that its file names.
///
/// # Invariants
/// The parts ascend and do not overlap. The file has what is filled from it.
pub(super) struct Memory<'a> {
    bytes: &'a [u8],
    parts: Vec<Part>,
}

/// A loaded segment.
struct Part {
    memory: Range<u64>,
    /// Where the bytes from the file end and zeros begin.
    filled: u64,
    /// Where its bytes begin in the file.
    offset: u64,
    rights: u32,
}

impl<'a> Memory<'a> {
    /// No library is larger by far: half of what a process has on x86_64.
    pub(super) const LIMIT: u64 = 1 << 46;
    /// The largest pages that a machine has.
    pub(super) const MAX_ALIGNMENT: u64 = 1 << 30;
    const PAGE: u64 = 4096;

    pub(super) fn of(segments: &[Segment], bytes: &'a [u8]) -> Check<Self> {
        let mut parts: Vec<Part> = Vec::new();
        for segment in segments.iter().filter(|segment| segment.p_type(LITTLE) == elf::PT_LOAD) {
            let (start, offset) = (segment.p_vaddr(LITTLE), segment.p_offset(LITTLE));
            let (size, filled) = (segment.p_memsz(LITTLE), segment.p_filesz(LITTLE));
            let align = segment.p_align(LITTLE);
            let is_aligned = align.is_power_of_two() && align <= Self::MAX_ALIGNMENT;
            ensure(is_aligned && (start ^ offset).is_multiple_of(align.max(Self::PAGE)), "a segment is misaligned")?;
            ensure(filled <= size, "a segment takes more from the file than it has room for")?;
            ensure(
                offset.checked_add(filled).is_some_and(|end| end <= bytes.len() as u64),
                "a segment lies beyond the end of the file",
            )?;
            ensure(start < Self::LIMIT && size < Self::LIMIT, "a segment lies beyond all memory")?;
            ensure(parts.last().is_none_or(|last| last.memory.end <= start), "segments overlap, or are out of order")?;
            let rights = segment.p_flags(LITTLE).0;
            // INVARIANT: it lies behind the one before, and in the file.
            parts.push(Part { memory: start..start + size, filled: start + filled, offset, rights });
        }
        Ok(Memory { bytes, parts })
    }

    fn part(&self, address: u64) -> Option<&Part> {
        self.parts.iter().find(|part| part.memory.contains(&address))
    }

    /// The bytes that the file puts at an address.
    pub(super) fn bytes(&self, address: u64, size: u64) -> Option<&'a [u8]> {
        let part = self.part(address)?;
        let end = address.checked_add(size).filter(|end| *end <= part.filled)?;
        let at = |address: u64| (part.offset + (address - part.memory.start)) as usize;
        self.bytes.get(at(address)..at(end))
    }

    /// The records that the file puts at an address, without what is left over.
    pub(super) fn records<T: Pod>(&self, address: u64, size: u64) -> Option<&'a [T]> {
        let bytes = self.bytes(address, size)?;
        object::slice_from_bytes(bytes, bytes.len() / size_of::<T>()).ok().map(|(records, _)| records)
    }

    /// Where the file has what it puts at an address.
    pub(super) fn offset(&self, address: u64) -> Option<u64> {
        self.part(address).map(|part| part.offset + (address - part.memory.start))
    }

    /// Where zeros begin in the segment at an address.
    pub(super) fn filled(&self, address: u64) -> Option<u64> {
        self.part(address).map(|part| part.filled)
    }

    /// Whether all of that memory is there, with these rights.
    pub(super) fn has(&self, address: u64, size: u64, rights: u32) -> bool {
        self.part(address).is_some_and(|part| {
            part.rights & rights == rights && address.checked_add(size).is_some_and(|end| end <= part.memory.end)
        })
    }

    /// Whether code lies there.
    pub(super) fn is_code(&self, address: u64) -> bool {
        self.has(address, 1, elf::PF_X.0)
    }

    /// From its first address to just behind its last: where a pointer may point.
    pub(super) fn whole(&self) -> RangeInclusive<u64> {
        let start = self.parts.first().map_or(0, |first| first.memory.start);
        start..=self.parts.last().map_or(0, |last| last.memory.end)
    }
}
