//! What a file declares, read before any of its code runs.

use std::path::Path;

use hookrail_abi::boundary::{ENTRY_SYMBOL, NOTE_SECTION};
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};
use serde::Serialize;

use hookrail_model::error::{Compiler, Error, Incompatible};
use hookrail_model::note::Note;

use super::imports;
use super::layout;
use super::linkage::Image;
use super::note;

type Header = FileHeader64<Endianness>;

/// What a library declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The plugin's note.
    pub note: Note,
    /// Size of the file in bytes.
    pub size: u64,
    /// The libraries that it needs.
    pub needed: Vec<String>,
    /// Imports through which its code could run after it was closed.
    pub unhooked: Vec<String>,
    /// Whether it is linked so as never to be unmapped.
    pub no_delete: bool,
    /// Whether it has symbols for which the system keeps a library once they are used; C++ creates them.
    pub unique_symbols: bool,
    /// Whether it takes space in every thread's static TLS block, which is scarce.
    pub static_tls: bool,
    /// How it was linked.
    pub image: Image,
    /// Whether it may use system functions that it does not import, as every library made with `export!` does.
    #[serde(skip)]
    pub finds_by_name: bool,
    /// Whether it leaves destructors of thread-locals with the system, which then keeps it until their threads end.
    #[serde(skip)]
    pub keeps_thread_locals: bool,
}

/// Inspects the bytes of a file; refuses what cannot be a plugin for machines with that name.
pub(super) fn inspect(bytes: &[u8], file: &Path, arch: &'static str) -> Result<Inspection, Error> {
    read(bytes, arch).map_err(|why| Error::incompatible(file.display().to_string(), why))
}

fn read(bytes: &[u8], arch: &'static str) -> Result<Inspection, Incompatible> {
    let header = header(bytes, arch)?;
    let endian = Endianness::Little;
    let damaged = |error: object::Error| Incompatible::Damaged(error.to_string());
    let segments = header.program_headers(endian, bytes).map_err(damaged)?;
    for segment in segments {
        if segment.data(endian, bytes).is_err() {
            return Err(Incompatible::Damaged("a segment lies beyond the end of the file".into()));
        }
    }
    let sections = header.sections(endian, bytes).map_err(damaged)?;
    let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM).map_err(damaged)?;
    let mut inspection = Inspection {
        note: Note::default(),
        size: bytes.len() as u64,
        needed: Vec::new(),
        unhooked: Vec::new(),
        no_delete: false,
        unique_symbols: false,
        static_tls: false,
        image: Image::read(segments, &sections, bytes).map_err(damaged)?,
        finds_by_name: false,
        keeps_thread_locals: false,
    };
    if let Some((dynamic, strings)) = sections.dynamic(endian, bytes).map_err(damaged)? {
        let strings = sections.strings(endian, bytes, strings).map_err(damaged)?;
        for entry in dynamic {
            let value = entry.d_val(endian);
            match entry.d_tag(endian) {
                // All that make the loader load a file: with this one, or in place of it.
                elf::DT_NEEDED | elf::DT_AUXILIARY | elf::DT_FILTER | elf::DT_AUDIT | elf::DT_DEPAUDIT => {
                    let name = strings.get(value as u32).unwrap_or_default();
                    inspection.needed.push(String::from_utf8_lossy(name).into_owned());
                }
                elf::DT_FLAGS => inspection.static_tls |= value & elf::DF_STATIC_TLS.0 != 0,
                elf::DT_FLAGS_1 => {
                    if value & elf::DF_1_PIE.0 != 0 {
                        return Err(Incompatible::NotALibrary("a program".into()));
                    }
                    inspection.no_delete |= value & elf::DF_1_NODELETE.0 != 0;
                }
                _ => {}
            }
        }
    }
    let foreign = inspection.needed.iter().filter(|name| !imports::is_of_the_system(name));
    inspection.unhooked = foreign.cloned().collect();
    for symbol in symbols.iter().filter(|symbol| symbol.st_shndx(endian) == elf::SHN_UNDEF) {
        let name = String::from_utf8_lossy(symbols.symbol_name(endian, symbol).unwrap_or_default());
        inspection.finds_by_name |= name == "dlsym";
        inspection.keeps_thread_locals |= name.starts_with("__cxa_thread_atexit");
        if imports::may_leave_code(&name) {
            inspection.unhooked.push(name.into_owned());
        }
    }
    inspection.unique_symbols = symbols.iter().any(|symbol| symbol.st_bind() == elf::STB_GNU_UNIQUE);
    let not_a_plugin = |why: String| Incompatible::not_a_plugin(why, compiler(&sections, bytes));
    if inspection.image.entries.is_empty() {
        return Err(not_a_plugin(format!("it does not export `{ENTRY_SYMBOL}`")));
    }
    let section = sections.section_by_name(endian, NOTE_SECTION.as_bytes());
    let (_, section) = section.ok_or_else(|| not_a_plugin(format!("it has no section {NOTE_SECTION}")))?;
    inspection.note = note::read(section.data(endian, bytes).map_err(damaged)?)?;
    layout::check(header, segments, &sections, bytes, header.e_machine(endian)).map_err(Incompatible::Damaged)?;
    Ok(inspection)
}

/// If the file is linked so as never to be unmapped: the position of its `DT_FLAGS_1`, and the value to write there
/// instead.
pub fn without_no_delete(bytes: &[u8]) -> Option<(u64, u64)> {
    let endian = Endianness::Little;
    let sections = Header::parse(bytes).ok()?.sections(endian, bytes).ok()?;
    let (dynamic, _) = sections.dynamic(endian, bytes).ok()??;
    let entry = dynamic.iter().find(|entry| entry.d_tag(endian) == elf::DT_FLAGS_1)?;
    let value = entry.d_val(endian);
    let at = std::ptr::from_ref(&entry.d_val).addr() - bytes.as_ptr().addr();
    (value & elf::DF_1_NODELETE.0 != 0).then_some((at as u64, value & !elf::DF_1_NODELETE.0))
}

/// What has compiled it, by what compilers leave in `.comment`. What Rust has compiled also has the C compiler's start
/// files in it.
fn compiler(sections: &SectionTable<'_, Header>, bytes: &[u8]) -> Compiler {
    let section = sections.section_by_name(Endianness::Little, b".comment");
    let said = section.and_then(|(_, section)| section.data(Endianness::Little, bytes).ok()).unwrap_or_default();
    let says = |name: &[u8]| said.windows(name.len()).any(|part| part == name);
    match (says(b"rustc"), says(b"GCC") || says(b"clang")) {
        (true, _) => Compiler::Rust,
        (false, true) => Compiler::C,
        (false, false) => Compiler::Unknown,
    }
}

/// The file's header, if it is a shared library for machines with that name.
fn header<'a>(bytes: &'a [u8], arch: &'static str) -> Result<&'a Header, Incompatible> {
    const MACHINES: [(elf::Machine, &str); 4] =
        [(elf::EM_X86_64, "x86_64"), (elf::EM_AARCH64, "aarch64"), (elf::EM_386, "x86"), (elf::EM_RISCV, "riscv")];
    let not = |what: &str| Err(Incompatible::NotALibrary(what.into()));
    match bytes {
        [] => return not("an empty file"),
        [0x7f, b'E', b'L', b'F', class, data, ..] if (*class, *data) == (elf::ELFCLASS64.0, elf::ELFDATA2LSB.0) => {}
        [0x7f, b'E', b'L', b'F', _, _, ..] => {
            let found = "a machine of another word size or byte order";
            return Err(Incompatible::other_machine(found, arch));
        }
        [0x7f, b'E', b'L', b'F', ..] => return Err(Incompatible::Damaged("it ends in its header".into())),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            return not("an archive of objects (a Rust rlib or a static library)");
        }
        [b'P', b'K', 3, 4, ..] => return not("a package, or another zip"),
        _ => return not("some other file"),
    }
    let header = Header::parse(bytes).map_err(|error| Incompatible::Damaged(error.to_string()))?;
    let machine = header.e_machine(Endianness::Little);
    let name = MACHINES.iter().find(|(number, _)| *number == machine).map(|(_, name)| *name);
    if name != Some(arch) {
        let found = name.map_or_else(|| format!("machine number {}", machine.0), Into::into);
        return Err(Incompatible::other_machine(found, arch));
    }
    match header.e_type(Endianness::Little) {
        elf::ET_DYN => Ok(header),
        elf::ET_EXEC => not("a program"),
        elf::ET_REL => not("an object file"),
        _ => not("some other ELF file"),
    }
}
