//! Packages: the libraries of a plugin, and what belongs to them, in one file that can be signed.
//!
//! Owns bytes on disk on their way to something that is trusted, and the [`Home`] whose keys they are trusted by. Must
//! know nothing of how a library is opened: the libraries in a package are looked at, by the image, and never run.
//!
//! # From a build to bytes that are trusted
//!
//! 1. [`write()`] makes `NAME-VERSION.hrp`, a zip of exactly two files: `NAME-VERSION.tar`, with all
//!    [`Content`], and `NAME-VERSION.json`, the [`Metadata`]. The same contents give the same bytes.
//! 2. A [`Signature`] of the whole zip lies beside it, `NAME-VERSION.hrp.minisig`, in minisign's form.
//!    [`Trust::open`] checks it against the keys that are trusted, before any byte of the zip is parsed.
//! 3. [`Package::open`], which `Trust::open` ends with, reads the metadata, and refuses what is no such
//!    zip.
//! 4. [`Package::unpack`] reads the tar once, front to back: no link, no device, no path that climbs,
//!    no file that the metadata does not name, no size and no digest other than it says.
//!    [`Package::verify`] does that and keeps nothing.
//! 5. [`fits_here`] says whether it works with this host; [`check_library`] whether a library
//!    in it is what the metadata says.
//!
//! `docs/package.md` describes the format, and which attacks all that stops.

mod archive;
mod digest;
mod error;
mod fit;
mod header;
mod holder;
mod home;
mod member;
mod read;
mod signature;
mod trust;
mod write;

pub use digest::{digest, digest_of_file};
pub use error::{Error, PackageError};
pub use fit::{check_library, fits_here, inspect_for, libc_here};
pub use home::Home;
#[doc(no_inline)]
pub use hookrail_model::package::{
    Build, Builder, Compatibility, Digest, FORMAT, File, Functionality, KeyId, Libc, MemberPath, Metadata, Range,
    Requirement, Tar, Target,
};
pub use read::{Package, Unpacked};
pub use signature::{PublicKey, Signature};
pub use trust::{BuiltBy, Revoked, Signed, Trust, TrustedKey, signature_of};
pub use write::{Content, SignTar, write};

// For the crates above.
#[doc(hidden)]
pub use {
    digest::Hashing,
    home::{Locked, UNFINISHED},
    trust::now,
};
