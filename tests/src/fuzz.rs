//! Parsers that are fed arbitrary bytes and must answer without breaking: the bodies of the property tests in
//! `tests/tests/project/fuzz_bodies.rs` and of the fuzz targets in `tests/fuzz`.

use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::Path;

use hookrail::control::command::{self, Command};
use hookrail::control::wire::{self, Answer, RawRequest};
use hookrail::package::{Error, Package, PublicKey, Range, Signature, VerifyError, fits_here};
use hookrail::{Config, Host, Message, MessagePublish};
use hookrail_abi::{Bytes, Format, Point, Text};
use hookrail_cuttlefish as cuttlefish;

use crate::raw;

/// A library: its headers, its imports, its note.
pub fn image(bytes: &[u8]) {
    if let Err(error) = in_memory(bytes, |path| hookrail::inspect(path)) {
        assert!(!error.to_string().is_empty() && error.code().starts_with("HR"));
    }
}

/// Passes a file with these bytes to `look`.
fn in_memory<T>(bytes: &[u8], look: impl FnOnce(&Path) -> T) -> T {
    // SAFETY: makes a descriptor.
    let memory = unsafe { libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(memory >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: it was just made, and nobody else has it.
    let mut memory = unsafe { File::from_raw_fd(memory) };
    memory.write_all(bytes).expect("memory takes it");
    look(Path::new(&format!("/proc/self/fd/{}", memory.as_raw_fd())))
}

/// A package: its zip, and everything in it.
pub fn package(bytes: &[u8]) {
    if let Err(error) = in_memory(bytes, |path| Package::open(path)?.verify()) {
        check_refusal(&error);
    }
}

/// The tar of a package whose metadata has the right length and digest for it.
pub fn tar(bytes: &[u8]) {
    let package = raw::package(&raw::metadata(&raw::FILES, bytes), bytes);
    match in_memory(&package, raw::read) {
        Ok((_, mut files)) => {
            files.sort();
            let files = files.into_iter().map(|(path, _, bytes)| (path, bytes));
            let said = raw::FILES.map(|(path, data)| (path.to_owned(), data.to_vec()));
            assert!(files.eq(said), "it is what the metadata says");
        }
        Err(error) => check_refusal(&error),
    }
}

/// The metadata of a package: what is accepted can be written, and is the same when it is read again.
pub fn metadata(bytes: &[u8]) {
    let json = |bytes: &[u8]| raw::Member::stored(format!("{}.json", raw::FULL_NAME), bytes);
    let tar = raw::tar(&raw::entries());
    let of = |bytes: &[u8]| raw::zip(&[json(bytes), raw::Member::stored(format!("{}.tar", raw::FULL_NAME), &tar)]);
    let read =
        |bytes: &[u8]| in_memory(&of(bytes), |path| Package::open(path).map(|package| package.metadata().clone()));
    match read(bytes) {
        Ok(metadata) => {
            let _ = fits_here(&metadata);
            let written = serde_json::to_vec(&metadata).expect("metadata is JSON");
            assert_eq!(read(&written).expect("what was written can be read"), metadata);
        }
        Err(error) => check_refusal(&error),
    }
}

/// A refusal has a reason, in printable text.
fn check_refusal(error: &Error) {
    let text = error.to_string();
    assert!(error.code().starts_with("HR08") || error.code().starts_with("HR03"), "{text}");
    assert!(text.len() < 9000 && !text.contains(char::is_control), "{text:?}");
}

/// A public key and a signature, each as text; the signature does not match any data here.
pub fn signature(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse::<PublicKey>().expect("what was written can be read"), key);
    }
    let key: PublicKey = PUBLIC_KEY.parse().expect("a key");
    if let Ok(signature) = text.parse::<Signature>() {
        assert!(!signature.key.to_string().is_empty() && signature.comment().len() <= text.len());
        let verified = signature.verify(&key, &mut &b"nothing"[..]);
        assert!(matches!(verified, Err(VerifyError::Mismatch(_))), "nobody signed that");
    }
}

/// A key that the fuzzer starts with.
pub const PUBLIC_KEY: &str = "RWSA2qyCOQ/Exgc8a6Ks7uWKjkHBuWhU0cOrri5XO+Yms4kc7RzaR+Gb";

/// A range of versions: what can be read can be written, and is the same when it is read again.
pub fn range(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(range) = text.parse::<Range>() else { return };
    assert_eq!(range.to_string().parse::<Range>().expect("what was written can be read"), range);
    for version in ["0.9.0", "1.0.0-rc.1", "1.0.0", "1.2.3", "4294967295.4294967295.18446744073709551615"] {
        let version = version.parse().expect("a version");
        // Only that it returns: an overflow would panic.
        let _ = range.contains(&version);
    }
}

/// A configuration: what can be read either makes a host, or is refused with a reason.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = toml::from_str::<Config>(text) else { return };
    if let Err(error) = Host::new(config) {
        assert!(!error.to_string().is_empty() && error.code().starts_with("HR02"), "{error}");
    }
}

/// A message in both of its forms: what can be read can be written, and is the same when it is read again.
pub fn message(bytes: &[u8]) {
    for format in [Format::MessagePack, Format::Json] {
        let Some(message) = decode(bytes, format) else { continue };
        let mut written = Bytes::new();
        let encode = MessagePublish::ops().encode.expect("a message is portable");
        // SAFETY: a message of this point, and bytes of ours.
        assert_eq!(unsafe { encode(std::ptr::from_ref(&message).cast(), format as u32, &mut written) }, 0);
        assert_eq!(decode(&written, format).expect("what was written can be read"), message);
    }
}

fn decode(bytes: &[u8], format: Format) -> Option<Message> {
    let decode = MessagePublish::ops().decode.expect("a message is portable");
    let (mut message, mut error) = (MaybeUninit::<Message>::uninit(), Text::new());
    // SAFETY: there is room for a message, and the text is ours.
    match unsafe { decode(bytes.as_ptr(), bytes.len(), format as u32, message.as_mut_ptr().cast(), &mut error) } {
        // SAFETY: it answered that it has written one.
        0 => Some(unsafe { message.assume_init() }),
        _ => {
            assert!(!error.as_str().is_empty(), "it says why");
            None
        }
    }
}

/// The fields of any command can be written, and are the same when they are read again.
fn as_each_command(raw: &RawRequest) {
    fn check<C: Command>(raw: &RawRequest) {
        match wire::command::<C>(raw.params.clone()) {
            Err(why) => assert!(!why.to_string().is_empty()),
            Ok(command) => {
                let line = wire::request(raw.id, &command).expect("a request is JSON");
                let again = RawRequest::read(&line).expect("what was written can be read");
                assert_eq!((again.id, wire::command::<C>(again.params).unwrap()), (raw.id, command));
            }
        }
    }
    macro_rules! each {
        ($($command:ident)*) => { $(check::<command::$command>(raw);)* };
    }
    each!(Allow Apply Config ConfigHistory ConfigSchema Configure Disable Enable Events Points Install List Load
        Restart Rollback SetCallback SetLevel SetLogLevel Show Stage Start Status Stop ImportIncoming Trace Uninstall Unload Unquarantine Replace Validate);
}

/// A line of the control socket, as either end reads it.
pub fn wire(bytes: &[u8]) {
    match RawRequest::read(bytes) {
        Err(error) => assert!(!error.why.is_empty()),
        Ok(request) => as_each_command(&request),
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(bytes) {
        let line = serde_json::to_vec(&answer).expect("an answer is JSON");
        assert_eq!(serde_json::from_slice::<Answer>(&line).expect("what was written can be read"), answer);
    }
}

/// A configuration file of EMQX: what can be read can be written, and is the same when it is read again; a refusal has
/// a line number.
pub fn emqx(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let lines = text.split('\n').count();
    let check = |mistakes: cuttlefish::Mistakes| {
        assert!(!mistakes.0.is_empty());
        assert!(mistakes.0.iter().all(|mistake| (1..=lines).contains(&mistake.line) && !mistake.what.is_empty()));
    };
    let entries = match cuttlefish::parse(text) {
        Ok(entries) => entries,
        Err(mistakes) => return check(mistakes),
    };
    let written = entries.iter().map(|entry| {
        let words: Vec<_> = entry.path.iter().map(|word| word.replace('.', "\\.")).collect();
        format!("{} = {}\n", words.join("."), serde_json::Value::from(&*entry.value))
    });
    let again = cuttlefish::parse(&written.collect::<String>()).expect("what was written can be read");
    let said = |entries: Vec<cuttlefish::Entry>| -> Vec<_> {
        entries.into_iter().map(|entry| (entry.path, entry.value)).collect()
    };
    for schema in [
        None,
        Some(hookrail::package::Metadata::schema()),
        Some(serde_json::json!({ "additionalProperties": { "$ref": "#" } })),
    ] {
        match cuttlefish::convert(&entries, schema.as_ref(), "mask") {
            Ok(value) => assert!(value.is_object() || value.is_array()),
            Err(mistakes) => check(mistakes),
        }
    }
    assert_eq!(said(again), said(entries));
}
