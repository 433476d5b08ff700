//! What a callback touches.

/// What a callback touches besides its payload. Simulation, replay and shadow runs call only pure callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Effects {
    /// Anything: the network, files, other processes.
    External = 0,
    /// The state of this process: counters, caches.
    Local = 1,
    /// Only the payload.
    Pure = 2,
}

impl Effects {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Effects::External => "external",
            Effects::Local => "local",
            Effects::Pure => "pure",
        }
    }

    /// The effects from the boundary; an unknown number counts as the widest, [`Effects::External`].
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            1 => Effects::Local,
            2 => Effects::Pure,
            _ => Effects::External,
        }
    }
}
