//! Names for what a worker said last.

use std::path::Path;

use hookrail_loader::names_in;

use super::crash::Opened;
use crate::last_words::Said;

/// A line of the list of what a process had mapped.
struct Mapping<'a> {
    start: u64,
    end: u64,
    /// Where it begins in its file.
    offset: u64,
    file: &'a str,
}

impl<'a> Mapping<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let offset = fields.nth(1)?;
        let file = fields.nth(2)?.trim();
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Mapping { start: number(start)?, end: number(end)?, offset: number(offset)?, file })
    }

    /// Where an address of it is in the file.
    fn place(&self, address: u64) -> u64 {
        (address - self.start).saturating_add(self.offset)
    }

    /// The file's name, without its directory.
    fn name(&self) -> &'a str {
        let file = self.file.trim_end_matches(" (deleted)");
        Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or("(no file)").trim_start_matches("memfd:")
    }
}

/// How long a name may be, in characters: it comes from a plugin's file.
const LONGEST: usize = 500;

/// The functions that it was in, innermost first, up to the outermost one of a plugin, if it was in any.
pub(super) fn names(said: &Said, opened: &[Opened]) -> Vec<String> {
    let mappings: Vec<_> = said.mapped.lines().filter_map(Mapping::read).collect();
    let places: Vec<_> = said
        .frames
        .iter()
        .enumerate()
        // One byte earlier: the return address of a call that never returns is in the next function.
        .map(|(index, address)| address.saturating_sub(u64::from(index > 0)))
        .map(|address| (address, mappings.iter().find(|mapping| (mapping.start..mapping.end).contains(&address))))
        .collect();
    let name = |(address, mapping): &(u64, Option<&Mapping<'_>>)| match mapping {
        None => format!("{address:#x}"),
        Some(mapping) => format!("{}+{:#x}", mapping.name(), mapping.place(*address)),
    };
    let mut names: Vec<_> = places.iter().map(name).collect();
    let mut last = None;
    for Opened { plugin, copy, .. } in opened {
        // The worker's copy of its file has that name.
        let is_its = |mapping: &&Mapping<'_>| plugin.file.file_name().is_some_and(|file| file == mapping.name());
        let own = places
            .iter()
            .enumerate()
            .filter_map(|(index, (address, mapping))| Some((index, mapping.filter(is_its)?.place(*address))));
        let (indices, offsets): (Vec<_>, Vec<_>) = own.unzip();
        last = last.max(indices.last().copied());
        for (index, name) in indices.into_iter().zip(names_in(copy, &offsets)) {
            if let Some(name) = name {
                names[index] = name.chars().take(LONGEST).collect();
            }
        }
    }
    names.truncate(last.map_or(names.len(), |last| last + 1));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_read_or_left_out() {
        let line = "7f00-7fff r-xp 00001000 00:01 5   /memfd:mask@1.0.0#abcdef01 (deleted)";
        let mapping = Mapping::read(line).unwrap();
        assert_eq!((mapping.start, mapping.end, mapping.offset), (0x7f00, 0x7fff, 0x1000));
        assert_eq!(mapping.name(), "mask@1.0.0#abcdef01");
        for wrong in ["", "7f00", "x-y r-xp 0 0 0 /a", "7f00-7fff r-xp z 00:01 5 /a"] {
            assert!(Mapping::read(wrong).is_none(), "{wrong}");
        }
        let said =
            Said { frames: vec![0x7f01, 0x9000, 0], mapped: "nonsense\n7f00-7fff r-xp 0 0 5 /usr/lib/x.so".into() };
        assert_eq!(names(&said, &[]), ["x.so+0x1", "0x8fff", "0x0"]);
    }
}
