//! The zip around a package, read as strictly as it is written: two files, one after the other, then the central
//! directory, and nothing else.
//!
//! The format has room for a second meaning in many places: before, between and after its files, in extension fields,
//! in two headers for one file. Programs differ in how they read those. Here each such place must be empty, or the
//! package is refused; so all programs see the same two files.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;

use super::error::PackageError;
use super::member::{Member, Packing};
use hookrail_model::package::shown;

/// The largest package, and the largest file in it. Larger ones would need zip64, which states every size a second
/// time.
pub(super) const MAX_PACKAGE: u64 = u32::MAX as u64 - 1;

/// The longest name, and the longest extra fields of a member, in bytes.
const MAX_NAME: u16 = 255;
const MAX_EXTRA: u16 = 1024;

/// The length of the end record, and of a member's headers without name and extra fields.
const END: usize = 22;
const LISTED: usize = 46;
const LOCAL: usize = 30;

/// Times and user ids, which common programs write and this one does not read.
const KNOWN_EXTRA: [u16; 4] = [0x000a, 0x5455, 0x7855, 0x7875];

/// The compression effort, and that a name is UTF-8, which ASCII is.
const KNOWN_FLAGS: u16 = 0x0806;

/// The files of a package.
pub(super) struct Archive {
    pub(super) json: Member,
    pub(super) tar: Member,
}

/// A member as the central directory lists it.
struct Listed {
    /// Flags, method, checksum and lengths: what the header before its bytes must repeat.
    shared: [u8; 18],
    member: Member,
    header: u64,
}

impl Archive {
    pub(super) fn read(file: &fs::File) -> Result<Self, PackageError> {
        let len = file.metadata().map_err(damaged)?.len();
        if len > MAX_PACKAGE {
            return Err(PackageError::TooLarge { what: "it".into(), limit: format!("{MAX_PACKAGE} bytes") });
        }
        let directory_at = begin_of_directory(file, len)?;
        let mut directory = vec![0; (len - END as u64 - directory_at) as usize];
        file.read_exact_at(&mut directory, directory_at).map_err(damaged)?;
        let mut rest = &directory[..];
        let mut members = [Listed::read(&mut rest)?, Listed::read(&mut rest)?];
        if !rest.is_empty() {
            return Err(no_package("its directory has more in it than two files"));
        }
        members.sort_by_key(|listed| listed.header);
        let mut at = 0;
        for listed in &mut members {
            at = listed.place(file, at, directory_at)?;
        }
        if at != directory_at {
            return Err(misplaced("its directory"));
        }
        let [one, other] = members.map(|listed| listed.member);
        let is = |member: &Member, ending: &str| member.name.ends_with(ending);
        match (is(&one, ".json") && is(&other, ".tar"), is(&one, ".tar") && is(&other, ".json")) {
            (true, _) => Ok(Archive { json: one, tar: other }),
            (_, true) => Ok(Archive { json: other, tar: one }),
            _ => Err(no_package(format!(
                "it holds {} and {}, not NAME-VERSION.json and NAME-VERSION.tar",
                shown(&one.name),
                shown(&other.name)
            ))),
        }
    }
}

/// Where the central directory begins; it must end where the end record begins.
fn begin_of_directory(file: &fs::File, len: u64) -> Result<u64, PackageError> {
    let mut magic = [0; 4];
    let mut end = [0; END];
    if len == 0 {
        return Err(no_package("it is an empty file"));
    }
    if len < END as u64 {
        return Err(no_package("it is no zip"));
    }
    file.read_exact_at(&mut magic, 0).map_err(damaged)?;
    file.read_exact_at(&mut end, len - END as u64).map_err(damaged)?;
    if &magic != b"PK\x03\x04" && &magic != b"PK\x05\x06" {
        return Err(no_package("it is no zip"));
    }
    let mut rest = &end[..];
    if take(&mut rest) != Some(*b"PK\x05\x06") || end[20..] != [0, 0] {
        return Err(no_package("it does not end as a zip does: it was cut off, or something stands after it"));
    }
    let [disk, directory_disk, here, count] = std::array::from_fn(|_| u16(&mut rest));
    let [size, at] = std::array::from_fn(|_| u64::from(u32(&mut rest)));
    if count != 2 {
        return Err(no_package(format!("it holds {count} files, not NAME-VERSION.json and NAME-VERSION.tar")));
    }
    if (disk, directory_disk, here) != (0, 0, count) {
        return Err(no_package("it is one disk of several"));
    }
    let most = 2 * (LISTED as u64 + u64::from(MAX_NAME) + u64::from(MAX_EXTRA));
    if size > most || at + size != len - END as u64 {
        return Err(no_package("its directory does not end where it should"));
    }
    Ok(at)
}

impl Listed {
    /// Takes one entry from the central directory.
    fn read(directory: &mut &[u8]) -> Result<Self, PackageError> {
        let cut = || no_package("its directory is damaged");
        let header: [u8; LISTED] = take(directory).ok_or_else(cut)?;
        let mut fields = &header[..];
        if take(&mut fields) != Some(*b"PK\x01\x02") {
            return Err(cut());
        }
        // The version that wrote it and the version needed to read it: nothing that is read here needs more than the
        // first version.
        let _ = u32(&mut fields);
        let [flags, method, _, _] = std::array::from_fn(|_| u16(&mut fields));
        let [crc, packed, size] = std::array::from_fn(|_| u32(&mut fields));
        let [name_len, extra_len, comment, disk, _] = std::array::from_fn(|_| u16(&mut fields));
        let [attributes, at] = std::array::from_fn(|_| u32(&mut fields));
        if name_len > MAX_NAME || extra_len > MAX_EXTRA {
            return Err(cut());
        }
        let name = directory.split_off(..name_len.into()).ok_or_else(cut)?;
        let extra = directory.split_off(..extra_len.into()).ok_or_else(cut)?;
        let shown = name.escape_ascii().to_string();
        let refuse = |why: String| no_package(format!("{shown} {why}"));
        if !name.iter().all(u8::is_ascii_graphic) {
            return Err(no_package(format!("the name {shown} has another character than those of ASCII")));
        }
        if flags & 1 != 0 {
            return Err(refuse("is encrypted".into()));
        }
        if flags & 8 != 0 {
            return Err(refuse("was packed as a stream: pack files into a file".into()));
        }
        if flags & !KNOWN_FLAGS != 0 {
            return Err(refuse(format!("has the flags {flags:#06x}, of which some are unknown")));
        }
        let packing = match method {
            0 if packed != size => return Err(refuse("is stored, and has two lengths".into())),
            0 => Packing::Stored,
            8 => Packing::Deflated,
            _ => return Err(refuse("is compressed by another method than deflate".into())),
        };
        check_extra(extra, &shown)?;
        if comment != 0 {
            return Err(refuse("has a comment".into()));
        }
        // The upper half is the Unix mode, with the file type in its first four bits; the lower half is DOS attributes.
        let is_file = matches!(attributes >> 28, 0 | 0o10) && attributes & 0x18 == 0;
        if !is_file || disk != 0 {
            return Err(refuse("is no plain file".into()));
        }
        let member = Member {
            name: shown,
            packing,
            crc,
            packed: packed.into(),
            size: size.into(),
            // INVARIANT: not read before `place` sets it.
            start: 0,
        };
        Ok(Listed { shared: shared(&header[8..]), member, header: at.into() })
    }

    /// Checks the header before the bytes, which must be at `at`, and returns where the bytes end.
    fn place(&mut self, file: &fs::File, at: u64, directory: u64) -> Result<u64, PackageError> {
        let member = &mut self.member;
        let most = (LOCAL as u64 + member.name.len() as u64 + u64::from(MAX_EXTRA)).min(directory - at);
        if self.header != at {
            return Err(misplaced(&member.name));
        }
        let mut bytes = vec![0; most as usize];
        file.read_exact_at(&mut bytes, at).map_err(damaged)?;
        let mut rest = &bytes[..];
        let differ = || no_package(format!("{} has two headers that differ", member.name));
        let header: [u8; LOCAL] = take(&mut rest).ok_or_else(differ)?;
        let [name_len, extra_len] = [26, 28].map(|at| u16(&mut &header[at..]));
        let name = rest.split_off(..name_len.into()).ok_or_else(differ)?;
        let extra = rest.split_off(..extra_len.into()).ok_or_else(differ)?;
        let is_same = &header[..4] == b"PK\x03\x04" && shared(&header[6..]) == self.shared;
        if !is_same || name != member.name.as_bytes() {
            return Err(differ());
        }
        check_extra(extra, &member.name)?;
        member.start = at + LOCAL as u64 + u64::from(name_len) + u64::from(extra_len);
        let end = member.start + member.packed;
        if end > directory { Err(misplaced("its directory")) } else { Ok(end) }
    }
}

/// The fields from the flags on, without the time.
fn shared(header: &[u8]) -> [u8; 18] {
    // INVARIANT: both kinds of header are longer.
    std::array::from_fn(|at| if at < 4 { header[at] } else { header[at + 4] })
}

/// Each field is its id, its length, and that many bytes.
fn check_extra(mut extra: &[u8], name: &str) -> Result<(), PackageError> {
    while !extra.is_empty() {
        let field = take::<4>(&mut extra).map(|[a, b, c, d]| (u16::from_le_bytes([a, b]), [c, d]));
        let (number, len) = field.ok_or_else(|| no_package(format!("{name} has a damaged extra field")))?;
        if !KNOWN_EXTRA.contains(&number) {
            return Err(no_package(format!("{name} has the extra field {number:#06x}, which may change what it is")));
        }
        if extra.split_off(..u16::from_le_bytes(len).into()).is_none() {
            return Err(no_package(format!("{name} has a damaged extra field")));
        }
    }
    Ok(())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

/// Reads from a header that is known to be complete.
fn u16(bytes: &mut &[u8]) -> u16 {
    take(bytes).map_or(0, u16::from_le_bytes)
}

fn u32(bytes: &mut &[u8]) -> u32 {
    take(bytes).map_or(0, u32::from_le_bytes)
}

fn misplaced(what: &str) -> PackageError {
    no_package(format!("{what} does not begin where it should"))
}

fn no_package(why: impl Into<String>) -> PackageError {
    PackageError::Archive(why.into())
}

fn damaged(error: io::Error) -> PackageError {
    no_package(error.to_string())
}
