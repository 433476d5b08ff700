//! A package is made by somebody else: whatever its zip and its tar are, it is read as they say it is,
//! or refused with an error that names what is wrong.

use std::fs;

use hookrail_tests::raw::{
    FILES, Header, Member, TEXT, body, end, entries, file, members, metadata, of_tar, package, read, tar, zip, zipped,
};
use hookrail_tests::refused::{Row, check};
use serde_json::Value;

/// A package with one entry more.
fn with(entry: Vec<u8>) -> Vec<u8> {
    of_tar(tar(&[entries(), vec![entry]].concat()))
}

/// A package with another header of its first file.
fn with_first(change: impl FnOnce(Header) -> Header) -> Vec<u8> {
    let mut entries = entries();
    entries[0] = change(Header::new("hello/README.md", b'0', TEXT.len())).with(TEXT);
    of_tar(tar(&entries))
}

/// The good one, with other bytes at a place that is counted from its end.
fn ended(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut package = of_tar(tar(&entries()));
    let at = package.len() - at;
    package[at..at + bytes.len()].copy_from_slice(bytes);
    package
}

#[test]
fn the_package_that_all_others_differ_from_is_good() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hello-1.0.0.hrp");
    let directories = ["hello/", "hello/lib"].map(|name| Header::new(name, b'5', 0).with(b""));
    // Stock programs write the directories too, and tar of GNU its own mark.
    for (good, is_executable) in [
        (of_tar(tar(&entries())), false),
        (zipped(|[json, tar]| std::mem::swap(json, tar)), false),
        (of_tar(tar(&[directories.to_vec(), entries()].concat())), false),
        (with_first(|header| header.put(257, b"ustar  \0").put(100, b"0000755\0")), true),
        (with_first(|header| header.put(0, [0; 100]).put(0, "README.md").put(345, "hello")), false),
    ] {
        fs::write(&path, good).unwrap();
        let (_, files) = read(&path).unwrap();
        let said = FILES.map(|(path, data)| (path.to_owned(), is_executable && path == "README.md", data.to_vec()));
        assert_eq!(files, said);
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (name, said) in [
        ("../x", "it is not below the directory hello"),
        ("/etc/passwd", "it is not below the directory hello"),
        ("other/x", "it is not below the directory hello"),
        ("hello", "it is not below the directory hello"),
        ("hello-1.0.0/x", "it is not below the directory hello"),
        ("", "it is not below the directory hello"),
        ("hello/../x", "climbs"),
        ("hello//etc", "is absolute"),
        ("hello/", "has an empty name in it"),
        ("hello/.", "has an empty name in it"),
        ("hello/./x", "has an empty name in it"),
        ("hello/lib//x", "has an empty name in it"),
        ("hello/x/", "has an empty name in it"),
        ("hello/..\\x", "has another character"),
        ("hello/C:x", "has another character"),
        ("hello/\u{1b}[2J", "has another character"),
        ("hello/x y", "has another character"),
        ("hello/a/b/c/d/e/f/g/h/i/j/k/l/m", "is more than 12 directories deep"),
        ("hello/readme.md", "its metadata does not name it, or it is there twice"),
        ("hello/README.md", "its metadata does not name it, or it is there twice"),
        ("hello/more", "its metadata does not name it, or it is there twice"),
    ] {
        rows.push((name, with(Header::new(name, b'0', 0).with(b"")), "HR0805", said));
    }
    rows.extend([
        (
            "a name that is not text",
            with(Header::new(b"hello/\xff", b'0', 0).with(b"")),
            "HR0805",
            "hello/\\xff: its name is not text",
        ),
        (
            "a name after a NUL",
            with_first(|header| header.put(16, "evil")),
            "HR0805",
            "hello/README.md: something stands after its name",
        ),
        (
            "a prefix after a NUL",
            with_first(|header| header.put(0, [0; 100]).put(0, "README.md").put(345, "hello\0evil")),
            "HR0805",
            "hello/README.md: something stands after its name",
        ),
        (
            "a prefix that only some programs read",
            with_first(|header| header.put(257, b"ustar  \0").put(345, "evil")),
            "HR0805",
            "hello/README.md: an extension of tar",
        ),
        (
            "a prefix that climbs",
            with(Header::new("x", b'0', 0).put(345, "hello/..").with(b"")),
            "HR0805",
            "hello/../x ... climbs",
        ),
    ]);
    check(rows);
}

#[test]
fn entries_that_are_no_plain_files_are_refused() {
    let of_kind = |kind: u8| with(Header::new("hello/x", kind, 0).put(157, "/etc/passwd").with(b""));
    let extension = |kind: u8, data: &[u8]| with(Header::new("hello/x", kind, data.len()).with(data));
    let link = "its tar holds hello/x: a link";
    let device = "its tar holds hello/x: a device";
    let extended = "its tar holds hello/x: an extension of tar, which `tar --format=ustar` does without";
    let directory = |name: &str, size: usize| with(Header::new(name, b'5', size).with(&vec![0; size]));
    check([
        ("hard link", of_kind(b'1'), "HR0805", link),
        ("symbolic link", of_kind(b'2'), "HR0805", link),
        ("character device", of_kind(b'3'), "HR0805", device),
        ("block device", of_kind(b'4'), "HR0805", device),
        ("fifo", of_kind(b'6'), "HR0805", device),
        ("long name of GNU", extension(b'L', b"hello/../../x\0"), "HR0805", extended),
        ("long link of GNU", extension(b'K', b"/etc\0"), "HR0805", extended),
        ("path of PAX", extension(b'x', b"17 path=../../x\n"), "HR0805", extended),
        ("size of PAX", extension(b'x', b"13 size=1024\n"), "HR0805", extended),
        ("global PAX", extension(b'g', b"13 size=1024\n"), "HR0805", extended),
        ("PAX of Solaris", extension(b'X', b"13 size=1024\n"), "HR0805", extended),
        ("sparse file of GNU", extension(b'S', b""), "HR0805", extended),
        ("dumped directory", extension(b'D', b""), "HR0805", extended),
        ("next volume", extension(b'M', b""), "HR0805", extended),
        ("volume name", extension(b'V', b""), "HR0805", extended),
        ("contiguous file", of_kind(b'7'), "HR0805", "neither a file nor a directory"),
        ("nothing known", of_kind(b'?'), "HR0805", "neither a file nor a directory"),
        ("file that names a link", of_kind(b'0'), "HR0805", "hello/x: a link"),
        ("directory with contents", directory("hello/lib", 512), "HR0805", "hello/lib: a directory with contents"),
        ("directory of no file", directory("hello/bin", 0), "HR0805", "hello/bin: no file of its metadata is in it"),
        ("directory elsewhere", directory("/tmp", 0), "HR0805", "/tmp: it is not below the directory hello"),
        ("directory that climbs", directory("hello/../x", 0), "HR0805", "hello/../x ... climbs"),
        ("directory in place of a file", directory("hello/README.md", 0), "HR0805", "hello/README.md: no file of"),
        (
            "directory twice",
            of_tar(tar(&[vec![Header::new("hello/lib/", b'5', 0).with(b""); 2], entries()].concat())),
            "HR0805",
            "hello/lib/: no file of its metadata is in it, or it is there twice",
        ),
    ]);
}

#[test]
fn a_tar_that_is_not_what_it_says_is_refused() {
    let sized = |size: &[u8]| with_first(|header| header.put(124, [0; 12]).put(124, size));
    let no_number = "hello/README.md: its length is no octal number";
    let whole = tar(&entries());
    let short = |len: usize| of_tar(whole[..len].to_vec());
    let after = |more: &[u8]| of_tar([&whole, more].concat());
    let mut padded = whole.clone();
    padded[512 + TEXT.len()] = 1;
    let mut summed = whole.clone();
    summed[148] ^= 1;
    check([
        ("negative length", sized(&[0xff; 12]), "HR0805", no_number),
        ("binary length", sized(b"\x80\0\0\0\0\0\0\0\0\0\0\x08"), "HR0805", no_number),
        ("length with a plus", sized(b"+10"), "HR0805", no_number),
        ("length with a minus", sized(b"-10"), "HR0805", no_number),
        ("length after a space", sized(b" 10"), "HR0805", no_number),
        ("length with a digit too high", sized(b"00000000018"), "HR0805", no_number),
        ("length after a NUL", sized(b"10\x0010"), "HR0805", no_number),
        ("no length", sized(b""), "HR0805", no_number),
        ("largest length", sized(b"777777777777"), "HR0802", "the length of README.md is 68719476735 ... says 8"),
        ("other length", sized(b"7"), "HR0802", "the length of README.md is 7, its metadata says 8"),
        ("wrong checksum", of_tar(summed), "HR0801", "its tar is damaged ... the checksum of a header is wrong"),
        (
            "old form",
            with_first(|header| header.put(257, [0; 8])),
            "HR0805",
            "hello/README.md: another form of tar than that of POSIX and GNU",
        ),
        ("something between files", of_tar(padded), "HR0803", "holds something after README.md"),
        ("no end", short(whole.len() - 1024), "HR0801", "its tar is damaged ... without an end"),
        ("half an end", short(whole.len() - 512), "HR0801", "its tar is damaged ... without an end"),
        ("part of a block", short(whole.len() - 100), "HR0801", "its tar is damaged ... no whole number of blocks"),
        ("in a file", short(515), "HR0801", "its tar is damaged ... it ends within README.md"),
        ("in a header", short(300), "HR0801", "its tar is damaged ... it ends within a header"),
        ("nothing", of_tar(Vec::new()), "HR0801", "its tar is damaged ... without an end"),
        ("files after its end", after(&file("more", b"")), "HR0803", "its tar goes on after its end"),
        ("a byte after its end", after(&[0; 512 * 7 + 1]), "HR0801", "no whole number of blocks"),
        ("no files", of_tar(tar(&[])), "HR0803", "its tar lacks README.md ... 2 are missing"),
        ("a file less", of_tar(tar(&entries()[1..])), "HR0803", "its tar lacks README.md ... 1 are missing"),
        ("a file twice", with(entries().remove(0)), "HR0805", "hello/README.md: its metadata does not name it"),
    ]);
}

#[test]
fn sizes_and_digests_hold_at_each_place() {
    let whole = tar(&entries());
    let said = |pointer: &str, value: Value| {
        let mut metadata = metadata(&FILES, &whole);
        *metadata.pointer_mut(pointer).unwrap() = value;
        package(&metadata, &whole)
    };
    let other = "0".repeat(64);
    check([
        ("digest of the tar", said("/tar/sha256", other.clone().into()), "HR0802", "the SHA-256 of its tar ... 0000"),
        ("length of the tar", said("/tar/size", 1.into()), "HR0802", "the length of its tar is 3072 ... says 1"),
        ("digest of a file", said("/files/1/sha256", other.clone().into()), "HR0802", "lib/a.so ... SHA-256 ... 0000"),
        ("length of a file", said("/files/0/size", 9.into()), "HR0802", "the length of README.md is 8 ... says 9"),
        ("largest length", said("/files/0/size", u64::MAX.into()), "HR0802", "the length of README.md is 8"),
        ("largest tar", said("/tar/size", u64::MAX.into()), "HR0802", "the length of its tar is 3072"),
    ]);
}

#[test]
fn a_zip_of_another_shape_is_refused() {
    let good = of_tar(tar(&entries()));
    let listed = |change: fn(&mut Vec<Member>)| {
        let tar = tar(&entries());
        let mut members = members(&metadata(&FILES, &tar), &tar).to_vec();
        change(&mut members);
        zip(&members)
    };
    let commented = {
        let tar = tar(&entries());
        let (body, at) = body(&members(&metadata(&FILES, &tar), &tar));
        let end = end(2, body.len() - at, at, 5);
        [body, end, b"words".to_vec()].concat()
    };
    let renamed = |index: usize, name: &'static str| zipped(|members| members[index].name = name.into());
    let not_two = "it is not a package: it holds ... not NAME-VERSION.json and NAME-VERSION.tar";
    let cut = "it does not end as a zip does: it was cut off, or something stands after it";
    let no_end = "its directory does not end where it should";
    check([
        ("nothing", Vec::new(), "HR0801", "it is an empty file"),
        ("a text", b"not a package\n".to_vec(), "HR0801", "it is no zip"),
        ("a library", [b"\x7fELF", &*vec![0; 500]].concat(), "HR0801", "it is no zip"),
        ("one byte after it", [&*good, b"\0"].concat(), "HR0801", cut),
        ("another one after it", [&*good, &*good].concat(), "HR0801", no_end),
        ("a script before it", [b"#!/bin/sh\n", &*good].concat(), "HR0801", "it is no zip"),
        ("another zip before it", [&*zip(&[Member::stored("x", b"x")]), &*good].concat(), "HR0801", no_end),
        ("a comment", commented, "HR0801", cut),
        ("a comment that is not there", ended(2, &[5]), "HR0801", cut),
        ("one disk of several", ended(18, &[1]), "HR0801", "one disk of several"),
        ("directory on another disk", ended(16, &[1]), "HR0801", "one disk of several"),
        ("two counts", ended(14, &[1]), "HR0801", "one disk of several"),
        ("longer directory", ended(10, &[0xff]), "HR0801", "its directory does not end where it should"),
        ("directory elsewhere", ended(6, &[0]), "HR0801", "its directory does not end where it should"),
        ("end of zip64", ended(6, &[0xff; 4]), "HR0801", "its directory does not end where it should"),
        ("counts of zip64", ended(14, &[0xff; 4]), "HR0801", "it holds 65535 files"),
        ("no member", zip(&[]), "HR0801", "it holds 0 files"),
        ("no member, and 90 bytes", [vec![0; 90], end(0, 0, 0, 0)].concat(), "HR0801", "it is no zip"),
        ("one member", listed(|members| members.truncate(1)), "HR0801", not_two),
        ("a third member", listed(|members| members.push(Member::stored("x", b""))), "HR0801", not_two),
        ("a directory more", listed(|members| members.push(Member::stored("x/", b""))), "HR0801", not_two),
        (
            "a third member that is not counted",
            {
                let mut package = listed(|members| members.push(Member::stored("x", b"")));
                let at = package.len() - 14;
                package[at..at + 4].copy_from_slice(&[2, 0, 2, 0]);
                package
            },
            "HR0801",
            "its directory has more in it than two files",
        ),
        (
            "json twice",
            listed(|members| members[1] = members[0].clone()),
            "HR0801",
            "hello-1.0.0.json ... not NAME-VERSION.json and",
        ),
        ("two of one kind", renamed(1, "x.json"), "HR0801", "x.json ... not NAME-VERSION.json and NAME-VERSION.tar"),
        (
            "json of another name",
            renamed(0, "x.json"),
            "HR0802",
            "the name of its json file is x.json ... hello-1.0.0.json",
        ),
        ("tar of another name", renamed(1, "x.tar"), "HR0802", "the name of its tar file is x.tar ... hello-1.0.0.tar"),
        ("in a directory", renamed(1, "a/hello-1.0.0.tar"), "HR0802", "is a/hello-1.0.0.tar"),
        ("a name that climbs", renamed(1, "../hello-1.0.0.tar"), "HR0802", "is ../hello-1.0.0.tar"),
        ("a name for a terminal", renamed(1, "\u{1b}[2J.tar"), "HR0801", "the name \\x1b[2J.tar"),
        ("a name with a NUL", renamed(1, "hello-1.0.0.tar\0.tar"), "HR0801", "the name hello-1.0.0.tar\\x00.tar"),
        ("no name", renamed(1, ""), "HR0801", "not NAME-VERSION.json and NAME-VERSION.tar"),
    ]);
}

#[test]
fn a_member_that_is_not_plain_is_refused() {
    let no_file = "hello-1.0.0.tar is no plain file";
    let differ = "hello-1.0.0.tar has two headers that differ";
    let no_place = "hello-1.0.0.tar does not begin where it should";
    let local = |local: fn(&mut Member)| zipped(|[_, tar]| tar.local = local);
    let extra = |extra: &[u8]| zipped(|[_, tar]| tar.extra = extra.to_vec());
    let attributes = |attributes: u32| zipped(|[_, tar]| tar.attributes = attributes);
    check([
        ("symbolic link", attributes(0o120_777 << 16), "HR0801", no_file),
        ("directory of Unix", attributes(0o040_755 << 16), "HR0801", no_file),
        ("directory of DOS", attributes(0x10), "HR0801", no_file),
        ("device", attributes(0o060_644 << 16), "HR0801", no_file),
        ("encrypted", zipped(|[_, tar]| tar.flags = 1), "HR0801", "hello-1.0.0.tar is encrypted"),
        ("strongly encrypted", zipped(|[_, tar]| tar.flags = 0x41), "HR0801", "hello-1.0.0.tar is encrypted"),
        ("encrypted by AES", zipped(|[_, tar]| tar.method = 99), "HR0801", "another method than deflate"),
        ("bzip2", zipped(|[_, tar]| tar.method = 12), "HR0801", "hello-1.0.0.tar ... another method than deflate"),
        ("zstd", zipped(|[_, tar]| tar.method = 93), "HR0801", "hello-1.0.0.tar ... another method than deflate"),
        ("streamed", zipped(|[_, tar]| tar.flags = 8), "HR0801", "hello-1.0.0.tar was packed as a stream"),
        ("unknown flags", zipped(|[_, tar]| tar.flags = 0x20), "HR0801", "hello-1.0.0.tar ... flags 0x0020"),
        ("comment", zipped(|[_, tar]| tar.comment = b"x".into()), "HR0801", "hello-1.0.0.tar has a comment"),
        ("sizes of zip64", extra(&[1, 0, 8, 0, 9, 9, 9, 9, 9, 9, 9, 9]), "HR0801", "the extra field 0x0001"),
        ("another name", extra(b"\x75\x70\x05\x00\x01abcd"), "HR0801", "hello-1.0.0.tar has the extra field 0x7075"),
        ("keys of AES", extra(b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00"), "HR0801", "the extra field 0x9901"),
        ("extra field that is cut off", extra(b"\x55\x54\x09\x00\x01"), "HR0801", "hello-1.0.0.tar ... extra field"),
        ("another name before it", local(|member| member.name = b"hello-1.0.0.tax".into()), "HR0801", differ),
        ("another method before it", local(|member| member.method = 0), "HR0801", differ),
        ("another checksum before it", local(|member| member.crc ^= 1), "HR0801", differ),
        ("another length before it", local(|member| member.size -= 1), "HR0801", differ),
        ("another packed length before it", local(|member| member.packed_size -= 1), "HR0801", differ),
        ("other flags before it", local(|member| member.flags = 8), "HR0801", differ),
        ("extra field before it", local(|member| member.extra = b"\x01\0\x01\0x".into()), "HR0801", "field 0x0001"),
        ("elsewhere", zipped(|[_, tar]| tar.moved = 1), "HR0801", no_place),
        ("after everything", zipped(|[_, tar]| tar.moved = 1 << 31), "HR0801", no_place),
        (
            "on top of the other",
            zipped(|[json, tar]| tar.moved = -30 - json.packed.len() as i64 - 16),
            "HR0801",
            "does not begin where it should",
        ),
        ("a gap", zipped(|[json, _]| json.packed.extend(b"hidden")), "HR0801", no_place),
        ("longer than it is", zipped(|[_, tar]| tar.packed_size += 1), "HR0801", "does not begin where it should"),
        ("of zip64's length", zipped(|[_, tar]| tar.packed_size = u32::MAX), "HR0801", "where it should"),
        ("stored, of two lengths", zipped(|[_, tar]| tar.method = 0), "HR0801", "hello-1.0.0.tar ... stored"),
    ]);
}

#[test]
fn members_that_unpack_to_something_else_are_refused() {
    let other = |change: fn(&mut Member)| zipped(|[_, tar]| change(tar));
    check([
        ("wrong checksum", other(|tar| tar.crc ^= 1), "HR0801", "its tar is damaged ... its CRC-32"),
        (
            "wrong checksum of the json",
            zipped(|[json, _]| json.crc ^= 1),
            "HR0801",
            "hello-1.0.0.json is damaged ... its CRC-32",
        ),
        ("shorter than it says", other(|tar| tar.size += 512), "HR0802", "the length of its tar is 3584"),
        (
            "json shorter than it says",
            zipped(|[json, _]| json.size += 1),
            "HR0801",
            "hello-1.0.0.json is damaged ... shorter than its header says",
        ),
        (
            "json longer than it says",
            zipped(|[json, _]| json.size -= 1),
            "HR0801",
            "hello-1.0.0.json is damaged ... longer than its header says",
        ),
        ("no deflate", other(|tar| tar.packed.fill(0xff)), "HR0801", "its tar is damaged"),
        (
            "bytes after the deflate",
            other(|tar| {
                tar.packed.extend(b"hidden");
                tar.packed_size += 6;
            }),
            "HR0801",
            "its tar is damaged ... something stands after it",
        ),
    ]);
}
