//! `hookrail keygen` and `hookrail sign`: keys and signatures in minisign format, through the library of minisign's
//! author.

use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hookrail::package::signature_of;
use minisign::{KeyPair, PError, PublicKey, SecretKey, SecretKeyBox};

use crate::args::{Key, Keygen, Sign};
use crate::confirm::confirm;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, stderr, trust};

pub(crate) fn generate(options: &Keygen) -> Result<ExitCode, Error> {
    let secret = options.key.path()?;
    let public = secret.with_extension("pub");
    let existing = [&secret, &public].into_iter().find(|file| file.exists());
    if let Some(file) = existing {
        let what =
            format!("the key {} will be overwritten; whoever trusts it will not trust the new one", file.display());
        if !confirm(options.consent, &what)? {
            return Ok(ExitCode::Failure);
        }
    }
    let bad = |error: PError| Error::BadKey { key: secret.display().to_string(), why: error.to_string() };
    let pair = if options.no_password {
        KeyPair::generate_unencrypted_keypair()
    } else {
        let password = match options.key.password()? {
            Some(password) => password,
            None => asked_twice().map_err(|why| Error::NoPassword { key: secret.display().to_string(), why })?,
        };
        KeyPair::generate_encrypted_keypair(Some(password))
    };
    let pair = pair.map_err(bad)?;
    let secret_text = pair.sk.to_box(Some("hookrail secret key")).map_err(bad)?.into_string();
    let public_text = pair.pk.to_box().map_err(bad)?.into_string();
    write(&secret, &secret_text, 0o600, existing.is_some())?;
    write(&public, &public_text, 0o644, existing.is_some())?;
    stderr::line(format_args!("secret key: {}; keep a copy where nobody else can read it", secret.display()));
    stderr::line(format_args!("public key: {}; others trust it with `hookrail trust add`", public.display()));
    print::line(pair.pk.to_base64())?;
    Ok(ExitCode::Ok)
}

pub(crate) fn sign(options: &Sign) -> Result<ExitCode, Error> {
    let signer = Signer::open(&options.key)?;
    let beside = signature_of(&options.file);
    let what = format!("the signature {} will be overwritten", beside.display());
    if beside.exists() && !confirm(options.consent, &what)? {
        return Ok(ExitCode::Failure);
    }
    let signature = signer.sign_beside(&options.file, options.comment.as_deref())?;
    stderr::line(format_args!("signed with the key {}", signer.id()));
    print::line(signature.display())?;
    Ok(ExitCode::Ok)
}

/// A secret key, ready to sign.
pub(crate) struct Signer {
    secret: SecretKey,
    public: PublicKey,
    file: PathBuf,
}

impl Signer {
    /// Reads the key, and asks for its password if there is one.
    pub(crate) fn open(key: &Key) -> Result<Self, Error> {
        let file = key.path()?;
        let bad = |error: PError| Error::BadKey { key: file.display().to_string(), why: error.to_string() };
        let text = std::fs::read_to_string(&file).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => {
                Error::BadKey { key: file.display().to_string(), why: "there is no such file".into() }
            }
            _ => Error::reading(&file.display(), cause),
        })?;
        let secret = match open_key(&text) {
            Some(secret) => secret,
            None => {
                let password = match key.password()? {
                    Some(password) => password,
                    None => asked("Password of the secret key: ")
                        .map_err(|why| Error::NoPassword { key: file.display().to_string(), why })?,
                };
                SecretKeyBox::from_string(&text)
                    .and_then(|secret| secret.into_secret_key(Some(password)))
                    .map_err(bad)?
            }
        };
        let public = PublicKey::from_secret_key(&secret).map_err(bad)?;
        Ok(Signer { secret, public, file })
    }

    /// The key's id.
    pub(crate) fn id(&self) -> String {
        let id = self.public.keynum().try_into().map_or(0, u64::from_le_bytes);
        format!("{id:016X}")
    }

    /// The signature of these bytes, as text.
    pub(crate) fn sign(&self, bytes: &mut dyn Read, comment: &str) -> Result<String, Error> {
        let signed = minisign::sign(Some(&self.public), &self.secret, bytes, Some(comment), Some("hookrail"));
        let signed =
            signed.map_err(|error| Error::BadKey { key: self.file.display().to_string(), why: error.to_string() });
        Ok(signed?.into_string())
    }

    /// Writes the signature of a file beside it; returns the path.
    pub(crate) fn sign_beside(&self, path: &Path, comment: Option<&str>) -> Result<PathBuf, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = File::open(path).map_err(|cause| Error::reading(&path.display(), cause));
        let text = self.sign(&mut file?, comment.unwrap_or(&name))?;
        let beside = signature_of(path);
        let written = std::fs::write(&beside, text);
        written.map_err(|cause| Error::writing(&beside.display(), cause))?;
        Ok(beside)
    }
}

impl Key {
    fn path(&self) -> Result<PathBuf, Error> {
        match &self.secret {
            Some(file) => Ok(file.clone()),
            None => Ok(trust::home()?.path().join("hookrail.key")),
        }
    }

    /// The password, unless it has to be asked for.
    fn password(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.password_file else { return Ok(std::env::var("HOOKRAIL_KEY_PASSWORD").ok()) };
        match first_line(file) {
            Ok(password) => Ok(Some(password)),
            Err(cause) => Err(Error::reading(&file.display(), cause)),
        }
    }
}

/// A secret key without a password. The minisign program omits its checksum, which the library requires.
fn open_key(text: &str) -> Option<SecretKey> {
    let bytes = BASE64_STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    // The two bytes of the signature algorithm are followed by those of the encryption algorithm.
    (bytes.get(2..4)? == [0; 2]).then(|| SecretKey::from_bytes(&bytes).ok())?
}

/// The first line of a file, or of stdin. A file that others can read is used, with a warning.
fn first_line(file: &Path) -> io::Result<String> {
    let mut line = String::new();
    if file == Path::new("-") {
        io::stdin().lock().read_line(&mut line)?;
    } else {
        let opened = File::open(file)?;
        if opened.metadata()?.mode() & 0o077 != 0 {
            let file = file.display();
            stderr::line(format_args!("warning: others may read the password in {file}: `chmod 600 {file}`"));
        }
        BufReader::new(opened).read_line(&mut line)?;
    }
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}

/// A new password, read twice from the terminal.
fn asked_twice() -> Result<String, String> {
    let password = asked("Password for the secret key: ")?;
    if asked("Once more: ")? == password { Ok(password) } else { Err("the passwords differ".into()) }
}

/// A password, read from the terminal.
fn asked(prompt: &str) -> Result<String, String> {
    rpassword::prompt_password(prompt).map_err(|error| format!("there is no terminal to ask for it: {error}"))
}

/// Writes a key, whole or not at all. One that exists is kept, unless it is to be overwritten.
fn write(path: &Path, text: &str, mode: u32, overwrites: bool) -> Result<(), Error> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = || {
        let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(if overwrites { file.persist(path) } else { file.persist_noclobber(path) }?)
    };
    let placed: io::Result<File> = place();
    placed.map(drop).map_err(|cause| Error::writing(&path.display(), cause))
}
