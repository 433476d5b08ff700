//! One file of a queue.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hookrail_model::log;

use super::flush::Index;
use crate::whole::invalid;

/// The first bytes of a segment; the last one is its format.
const MAGIC: [u8; 8] = *b"HRqueue\x01";
/// Where the first record of a segment begins.
pub(super) const START: u64 = MAGIC.len() as u64;

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// Where the last record ends.
    pub(super) end: u64,
    /// How many messages were written before its first one.
    pub(super) first: u64,
}

impl Segment {
    /// A new one, without a message; `first` are written before.
    pub(super) fn create(directory: &Path, number: u64, first: u64) -> io::Result<Self> {
        let path = directory.join(format!("{number:020}.queue"));
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all_at(&MAGIC, 0)?;
        Ok(Segment { number, path, file: Arc::new(file), end: START, first })
    }

    /// Writes records behind the others. If that fails, none is there.
    pub(super) fn append(&mut self, records: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(records, self.end) {
            // What was written is written over by the next ones; if none come, it is sent again by its source.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end += records.len() as u64;
        Ok(())
    }

    /// What is behind that place is none of it.
    pub(super) fn cut(&mut self, end: u64) -> io::Result<()> {
        self.file.set_len(end)?;
        self.end = end;
        Ok(())
    }

    /// Keeps the bytes between these places for whoever wants to look at them, and says so.
    pub(super) fn put_aside(&self, directory: &Path, from: u64, to: u64) {
        let file = directory.join("damaged").join(format!("{:020}-{from}", self.number));
        let kept = fs::create_dir_all(directory.join("damaged")).and_then(|()| {
            let mut bytes = vec![0; (to - from) as usize];
            self.file.read_exact_at(&mut bytes, from)?;
            let mut kept = File::options().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
            kept.write_all(&bytes)
        });
        let (segment, length) = (self.path.display(), to - from);
        match kept {
            Ok(()) => {
                log!(error, "{segment}: {length} bytes at {from} are damaged; they are kept in {}", file.display())
            }
            Err(error) => log!(error, "{segment}: {length} bytes at {from} are damaged, and cannot be kept: {error}"),
        }
    }
}

/// The numbers and paths of the segments that a directory has, oldest first.
pub(super) fn list(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // What is not a file is not ours, and opening it may wait.
        if !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        let number =
            path.extension().filter(|of| *of == "queue").and_then(|_| path.file_stem()?.to_str()?.parse().ok());
        all.extend(number.map(|number| (number, path)));
    }
    all.sort();
    Ok(all)
}

/// Opens those from the index on; what precedes it is returned beside them. One that is none of this format is put aside.
pub(super) fn open(directory: &Path, index: &Index) -> io::Result<(Vec<Segment>, Vec<PathBuf>)> {
    let (mut segments, mut gone) = (Vec::new(), Vec::new());
    for (number, path) in list(directory)? {
        if number < index.segment {
            gone.push(path);
            continue;
        }
        let file = File::options().read(true).write(true).open(&path)?;
        let end = file.metadata()?.len();
        match check_magic(&file, end) {
            Ok(()) => segments.push(Segment { number, path, file: Arc::new(file), end, first: 0 }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let aside = path.with_extension("damaged");
                log!(error, "{}: {error}; it is kept as {}", path.display(), aside.display());
                fs::rename(&path, aside)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((segments, gone))
}

/// Whether it begins as a segment does.
pub(super) fn check_magic(file: &File, length: u64) -> io::Result<()> {
    if length < START {
        return Err(invalid("it is shorter than a segment of a queue"));
    }
    let mut magic = [0; MAGIC.len()];
    file.read_exact_at(&mut magic, 0)?;
    if magic == MAGIC { Ok(()) } else { Err(invalid("it is no segment of a queue, or one of another format")) }
}
