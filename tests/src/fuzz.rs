//! What is fed with any bytes at all and must answer, not break: the bodies of the property tests in
//! `tests/tests/fuzzed.rs` and of the fuzz targets in `tests/fuzz`.

use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::Path;

use hookrail::control::wire::{Answer, Request};
use hookrail::{Config, Host, Message, MessagePublish};
use hookrail_abi::{Bytes, Format, Point, Text};

/// A library: its headers, its imports, its note.
pub fn image(bytes: &[u8]) {
    // SAFETY: makes a descriptor.
    let memory = unsafe { libc::memfd_create(c"image".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(memory >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: it was just made, and nobody else has it.
    let mut memory = unsafe { File::from_raw_fd(memory) };
    memory.write_all(bytes).expect("memory takes it");
    if let Err(error) = hookrail::inspect(Path::new(&format!("/proc/self/fd/{}", memory.as_raw_fd()))) {
        assert!(!error.to_string().is_empty() && error.code().starts_with("HR"));
    }
}

/// A configuration: what can be read makes a host, or is refused with its reason.
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

/// A line of the control socket, as either end would read it.
pub fn wire(bytes: &[u8]) {
    match Request::read(bytes) {
        Err((_, error)) => assert!(!error.to_string().is_empty()),
        Ok(request) => {
            let line = serde_json::to_vec(&request).expect("a request is JSON");
            assert_eq!(Request::read(&line).expect("what was written can be read"), request);
        }
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(bytes) {
        let line = serde_json::to_vec(&answer).expect("an answer is JSON");
        assert_eq!(serde_json::from_slice::<Answer>(&line).expect("what was written can be read"), answer);
    }
}
