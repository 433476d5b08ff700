//! The table of symbols and the names in it.

use std::ops::Range;

use object::Endianness;
use object::elf::{self, Sym64, SymbolBind};
use object::read::elf::Sym;

use super::dynamic::Dynamic;
use super::memory::{Check, LITTLE, Memory, ensure, ensure_or};
use super::sections::Sections;

pub(super) type Symbol = Sym64<Endianness>;

/// The symbols of a library.
///
/// # Invariants
/// Each has a name. What is defined, and no mere number, lies in sections that are loaded, in code if it is a function,
/// and in the image of the thread-locals if it is one; a mark lies anywhere in the library.
pub(super) struct Symbols<'a> {
    pub(super) all: &'a [Symbol],
    strings: &'a [u8],
}

/// How many symbols there are at most, and how long a name may be: so much is read of a file that means no good.
const MOST: usize = 1 << 20;
const LONGEST_NAME: usize = 1 << 15;

const BINDS: [SymbolBind; 4] = [elf::STB_LOCAL, elf::STB_GLOBAL, elf::STB_WEAK, elf::STB_GNU_UNIQUE];

impl<'a> Symbols<'a> {
    pub(super) fn of(dynamic: &Dynamic, sections: &Sections, memory: &Memory<'a>) -> Check<Self> {
        let section = sections.of_kind(elf::SHT_DYNSYM).next().ok_or("it has no symbols")?;
        let (start, size) = (section.memory.start, section.memory.end - section.memory.start);
        let all = memory.records::<Symbol>(start, size).unwrap_or_default();
        let locals = section.info as usize;
        let strings = &dynamic.strings;
        let strings = memory.bytes(strings.start, strings.end - strings.start).unwrap_or_default();
        let symbols = Symbols { all, strings };
        let first = all.first().is_some_and(|first| {
            first.st_name(LITTLE) == 0 && first.st_value(LITTLE) == 0 && first.st_shndx(LITTLE) == elf::SHN_UNDEF
        });
        ensure(all.len() <= MOST, "it has more symbols than a plugin can have")?;
        ensure(first && size_of_val(all) as u64 == size, "its symbol table is malformed")?;
        for (index, symbol) in all.iter().enumerate().skip(1) {
            let name = symbols.name(symbol).ok_or("a symbol has no name in the table of names")?;
            let is_local = symbol.st_bind() == elf::STB_LOCAL;
            // INVARIANT: each symbol is checked here.
            let is_sound = BINDS.contains(&symbol.st_bind())
                && is_local == (index < locals)
                && (symbols.is_undefined(symbol) || is_defined(symbol, sections, memory));
            ensure_or(is_sound, || format!("its symbol {} is misplaced", String::from_utf8_lossy(name)))?;
        }
        Ok(symbols)
    }

    /// The name at a position in the table of names.
    pub(super) fn text(&self, at: u64) -> Option<&'a [u8]> {
        let from = self.strings.get(usize::try_from(at).ok()?..)?;
        let end = from.iter().take(LONGEST_NAME).position(|byte| *byte == 0);
        // The last one may lack its end.
        end.or((from.len() < LONGEST_NAME).then_some(from.len())).map(|end| &from[..end])
    }

    pub(super) fn name(&self, symbol: &Symbol) -> Option<&'a [u8]> {
        self.text(symbol.st_name(LITTLE).into())
    }

    pub(super) fn is_defined(&self, index: usize) -> bool {
        self.all[index].st_shndx(LITTLE) != elf::SHN_UNDEF
    }

    /// Whether another library is asked for it. One that is hidden would be looked for in this library.
    fn is_undefined(&self, symbol: &Symbol) -> bool {
        let is_asked_for = symbol.st_visibility() == elf::STV_DEFAULT || symbol.st_bind() == elf::STB_LOCAL;
        symbol.st_shndx(LITTLE) == elf::SHN_UNDEF && symbol.st_value(LITTLE) == 0 && is_asked_for
    }

    /// Whether a function of the library begins there.
    pub(super) fn is_function(&self, address: u64) -> bool {
        let mut functions = self.all.iter().filter(|symbol| symbol.st_type() == elf::STT_FUNC);
        functions.any(|symbol| symbol.st_value(LITTLE) == address && !symbol.is_undefined(LITTLE))
    }
}

fn is_defined(symbol: &Symbol, sections: &Sections, memory: &Memory<'_>) -> bool {
    let index = symbol.st_shndx(LITTLE);
    if index == elf::SHN_ABS {
        return !matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_GNU_IFUNC | elf::STT_TLS);
    }
    let (value, size) = (symbol.st_value(LITTLE), symbol.st_size(LITTLE));
    let Some(end) = value.checked_add(size) else { return false };
    let within = |place: &Range<u64>| place.start <= value && end <= place.end;
    // Not by the section's number alone: tools that add sections to a library forget to change it.
    let is_placed = match symbol.st_type() {
        elf::STT_TLS => end <= sections.size_of_thread_locals(),
        elf::STT_FUNC | elf::STT_GNU_IFUNC => sections.iter().any(|it| it.is_code && within(&it.memory)),
        // A mark, such as `_end`.
        elf::STT_NOTYPE => memory.whole().contains(&value),
        _ => sections.iter().any(|it| within(&it.memory)),
    };
    is_placed && (sections.has(index.0.into()) || sections.is_elsewhere(index.0.into()))
}
