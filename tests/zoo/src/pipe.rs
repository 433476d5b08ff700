//! How a specimen and a test talk past the host: through a pipe of the test's, whose descriptor stands
//! in the specimen's configuration. It works when the host has long forgotten the specimen.

use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// An end of a pipe that the test opened and will close.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct End(RawFd);

impl End {
    /// For a constructor, which has no configuration: what the variable `ZOO_END` says.
    pub fn of_constructor() -> Option<Self> {
        std::env::var("ZOO_END").ok()?.parse().ok().map(End)
    }

    /// Tells the test, by one byte, that something happened. It may be called where a panic would end
    /// the process, so a byte that cannot be written is left to the test to miss.
    pub fn tell(self) {
        let _ = self.file().write_all(b"!");
    }

    /// Waits for the test: until it closes its end.
    pub fn wait(self) {
        self.file().read_to_end(&mut Vec::new()).expect("the test's end closes");
    }

    /// For code that is not Rust.
    pub fn descriptor(self) -> RawFd {
        self.0
    }

    fn file(self) -> ManuallyDrop<File> {
        // SAFETY: the test keeps it open for as long as the specimen is there, and it is not closed here.
        ManuallyDrop::new(unsafe { File::from_raw_fd(self.0) })
    }
}

/// The configuration of a specimen that goes on until the test closes a pipe.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Until {
    /// The specimen's end.
    pub until: End,
}

/// Where a specimen without an instance at hand tells, such as a destructor: nowhere, until it is set.
#[derive(Debug)]
pub struct Teller(AtomicI32);

impl Teller {
    /// Tells nobody yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Teller(AtomicI32::new(-1))
    }

    /// From now on it tells here.
    pub fn set(&self, end: Option<End>) {
        self.0.store(end.map_or(-1, End::descriptor), Ordering::SeqCst);
    }

    /// Tells by one byte.
    pub fn tell(&self) {
        let descriptor = self.0.load(Ordering::SeqCst);
        if descriptor >= 0 {
            End(descriptor).tell();
        }
    }
}
