//! The keys whose packages are trusted.

use super::regular;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hookrail_model::ParseError;
use hookrail_model::package::KeyId;
use hookrail_model::time::rfc3339;
use serde::{Deserialize, Serialize};

use super::error::{Error, PackageError};
use super::format;
use super::home::{Home, Locked};
use super::read::{Package, open_file};
use super::signature::{MAX_SIGNATURE, PublicKey, Signature, VerifyError};

/// The file's name in the home.
const FILE: &str = "trust.json";

/// The format that this host writes, and the only one it reads.
const FORMAT: u32 = 1;

/// The keys whose packages are trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    format: u32,
    keys: Vec<TrustedKey>,
}

/// No key is trusted.
impl Default for Trust {
    fn default() -> Self {
        Trust { format: FORMAT, keys: Vec::new() }
    }
}

/// A key whose packages are trusted, or were.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// Its owner, for display.
    pub name: String,
    /// When it was added, as RFC 3339.
    pub added: String,
    /// Set if it is no longer trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

/// The revocation of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Revoked {
    /// When it was revoked, as RFC 3339.
    pub at: String,
    /// The reason.
    pub reason: String,
}

/// The verified signer of a package.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Signed {
    /// The key.
    pub key: PublicKey,
    /// Its owner.
    pub name: String,
    /// The trusted comment of the signature.
    pub comment: String,
}

impl Trust {
    /// Reads the keys of a home.
    ///
    /// # Errors
    /// If the file is damaged, or other users may write to it.
    pub fn read(home: &Home) -> Result<Self, Error> {
        let Some(bytes) = home.read(FILE)? else { return Ok(Trust::default()) };
        format::parse(&bytes, FORMAT).map_err(|why| {
            let package = home.path().join(FILE).display().to_string();
            Error::rejected(package, PackageError::Damaged(why))
        })
    }

    /// Writes these keys to a home.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, home: &Locked<'_>) -> Result<(), Error> {
        let mut json = serde_json::to_vec_pretty(self).expect("nothing of it can fail to be JSON");
        json.push(b'\n');
        home.write(FILE, &json)
    }

    /// All keys, including revoked ones.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// Trusts a key.
    ///
    /// # Errors
    /// If the key was revoked, since its owner has lost it, or if another key has its id.
    pub fn add(&mut self, key: PublicKey, name: String) -> Result<(), PackageError> {
        match self.keys.iter_mut().find(|known| known.key.id() == key.id()) {
            Some(TrustedKey { revoked: Some(revoked), .. }) => {
                Err(PackageError::Revoked { key: key.id().to_string(), reason: revoked.reason.clone() })
            }
            Some(known) if known.key != key => {
                Err(PackageError::FalseKey { id: key.id().to_string(), name: known.name.clone() })
            }
            Some(known) => {
                known.name = name;
                Ok(())
            }
            None => {
                self.keys.push(TrustedKey { key, name, added: now(), revoked: None });
                Ok(())
            }
        }
    }

    /// Revokes a key forever.
    ///
    /// # Errors
    /// If there is no such key.
    pub fn revoke(&mut self, key: KeyId, reason: String) -> Result<(), PackageError> {
        let known = self.keys.iter_mut().find(|known| known.key.id() == key);
        let known = known.ok_or_else(|| PackageError::UnknownKey(key.to_string()))?;
        known.revoked.get_or_insert(Revoked { at: now(), reason });
        Ok(())
    }

    /// The key with that id.
    ///
    /// # Errors
    /// If it is not trusted.
    #[doc(hidden)]
    pub fn find(&self, key: KeyId) -> Result<&TrustedKey, PackageError> {
        match self.keys.iter().find(|known| known.key.id() == key) {
            None => Err(PackageError::UnknownKey(key.to_string())),
            Some(TrustedKey { revoked: Some(Revoked { reason, .. }), .. }) => {
                Err(PackageError::Revoked { key: key.to_string(), reason: reason.clone() })
            }
            Some(known) => Ok(known),
        }
    }

    /// Opens a package that one of these keys has signed. The signature, in the file beside it, is verified before
    /// anything of the package is parsed, and on the same open file.
    ///
    /// # Errors
    /// If no trusted key has signed it, or it is not a valid package.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<(Package, Signed), Error> {
        let path = path.as_ref();
        let mut file = open_file(path)?;
        let signed = self.verify(&mut file, path)?;
        Ok((Package::read(file, path)?, signed))
    }

    /// The key that a file claims to be signed with, if it is trusted. The file itself is not read.
    ///
    /// # Errors
    /// If there is no signature beside it, or the key is not trusted.
    #[doc(hidden)]
    pub fn claimed(&self, path: &Path) -> Result<&TrustedKey, Error> {
        self.find(beside(path)?.key).map_err(|why| Error::rejected(path.display().to_string(), why))
    }

    /// Verifies an open file by the signature beside `path`, and returns the signer.
    ///
    /// # Errors
    /// If no trusted key has signed it.
    #[doc(hidden)]
    pub fn verify(&self, file: &mut File, path: &Path) -> Result<Signed, Error> {
        let rejected = |why| Error::rejected(path.display().to_string(), why);
        let failed = |source| Error::system(format!("read {}", path.display()), source);
        let signature = beside(path)?;
        let known = self.find(signature.key).map_err(rejected)?;
        file.rewind().map_err(failed)?;
        let verified = signature.verify(&known.key, &mut BufReader::new(&mut *file));
        verified.map_err(|error| match error {
            VerifyError::Read(source) => failed(source),
            VerifyError::Mismatch(why) => rejected(PackageError::Signature(why)),
        })?;
        file.rewind().map_err(failed)?;
        let comment = signature.comment().to_owned();
        Ok(Signed { key: known.key.clone(), name: known.name.clone(), comment })
    }
}

/// The builder of a package, according to the signature in its metadata.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct BuiltBy {
    /// The key.
    pub key: KeyId,
    /// The key's owner, if the key is trusted: then the signature has been verified. With other keys it cannot be.
    pub name: Option<String>,
}

impl Trust {
    /// The builder of a package, if its tar is signed.
    ///
    /// # Errors
    /// If the signature does not match.
    pub fn builder(&self, package: &Package) -> Result<Option<BuiltBy>, Error> {
        let Some(text) = package.metadata().builder.signature.clone() else { return Ok(None) };
        let path = package.path().display().to_string();
        let rejected =
            |why| Error::rejected(path.clone(), PackageError::Signature(format!("that of its builder: {why}")));
        let signature: Signature = text.parse().map_err(|why: ParseError| rejected(why.to_string()))?;
        let key = signature.key;
        let Some(known) = self.keys.iter().find(|known| known.key.id() == key) else {
            return Ok(Some(BuiltBy { key, name: None }));
        };
        let failed = |source| Error::system(format!("read {path}"), source);
        let verified = signature.verify(&known.key, &mut package.tar());
        verified.map_err(|error| match error {
            VerifyError::Read(source) => failed(source),
            VerifyError::Mismatch(_) => rejected(error.to_string()),
        })?;
        Ok(Some(BuiltBy { key, name: Some(known.name.clone()) }))
    }
}

/// The path of a file's signature.
pub fn signature_of(path: impl AsRef<Path>) -> PathBuf {
    let mut name = path.as_ref().as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

fn beside(path: &Path) -> Result<Signature, Error> {
    let beside = signature_of(path);
    let rejected = |why| Error::rejected(path.display().to_string(), why);
    let mut text = String::new();
    let read = regular::open(&beside).and_then(|file| file.take(MAX_SIGNATURE).read_to_string(&mut text));
    match read {
        Ok(_) => text.parse().map_err(|why: ParseError| rejected(PackageError::Signature(why.to_string()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(rejected(PackageError::Unsigned(format!("{} is not there", beside.display()))))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(rejected(PackageError::Signature(format!("{} is not text", beside.display()))))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            Err(rejected(PackageError::Signature(format!("{}: {error}", beside.display()))))
        }
        Err(source) => Err(Error::system(format!("read {}", beside.display()), source)),
    }
}

/// The current time, as RFC 3339.
pub fn now() -> String {
    rfc3339(SystemTime::now())
}
