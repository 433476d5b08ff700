//! The dynamic section: where the loader finds all other tables.

use std::collections::BTreeSet;
use std::ops::Range;

use object::Endianness;
use object::elf::{self, Dyn64, DynamicTag, Rela64, SectionType, Sym64};
use object::read::elf::{Dyn, ProgramHeader};

use super::memory::{Check, LITTLE, Memory, Segment, ensure, ensure_or};
use super::sections::Sections;

/// The entries of the dynamic section.
///
/// # Invariants
/// Each table that it names lies exactly in loaded sections of its kind, and each such section is in a table.
pub(super) struct Dynamic {
    entries: Vec<(DynamicTag, u64)>,
    pub(super) place: Range<u64>,
    pub(super) relocations: Range<u64>,
    pub(super) jumps: Range<u64>,
    pub(super) relative: Range<u64>,
    pub(super) symbols: Range<u64>,
    pub(super) strings: Range<u64>,
}

/// The arrays of functions that run when a library is opened or closed: their tags, that of their size, and the kind of
/// their section.
const ARRAYS: [(DynamicTag, DynamicTag, SectionType); 3] = [
    (elf::DT_PREINIT_ARRAY, elf::DT_PREINIT_ARRAYSZ, elf::SHT_PREINIT_ARRAY),
    (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ, elf::SHT_INIT_ARRAY),
    (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ, elf::SHT_FINI_ARRAY),
];

/// Tables without a size of their own, and the kind of their section.
const TABLES: [(DynamicTag, SectionType); 6] = [
    (elf::DT_HASH, elf::SHT_HASH),
    (elf::DT_GNU_HASH, elf::SHT_GNU_HASH),
    (elf::DT_SYMTAB, elf::SHT_DYNSYM),
    (elf::DT_VERDEF, elf::SHT_GNU_VERDEF),
    (elf::DT_VERNEED, elf::SHT_GNU_VERNEED),
    (elf::DT_VERSYM, elf::SHT_GNU_VERSYM),
];

/// What the loader insists on where there is a certain table: sizes of records, and the kind of relocations.
const FACTS: [(DynamicTag, DynamicTag, u64); 4] = [
    (elf::DT_JMPREL, elf::DT_PLTREL, elf::DT_RELA.0.cast_unsigned()),
    (elf::DT_RELA, elf::DT_RELAENT, size_of::<Rela64<Endianness>>() as u64),
    (elf::DT_RELR, elf::DT_RELRENT, size_of::<u64>() as u64),
    (elf::DT_SYMTAB, elf::DT_SYMENT, size_of::<Sym64<Endianness>>() as u64),
];

/// What may stand there more than once.
const NEEDED: [DynamicTag; 3] = [elf::DT_NEEDED, elf::DT_AUXILIARY, elf::DT_FILTER];

/// What is a name.
const NAMES: [DynamicTag; 8] = [
    elf::DT_NEEDED,
    elf::DT_AUXILIARY,
    elf::DT_FILTER,
    elf::DT_AUDIT,
    elf::DT_DEPAUDIT,
    elf::DT_SONAME,
    elf::DT_RPATH,
    elf::DT_RUNPATH,
];

impl Dynamic {
    pub(super) fn of(segments: &[Segment], sections: &Sections, memory: &Memory<'_>) -> Check<Self> {
        let mut named = segments.iter().filter(|segment| segment.p_type(LITTLE) == elf::PT_DYNAMIC);
        let (Some(segment), None) = (named.next(), named.next()) else {
            return Err("it has no dynamic segment, or several".into());
        };
        let (start, size) = (segment.p_vaddr(LITTLE), segment.p_filesz(LITTLE));
        let place = start..start.saturating_add(size);
        let is_section = sections.of_kind(elf::SHT_DYNAMIC).any(|section| section.memory == place);
        // The loader writes there.
        let is_there = is_section && memory.has(start, size, elf::PF_W.0) && size == segment.p_memsz(LITTLE);
        ensure(is_there, "its dynamic segment is misplaced")?;
        let records = memory.records::<Dyn64<Endianness>>(start, size).unwrap_or_default();
        let mut entries: Vec<_> = records.iter().map(|entry| (entry.d_tag(LITTLE), entry.d_val(LITTLE))).collect();
        let end = entries.iter().position(|(tag, _)| *tag == elf::DT_NULL);
        entries.truncate(end.ok_or("its dynamic section has no end")?);
        let mut dynamic =
            Dynamic { entries, place, relocations: 0..0, jumps: 0..0, relative: 0..0, symbols: 0..0, strings: 0..0 };
        dynamic.check_entries(sections)?;
        // INVARIANT: both directions are checked for each table here.
        for (tag, size, kind) in ARRAYS {
            dynamic.check_table(tag, size, kind, sections)?;
        }
        dynamic.relative = dynamic.check_table(elf::DT_RELR, elf::DT_RELRSZ, elf::SHT_RELR, sections)?;
        dynamic.find_relocations(sections)?;
        dynamic.strings = dynamic.find_strings(sections, memory)?;
        Ok(dynamic)
    }

    /// The value of an entry.
    pub(super) fn value(&self, tag: DynamicTag) -> Option<u64> {
        self.entries.iter().find(|(other, _)| *other == tag).map(|(_, value)| *value)
    }

    /// The names of the libraries that it needs, as positions in its table of names.
    pub(super) fn needed(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().filter(|(tag, _)| *tag == elf::DT_NEEDED).map(|(_, value)| *value)
    }

    fn check_entries(&mut self, sections: &Sections) -> Check {
        let mut known = BTreeSet::new();
        for (tag, _) in &self.entries {
            let is_new = known.insert(tag.0);
            ensure_or(is_new || NEEDED.contains(tag), || {
                format!("the entry {:#x} of its dynamic section is there twice", tag.0)
            })?;
        }
        for (table, tag, fact) in FACTS {
            let is_right = self.value(tag).map_or(self.value(table).is_none(), |value| value == fact);
            ensure_or(is_right, || format!("its table {:#x} has records of an unknown kind", table.0))?;
        }
        for (tag, kind) in TABLES {
            let section = sections.of_kind(kind).next();
            let start = section.map(|section| section.memory.start);
            ensure_or(self.value(tag) == start, || format!("its table {:#x} is misplaced", tag.0))?;
            if let (elf::DT_SYMTAB, Some(section)) = (tag, section) {
                self.symbols = section.memory.clone();
            }
        }
        for (tag, kind) in [(elf::DT_VERNEEDNUM, elf::SHT_GNU_VERNEED), (elf::DT_VERDEFNUM, elf::SHT_GNU_VERDEF)] {
            let count = sections.of_kind(kind).next().map(|section| u64::from(section.info));
            ensure(self.value(tag) == count, "it has another number of versions than it says")?;
        }
        Ok(())
    }

    /// A table that begins where one section of the kind begins, and ends where one ends.
    fn check_table(
        &self,
        tag: DynamicTag,
        size: DynamicTag,
        kind: SectionType,
        sections: &Sections,
    ) -> Check<Range<u64>> {
        let misplaced = || format!("its table {:#x} is misplaced", tag.0);
        let (start, size) = match (self.value(tag), self.value(size).unwrap_or_default()) {
            (None, 0) | (Some(_), 0) if sections.of_kind(kind).next().is_none() => return Ok(0..0),
            (Some(start), size) if size > 0 => (start, size),
            _ => return Err(misplaced()),
        };
        let end = start.checked_add(size).ok_or_else(misplaced)?;
        let starts = sections.of_kind(kind).any(|section| section.memory.start == start);
        let ends = sections.of_kind(kind).any(|section| section.memory.end == end);
        ensure_or(starts && ends, misplaced)?;
        Ok(start..end)
    }

    fn find_relocations(&mut self, sections: &Sections) -> Check {
        let table = |tag, size| match (self.value(tag), self.value(size).unwrap_or_default()) {
            (Some(start), size) => start..start.saturating_add(size),
            (None, size) => 0..size,
        };
        let (mut all, jumps) = (table(elf::DT_RELA, elf::DT_RELASZ), table(elf::DT_JMPREL, elf::DT_PLTRELSZ));
        // Some linkers count the second with the first.
        if all.contains(&jumps.start) && all.end == jumps.end {
            all.end = jumps.start;
        }
        let kind = || sections.of_kind(elf::SHT_RELA);
        let is_exact = |table: &Range<u64>| {
            table.is_empty()
                || kind().any(|it| it.memory.start == table.start) && kind().any(|it| it.memory.end == table.end)
        };
        let within = |table: &Range<u64>, it: &Range<u64>| table.start <= it.start && it.end <= table.end;
        let is_whole = kind().all(|it| within(&all, &it.memory) || within(&jumps, &it.memory));
        ensure(is_exact(&all) && is_exact(&jumps) && is_whole, "its relocations are misplaced")?;
        ensure(self.value(elf::DT_REL).is_none(), "its relocations are of an unknown kind")?;
        (self.relocations, self.jumps) = (all, jumps);
        Ok(())
    }

    fn find_strings(&self, sections: &Sections, memory: &Memory<'_>) -> Check<Range<u64>> {
        let (start, size) = (self.value(elf::DT_STRTAB), self.value(elf::DT_STRSZ));
        let (start, size) = start.zip(size).ok_or("it has no table of names")?;
        let place = start..start.saturating_add(size);
        let is_section = sections.of_kind(elf::SHT_STRTAB).any(|section| section.memory == place);
        let ends = memory.bytes(start, size).is_some_and(|bytes| bytes.first() == Some(&0) && bytes.last() == Some(&0));
        ensure(is_section && ends, "its table of names is misplaced, or has no end")?;
        let mut names = self.entries.iter().filter(|(tag, _)| NAMES.contains(tag));
        ensure(names.all(|(_, name)| *name < size), "a name lies outside the table of names")?;
        Ok(place)
    }

    /// The arrays of functions that run when it is opened or closed.
    pub(super) fn arrays(&self) -> impl Iterator<Item = Range<u64>> {
        ARRAYS.iter().filter_map(|(tag, size, _)| {
            let start = self.value(*tag)?;
            // By the type invariant they are loaded.
            Some(start..start + self.value(*size)?)
        })
    }
}
