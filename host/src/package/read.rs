//! From the bytes of a package to its files, each one checked.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use tar::EntryType;
use zip::read::ZipReadOptions;
use zip::{CompressionMethod, ZipArchive};

use super::digest::Hashing;
use super::error::Rejected;
use super::metadata::{File, MAX_METADATA, Metadata};
use super::path::MemberPath;
use crate::error::Error;

/// How many files may be in a package.
const MAX_FILES: usize = 20_000;

/// How large a tar may be in any case, and how many times larger than packed beyond that, as no
/// library or text is.
const SMALL_TAR: u64 = 64 << 20;
const MAX_RATIO: u64 = 200;

/// How large a tar may be at all.
const MAX_TAR: u64 = 8 << 30;

type Zip = ZipArchive<BufReader<fs::File>>;

/// A package of which the metadata has been read.
pub struct Package {
    zip: Zip,
    tar: usize,
    metadata: Metadata,
    path: PathBuf,
}

/// One file, on its way out of a package.
pub struct Unpacked<'a> {
    /// What the metadata says of it; its digest is checked behind the last byte.
    pub file: &'a File,
    /// Whether its owner may execute it.
    pub is_executable: bool,
    /// Its bytes.
    pub bytes: &'a mut dyn Read,
}

impl Package {
    /// Reads the metadata. The signature of an external package is to be checked before: nothing here
    /// has been looked at by anybody.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = fs::File::open(path)
            .map_err(|source| Error::System { what: format!("read {}", path.display()), source })?;
        Self::read(file, path)
    }

    /// As [`Package::open`], of a file that is open already; errors call it `path`.
    pub(super) fn read(file: fs::File, path: &Path) -> Result<Self, Error> {
        let (zip, tar, metadata) = read(file).map_err(|why| rejected(path, why))?;
        Ok(Package { zip, tar, metadata, path: path.into() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Reads all of it, checks it against the metadata, and hands each file on.
    ///
    /// What was handed on is good only if this succeeds in the end.
    pub fn unpack(&mut self, take: &mut dyn FnMut(Unpacked<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let files = self.metadata.files.iter().map(|file| (&file.path, file)).collect();
        let mut unpacking = Unpacking { metadata: &self.metadata, missing: files, path: &self.path, take };
        unpacking.tar(&mut tar(&mut self.zip, self.tar, &self.path)?)
    }

    /// The bytes of the tar, for a signature of it.
    pub(super) fn tar(&mut self) -> Result<impl Read, Error> {
        tar(&mut self.zip, self.tar, &self.path)
    }
}

fn tar<'a>(zip: &'a mut Zip, index: usize, path: &Path) -> Result<impl Read + use<'a>, Error> {
    let options = ZipReadOptions::new().enforce_header_consistency(true);
    zip.by_index_with_options(index, options).map_err(|error| rejected(path, Rejected::Archive(error.to_string())))
}

fn rejected(path: &Path, why: Rejected) -> Error {
    Error::PackageRejected { package: path.display().to_string(), why }
}

/// What is a package to the eye of its form.
fn read(file: fs::File) -> Result<(Zip, usize, Metadata), Rejected> {
    let damaged = |error: &dyn std::fmt::Display| Rejected::Archive(error.to_string());
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
    if zip.offset() != 0 {
        return Err(Rejected::Archive("something stands before the zip".into()));
    }
    if !zip.comment().is_empty() {
        return Err(Rejected::Archive("the zip has a comment".into()));
    }
    let names: Vec<String> = zip.file_names_raw().map(|name| name.escape_ascii().to_string()).collect();
    let of_kind = |ending: &str| names.iter().position(|name| name.ends_with(ending));
    let (2, Some(json), Some(tar)) = (names.len(), of_kind(".json"), of_kind(".tar")) else {
        let some: Vec<_> = names.iter().take(5).map(String::as_str).collect();
        return Err(Rejected::Archive(format!(
            "the zip holds {} files ({}), a package NAME-VERSION.json and NAME-VERSION.tar",
            names.len(),
            some.join(", ")
        )));
    };
    if zip.has_duplicate_names() || zip.has_overlapping_files().map_err(|error| damaged(&error))? {
        return Err(Rejected::Archive("two of its files have one name or one place".into()));
    }
    for (index, name) in names.iter().enumerate() {
        let options = ZipReadOptions::new().enforce_header_consistency(true);
        let member = zip.by_index_with_options(index, options).map_err(|error| damaged(&error))?;
        if !member.is_file() || member.encrypted() || member.is_symlink() {
            return Err(Rejected::Archive(format!("{name} is no plain file")));
        }
        if !matches!(member.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(Rejected::Archive(format!("{name} is packed in another way than by deflate")));
        }
        let limit = if index == json { MAX_METADATA } else { limit(member.compressed_size()) };
        if member.size() > limit {
            return Err(Rejected::TooLarge { what: name.clone(), limit: format!("{limit} bytes") });
        }
    }
    let member = zip.by_index(json).map_err(|error| damaged(&error))?;
    let mut bytes = Vec::new();
    member.take(MAX_METADATA + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() as u64 > MAX_METADATA {
        return Err(Rejected::TooLarge { what: names[json].clone(), limit: format!("{MAX_METADATA} bytes") });
    }
    let metadata = Metadata::read(&bytes)?;
    if metadata.files.len() > MAX_FILES {
        return Err(Rejected::TooLarge { what: "the number of its files".into(), limit: MAX_FILES.to_string() });
    }
    for (index, ending) in [(json, "json"), (tar, "tar")] {
        let said = format!("{}.{ending}", metadata.full_name());
        if names[index] != said {
            let what = format!("the name of its {ending} file");
            return Err(Rejected::Differs { what, said, found: names[index].clone() });
        }
    }
    Ok((zip, tar, metadata))
}

/// How large a tar may be that is so large when it is packed.
fn limit(packed: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).clamp(SMALL_TAR, MAX_TAR)
}

/// The way of a tar.
struct Unpacking<'a> {
    metadata: &'a Metadata,
    /// Those that have not come by yet.
    missing: HashMap<&'a MemberPath, &'a File>,
    path: &'a Path,
    take: &'a mut dyn FnMut(Unpacked<'_>) -> Result<(), Error>,
}

impl Unpacking<'_> {
    fn tar(&mut self, member: &mut dyn Read) -> Result<(), Error> {
        let said = self.metadata.tar;
        // One byte more than it may have is too many.
        let mut hashing = Hashing::new(member.take(said.size.saturating_add(1)));
        let mut archive = tar::Archive::new(&mut hashing);
        // Raw: a reader that knows no extensions cannot be led by them to another file than the next one
        // would be.
        for entry in archive.entries().map_err(|error| self.damaged(&error))?.raw(true) {
            self.entry(entry.map_err(|error| self.damaged(&error))?)?;
        }
        self.nothing_more(&mut hashing)?;
        if hashing.len != said.size {
            let what = "the length of its tar".to_owned();
            let found = if hashing.len > said.size { "more".into() } else { hashing.len.to_string() };
            return Err(self.rejected(Rejected::Differs { what, said: said.size.to_string(), found }));
        }
        let found = hashing.digest();
        if found != said.sha256 {
            return Err(self.rejected(Rejected::digest("its tar", said.sha256, found)));
        }
        match self.missing.keys().min() {
            None => Ok(()),
            Some(first) => {
                let why = format!("lacks {first}, which its metadata names; {} are missing", self.missing.len());
                Err(self.rejected(Rejected::Files(why)))
            }
        }
    }

    fn entry(&mut self, entry: tar::Entry<'_, impl Read>) -> Result<(), Error> {
        let raw = entry.header().path_bytes().into_owned();
        let refuse = |why: &str| {
            let path = raw.escape_ascii().to_string();
            rejected(self.path, Rejected::Member { path, why: why.into() })
        };
        let is_folder = match entry.header().entry_type() {
            EntryType::Directory => true,
            EntryType::Regular => false,
            EntryType::Block | EntryType::Char | EntryType::Fifo => return Err(refuse("a device")),
            EntryType::Link | EntryType::Symlink => return Err(refuse("a link")),
            EntryType::GNULongLink | EntryType::GNULongName | EntryType::XGlobalHeader | EntryType::XHeader => {
                return Err(refuse("an extension of tar, which `tar --format=ustar` does without"));
            }
            _ => return Err(refuse("neither a file nor a folder")),
        };
        let text = std::str::from_utf8(&raw).map_err(|_| refuse("its name is no text"))?;
        let text = if is_folder { text.strip_suffix('/').unwrap_or(text) } else { text };
        if is_folder && text == self.metadata.name {
            return Ok(());
        }
        let below = text.strip_prefix(&*self.metadata.name).and_then(|rest| rest.strip_prefix('/'));
        let below = below.ok_or_else(|| refuse(&format!("it is not below the folder {}", self.metadata.name)))?;
        let path: MemberPath = below.parse().map_err(|why: String| refuse(&why))?;
        if is_folder {
            return Ok(());
        }
        let Some(file) = self.missing.remove(&path) else {
            return Err(refuse("its metadata does not name it, or it is there twice"));
        };
        let size = entry.header().entry_size().map_err(|error| self.damaged(&error))?;
        if size != file.size {
            let (said, found) = (file.size.to_string(), size.to_string());
            return Err(self.rejected(Rejected::Differs { what: format!("the length of {path}"), said, found }));
        }
        let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let mut bytes = Hashing::new(entry);
        (self.take)(Unpacked { file, is_executable, bytes: &mut bytes })?;
        io::copy(&mut bytes, &mut io::sink()).map_err(|error| self.damaged(&error))?;
        if bytes.len != file.size {
            return Err(self.damaged(&"it ends within a file"));
        }
        let found = bytes.digest();
        if found == file.sha256 {
            Ok(())
        } else {
            Err(self.rejected(Rejected::digest(path.as_str(), file.sha256, found)))
        }
    }

    /// Behind its end a tar has zeros only.
    fn nothing_more(&self, rest: &mut dyn Read) -> Result<(), Error> {
        let mut buffer = [0; 8192];
        loop {
            match rest.read(&mut buffer).map_err(|error| self.damaged(&error))? {
                0 => return Ok(()),
                count if buffer[..count].iter().all(|byte| *byte == 0) => {}
                _ => return Err(self.rejected(Rejected::Files("goes on behind its end".into()))),
            }
        }
    }

    fn damaged(&self, error: &dyn std::fmt::Display) -> Error {
        self.rejected(Rejected::Archive(format!("its tar is damaged: {error}")))
    }

    fn rejected(&self, why: Rejected) -> Error {
        rejected(self.path, why)
    }
}
