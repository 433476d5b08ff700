//! Packages: the libraries of a plugin, and what belongs to them, in one file that can be signed.
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
//! 5. [`Metadata::fits_here`] says whether it works with this host; [`check_library`] whether a library
//!    in it is what the metadata says.
//!
//! `docs/package.md` describes the format, and which attacks all that stops.

mod check;
mod digest;
mod error;
mod fit;
mod header;
mod holder;
mod home;
mod member;
mod metadata;
mod object;
mod pair;
mod path;
mod range;
mod read;
mod signature;
mod target;
mod trust;
mod write;

pub(crate) use check::check_name;
pub use digest::Digest;
pub(crate) use digest::Hashing;
pub use error::Rejected;
pub use fit::{check_library, inspect_for};
pub(crate) use home::UNFINISHED;
pub use home::{Home, Locked};
pub use metadata::{Builder, Compatibility, FORMAT, File, Functionality, Metadata, Requirement, Tar};
pub use path::MemberPath;
pub use range::Range;
pub use read::{Package, Unpacked};
pub use signature::{KeyId, PublicKey, Signature};
pub use target::{Build, Libc, Target};
pub(crate) use trust::now;
pub use trust::{BuiltBy, Revoked, Signed, Trust, TrustedKey, signature_of};
pub use write::{Content, SignTar, write};
