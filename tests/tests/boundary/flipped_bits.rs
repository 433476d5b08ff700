//! One bit is wrong in a table that the system's loader follows: the loader itself would end the process. Each such
//! library is loaded, run and unloaded in a process of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use hookrail::{Config, Host, Message, MessagePublish};
use hookrail_tests::child::{Ended, in_child_within};
use hookrail_tests::random::Random;
use hookrail_tests::specimens::c;
use hookrail_tests::watched::says;
use hookrail_tests::{alone, tmp, zoo};
use object::elf::{self, DynamicTag, ProgramType};
use object::{Object, ObjectSection};

/// What the loader reads, beside the headers at the beginning of the file.
const TABLES: [&str; 14] = [
    ".dynamic",
    ".dynstr",
    ".dynsym",
    ".fini_array",
    ".gnu.hash",
    ".gnu.version",
    ".gnu.version_d",
    ".gnu.version_r",
    ".hash",
    ".init_array",
    ".rela.dyn",
    ".rela.plt",
    ".relr.dyn",
    "headers",
];

/// How it ended with a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It was refused before it was opened.
    Refused,
    /// It was opened, and then refused with an error.
    Failed,
    /// It was loaded, called and unloaded.
    Worked,
    /// It ended the process.
    Killed,
}

/// How often it ended how, by table.
#[derive(Default)]
struct Ends(BTreeMap<(String, End), Vec<usize>>);

/// Where the loader has no second word for what a bit says: the address that a relocation or a symbol leads to, and the
/// symbol that a relocation names.
const UNSEEN: [&str; 3] = [".dynsym", ".rela.dyn", ".rela.plt"];

#[test]
fn a_flipped_bit_in_a_table_of_a_c_plugin_is_seen_before_it_ends_the_host() {
    alone!();
    check(&c("well_behaved"), usize::MAX);
}

#[test]
fn a_flipped_bit_in_a_table_of_a_rust_plugin_is_seen_before_it_ends_the_host() {
    alone!();
    check(&zoo("keeps_a_thread_local"), 50);
}

fn check(library: &Path, most: usize) {
    let ends = flip_each(library, most);
    println!("{ends}");
    let all: usize = ends.0.values().map(Vec::len).sum();
    let killed = || ends.0.iter().filter(|((_, end), _)| *end == End::Killed);
    for ((table, _), places) in killed() {
        assert!(UNSEEN.contains(&&**table), "{table}: {places:x?}");
    }
    let killed: usize = killed().map(|(_, places)| places.len()).sum();
    assert!(killed * 20 < all, "{killed} of {all} flips ended the host");
}

#[test]
fn damage_is_named_for_its_kind() {
    alone!();
    let whole = fs::read(c("well_behaved")).unwrap();
    let tables: BTreeMap<_, _> = tables(&whole).into_iter().collect();
    let start = |table: &str| tables[table].start;
    let word = |at: usize| u64::from_le_bytes(whole[at..at + 8].try_into().unwrap());
    let value = |tag: DynamicTag| {
        let mut entries = tables[".dynamic"].clone().step_by(16);
        entries.find(|at| word(*at) == tag.0.cast_unsigned()).expect("it has such an entry") + 8
    };
    let address = |add: u64| move |word: u64| word.wrapping_add(add);
    let segment = |kind: ProgramType| {
        let mut headers = (64..).step_by(56).take(16);
        headers.find(|at| word(*at) as u32 == kind.0).expect("it has such a segment")
    };
    let (last_symbol, relocations) = (tables[".dynsym"].end - 24, start(".rela.dyn"));
    let last_relocation = tables[".rela.dyn"].end - 24;
    type Row = (usize, Box<dyn Fn(u64) -> u64>, &'static str);
    let rows: Vec<Row> = vec![
        (value(elf::DT_STRTAB), Box::new(address(1)), "its table of names is misplaced"),
        (value(elf::DT_SYMTAB), Box::new(address(24)), "its table 0x6 is misplaced"),
        (value(elf::DT_GNU_HASH), Box::new(address(8)), "is misplaced"),
        (value(elf::DT_RELA), Box::new(address(24)), "its relocations are misplaced"),
        (value(elf::DT_RELASZ), Box::new(address(8)), "its relocations are misplaced"),
        (value(elf::DT_RELAENT), Box::new(|_| 16), "records of an unknown kind"),
        (value(elf::DT_RELACOUNT), Box::new(|_| 1000), "it has fewer relocations than it says"),
        (value(elf::DT_NEEDED), Box::new(|_| 1 << 20), "a name lies outside the table of names"),
        (value(elf::DT_INIT), Box::new(address(1)), "a function that runs when it is opened or closed is none"),
        (value(elf::DT_INIT_ARRAY), Box::new(address(8)), "its table 0x19 is misplaced"),
        (value(elf::DT_VERNEEDNUM), Box::new(|_| 2), "another number of versions"),
        (start(".gnu.hash"), Box::new(|word| word ^ 1 << 40), "its hash table is damaged"),
        (start(".gnu.version") + 16, Box::new(|word| word ^ 1 << 14), "a version that does not exist"),
        (start(".gnu.version_r") + 16, Box::new(|word| word ^ 1), "the versions that it needs are damaged"),
        (start(".dynamic"), Box::new(|_| 0x77), "the versions that it needs are damaged"),
        (start(".dynsym") + 24, Box::new(|word| word ^ 1 << 30), "a symbol has no name"),
        (last_symbol + 8, Box::new(address(1 << 20)), "its symbol hookrail_plugin_v1 is misplaced"),
        (relocations, Box::new(address(1 << 20)), "where there is nothing to write to"),
        (relocations, Box::new(address(8)), "write to the same place"),
        (last_relocation + 8, Box::new(|_| 99), "has the unknown type 99"),
        (last_relocation + 8, Box::new(|word| word | 1 << 62), "has no symbol"),
        (relocations + 16, Box::new(address(1 << 20)), "refers to something else"),
        (segment(elf::PT_LOAD) + 40, Box::new(|_| 64), "takes more from the file than it has room for"),
        (segment(elf::PT_DYNAMIC) + 16, Box::new(address(16)), "its dynamic segment is misplaced"),
        (segment(elf::PT_GNU_EH_FRAME) + 16, Box::new(address(4)), "the table for unwinding is misplaced"),
        (segment(elf::PT_GNU_RELRO) + 40, Box::new(address(1 << 14)), "its read-only memory is misplaced"),
    ];
    for (at, damage, said) in rows {
        let mut damaged = whole.clone();
        damaged[at..at + 8].copy_from_slice(&damage(word(at)).to_le_bytes());
        let file = written(&damaged);
        let Err(error) = hookrail::inspect(&file.0) else { panic!("not seen at {at:#x}: {said}") };
        says(&error, "HR0302", &[said], "build or copy the file again");
    }
}

/// Flips one bit in each byte of the tables, or in so many bytes of each table, one after the other.
fn flip_each(library: &Path, most: usize) -> Ends {
    let whole = fs::read(library).unwrap();
    let mut random = Random::of(14);
    let mut ends = Ends::default();
    assert_eq!(try_it(library), End::Worked, "nothing is wrong with it");
    for (table, bytes) in tables(&whole) {
        let chosen: Vec<_> = if bytes.len() <= most {
            bytes.collect()
        } else {
            (0..most).map(|_| bytes.start + random.below(bytes.len())).collect()
        };
        for at in chosen {
            let bit = random.below(8);
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let file = written(&flipped);
            ends.0.entry((table.clone(), try_it(&file.0))).or_default().push(at * 8 + bit);
        }
    }
    ends
}

/// A file that is gone when it is not needed any more.
struct Damaged(PathBuf);

/// Its name is that of this process: each of these tests has one for itself.
fn written(bytes: &[u8]) -> Damaged {
    let file = Damaged(tmp().join(format!("damaged_{}.so", std::process::id())));
    fs::write(&file.0, bytes).unwrap();
    file
}

impl Drop for Damaged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn tables(whole: &[u8]) -> Vec<(String, Range<usize>)> {
    let file = object::File::parse(whole).unwrap();
    let first = file.sections().filter_map(|section| section.file_range()).map(|(start, _)| start).min().unwrap();
    let mut tables = vec![("headers".to_owned(), 0..first as usize)];
    for section in file.sections() {
        let name = section.name().unwrap();
        if let Some((start, size)) = section.file_range().filter(|_| TABLES.contains(&name)) {
            tables.push((name.to_owned(), start as usize..(start + size) as usize));
        }
    }
    tables
}

fn try_it(file: &Path) -> End {
    const FAILED: i32 = 3;
    // Damage may make it hang, which is seen like any other end.
    const LONGEST: u32 = 60;
    if hookrail::inspect(file).is_err() {
        return End::Refused;
    }
    let ended = in_child_within(LONGEST, || {
        be_quiet();
        let host = Host::new(Config::default()).unwrap();
        // SAFETY: a library of ours, in a process that only it can end.
        let Ok(plugin) = (unsafe { host.load(file) }) else {
            // SAFETY: it ends the child.
            unsafe { libc::_exit(FAILED) }
        };
        let _ = host.point(MessagePublish).unwrap().dispatch(&mut Message::new("a.b", "text"));
        host.unload(&plugin).unwrap();
    });
    match ended {
        Ended::Exited(0) => End::Worked,
        Ended::Exited(FAILED) => End::Failed,
        _ => End::Killed,
    }
}

/// What a process says that is about to end is of no use.
fn be_quiet() {
    let null = fs::File::create("/dev/null").unwrap();
    // SAFETY: both are descriptors.
    unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), libc::STDERR_FILENO) };
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((table, end), places) in &self.0 {
            writeln!(f, "{table:>16} {end:?}: {}", places.len())?;
            if *end == End::Killed {
                for p in places {
                    writeln!(f, "  {:#x} bit {}", p / 8, p % 8)?;
                }
            }
        }
        Ok(())
    }
}
