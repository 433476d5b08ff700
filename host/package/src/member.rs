//! A member of the zip, and reading its bytes.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// A file in the zip.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) packing: Packing,
    pub(super) crc: u32,
    /// Its length in the zip.
    pub(super) packed: u64,
    /// Its unpacked length.
    pub(super) size: u64,
    /// Where its bytes begin.
    pub(super) start: u64,
}

/// How its bytes are stored.
pub(super) enum Packing {
    Deflated,
    Stored,
}

/// The bytes of a member: as many as its header states and with the checksum it states, or an error at their end. A
/// caller that reads to the end has read everything that is stored.
pub(super) struct Bytes<'a> {
    source: Source<'a>,
    crc: Crc,
    said: &'a Member,
    left: u64,
}

enum Source<'a> {
    Deflated(Box<Inflating<'a>>),
    Stored(Section<'a>),
}

/// Deflated bytes, up to their own end marker: without one they were truncated.
struct Inflating<'a> {
    packed: BufReader<Section<'a>>,
    inflater: Decompress,
    is_over: bool,
}

/// A part of a file, read by position, so that other readers of the file do not interfere.
struct Section<'a> {
    file: &'a fs::File,
    start: u64,
    len: u64,
    read: u64,
}

impl Member {
    /// The member's bytes in that file.
    pub(super) fn bytes<'a>(&'a self, file: &'a fs::File) -> Bytes<'a> {
        let section = Section { file, start: self.start, len: self.packed, read: 0 };
        let source = match self.packing {
            Packing::Deflated => {
                let packed = BufReader::with_capacity(1 << 16, section);
                Source::Deflated(Box::new(Inflating { packed, inflater: Decompress::new(false), is_over: false }))
            }
            Packing::Stored => Source::Stored(section),
        };
        Bytes { source, crc: Crc::new(), said: self, left: self.size }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return self.end().map(|()| 0);
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.source.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::other("it is shorter than its header says"));
        }
        self.crc.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

impl Bytes<'_> {
    /// Checks what must hold after the last byte.
    fn end(&mut self) -> io::Result<()> {
        let why = if self.source.read(&mut [0])? != 0 {
            "it is longer than its header says"
        } else if self.source.used() != self.said.packed {
            "something stands after it"
        } else if self.crc.sum() != self.said.crc {
            "its CRC-32 is not the one in its header"
        } else {
            return Ok(());
        };
        Err(io::Error::other(why))
    }
}

impl Source<'_> {
    /// How many of the packed bytes were consumed.
    fn used(&self) -> u64 {
        match self {
            Source::Deflated(inflating) => inflating.inflater.total_in(),
            Source::Stored(section) => section.read,
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Deflated(inflating) => inflating.read(buffer),
            Source::Stored(section) => section.read(buffer),
        }
    }
}

impl Read for Inflating<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            let input = self.packed.fill_buf()?;
            let is_last = input.is_empty();
            let (used, made) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self.inflater.decompress(input, buffer, FlushDecompress::None)?;
            let (used, made) = (self.inflater.total_in() - used, self.inflater.total_out() - made);
            // Both fit: they count bytes of slices.
            self.packed.consume(used as usize);
            self.is_over = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made as usize);
            }
            if is_last && !self.is_over {
                return Err(io::Error::other("it was cut off"));
            }
        }
        Ok(0)
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.len - self.read).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read_at(&mut buffer[..most], self.start + self.read)?;
        self.read += count as u64;
        Ok(count)
    }
}
