//! The relocations: where the loader writes, and what.

use std::ops::{Range, RangeInclusive};

use object::Endianness;
use object::elf::{self, Machine, Rela64, RelocationType};
use object::read::elf::Rela;

use super::dynamic::Dynamic;
use super::memory::{Check, LITTLE, Memory, ensure, ensure_or};
use super::sections::Sections;
use super::symbols::Symbols;

type Relocation = Rela64<Endianness>;

/// What a relocation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    None,
    /// An address in the library.
    Relative,
    /// What a function of the library returns.
    Resolved,
    /// The address of a symbol, and more.
    Symbol,
    /// The address of a symbol, into the one place that the library has for it.
    SymbolOnce(usize),
    /// The number of the library that has a thread-local.
    Module,
    /// Where a thread-local lies in those of its library.
    Offset,
    /// Where a thread-local lies in the space that threads have from their start.
    StaticOffset,
    /// How a thread-local is found.
    Descriptor,
}

/// What a relocation writes, in bytes.
const WORD: u64 = size_of::<u64>() as u64;

/// Kinds of relocations of which a library has one for a symbol.
const ONCE: usize = 2;

/// The kind of a relocation; `None` for what no linker puts into a library.
fn kind(relocation: RelocationType, machine: Machine) -> Option<Kind> {
    let kind = if machine == elf::EM_X86_64 {
        match relocation.0 {
            0 => Kind::None,
            1 => Kind::Symbol,
            6 => Kind::SymbolOnce(0),
            7 => Kind::SymbolOnce(1),
            8 => Kind::Relative,
            16 => Kind::Module,
            17 => Kind::Offset,
            18 => Kind::StaticOffset,
            36 => Kind::Descriptor,
            37 => Kind::Resolved,
            _ => return None,
        }
    } else {
        match relocation.0 {
            0 => Kind::None,
            257 => Kind::Symbol,
            1025 => Kind::SymbolOnce(0),
            1026 => Kind::SymbolOnce(1),
            1027 => Kind::Relative,
            1028 => Kind::Module,
            1029 => Kind::Offset,
            1030 => Kind::StaticOffset,
            1031 => Kind::Descriptor,
            1032 => Kind::Resolved,
            _ => return None,
        }
    };
    Some(kind)
}

/// Checks the relocations of a library.
pub(super) fn check(
    dynamic: &Dynamic,
    memory: &Memory<'_>,
    sections: &Sections,
    symbols: &Symbols<'_>,
    machine: Machine,
) -> Check {
    let flags = dynamic.value(elf::DT_FLAGS).unwrap_or_default();
    let thread_locals = sections.size_of_thread_locals();
    let patches_code = dynamic.value(elf::DT_TEXTREL).is_some() || flags & elf::DF_TEXTREL.0 != 0;
    // Some libraries have their code patched, and say so.
    let sections = sections.filled(|section| section.is_writable || patches_code);
    let target = Target {
        dynamic,
        memory,
        symbols,
        machine,
        whole: memory.whole(),
        arrays: dynamic.arrays().collect(),
        thread_locals,
        has_static_space: flags & elf::DF_STATIC_TLS.0 != 0,
        words: sections.iter().map(|section| (section.end - section.start) / WORD + 1).sum::<u64>() as usize,
        sections,
    };
    target.check()
}

/// What relocations may refer to and write to.
struct Target<'a> {
    dynamic: &'a Dynamic,
    memory: &'a Memory<'a>,
    symbols: &'a Symbols<'a>,
    machine: Machine,
    /// Where its addresses may lead.
    whole: RangeInclusive<u64>,
    /// The arrays of functions that run when it is opened or closed.
    arrays: Vec<Range<u64>>,
    /// The size of its thread-locals.
    thread_locals: u64,
    /// Whether threads reserve space for its thread-locals from their start.
    has_static_space: bool,
    /// The sections that may be written to.
    sections: Vec<Range<u64>>,
    /// How many words these have.
    words: usize,
}

/// What was found sound for one relocation of an address in the library, and holds for most of the thousands behind it.
#[derive(Default)]
struct Near {
    /// Their type; they have no symbol.
    info: u64,
    /// The section that they write to, in which are neither functions that the loader calls nor its own entries.
    places: Range<u64>,
}

impl Near {
    fn has(&self, relocation: &Relocation, whole: &RangeInclusive<u64>) -> bool {
        let (place, address) = (relocation.r_offset(LITTLE), relocation.r_addend(LITTLE).cast_unsigned());
        relocation.r_info.get(LITTLE) == self.info
            && self.places.start <= place
            && place.checked_add(WORD).is_some_and(|end| end <= self.places.end)
            && whole.contains(&address)
    }
}

impl Target<'_> {
    fn check(&self) -> Check {
        let relocations = self.table(&self.dynamic.relocations)?;
        let relative = usize::try_from(self.dynamic.value(elf::DT_RELACOUNT).unwrap_or_default()).unwrap_or(usize::MAX);
        ensure(relative <= relocations.len(), "it has fewer relocations than it says")?;
        let mut places = Vec::with_capacity(relocations.len());
        let mut is_known = vec![[false; ONCE]; self.symbols.all.len()];
        let mut near = Near::default();
        for (index, relocation) in relocations.iter().chain(self.table(&self.dynamic.jumps)?).enumerate() {
            if near.has(relocation, &self.whole) {
                places.push(relocation.r_offset(LITTLE));
                continue;
            }
            let kind = self.check_one(relocation, &mut is_known, &mut places)?;
            ensure(index >= relative || kind == Kind::Relative, "it has fewer relocations than it says")?;
            if kind == Kind::Relative {
                near = self.near(relocation);
            }
        }
        self.check_packed(&mut places)?;
        // Linkers leave them in a few sorted runs.
        places.sort();
        let overlap = places.windows(2).any(|pair| pair[1] - pair[0] < WORD);
        ensure(!overlap, "two relocations write to the same place")?;
        // The loader calls what stands there.
        let mut functions = self.arrays.iter().flat_map(|array| array.clone().step_by(8));
        let is_relocated = |function| places.binary_search(&function).is_ok();
        ensure(functions.all(is_relocated), "a function that runs when it is opened or closed has no address")
    }

    fn table(&self, place: &Range<u64>) -> Check<&[Relocation]> {
        if place.is_empty() {
            return Ok(&[]);
        }
        let size = place.end - place.start;
        let table = self.memory.records(place.start, size).filter(|table| size_of_val(*table) as u64 == size);
        table.ok_or_else(|| "its relocations are misplaced".into())
    }

    /// What the relocations that follow this one have in common with it.
    fn near(&self, relocation: &Relocation) -> Near {
        let place = relocation.r_offset(LITTLE);
        let is_free = |section: &&Range<u64>| {
            let overlaps = |array: &Range<u64>| array.start < section.end && section.start < array.end;
            section.contains(&place) && !self.arrays.iter().chain([&self.dynamic.place]).any(overlaps)
        };
        Near {
            info: relocation.r_info.get(LITTLE),
            places: self.sections.iter().find(is_free).cloned().unwrap_or_default(),
        }
    }

    /// Checks a relocation, and notes where it writes.
    fn check_one(&self, relocation: &Relocation, is_known: &mut [[bool; ONCE]], places: &mut Vec<u64>) -> Check<Kind> {
        let (place, addend) = (relocation.r_offset(LITTLE), relocation.r_addend(LITTLE));
        let wrong = |what: &str| format!("the relocation of {place:#x} {what}");
        let number = relocation.r_type(LITTLE, false);
        let kind = kind(number, self.machine).ok_or_else(|| wrong(&format!("has the unknown type {}", number.0)))?;
        let index = relocation.r_sym(LITTLE, false) as usize;
        let symbol = self.symbols.all.get(index).ok_or_else(|| wrong("has no symbol"))?;
        let address = addend.cast_unsigned();
        let is_thread_local = symbol.st_type() == elf::STT_TLS;
        let is_own = index == 0 && address <= self.thread_locals;
        let is_sound = match kind {
            Kind::None => {
                // Room that a linker did not need.
                return ensure_or(place == 0 && index == 0 && addend == 0, || wrong("is malformed")).map(|()| kind);
            }
            Kind::Relative => index == 0 && self.may_be_written(place, address),
            Kind::Resolved => index == 0 && self.memory.is_code(address),
            Kind::Symbol => index != 0 && !is_thread_local,
            Kind::SymbolOnce(which) => {
                let is_known = std::mem::replace(&mut is_known[index][which], true);
                index != 0 && addend == 0 && !is_thread_local && !is_known
            }
            Kind::Module => addend == 0 && (index == 0 || is_thread_local),
            Kind::Offset => is_thread_local,
            Kind::StaticOffset => self.has_static_space && (is_thread_local || is_own),
            Kind::Descriptor => is_thread_local || is_own,
        };
        ensure_or(is_sound, || wrong("refers to something else than its type says"))?;
        // Only what an author lays out himself may be unaligned.
        let is_aligned = matches!(kind, Kind::Relative | Kind::Symbol) || place.is_multiple_of(WORD);
        ensure_or(is_aligned, || wrong("is unaligned"))?;
        // A descriptor has two words.
        for word in 0..if kind == Kind::Descriptor { 2 } else { 1 } {
            places.push(self.check_place(place.saturating_add(word * WORD))?);
        }
        Ok(kind)
    }

    /// Checks the place of a word.
    fn check_place(&self, place: u64) -> Check<u64> {
        let end = place.saturating_add(WORD);
        let dynamic = &self.dynamic.place;
        let is_there = self.sections.iter().any(|section| section.start <= place && end <= section.end)
            && (end <= dynamic.start || dynamic.end <= place);
        ensure_or(is_there, || format!("a relocation writes to {place:#x}, where there is nothing to write to"))?;
        Ok(place)
    }

    /// Relocations that are packed into bitmaps: an even word is a place, and the bits of odd ones are those behind it.
    fn check_packed(&self, places: &mut Vec<u64>) -> Check {
        let Range { start, end } = self.dynamic.relative;
        if start == end {
            return Ok(());
        }
        let words = self.memory.records::<object::U64<Endianness>>(start, end - start);
        let mut at = None;
        for word in words.ok_or("its packed relocations are misplaced")? {
            let word = word.get(LITTLE);
            // Few bytes can name many places again and again.
            ensure(places.len() <= self.words, "two relocations write to the same place")?;
            if word & 1 == 0 {
                places.push(self.check_packed_place(word)?);
                at = word.checked_add(WORD);
            } else {
                let first = at.ok_or("its packed relocations have no beginning")?;
                for bit in (0..63).filter(|bit| word >> (bit + 1) & 1 != 0) {
                    places.push(self.check_packed_place(first.saturating_add(bit * WORD))?);
                }
                at = first.checked_add(63 * WORD);
            }
        }
        Ok(())
    }

    fn check_packed_place(&self, place: u64) -> Check<u64> {
        let address = self.written(place);
        let is_sound = address.is_some_and(|address| self.may_be_written(place, address));
        ensure_or(is_sound, || format!("the packed relocation of {place:#x} leads nowhere"))?;
        self.check_place(place)
    }

    /// The word that the file has at an address.
    fn written(&self, address: u64) -> Option<u64> {
        let bytes = self.memory.bytes(address, 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Whether a pointer to that address may stand in that place.
    fn may_be_written(&self, place: u64, address: u64) -> bool {
        if self.arrays.iter().any(|array| array.contains(&place)) {
            self.memory.is_code(address)
        } else {
            self.whole.contains(&address)
        }
    }
}
