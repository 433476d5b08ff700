//! Packages assembled byte by byte, so that each byte of them can be wrong.

use std::io::{self, Write};
use std::path::Path;

use hookrail::package::{Error, Metadata, Package, Target, digest};
use serde_json::{Value, json};

/// `hello-1.0.0`, the name of all of them.
pub const FULL_NAME: &str = "hello-1.0.0";

/// The library of [`metadata`].
pub const LIBRARY: &str = "lib/a.so";

/// A tar header, in POSIX format.
#[derive(Clone)]
pub struct Header([u8; 512]);

impl Header {
    /// The header of an entry with that name, kind and size.
    pub fn new(name: impl AsRef<[u8]>, kind: u8, size: usize) -> Self {
        let header = Header([0; 512]).put(0, name.as_ref()).put(100, b"0000644\0").put(108, b"0000000\0");
        let header = header.put(116, b"0000000\0").put(136, b"00000000000\0").put(257, b"ustar\x0000");
        header.put(124, format!("{size:011o}\0")).put(156, [kind])
    }

    /// Replaces bytes at an offset, and corrects the checksum.
    #[must_use]
    pub fn put(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
        self.0[at..at + bytes.as_ref().len()].copy_from_slice(bytes.as_ref());
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self
    }

    /// The header with its data, padded with zeros to the next header.
    pub fn with(&self, data: &[u8]) -> Vec<u8> {
        let padding = data.len().next_multiple_of(512) - data.len();
        [&self.0[..], data, &vec![0; padding]].concat()
    }
}

/// A valid file of a tar.
pub fn file(path: &str, data: &[u8]) -> Vec<u8> {
    Header::new(format!("hello/{path}"), b'0', data.len()).with(data)
}

/// A tar of these entries.
pub fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

/// The metadata of a tar, which it says contains these files.
pub fn metadata(files: &[(&str, &[u8])], tar: &[u8]) -> Value {
    let file = |(path, data): &(&str, &[u8])| json!({"path": path, "sha256": digest(data), "size": data.len()});
    json!({
        "format": 1,
        "name": "hello",
        "version": "1.0.0",
        "description": "Greets every message.",
        "built_at": "2026-11-21T10:20:30Z",
        "tar": {"sha256": digest(tar), "size": tar.len()},
        "files": files.iter().map(file).collect::<Vec<_>>(),
        "authors": ["The Hookrail developers"],
        "builder": {"name": "The Hookrail developers", "contact": "hookrail@example.org"},
        "source": "https://example.org/hookrail",
        "functionality": ["message_processing"],
        "compatibility": {"host": "~> 1.0", "abi": "~> 1.0"},
        "targets": [{"target": Target::HERE, "libc": "2.31", "library": LIBRARY}],
        "hooks": [],
        "capabilities": [],
        "isolation": "in-process",
    })
}

/// A member of a zip: both of its headers, and its bytes.
#[derive(Clone)]
pub struct Member {
    /// Its name, in both headers.
    pub name: Vec<u8>,
    /// Its flags.
    pub flags: u16,
    /// The compression method.
    pub method: u16,
    /// The checksum in the headers.
    pub crc: u32,
    /// Its bytes.
    pub packed: Vec<u8>,
    /// The length of `packed` in the headers.
    pub packed_size: u32,
    /// The unpacked length in the headers.
    pub size: u32,
    /// Its extra fields.
    pub extra: Vec<u8>,
    /// Its comment.
    pub comment: Vec<u8>,
    /// Its attributes: Unix in the upper half, DOS in the lower.
    pub attributes: u32,
    /// Changes the header before its bytes, which is otherwise the same as the one in the directory.
    pub local: fn(&mut Member),
    /// Moves the offset that the directory states.
    pub moved: i64,
}

impl Member {
    /// A member that is stored uncompressed.
    pub fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Member {
            name: name.as_ref().to_vec(),
            flags: 0,
            method: 0,
            crc: crc(data),
            packed: data.to_vec(),
            packed_size: data.len() as u32,
            size: data.len() as u32,
            extra: Vec::new(),
            comment: Vec::new(),
            attributes: 0o100_644 << 16,
            local: |_| (),
            moved: 0,
        }
    }

    /// A deflated member.
    pub fn deflated(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        let mut deflating = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        deflating.write_all(data).unwrap();
        let packed = deflating.finish().unwrap();
        Member { method: 8, packed_size: packed.len() as u32, packed, ..Member::stored(name, data) }
    }

    /// What both headers share, from the flags on.
    fn shared(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.flags, self.method, 0x5294, 0x5d75] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.crc, self.packed_size, self.size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend((self.extra.len() as u16).to_le_bytes());
        bytes
    }

    fn before_its_bytes(&self) -> Vec<u8> {
        let mut member = self.clone();
        (self.local)(&mut member);
        [b"PK\x03\x04\x14\x00", &*member.shared(), &member.name, &member.extra].concat()
    }

    fn in_the_directory(&self, at: usize) -> Vec<u8> {
        let mut bytes = [b"PK\x01\x02\x14\x03\x14\x00", &*self.shared()].concat();
        bytes.extend((self.comment.len() as u16).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.attributes.to_le_bytes());
        bytes.extend(((at as i64 + self.moved) as u32).to_le_bytes());
        [bytes, self.name.clone(), self.extra.clone(), self.comment.clone()].concat()
    }
}

/// The end record of a zip, without its comment.
pub fn end(count: u16, directory: usize, at: usize, comment: usize) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
    bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend([(directory as u32).to_le_bytes(), (at as u32).to_le_bytes()].concat());
    bytes.extend((comment as u16).to_le_bytes());
    bytes
}

/// A zip of these members without its end record, and the offset of its directory.
pub fn body(members: &[Member]) -> (Vec<u8>, usize) {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        directory.extend(member.in_the_directory(bytes.len()));
        bytes.extend(member.before_its_bytes());
        bytes.extend(&member.packed);
    }
    let at = bytes.len();
    bytes.extend(directory);
    (bytes, at)
}

/// A zip of these members.
pub fn zip(members: &[Member]) -> Vec<u8> {
    let (body, at) = body(members);
    let end = end(members.len() as u16, body.len() - at, at, 0);
    [body, end].concat()
}

/// The two members that a package has.
pub fn members(metadata: &Value, tar: &[u8]) -> [Member; 2] {
    let json = metadata.to_string();
    [Member::deflated(format!("{FULL_NAME}.json"), json.as_bytes()), Member::deflated(format!("{FULL_NAME}.tar"), tar)]
}

/// A package of that metadata and that tar.
pub fn package(metadata: &Value, tar: &[u8]) -> Vec<u8> {
    zip(&members(metadata, tar))
}

fn crc(data: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    crc.sum()
}

/// The content of a file.
pub const TEXT: &[u8] = b"# hello\n";

/// The files of the package from which all others are derived.
pub const FILES: [(&str, &[u8]); 2] = [("README.md", TEXT), (LIBRARY, b"no real one")];

/// [`FILES`] as they are in a tar.
pub fn entries() -> Vec<Vec<u8>> {
    FILES.map(|(path, data)| file(path, data)).into()
}

/// A package with this tar, and matching metadata.
pub fn of_tar(tar: Vec<u8>) -> Vec<u8> {
    package(&metadata(&FILES, &tar), &tar)
}

/// A package with a changed zip around it.
pub fn zipped(change: impl FnOnce(&mut [Member; 2])) -> Vec<u8> {
    let tar = tar(&entries());
    let mut members = members(&metadata(&FILES, &tar), &tar);
    change(&mut members);
    zip(&members)
}

/// The metadata, and each file with whether it may be executed.
pub type Contents = (Metadata, Vec<(String, bool, Vec<u8>)>);

/// Everything that a host reads from a package.
pub fn read(path: &Path) -> Result<Contents, Error> {
    let mut package = Package::open(path)?;
    let mut files = Vec::new();
    package.unpack::<Error>(&mut |unpacked| {
        let mut bytes = Vec::new();
        let read = io::copy(unpacked.bytes, &mut bytes);
        read.map_err(|source| Error::system("read a file of it".into(), source))?;
        files.push((unpacked.file.path.to_string(), unpacked.is_executable, bytes));
        Ok(())
    })?;
    Ok((package.metadata().clone(), files))
}
