//! The verbs for packages and keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;
use hookrail::ParseError;
use hookrail::package::Target;

use super::consent::Consent;
use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_PACK: &str = "\
Packed are the library, README.md, LICENSE*, the directories etc and data where they exist, and the JSON Schema of the configuration, for which the library is loaded.
The metadata comes from [package] of Cargo.toml (with --lib also of hookrail-package.toml) and from [package.metadata.hookrail]: functionality = [..], and optionally builder = { name, contact, website }, host and abi = \"~> 1.0\", requires = { other-plugin = \"~> 1.0\" }.
The time in it is $SOURCE_DATE_EPOCH, else that of the last commit, so the same libraries give the same bytes.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_PACK)]
pub(crate) struct Pack {
    /// The directory of the plugin's manifest
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,

    /// Pack this library instead of building one, for example x86_64-unknown-linux-gnu=libmask.so; may be repeated, once
    /// for each target
    #[arg(long = "lib", value_name = "TARGET=FILE", value_parser = library)]
    pub(crate) libraries: Vec<(Target, PathBuf)>,

    /// The directory in which the package is created
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) to: PathBuf,

    /// Pack the source too
    #[arg(long)]
    pub(crate) source: bool,

    /// Sign the tar in it, and the package
    #[arg(long)]
    pub(crate) sign: bool,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Print the metadata of the package as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The key to sign with.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The file of the secret key [default: hookrail.key in the home]
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,

    /// The file whose first line is the password of the secret key; `-` is stdin [default: $HOOKRAIL_KEY_PASSWORD, else
    /// the terminal]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    #[command(flatten)]
    pub(crate) key: Key,

    /// Use no password: anyone who can read the file can sign
    #[arg(long, conflicts_with = "password_file")]
    pub(crate) no_password: bool,

    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The file; its signature is written to FILE.minisig
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) key: Key,

    /// The comment that is signed with it and shown on verification [default: the file's name]
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,

    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The package, with its signature beside it as FILE.minisig
    #[arg(add = candidates::files(&["hrp"]))]
    pub(crate) file: PathBuf,

    /// Trust only this public key, a file or the key itself, and not those of `hookrail trust`
    #[arg(long, value_name = "FILE|KEY")]
    pub(crate) key: Option<String>,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// Trust the packages that a key has signed
    Add {
        /// The public key: a file, or the key itself
        #[arg(value_name = "FILE|KEY")]
        key: String,
        /// The name of its owner
        #[arg(long, value_parser = printable)]
        name: String,
    },
    /// List the keys that are or were trusted, and the files that are allowed without one
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key permanently; asks first
    Revoke {
        /// The key's id, as `hookrail trust list` shows it
        #[arg(value_name = "ID", add = ArgValueCandidates::new(candidates::keys))]
        key: String,
        /// The reason, which is shown where the key is refused
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        consent: Consent,
    },
}

fn library(text: &str) -> Result<(Target, PathBuf), String> {
    let (target, file) =
        text.split_once('=').ok_or("write TARGET=FILE, for example x86_64-unknown-linux-gnu=lib.so")?;
    let target = target.parse().map_err(|error: ParseError| error.to_string())?;
    Ok((target, file.into()))
}

/// It is shown wherever the key is.
fn printable(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.contains(char::is_control) {
        return Err("write a name, in characters that print".into());
    }
    Ok(text.into())
}
