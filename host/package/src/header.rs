//! A tar header, in the two plain formats: POSIX (`ustar`), and GNU without any GNU extension.
//!
//! Extensions are not accepted: entries that describe another entry, as in PAX or GNU long names, are read by some
//! programs and skipped by others, which then see other files.

/// A block: the size of a header, and the unit that all lengths are rounded up to.
pub(super) const BLOCK: usize = 512;

/// The header before each file.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    /// The path of the file.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// The number of bytes that follow.
    pub(super) size: u64,
    /// Whether its owner may execute it.
    pub(super) is_executable: bool,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    File,
    Directory,
}

/// Why a header is refused.
#[derive(Debug, PartialEq)]
pub(super) enum HeaderError {
    /// It is not a header.
    Damaged,
    /// It is one that no package may have; `path` is escaped.
    Refused { path: String, why: String },
}

const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const SIZE: std::ops::Range<usize> = 124..136;
const SUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const LINK: std::ops::Range<usize> = 157..257;
const MARK: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;

impl Header {
    /// Returns `None` for a block of zeros, which ends a tar.
    pub(super) fn read(block: &[u8; BLOCK]) -> Result<Option<Self>, HeaderError> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum field itself counts as spaces.
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        let own: u64 = block[SUM].iter().map(|byte| u64::from(*byte)).sum();
        if octal(&block[SUM]) != Some(sum - own + 8 * u64::from(b' ')) {
            return Err(HeaderError::Damaged);
        }
        let is_posix = block[MARK] == *b"ustar\x0000";
        let (prefix, name) = (until_nul(&block[PREFIX]), until_nul(&block[NAME]));
        let shown = if is_posix && !prefix.is_empty() {
            format!("{}/{}", prefix.escape_ascii(), name.escape_ascii())
        } else {
            name.escape_ascii().to_string()
        };
        let refuse = |why: &str| Err(HeaderError::Refused { path: shown.clone(), why: why.into() });
        let kind = match block[KIND] {
            b'0' | 0 => Kind::File,
            b'5' => Kind::Directory,
            b'1' | b'2' => return refuse("a link"),
            b'3' | b'4' | b'6' => return refuse("a device"),
            b'g' | b'x' | b'A'..=b'Z' => return refuse(EXTENSION),
            _ => return refuse("neither a file nor a directory"),
        };
        if block[LINK].iter().any(|byte| *byte != 0) {
            return refuse("a link");
        }
        if !is_posix {
            if block[MARK] != *b"ustar  \0" {
                return refuse("another form of tar than that of POSIX and GNU");
            }
            // GNU keeps further times and parts of sparse files here.
            if block[PREFIX.start..].iter().any(|byte| *byte != 0) {
                return refuse(EXTENSION);
            }
        }
        for field in [NAME, PREFIX] {
            if block[field.clone()][until_nul(&block[field]).len()..].iter().any(|byte| *byte != 0) {
                return refuse("something stands after its name");
            }
        }
        let (Ok(prefix), Ok(name)) = (str::from_utf8(prefix), str::from_utf8(name)) else {
            return refuse("its name is not text");
        };
        let Some(size) = octal(&block[SIZE]) else { return refuse("its length is no octal number") };
        let Some(mode) = octal(&block[MODE]) else { return refuse("its mode is no octal number") };
        if kind == Kind::Directory && size != 0 {
            return refuse("a directory with contents");
        }
        let path = if prefix.is_empty() { name.into() } else { format!("{prefix}/{name}") };
        Ok(Some(Header { path, kind, size, is_executable: mode & 0o100 != 0 }))
    }
}

const EXTENSION: &str = "an extension of tar, which `tar --format=ustar` does without";

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Digits, followed by NULs and spaces. Neither signs nor the binary form of large numbers are accepted, since programs
/// read those in different ways.
fn octal(field: &[u8]) -> Option<u64> {
    let len = field.iter().rposition(|byte| !matches!(byte, 0 | b' '))? + 1;
    // INVARIANT: at most 12 digits of three bits, which fit.
    field[..len].iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'7' => Some(number << 3 | u64::from(byte - b'0')),
        _ => None,
    })
}
