//! Creating packages: the same contents give the same bytes.

use std::fs;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hookrail_model::package::{File, MemberPath, Metadata, Tar};
use hookrail_model::time::rfc3339;
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::MAX_PACKAGE;
use super::digest::Hashing;
use super::error::{Error, PackageError};
use super::read::Package;

/// A file that goes into a package.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Content {
    /// Its path in the package.
    pub path: MemberPath,
    /// The file to read it from.
    pub from: PathBuf,
    /// Whether its owner may execute it.
    pub is_executable: bool,
}

impl Content {
    /// A file that nobody has to execute, read from `from`.
    pub fn new(path: MemberPath, from: impl Into<PathBuf>) -> Self {
        Content { path, from: from.into(), is_executable: false }
    }

    /// Lets its owner execute it.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.is_executable = true;
        self
    }
}

/// Signs the tar in the given file.
pub type SignTar<'a> = &'a mut dyn FnMut(&mut fs::File) -> Result<String, Error>;

/// Writes `NAME-VERSION.hrp` into a directory; returns its path and its metadata.
///
/// `draft` has everything that is not determined here: this function adds the tar, the files and the builder's
/// signature. The build time becomes the time of all members.
///
/// # Errors
/// If the contents or the draft are not valid for a package, signing fails, or the file cannot be written.
pub fn write(
    draft: Metadata,
    mut contents: Vec<Content>,
    directory: impl AsRef<Path>,
    sign: Option<SignTar<'_>>,
) -> Result<(PathBuf, Metadata), Error> {
    let directory = directory.as_ref();
    let mut metadata = draft;
    let target = directory.join(format!("{}.hrp", metadata.full_name()));
    let refuse = |why: String| Error::PackageRejected {
        package: target.display().to_string(),
        why: PackageError::Metadata(why),
    };
    let built = humantime::parse_rfc3339(&metadata.built_at)
        .map_err(|error| refuse(format!("`built_at` is {:?}: {error}", metadata.built_at)))?;
    contents.sort_by(|one, other| one.path.cmp(&other.path));
    let failed = |source| Error::system(format!("write {}", target.display()), source);
    // Without a name until it is complete, and in the target directory: readers see all of it or nothing.
    let mut tar = tempfile::tempfile_in(directory).map_err(failed)?;
    metadata.files = pack(&metadata.name, &contents, built, &tar)?;
    metadata.tar = digest(&mut tar).map_err(failed)?;
    if metadata.tar.size > MAX_PACKAGE {
        let why = PackageError::TooLarge { what: "its tar".into(), limit: format!("{MAX_PACKAGE} bytes") };
        return Err(Error::rejected(target.display().to_string(), why));
    }
    if let Some(sign) = sign {
        tar.rewind().map_err(failed)?;
        metadata.builder.signature = Some(sign(&mut tar)?);
    }
    metadata.check().map_err(|why| refuse(why.to_string()))?;
    let package = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    tar.rewind().map_err(failed)?;
    zip(&metadata, built, &mut tar, package.as_file()).map_err(failed)?;
    // Temporary files are private to their creator by default; a package is for others.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    package.as_file().set_permissions(mode).map_err(failed)?;
    package.as_file().sync_all().map_err(failed)?;
    // A host would refuse a package that is too large, and its author should learn of it here.
    Package::read(package.reopen().map_err(failed)?, &target)?;
    package.persist(&target).map_err(|error| failed(error.error))?;
    Ok((target, metadata))
}

/// Writes the tar; returns the list of its files.
fn pack(name: &str, contents: &[Content], built: SystemTime, tar: &fs::File) -> Result<Vec<File>, Error> {
    let mut builder = tar::Builder::new(BufWriter::new(tar));
    let mut files = Vec::with_capacity(contents.len());
    for content in contents {
        let failed = |source| Error::system(format!("pack {}", content.from.display()), source);
        let file = fs::File::open(&content.from).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut header = Header::new_ustar();
        header.set_path(format!("{name}/{}", content.path)).map_err(failed)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(if content.is_executable { 0o755 } else { 0o644 });
        header.set_mtime(built.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
        header.set_cksum();
        // Limited to the length in the header, in case the file is growing.
        let mut bytes = Hashing::new(io::Read::take(BufReader::new(file), size));
        builder.append(&header, &mut bytes).map_err(failed)?;
        if bytes.len != size {
            return Err(failed(io::Error::other("it became shorter meanwhile")));
        }
        files.push(File::new(content.path.clone(), bytes.digest(), size));
    }
    let finished = builder.into_inner().and_then(|mut writer| writer.flush());
    finished.map_err(|source| Error::system(format!("pack {name}"), source))?;
    Ok(files)
}

fn digest(file: &mut fs::File) -> io::Result<Tar> {
    file.rewind()?;
    let mut bytes = Hashing::new(file);
    io::copy(&mut bytes, &mut io::sink())?;
    let size = bytes.len;
    Ok(Tar::new(bytes.digest(), size))
}

fn zip(metadata: &Metadata, built: SystemTime, tar: &mut fs::File, to: &fs::File) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(dos_time(built))
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(BufWriter::new(to));
    zip.start_file(format!("{}.json", metadata.full_name()), options)?;
    zip.write_all(&metadata.write())?;
    zip.start_file(format!("{}.tar", metadata.full_name()), options)?;
    io::copy(tar, &mut zip)?;
    zip.finish()?.flush()
}

/// The time as a zip stores it: in UTC, to two seconds, from 1980 to 2107.
fn dos_time(time: SystemTime) -> zip::DateTime {
    let text = rfc3339(time);
    let number =
        |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u16>().ok()).unwrap_or(0);
    let byte = |start: usize| number(start..start + 2) as u8;
    zip::DateTime::from_date_and_time(number(0..4), byte(5), byte(8), byte(11), byte(14), byte(17)).unwrap_or_default()
}
