//! Secrets from files: where a text is wanted in a configuration, `{ secret_file = "/run/secrets/token" }` stands for what
//! the file has.
//!
//! Only what a configuration file or an embedder says is looked at for that, never what is set over a socket, comes with a
//! package, or is written by a plugin: whoever could name files of the host's there could read them.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use hookrail_model::error::{ConfigError, Error, Misbehaved};
use hookrail_model::log;
use hookrail_model::schema::Schema;
use hookrail_model::secrets::without_secrets;
use rustix::fs::{Mode, OFlags, open};
use serde_json::Value;

/// The only key of a table that stands for the content of a file.
const KEY: &str = "secret_file";
/// The longest secret, in bytes.
const LONGEST: u64 = 64 << 10;

/// A configuration with the content of the files that it names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    pub(crate) value: Value,
    /// What must not be shown.
    secrets: Vec<String>,
}

/// Whether a configuration names files of secrets.
pub fn has_files(config: &Value) -> bool {
    match config {
        Value::Array(elements) => elements.iter().any(|element| file_in(element).is_some() || has_files(element)),
        Value::Object(object) => object.values().any(|value| file_in(value).is_some() || has_files(value)),
        _ => false,
    }
}

/// Reads the files that a configuration names, whose own key is `key`.
///
/// # Errors
/// If one cannot be read, or is no short text.
pub fn resolve(config: &Value, key: &str) -> Result<Resolved, ConfigError> {
    let mut resolved = Resolved { value: config.clone(), secrets: Vec::new() };
    if has_files(config) {
        fill(&mut resolved.value, key, &mut resolved.secrets)?;
    }
    Ok(resolved)
}

/// What differs when the content of a file differs, in this process; `None` if a configuration names no file, or one that
/// cannot be read now.
pub fn fingerprint(config: &Value) -> Option<u64> {
    has_files(config).then(|| resolve(config, ""))?.ok()?.fingerprint()
}

impl From<Value> for Resolved {
    /// One that names no files, or may not.
    fn from(value: Value) -> Self {
        Resolved { value, secrets: Vec::new() }
    }
}

impl Resolved {
    /// Checks it against a schema; what does not match is not shown if there are secrets in it.
    ///
    /// # Errors
    /// If it does not match.
    pub fn check(&self, schema: &Schema, instance: &str) -> Result<(), Error> {
        if self.has_secrets() {
            schema.check_secret(instance, &self.value)
        } else {
            schema.check(instance, &self.value)
        }
    }

    /// The configuration that the plugin gets.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What must not be shown.
    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Whether anything of it came from files.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// What differs when the secrets in it differ, in this process; `None` if there are none.
    pub fn fingerprint(&self) -> Option<u64> {
        static STATE: OnceLock<RandomState> = OnceLock::new();
        self.has_secrets().then(|| STATE.get_or_init(RandomState::new).hash_one(&self.secrets))
    }

    /// Takes the secrets out of what a plugin says of its configuration.
    #[must_use]
    pub fn hidden(&self, error: Error) -> Error {
        match error {
            Error::PluginMisbehaved { plugin, why: Misbehaved::Failed { call, message, .. }, .. } => {
                Error::misbehaved(plugin, Misbehaved::failed(call, without_secrets(message, &self.secrets)))
            }
            error => error,
        }
    }
}

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolved").finish_non_exhaustive()
    }
}

fn fill(value: &mut Value, key: &str, secrets: &mut Vec<String>) -> Result<(), ConfigError> {
    let mut one = |value: &mut Value, key: String| match file_in(value).map(str::to_owned) {
        Some(file) => {
            let secret = read(&file).map_err(|why| ConfigError::invalid_value(format!("{key}.{KEY}"), why))?;
            *value = secret.clone().into();
            secrets.push(secret);
            Ok(())
        }
        None => fill(value, &key, secrets),
    };
    match value {
        Value::Array(elements) => {
            elements.iter_mut().enumerate().try_for_each(|(index, value)| one(value, format!("{key}[{index}]")))
        }
        Value::Object(object) => object.iter_mut().try_for_each(|(name, value)| one(value, format!("{key}.{name}"))),
        _ => Ok(()),
    }
}

/// The file that stands for a text.
fn file_in(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get(KEY)?.as_str()
}

/// The secret in a file, or what is wrong with it.
fn read(file: &str) -> Result<String, String> {
    let path = Path::new(file);
    if !path.is_absolute() {
        return Err(format!("is {file}: write the path in full, it begins with `/`"));
    }
    let failed = |error: io::Error| format!("is {file}, which cannot be read: {error}");
    // Without waiting for the writer of a pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = File::from(open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?);
    let metadata = opened.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("is {file}, which is no regular file"));
    }
    if metadata.mode() & 0o004 != 0 {
        log!(warn, "the secret in {file} can be read by all users: `chmod o-r {file}`");
    }
    let text = String::from_utf8(at_most(&opened, LONGEST + 1).map_err(failed)?);
    match text.as_deref().map(without_newline) {
        Err(_) => Err(format!("is {file}, which is not UTF-8")),
        Ok("") => Err(format!("is {file}, which is empty")),
        Ok(_) if text.as_ref().is_ok_and(|text| text.len() as u64 > LONGEST) => {
            Err(format!("is {file}, which has more than {} KiB", LONGEST >> 10))
        }
        Ok(secret) => Ok(secret.into()),
    }
}

fn at_most(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One newline at the end is that of whoever wrote the file.
fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_stands_for_a_text_wherever_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (one, two) = (file("one", "first\n\n"), file("two", "se\"cond\r\n"));
        let config = json!({
            "a": { KEY: one }, "b": [{ "c": { KEY: two } }, 1], "d": { KEY: one, "e": 1 }, "f": { KEY: 1 }
        });
        assert!(has_files(&config) && !has_files(&json!({ KEY: one })) && !has_files(&json!("x")));
        let resolved = resolve(&config, "plugins.x.config").unwrap();
        let expected = json!({
            "a": "first\n", "b": [{ "c": "se\"cond" }, 1], "d": { KEY: one, "e": 1 }, "f": { KEY: 1 }
        });
        assert_eq!(*resolved.value(), expected);
        let said = Misbehaved::failed("start", r#"no host: "se\"cond", nor se"cond"#);
        let hidden = resolved.hidden(Error::misbehaved("x", said)).to_string();
        assert!(hidden.ends_with(r#"no host: "***", nor ***"#), "{hidden}");
        let before = fingerprint(&config);
        assert_eq!((before.is_some(), before), (true, fingerprint(&config)));
        fs::write(&one, "another").unwrap();
        assert_ne!(before, fingerprint(&config));
        assert_eq!(fingerprint(&json!({ "a": 1 })), None);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let wrong = |name: &str, content: &[u8], said: &str| {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            refused(path.to_str().unwrap(), said);
        };
        fn refused(file: &str, said: &str) {
            let error = resolve(&json!({ "a": [{ KEY: file }] }), "plugins.x.config").unwrap_err().to_string();
            assert!(error.starts_with("`plugins.x.config.a[0].secret_file` is ") && error.contains(said), "{error}");
        }
        wrong("empty", b"\n", "is empty");
        wrong("long", &vec![b'a'; LONGEST as usize + 1], "more than 64 KiB");
        wrong("bytes", b"\xff", "not UTF-8");
        refused(directory.path().join("none").to_str().unwrap(), "cannot be read");
        refused(directory.path().to_str().unwrap(), "no regular file");
        refused("token", "write the path in full");
    }
}
