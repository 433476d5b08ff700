//! A file that cannot be a plugin is refused with an error that names it and the way out, whatever it
//! is, and nothing of it is left.

use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail::Config;
use hookrail_tests::alone;
use hookrail_tests::random::Random;
use hookrail_tests::specimens::c;
use hookrail_tests::watched::{Watched, says};
use object::{Object, ObjectSection};

/// Offsets in the header of an ELF file.
const CLASS: usize = 4;
const TYPE: usize = 16;
const MACHINE: usize = 18;
const SECTIONS: usize = 40;
const SECTION_COUNT: usize = 60;

/// A file, the code of its error, what the error says beside the file's path, and the way out.
type Row = (PathBuf, &'static str, &'static str, &'static str);

fn check(watched: &Watched, rows: impl IntoIterator<Item = Row>) {
    for (file, code, said, fix) in rows {
        let path = file.display().to_string();
        says(&watched.refused(&file), code, &[&path, said], fix);
        says(&hookrail::inspect(&file).unwrap_err(), code, &[&path, said], fix);
        watched.is_as_before(&path);
    }
}

#[test]
fn a_file_that_is_no_library_is_named_for_its_kind() {
    alone!();
    let watched = Watched::new(Config::default());
    let not = |file, said| (file, "HR0303", said, "crate-type = [\"cdylib\"]");
    let object = made("object.o", |output| {
        run(Command::new("cc").args(["-c", "-o"]).arg(output).arg(zoo_source("no_plugin")));
    });
    let archive = made("archive.a", |output| {
        run(Command::new("ar").arg("rcs").arg(output).arg(&object));
    });
    let huge = made("huge.so", |output| std::fs::File::create(output).unwrap().set_len(3 << 30).unwrap());
    let fifo = made("fifo.so", |output| run(Command::new("mkfifo").arg(output)));
    check(
        &watched,
        [
            (PathBuf::from("/no/such/file.so"), "HR0501", "No such file", "check the path"),
            not(directory(), "it is a directory, not a shared library"),
            not(written("empty.so", b""), "it is an empty file"),
            not(written("text.so", b"not a library\n"), "it is some other file"),
            not(PathBuf::from("/dev/null"), "it is a special file"),
            not(fifo, "it is a special file"),
            not(huge, "it is a file of 3221225472 bytes, of which 1073741824 are allowed"),
            (object, "HR0303", "it is an object file", "link it: `cc -shared -o "),
            (written("plugin.c", b"int a;\n"), "HR0303", "it is some other file", "`cc -shared -fPIC -I DIR -o "),
            (written("plugin.cpp", b"int a;\n"), "HR0303", "it is some other file", "`c++ -shared -fPIC -I DIR -o "),
            not(written("a plugin.c", b"int a;\n"), "it is some other file"),
            not(archive, "it is an archive of objects (a Rust rlib or a static library)"),
            not(std::env::current_exe().unwrap(), "it is a program"),
            not(patched("executable.so", TYPE, &[2, 0]), "it is a program"),
            not(patched("core.so", TYPE, &[4, 0]), "it is some other ELF file"),
        ],
    );
}

#[test]
fn a_library_for_another_machine_names_both() {
    alone!();
    let watched = Watched::new(Config::default());
    let here = std::env::consts::ARCH;
    let this_machine = format!("not for {here}").leak();
    let other = |file| (file, "HR0307", &*this_machine, "build it for this machine");
    let (number, foreign) = if here == "x86_64" { (183, "it is for aarch64") } else { (62, "it is for x86_64") };
    check(
        &watched,
        [
            other(patched("foreign.so", MACHINE, &[number, 0])),
            (patched("foreign_again.so", MACHINE, &[number, 0]), "HR0307", foreign, ""),
            (patched("riscv.so", MACHINE, &[243, 0]), "HR0307", "it is for riscv", ""),
            (patched("strange.so", MACHINE, &[0xef, 0xbe]), "HR0307", "it is for machine number 48879", ""),
            other(patched("narrow.so", CLASS, &[1])),
            other(patched("big_endian.so", CLASS + 1, &[2])),
        ],
    );
}

#[test]
fn a_library_that_is_no_plugin_says_what_is_missing() {
    alone!();
    let watched = Watched::new(Config::default());
    let not = |file, said| (file, "HR0304", said, "export!");
    let without_sections = patched_at("no_sections.so", &[(SECTIONS, &[0; 8]), (SECTION_COUNT, &[0; 4])]);
    check(&watched, [not(without_sections, "it does not export `hookrail_plugin_v1`")]);
}

/// By what its compiler leaves in it.
#[test]
fn a_library_that_is_no_plugin_is_told_in_the_language_of_its_author() {
    alone!();
    let source = written("no_export.rs", b"//! Exports nothing.\n");
    let rust = made("no_export.so", |output| {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        run(Command::new(rustc).args(["--crate-type", "cdylib", "--edition", "2024", "-o"]).arg(output).arg(source));
    });
    let missing = "it does not export `hookrail_plugin_v1`";
    for (file, said, fix, of_others) in [
        (rust, missing, "add `hookrail_abi::export!(YourPlugin);`", "HOOKRAIL_PLUGIN"),
        (c("no_plugin"), missing, "write HOOKRAIL_PLUGIN and HOOKRAIL_ENTRY", "export!"),
        (c("no_note"), "it has no section .note.hookrail", "cc -shared -fPIC -I DIR -o libNAME.so NAME.c", "export!"),
    ] {
        let error = hookrail::inspect(&file).unwrap_err();
        says(&error, "HR0304", &[&file.display().to_string(), said], fix);
        assert!(!error.fix().contains(of_others), "{}", error.fix());
        check(&Watched::new(Config::default()), [(file, "HR0304", said, fix)]);
    }
}

#[test]
fn a_malformed_note_is_told_from_no_note() {
    alone!();
    let malformed = |name, said| (c(name), "HR0317", said, "HOOKRAIL_PLUGIN takes quoted texts");
    check(
        &Watched::new(Config::default()),
        [
            malformed("note_cut_short", "its note is malformed: it is cut off"),
            malformed("note_of_another", "its note is malformed: its owner or type is not that of a plugin"),
            malformed("note_is_no_json", "its note is malformed: expected"),
            malformed("note_without_version", "its note is malformed: missing field `version`"),
            malformed("nameless", "its note is malformed: the name ``"),
            malformed("climbing_name", "its note is malformed: the name `../climber`"),
            malformed("no_name", "its note is malformed: the callback ``"),
            malformed("slash_in_name", "its note is malformed: the callback `"),
        ],
    );
}

#[test]
fn a_note_of_a_newer_format_is_told_from_no_note() {
    alone!();
    let said = "its note has format 2, this host reads format 1";
    check(&Watched::new(Config::default()), [(c("note_of_a_newer_format"), "HR0316", said, "upgrade the host")]);
}

#[test]
fn refusals_of_the_systems_loader_keep_its_words() {
    alone!();
    let watched = Watched::new(Config::default());
    let file = c("missing_symbol");
    let path = file.display().to_string();
    let error = watched.refused(&file);
    says(&error, "HR0306", &["missing-symbol", &path, "nobody_has_this"], "install what is missing");
    assert!(!error.to_string().contains("/proc/"), "people know the file, not our copy: {error}");
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_never_a_crash() {
    alone!();
    let watched = Watched::new(Config::default());
    let whole = whole();
    let parsed = object::File::parse(&*whole).unwrap();
    let ends = parsed.sections().filter_map(|section| section.file_range());
    let mut lengths: Vec<usize> = ends.flat_map(|(start, size)| [start as usize, (start + size) as usize]).collect();
    lengths.extend(0..=80);
    lengths.extend([whole.len() - 1, whole.len() - 64, whole.len() / 2]);
    let mut random = Random::of(0x9e37_79b9_7f4a_7c15);
    lengths.extend((0..64).map(|_| random.below(whole.len())));
    lengths.retain(|length| *length < whole.len());

    for length in lengths {
        let file = written("truncated.so", &whole[..length]);
        let code = if length < 4 { "HR0303" } else { "HR0302" };
        let fix = if length < 4 { "cdylib" } else { "build or copy the file again" };
        says(&watched.refused(&file), code, &[&file.display().to_string()], fix);
    }
}

/// Only looked at, not loaded: no check finds damage in the code itself.
#[test]
fn a_file_with_any_byte_of_its_tables_damaged_is_read_without_a_crash() {
    alone!();
    let watched = Watched::new(Config::default());
    let whole = whole();
    let parsed = object::File::parse(&*whole).unwrap();
    let small = [".dynamic", ".dynsym", ".dynstr", ".note.hookrail"];
    let sections = parsed.sections().filter(|section| section.name().is_ok_and(|name| small.contains(&name)));
    let ranges = sections.filter_map(|section| section.file_range());
    let mut places: Vec<usize> =
        ranges.flat_map(|(start, size)| (0..size.min(1024)).map(move |offset| (start + offset) as usize)).collect();
    places.extend(0..0x400);
    places.extend(whole.len().saturating_sub(2048)..whole.len());
    let mut random = Random::of(42);
    let mut refused = 0;
    for chunk in places.chunks(16) {
        let mut damaged = whole.clone();
        let place = chunk[random.below(chunk.len())];
        damaged[place] ^= 1 << random.below(8);
        refused += usize::from(hookrail::inspect(written("damaged.so", &damaged)).is_err());
    }
    assert!(refused > 0, "no damage was noticed");
    watched.is_as_before("looking at damaged files");
}

/// A plugin without fault.
fn whole() -> Vec<u8> {
    std::fs::read(hookrail_tests::zoo("many_instances")).unwrap()
}

fn patched(name: &str, at: usize, bytes: &[u8]) -> PathBuf {
    patched_at(name, &[(at, bytes)])
}

fn patched_at(name: &str, patches: &[(usize, &[u8])]) -> PathBuf {
    let mut file = whole();
    for (at, bytes) in patches {
        file[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    written(name, &file)
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    made(name, |output| std::fs::write(output, bytes).unwrap())
}

fn made(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let file = directory().join(name);
    let _ = std::fs::remove_file(&file);
    make(&file);
    file
}

fn directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad_files");
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn zoo_source(name: &str) -> String {
    format!("{}/zoo/c/{name}.c", env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
