//! Whether a package matches its metadata, and works here.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use hookrail_abi::boundary::ABI_VERSION;
use hookrail_image::{Inspection, SealedCopy, inspect_copy};
use hookrail_model::note::{NoteEndpoint, NoteHook, NotePoint};
use hookrail_model::package::{Build, Compatibility, Libc, Metadata, Target, shown};
use rustix::fs::{MemfdFlags, memfd_create};
use semver::Version;

use super::error::{Error, PackageError};
use super::read::{Package, Unpacked};

/// Returns the package's library for this machine.
///
/// # Errors
/// If the package does not work with this host.
pub fn fits_here(metadata: &Metadata) -> Result<&Build, PackageError> {
    let unfit = |why: String| Err(PackageError::Incompatible(why));
    let host = Version::parse(env!("CARGO_PKG_VERSION")).expect("our own version is one");
    let abi = Version::new(u64::from(ABI_VERSION >> 16), u64::from(ABI_VERSION & 0xffff), 0);
    let Compatibility { host: hosts, abi: abis, .. } = &metadata.compatibility;
    for (what, range, here) in [("Hookrail", hosts, host), ("the ABI", abis, abi)] {
        if !range.contains(&here) {
            return unfit(format!("it is for {what} {range}, this is {here}"));
        }
    }
    let Some(build) = metadata.targets.iter().find(|build| build.target == Target::HERE) else {
        let targets: Vec<_> = metadata.targets.iter().map(|build| build.target.to_string()).collect();
        return unfit(format!("it is for {}, this is {}", targets.join(", "), Target::HERE));
    };
    let here = libc_here();
    if build.libc > here {
        return unfit(format!("it needs glibc {}, this is {here}", build.libc));
    }
    Ok(build)
}

/// The version of glibc in this process.
pub fn libc_here() -> Libc {
    // SAFETY: it returns a C string that is a static of the C library.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    version.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(Libc::OLDEST)
}

impl Package {
    /// Reads the whole package, checks it and its libraries, and keeps nothing.
    ///
    /// # Errors
    /// If the package is not valid, or a library contradicts the metadata.
    pub fn verify(&mut self) -> Result<(), Error> {
        let metadata = self.metadata().clone();
        let path = self.path().to_owned();
        self.unpack(&mut |unpacked| {
            let Some(build) = metadata.targets.iter().find(|build| build.library == unpacked.file.path) else {
                return Ok(());
            };
            let copy = copied(unpacked)?;
            check_library(&metadata, build, copy.as_fd(), &path)
        })
    }
}

/// A copy in memory, since a library is not read in order.
fn copied(unpacked: Unpacked<'_>) -> Result<File, Error> {
    let failed = |source| Error::system(format!("copy {} into memory", unpacked.file.path), source);
    let copy = memfd_create("library", MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut copy = File::from(copy);
    io::copy(unpacked.bytes, &mut copy).map_err(failed)?;
    Ok(copy)
}

/// Inspects a library for a target, without running any of its code.
///
/// # Errors
/// If the file is not a plugin for that target.
pub fn inspect_for(target: Target, file: impl AsRef<Path>) -> Result<Inspection, Error> {
    Ok(inspect_copy(&SealedCopy::of(file.as_ref())?, target.arch())?)
}

/// Checks a library of a package against the metadata; errors name the package `path`.
///
/// # Errors
/// If the library contradicts the metadata.
pub fn check_library(
    metadata: &Metadata,
    build: &Build,
    library: BorrowedFd<'_>,
    path: impl AsRef<Path>,
) -> Result<(), Error> {
    let path = path.as_ref();
    let copy = SealedCopy::again(&path.join(build.library.as_str()), library)?;
    let inspection = inspect_copy(&copy, build.target.arch())?;
    compare(metadata, build, &inspection).map_err(|why| Error::rejected(path.display().to_string(), why))
}

fn compare(metadata: &Metadata, build: &Build, inspection: &Inspection) -> Result<(), PackageError> {
    let Metadata { hooks, fires, endpoints, capabilities, isolation, name, version, .. } = metadata;
    let note = &inspection.note;
    let differs = |what: &str, said: String, found: String| {
        let what = format!("the {what} of {}", build.library);
        if said == found { Ok(()) } else { Err(PackageError::differs(what, shown(&said), shown(&found))) }
    };
    differs("name", name.clone(), note.name.clone())?;
    differs("version", version.to_string(), note.version.clone())?;
    let wish = |isolation: &Option<String>| isolation.clone().unwrap_or_else(|| "not stated".into());
    differs("isolation", wish(isolation), wish(&note.isolation))?;
    differs("capabilities", capabilities.join(", "), note.capabilities.join(", "))?;
    let list = |hooks: &[NoteHook]| {
        let one = |hook: &NoteHook| {
            format!("{} {} r{} at {} ({})", hook.point, hook.name, hook.revision, hook.priority, hook.effects)
        };
        hooks.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    differs("hooks", list(hooks), list(&note.hooks))?;
    let list = |fires: &[NotePoint]| {
        let one = |fired: &NotePoint| format!("{} r{}", fired.point, fired.revision);
        fires.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    differs("dispatched points", list(fires), list(&note.fires))?;
    let list = |endpoints: &[NoteEndpoint]| {
        let one = |endpoint: &NoteEndpoint| {
            format!("{} {} ({})", endpoint.kind.name(), endpoint.name, endpoint.guarantee.name())
        };
        endpoints.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    differs("endpoints", list(endpoints), list(&note.endpoints))?;
    let needed = inspection.image.glibc.as_deref().and_then(|text| text.parse::<Libc>().ok());
    match needed {
        Some(needed) if needed > build.libc => differs("oldest glibc", build.libc.to_string(), needed.to_string()),
        _ => Ok(()),
    }
}
