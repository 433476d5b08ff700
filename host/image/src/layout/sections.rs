//! The sections of a library, which only tools read: they say again what the loader reads elsewhere.

use std::ops::Range;

use object::elf::{self, SectionType};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable};

use super::memory::{Check, Header, LITTLE, Memory, Segment, ensure, ensure_or};

/// A section that is loaded.
pub(super) struct Section {
    index: usize,
    pub(super) kind: SectionType,
    pub(super) memory: Range<u64>,
    pub(super) is_code: bool,
    pub(super) is_writable: bool,
    pub(super) is_thread_local: bool,
    /// What its kind says: how many records it has, or which of them are local.
    pub(super) info: u32,
    align: u64,
    is_unwind_table: bool,
    is_data: bool,
}

/// How many sections of a library are loaded at most: linkers leave some thirty, and much is looked up in them.
const MOST: usize = 1_000;

/// The sections of a library that are loaded.
///
/// # Invariants
/// Each lies in a segment that has its rights and, if it has bytes, takes them from where the section has them.
pub(super) struct Sections {
    loaded: Vec<Section>,
    /// How many sections the file has in all.
    count: usize,
}

impl Sections {
    pub(super) fn of(table: &SectionTable<'_, Header>, memory: &Memory<'_>) -> Check<Self> {
        let mut loaded = Vec::new();
        for (index, header) in table.enumerate() {
            let flags = header.sh_flags(LITTLE).0;
            if flags & elf::SHF_ALLOC.0 == 0 {
                continue;
            }
            let name = table.section_name(LITTLE, header).unwrap_or_default();
            let (start, size) = (header.sh_addr(LITTLE), header.sh_size(LITTLE));
            let end = start.checked_add(size).filter(|end| *end <= Memory::LIMIT).ok_or_else(|| misplaced(name))?;
            let align = header.sh_addralign(LITTLE);
            let is_aligned = align == 0 || align.is_power_of_two() && align <= Memory::MAX_ALIGNMENT;
            ensure_or(is_aligned && loaded.len() < MOST, || misplaced(name))?;
            let section = Section {
                index: index.0,
                kind: header.sh_type(LITTLE),
                memory: start..end,
                is_code: flags & elf::SHF_EXECINSTR.0 != 0,
                is_writable: flags & elf::SHF_WRITE.0 != 0,
                is_thread_local: flags & elf::SHF_TLS.0 != 0,
                info: header.sh_info(LITTLE),
                align,
                is_unwind_table: name == b".eh_frame_hdr",
                is_data: matches!(name, b".data" | b".bss"),
            };
            let is_zero = section.kind == elf::SHT_NOBITS;
            // Each thread has its own of it, elsewhere.
            if size > 0 && !(is_zero && section.is_thread_local) {
                let write = if section.is_writable { elf::PF_W.0 } else { 0 };
                let execute = if section.is_code { elf::PF_X.0 } else { 0 };
                let is_loaded = memory.has(start, size, elf::PF_R.0 | write | execute);
                let filled = memory.filled(start).unwrap_or_default();
                let is_filled = if is_zero {
                    start >= filled
                } else {
                    end <= filled && memory.offset(start) == Some(header.sh_offset(LITTLE))
                };
                ensure_or(is_loaded && is_filled, || misplaced(name))?;
            }
            // INVARIANT: a segment has it, as was just checked.
            loaded.push(section);
        }
        Ok(Sections { loaded, count: table.len() })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Section> {
        self.loaded.iter().filter(|section| !section.memory.is_empty())
    }

    pub(super) fn of_kind(&self, kind: SectionType) -> impl Iterator<Item = &Section> {
        self.iter().filter(move |section| section.kind == kind)
    }

    /// Where the sections lie that have bytes in the file, and are chosen.
    pub(super) fn filled(&self, choose: impl Fn(&Section) -> bool) -> Vec<Range<u64>> {
        let filled = self.iter().filter(|section| section.kind != elf::SHT_NOBITS && choose(section));
        filled.map(|section| section.memory.clone()).collect()
    }

    /// Where the table for unwinding is, if there is one.
    pub(super) fn unwind_table(&self) -> Option<Range<u64>> {
        self.iter().find(|section| section.is_unwind_table).map(|section| section.memory.clone())
    }

    /// Whether a section with that number is loaded.
    pub(super) fn has(&self, index: usize) -> bool {
        self.loaded.iter().any(|section| section.index == index)
    }

    /// Whether a section with that number is in the file only.
    pub(super) fn is_elsewhere(&self, index: usize) -> bool {
        (1..self.count).contains(&index) && !self.has(index)
    }

    /// Whether a section with code begins there.
    pub(super) fn starts_code(&self, address: u64) -> bool {
        self.iter().any(|section| section.is_code && section.memory.start == address)
    }

    pub(super) fn size_of_thread_locals(&self) -> u64 {
        let Range { start, end } = self.thread_locals();
        end - start
    }

    /// What the sections of thread-locals take together.
    fn thread_locals(&self) -> Range<u64> {
        let sections = || self.iter().filter(|section| section.is_thread_local).map(|section| &section.memory);
        let start = sections().map(|memory| memory.start).min().unwrap_or_default();
        start..sections().map(|memory| memory.end).max().unwrap_or_default()
    }

    fn starts(&self, address: u64) -> bool {
        self.loaded.iter().any(|section| section.memory.start == address)
    }

    fn ends(&self, address: u64) -> bool {
        self.loaded.iter().any(|section| section.memory.end == address)
    }

    /// Checks the segments that are not loaded, but name parts of what is.
    pub(super) fn check_segments(&self, header: &Header, segments: &[Segment], memory: &Memory<'_>) -> Check {
        let mut has_unwind_table = false;
        let mut has_thread_locals = false;
        for segment in segments {
            let (start, size) = (segment.p_vaddr(LITTLE), segment.p_memsz(LITTLE));
            let Some(end) = start.checked_add(size) else { return Err("a segment lies beyond all memory".into()) };
            let is_exact = self.starts(start) && self.ends(end) && memory.has(start, size, elf::PF_R.0);
            match segment.p_type(LITTLE) {
                elf::PT_PHDR => {
                    let has = size_of_val(segments) as u64;
                    let is_there = memory.offset(start) == Some(header.e_phoff(LITTLE));
                    ensure(
                        is_there && size == has && memory.bytes(start, size).is_some(),
                        "its headers are misplaced",
                    )?;
                }
                elf::PT_NOTE | elf::PT_GNU_PROPERTY => ensure(is_exact, "a segment of notes is misplaced")?,
                elf::PT_GNU_EH_FRAME => {
                    ensure(self.unwind_table() == Some(start..end), "the table for unwinding is misplaced")?;
                    has_unwind_table = true;
                }
                elf::PT_GNU_RELRO => self.check_read_only(start..end)?,
                elf::PT_TLS => {
                    self.check_thread_locals(segment)?;
                    has_thread_locals = true;
                }
                _ => {}
            }
        }
        ensure(has_unwind_table || self.unwind_table().is_none(), "it has no segment with its table for unwinding")?;
        let needs_thread_locals = self.iter().any(|section| section.is_thread_local);
        ensure(has_thread_locals || !needs_thread_locals, "it has no segment with its thread-locals")
    }

    /// What is written to as long as the library runs must not become read-only.
    fn check_read_only(&self, memory: Range<u64>) -> Check {
        const PAGE: u64 = 4096;
        let protected = memory.start..memory.end & !(PAGE - 1);
        let overlaps = |it: &Section| it.memory.start < protected.end && protected.start < it.memory.end;
        let is_data_free = !self.iter().any(|section| section.is_data && overlaps(section));
        ensure(self.starts(memory.start) && is_data_free, "its read-only memory is misplaced")
    }

    fn check_thread_locals(&self, segment: &Segment) -> Check {
        let sections = || self.iter().filter(|section| section.is_thread_local);
        let Range { start, end } = self.thread_locals();
        let filled =
            sections().filter(|section| section.kind != elf::SHT_NOBITS).map(|section| section.memory.end).max();
        let filled = filled.unwrap_or(start);
        let align = sections().map(|section| section.align).max().unwrap_or_default().max(1);
        // Some linkers round its size up.
        let sizes = [end - start, (end - start).next_multiple_of(align)];
        ensure(
            segment.p_vaddr(LITTLE) == start
                && segment.p_filesz(LITTLE) == filled - start
                && sizes.contains(&segment.p_memsz(LITTLE))
                && segment.p_align(LITTLE) == align,
            "the segment with its thread-locals is misplaced",
        )
    }
}

fn misplaced(name: &[u8]) -> String {
    format!("its segments and its section {} disagree", String::from_utf8_lossy(name))
}
