//! Whether the tables by which the system's loader lays out a library are in order.
//!
//! The loader believes them: it follows each address and index, and what is wrong there ends the process. So all of
//! them are checked before it is asked. Most facts stand in a file twice, in what the loader reads (program headers, the
//! dynamic section) and in the section headers, which only tools read: the two must agree. What neither says remains
//! unseen, as `docs/errors/HR0302.md` lists.

mod dynamic;
mod hash;
mod initializers;
mod memory;
mod relocations;
mod sections;
mod symbols;
mod versions;

use object::elf::Machine;
use object::read::elf::SectionTable;

use dynamic::Dynamic;
use memory::{Check, Header, Memory, Segment};
use sections::Sections;
use symbols::Symbols;

/// Checks the tables of a library for that machine.
pub(crate) fn check(
    header: &Header,
    segments: &[Segment],
    sections: &SectionTable<'_, Header>,
    bytes: &[u8],
    machine: Machine,
) -> Check {
    let memory = Memory::of(segments, bytes)?;
    let sections = Sections::of(sections, &memory)?;
    sections.check_segments(header, segments, &memory)?;
    let dynamic = Dynamic::of(segments, &sections, &memory)?;
    let symbols = Symbols::of(&dynamic, &sections, &memory)?;
    initializers::check(&dynamic, &memory, &sections, &symbols)?;
    hash::check(&dynamic, &memory, &symbols)?;
    versions::check(&dynamic, &memory, &symbols)?;
    relocations::check(&dynamic, &memory, &sections, &symbols, machine)
}

#[cfg(test)]
mod tests {
    use object::Endianness;
    use object::read::elf::FileHeader;

    use super::*;

    /// Libraries that other people have linked, with all that a linker may do.
    #[test]
    fn the_systems_own_libraries_are_in_order() {
        let maps = std::fs::read_to_string("/proc/thread-self/maps").unwrap();
        let names = maps.lines().filter_map(|line| line.split_ascii_whitespace().nth(5));
        let mut libraries: Vec<_> = names.filter(|name| name.contains(".so")).collect();
        libraries.dedup();
        assert!(libraries.len() > 1, "{maps}");
        for library in libraries {
            let bytes = std::fs::read(library).unwrap();
            let header = Header::parse(&*bytes).unwrap();
            let segments = header.program_headers(Endianness::Little, &*bytes).unwrap();
            let sections = header.sections(Endianness::Little, &*bytes).unwrap();
            let said = check(header, segments, &sections, &bytes, header.e_machine(Endianness::Little));
            assert_eq!(said, Ok(()), "{library}");
        }
    }
}
