//! The metadata of a package.

mod check;
mod digest;
mod key;
mod metadata;
mod object;
mod path;
mod range;
mod shown;
mod target;

pub use check::check_name;
pub use digest::Digest;
pub use key::KeyId;
pub use metadata::{Builder, Compatibility, FORMAT, File, Functionality, MAX_METADATA, Metadata, Requirement, Tar};
pub use path::MemberPath;
pub use range::Range;
pub use shown::shown;
pub use target::{Build, Libc, Target};
