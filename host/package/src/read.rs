//! From the bytes of a package to its files, each one verified.

use super::regular;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hookrail_model::ParseError;
use hookrail_model::package::{File, MAX_METADATA, MemberPath, Metadata};

use super::archive::Archive;
use super::digest::Hashing;
use super::error::{Error, PackageError};
use super::header::{BLOCK, Header, HeaderError, Kind};

/// A tar up to this size is always accepted; a larger one may be larger than packed only by a factor that no library or
/// text reaches. Its metadata limits the number of files in it.
const SMALL_TAR: u64 = 64 << 20;
const MAX_RATIO: u64 = 200;

/// The largest package, in bytes: it is hashed, copied and unpacked.
const MAX_PACKAGE: u64 = 1 << 30;

/// A package whose metadata has been read.
pub struct Package {
    file: fs::File,
    archive: Archive,
    metadata: Metadata,
    path: PathBuf,
}

/// One file while it is being unpacked.
#[non_exhaustive]
pub struct Unpacked<'a> {
    /// Its metadata; its digest is verified after the last byte.
    pub file: &'a File,
    /// Whether its owner may execute it.
    pub is_executable: bool,
    /// Its bytes.
    pub bytes: &'a mut dyn Read,
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package").field("path", &self.path).field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl fmt::Debug for Unpacked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Package {
    /// Opens a package and reads its metadata. The signature of an external package must be verified before: nothing
    /// else has verified the bytes parsed here.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a valid package.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::read(open_file(path)?, path)
    }

    /// As [`Package::open`], for an open file; errors name it `path`.
    ///
    /// # Errors
    /// As for [`Package::open`].
    pub fn read(file: fs::File, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (archive, metadata) = read(&file).map_err(|why| rejected(path, why))?;
        Ok(Package { file, archive, metadata, path: path.into() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Reads the whole package, verifies it against the metadata, and passes each file to `take`.
    ///
    /// What `take` has received is valid only if this returns success in the end.
    ///
    /// # Errors
    /// If the package is not valid, or `take` fails.
    pub fn unpack<E: From<Error>>(&mut self, take: &mut dyn FnMut(Unpacked<'_>) -> Result<(), E>) -> Result<(), E> {
        let metadata = &self.metadata;
        let missing = metadata.files.iter().map(|file| (&file.path, file)).collect();
        let mut directories: HashSet<_> = metadata.files.iter().flat_map(|file| file.path.directories()).collect();
        directories.insert("");
        Unpacking { metadata, missing, directories, path: &self.path, take }
            .tar(&mut self.archive.tar.bytes(&self.file))
    }

    /// The bytes of the tar, for a signature of it.
    pub(super) fn tar(&self) -> impl Read {
        self.archive.tar.bytes(&self.file)
    }
}

/// Opens what may be a package: a regular file that is not too large to be looked through.
pub fn open_file(path: &Path) -> Result<fs::File, Error> {
    let file = regular::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => rejected(path, PackageError::Archive(error.to_string())),
        _ => Error::system(format!("read {}", path.display()), error),
    })?;
    let length = file.metadata().map_err(|error| Error::system(format!("read {}", path.display()), error))?.len();
    if length > MAX_PACKAGE {
        let limit = format!("{MAX_PACKAGE} bytes");
        return Err(rejected(path, PackageError::TooLarge { what: "the file".into(), limit }));
    }
    Ok(file)
}

fn rejected(path: &Path, why: PackageError) -> Error {
    Error::rejected(path.display().to_string(), why)
}

/// Reads a file that has the form of a package.
fn read(file: &fs::File) -> Result<(Archive, Metadata), PackageError> {
    let archive = Archive::read(file)?;
    let Archive { json, tar } = &archive;
    for (member, limit) in [(json, MAX_METADATA), (tar, tar.packed.saturating_mul(MAX_RATIO).max(SMALL_TAR))] {
        if member.size > limit {
            return Err(PackageError::TooLarge { what: member.name.clone(), limit: format!("{limit} bytes") });
        }
    }
    let mut bytes = Vec::new();
    let read = json.bytes(file).read_to_end(&mut bytes);
    read.map_err(|error| PackageError::Archive(format!("{} is damaged: {error}", json.name)))?;
    let metadata = Metadata::read(&bytes).map_err(|why| PackageError::Metadata(why.to_string()))?;
    for (member, ending) in [(json, "json"), (tar, "tar")] {
        let said = format!("{}.{ending}", metadata.full_name());
        if member.name != said {
            let what = format!("the name of its {ending} file");
            return Err(PackageError::differs(what, said, member.name.clone()));
        }
    }
    if tar.size != metadata.tar.size {
        let (said, found) = (metadata.tar.size.to_string(), tar.size.to_string());
        return Err(PackageError::differs("the length of its tar", said, found));
    }
    Ok((archive, metadata))
}

/// The unpacking of a tar.
struct Unpacking<'a, E> {
    metadata: &'a Metadata,
    /// The files not reached yet.
    missing: HashMap<&'a MemberPath, &'a File>,
    /// The parent directories of files that have not been reached yet; a tar need not contain them.
    directories: HashSet<&'a str>,
    path: &'a Path,
    take: &'a mut dyn FnMut(Unpacked<'_>) -> Result<(), E>,
}

impl<E: From<Error>> Unpacking<'_, E> {
    fn tar(&mut self, member: &mut dyn Read) -> Result<(), E> {
        let mut tar = Hashing::new(member);
        while let Some(header) = self.header(&mut tar)? {
            self.entry(&header, &mut tar)?;
        }
        self.nothing_more(&mut tar)?;
        let (said, found) = (self.metadata.tar.sha256, tar.digest());
        if found != said {
            return Err(self.rejected(PackageError::digest("its tar", said, found)).into());
        }
        match self.missing.keys().min() {
            None => Ok(()),
            Some(first) => {
                let why = format!("lacks {first}, which its metadata names; {} are missing", self.missing.len());
                Err(self.rejected(PackageError::Files(why)).into())
            }
        }
    }

    fn header(&self, tar: &mut dyn Read) -> Result<Option<Header>, Error> {
        let mut block = [0; BLOCK];
        match self.fill(&mut block, tar)? {
            0 => Err(self.damaged(&"it is without an end")),
            BLOCK => Header::read(&block).map_err(|wrong| match wrong {
                HeaderError::Damaged => self.damaged(&"the checksum of a header is wrong"),
                HeaderError::Refused { path, why } => self.rejected(PackageError::member(path, why)),
            }),
            _ => Err(self.damaged(&"it ends within a header")),
        }
    }

    fn entry(&mut self, header: &Header, tar: &mut dyn Read) -> Result<(), E> {
        let refuse = |why: &str| {
            let path = header.path.escape_debug().to_string();
            rejected(self.path, PackageError::member(path, why))
        };
        let is_directory = header.kind == Kind::Directory;
        let text = if is_directory { header.path.strip_suffix('/').unwrap_or(&header.path) } else { &header.path };
        let top = &*self.metadata.name;
        let below = text.strip_prefix(top).and_then(|rest| {
            // The directory itself is an entry too.
            if rest.is_empty() && is_directory { Some(rest) } else { rest.strip_prefix('/') }
        });
        let below = below.ok_or_else(|| refuse(&format!("it is not below the directory {top}")))?;
        if is_directory {
            return if self.directories.remove(below) {
                Ok(())
            } else {
                let why = below.parse::<MemberPath>().err().map(|why| why.to_string());
                Err(refuse(why.as_deref().unwrap_or("no file of its metadata is in it, or it is there twice")).into())
            };
        }
        let path: MemberPath = below.parse().map_err(|why: ParseError| refuse(&why.to_string()))?;
        let Some(file) = self.missing.remove(&path) else {
            return Err(refuse("its metadata does not name it, or it is there twice").into());
        };
        if header.size != file.size {
            let (said, found) = (file.size.to_string(), header.size.to_string());
            return Err(self.rejected(PackageError::differs(format!("the length of {path}"), said, found)).into());
        }
        let mut bytes = Hashing::new((&mut *tar).take(file.size));
        let taken = (self.take)(Unpacked { file, is_executable: header.is_executable, bytes: &mut bytes });
        if let Some(error) = &bytes.failed {
            return Err(self.damaged(error).into());
        }
        taken?;
        io::copy(&mut bytes, &mut io::sink()).map_err(|error| self.damaged(&error))?;
        if bytes.len != file.size {
            return Err(self.damaged(&format!("it ends within {path}")).into());
        }
        let found = bytes.digest();
        if found != file.sha256 {
            return Err(self.rejected(PackageError::digest(path.as_str(), file.sha256, found)).into());
        }
        let mut padding = [0; BLOCK];
        let len = (file.size.next_multiple_of(BLOCK as u64) - file.size) as usize;
        if self.fill(&mut padding[..len], tar)? != len {
            return Err(self.damaged(&format!("it ends after {path}")).into());
        }
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.rejected(PackageError::Files(format!("holds something after {path}"))).into());
        }
        Ok(())
    }

    /// After the first block of zeros there must be at least one more, and nothing else.
    fn nothing_more(&self, tar: &mut dyn Read) -> Result<(), Error> {
        let mut blocks = 1;
        loop {
            let mut block = [0; BLOCK];
            match self.fill(&mut block, tar)? {
                0 if blocks < 2 => return Err(self.damaged(&"it is without an end")),
                0 => return Ok(()),
                _ if block.iter().any(|byte| *byte != 0) => {
                    return Err(self.rejected(PackageError::Files("goes on after its end".into())));
                }
                BLOCK => blocks += 1,
                _ => return Err(self.damaged(&"it is no whole number of blocks")),
            }
        }
    }

    /// Reads until the buffer is full or the end is reached; returns the number of bytes read.
    fn fill(&self, buffer: &mut [u8], tar: &mut dyn Read) -> Result<usize, Error> {
        let mut len = 0;
        while len < buffer.len() {
            match tar.read(&mut buffer[len..]).map_err(|error| self.damaged(&error))? {
                0 => break,
                count => len += count,
            }
        }
        Ok(len)
    }

    fn damaged(&self, error: &dyn std::fmt::Display) -> Error {
        self.rejected(PackageError::Archive(format!("its tar is damaged: {error}")))
    }

    fn rejected(&self, why: PackageError) -> Error {
        rejected(self.path, why)
    }
}
