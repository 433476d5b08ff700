//! What a library was built for.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::MemberPath;
use crate::constructors;
use crate::parse::ParseError;

/// A machine and its system, named as a Rust target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Target {
    /// 64-bit Arm, Linux with glibc.
    #[serde(rename = "aarch64-unknown-linux-gnu")]
    Aarch64,
    /// 64-bit x86, Linux with glibc.
    #[serde(rename = "x86_64-unknown-linux-gnu")]
    X86_64,
    /// What a newer host says.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A library of a package, and where it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Build {
    /// What it was built for.
    pub target: Target,
    /// The oldest glibc that it works with.
    pub libc: Libc,
    /// The library.
    pub library: MemberPath,
}

/// A version of glibc, such as `2.31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]+\\.[0-9]+$"))]
pub struct Libc {
    major: u16,
    minor: u16,
}

impl Target {
    /// The target of this program.
    pub const HERE: Self = if cfg!(target_arch = "aarch64") { Target::Aarch64 } else { Target::X86_64 };

    /// All known targets.
    pub const ALL: [Self; 2] = [Target::Aarch64, Target::X86_64];

    /// The machine's name in Rust.
    pub fn arch(self) -> &'static str {
        match self {
            Target::Aarch64 => "aarch64",
            Target::X86_64 => "x86_64",
            Target::Unknown => "unknown",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Target::Aarch64 => "aarch64-unknown-linux-gnu",
            Target::X86_64 => "x86_64-unknown-linux-gnu",
            Target::Unknown => "unknown",
        }
    }
}

impl Libc {
    /// The oldest version that hosts run on.
    pub const OLDEST: Self = Libc { major: 2, minor: 31 };
}

impl FromStr for Target {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = Target::ALL.into_iter().find(|target| target.name() == text);
        known.ok_or_else(|| {
            let known = Target::ALL.map(Target::name).join(", ");
            ParseError::new(format!("the target `{text}` is none of {known}"))
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Libc {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // Rust would accept a sign too.
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let numbers = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        let wrong = || ParseError::new(format!("`{text}` is not a version of glibc: write it as 2.31"));
        let (major, minor) = numbers.ok_or_else(wrong)?;
        Ok(Libc { major, minor })
    }
}

impl TryFrom<String> for Libc {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Libc> for String {
    fn from(libc: Libc) -> String {
        libc.to_string()
    }
}

impl fmt::Display for Libc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

constructors! {
    /// A library for a target.
    Build(target: Target, libc: Libc, library: MemberPath)
}
