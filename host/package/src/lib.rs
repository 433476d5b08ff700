//! Packages: the libraries of a plugin, with everything that belongs to them, in one file that can be signed.
//!
//! Owns the way from bytes on disk to something trusted, and the [`Home`] whose keys they are trusted by. Must know
//! nothing of how a library is opened: the libraries in a package are inspected by the image crate, and never run.
//!
//! # From a build to trusted bytes
//!
//! 1. [`write()`] creates `NAME-VERSION.hrp`, a zip of exactly two files: `NAME-VERSION.tar`, with all [`Content`], and
//!    `NAME-VERSION.json`, the [`Metadata`]. The same contents give the same bytes.
//! 2. A [`Signature`] of the whole zip is beside it in `NAME-VERSION.hrp.minisig`, in minisign format. [`Trust::open`]
//!    verifies it against the trusted keys before any byte of the zip is parsed.
//! 3. [`Package::open`], which `Trust::open` calls last, reads the metadata, and refuses any other kind of zip.
//! 4. [`Package::unpack`] reads the tar once, front to back. It accepts no link, no device, no path that leaves the
//!    directory, no file that the metadata does not name, and no size or digest that differs from the metadata.
//!    [`Package::verify`] does the same and keeps nothing.
//! 5. [`fits_here`] tells whether it works with this host; [`check_library`] whether a library in it matches the
//!    metadata.
//!
//! `docs/package.md` describes the format, and which attacks all this prevents.

mod archive;
mod digest;
mod error;
mod fit;
#[doc(hidden)]
pub mod format;
mod header;
mod holder;
mod home;
mod member;
mod read;
#[doc(hidden)]
pub mod regular;
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
pub use signature::{PublicKey, Signature, VerifyError};
pub use trust::{BuiltBy, Revoked, Signed, Trust, TrustedKey, signature_of};
pub use write::{Content, SignTar, write};

// For the crates above this one.
#[doc(hidden)]
pub use {
    digest::Hashing,
    home::{Locked, UNFINISHED},
    read::open_file,
    trust::now,
};
