//! How a library was linked: properties that its author rarely chooses or sees, and that the loader acts on.

use hookrail_abi::boundary::ENTRY_SYMBOL;
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, ProgramHeader, SectionTable, Sym};
use serde::Serialize;

type Header = FileHeader64<Endianness>;

/// How a library was linked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Image {
    /// The symbols that it exports under the name of a plugin's entry; a plugin has one.
    pub entries: Vec<EntrySymbol>,
    /// How many functions run when it is opened, including those of the C runtime and of Rust's standard library.
    pub constructors: u64,
    /// Whether it requires an executable stack, for every thread of the process.
    pub executable_stack: bool,
    /// Whether its code is patched when it is opened, so that it cannot be shared or write-protected.
    pub text_relocations: bool,
    /// Whether some of its memory is writable and executable at once.
    pub writable_code: bool,
    /// The oldest glibc that has all the symbols it needs, such as `2.31`; `None` if it needs none.
    pub glibc: Option<String>,
    /// The directories in which its libraries are looked for (`DT_RPATH`, `DT_RUNPATH`).
    pub search_paths: Vec<String>,
}

/// A symbol with the name of a plugin's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntrySymbol {
    /// Whether it is data, as it must be.
    pub is_data: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl Image {
    pub(super) fn read(
        segments: &[<Header as object::read::elf::FileHeader>::ProgramHeader],
        sections: &SectionTable<'_, Header>,
        bytes: &[u8],
    ) -> Result<Self, object::Error> {
        let endian = Endianness::Little;
        let mut image = Image::default();
        let stack = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_GNU_STACK);
        // Without the header the loader assumes the worst.
        image.executable_stack = stack.is_none_or(|stack| stack.p_flags(endian).0 & elf::PF_X.0 != 0);
        let both = elf::PF_W.0 | elf::PF_X.0;
        image.writable_code = segments
            .iter()
            .any(|segment| segment.p_type(endian) == elf::PT_LOAD && segment.p_flags(endian).0 & both == both);
        let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
        let named = symbols.iter().filter(|symbol| {
            symbol.st_shndx(endian) != elf::SHN_UNDEF
                && symbols.symbol_name(endian, symbol) == Ok(ENTRY_SYMBOL.as_bytes())
        });
        image.entries = named
            .map(|symbol| EntrySymbol { is_data: symbol.st_type() == elf::STT_OBJECT, size: symbol.st_size(endian) })
            .collect();
        image.glibc = glibc(sections, bytes)?;
        if let Some((dynamic, strings)) = sections.dynamic(endian, bytes)? {
            let strings = sections.strings(endian, bytes, strings)?;
            for entry in dynamic {
                let value = entry.d_val(endian);
                match entry.d_tag(endian) {
                    elf::DT_FLAGS => image.text_relocations |= value & elf::DF_TEXTREL.0 != 0,
                    elf::DT_INIT => image.constructors = image.constructors.saturating_add(1),
                    elf::DT_INIT_ARRAYSZ => {
                        let count = value / size_of::<usize>() as u64;
                        image.constructors = image.constructors.saturating_add(count);
                    }
                    elf::DT_RPATH | elf::DT_RUNPATH => {
                        let path = strings.get(value as u32).unwrap_or_default();
                        image.search_paths.push(String::from_utf8_lossy(path).into_owned());
                    }
                    elf::DT_TEXTREL => image.text_relocations = true,
                    _ => {}
                }
            }
        }
        Ok(image)
    }
}

/// The newest glibc version that its symbols require.
fn glibc(sections: &SectionTable<'_, Header>, bytes: &[u8]) -> Result<Option<String>, object::Error> {
    let endian = Endianness::Little;
    let Some((mut files, strings)) = sections.gnu_verneed(endian, bytes)? else { return Ok(None) };
    let strings = sections.strings(endian, bytes, strings)?;
    let mut newest: Option<Vec<u32>> = None;
    while let Some((_, mut versions)) = files.next()? {
        while let Some(version) = versions.next()? {
            let name = std::str::from_utf8(version.name(endian, strings)?).unwrap_or_default();
            let numbers = name.strip_prefix("GLIBC_").map(|text| text.split('.').map(str::parse).collect());
            // GLIBC_PRIVATE is not a version, and GLIBC_2.2.5 is one.
            if let Some(Ok(numbers)) = numbers {
                newest = newest.max(Some(numbers));
            }
        }
    }
    let text = |numbers: Vec<u32>| numbers.iter().take(2).map(u32::to_string).collect::<Vec<_>>().join(".");
    Ok(newest.map(text))
}
