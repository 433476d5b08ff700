//! How the structures of the boundary grow: at the end, behind what their first version had.

use std::mem::MaybeUninit;
use std::ptr::copy_nonoverlapping;

use super::{
    BusService, BusSpec, ConfigService, Context, DirsService, DispatchService, DispatchSpec, Entry, HostTable,
    KeysTable, LifecycleTable, LogService, MemoryTable, MetricsTable, Registration, ReloadTable, SchemaTable,
    StateTable, StreamIo, StreamTable, TracePanic, TraceService, TraceSite, TraceTable, UnitService, UnitSpec,
    UnloadService, UnloadTable, WritableConfigService,
};
use crate::PayloadOps;

/// A structure of the boundary that begins with its size in bytes, and may grow at the end.
///
/// The two sides may have been built with different versions of it. So neither makes a reference of a pointer to the
/// other's: it [reads](Growing::read) a structure of its own from it.
///
/// # Safety
/// The type is `repr(C)` and its first field is `size: u32`. Every field that lies behind its first `FIRST` bytes may
/// have the value of which all bytes are zero.
pub unsafe trait Growing: Copy {
    /// The size of its first version in bytes, which never changes: no complete one is smaller.
    const FIRST: usize;

    /// Reads the structure that the other side made. What is newer in this version is zero, and what is newer in the
    /// other's is left out; `size` stays what the other side stated.
    ///
    /// # Errors
    /// If it is smaller than the first version.
    ///
    /// # Safety
    /// `at` is aligned; as many bytes are readable there as the structure itself states, and it is valid in the version
    /// of that size.
    unsafe fn read(at: *const Self) -> Result<Self, TooSmall> {
        // SAFETY: by the contract it begins with its size.
        let size = unsafe { at.cast::<u32>().read() } as usize;
        if size < Self::FIRST {
            return Err(TooSmall { size, needed: Self::FIRST });
        }
        let mut read = MaybeUninit::<Self>::zeroed();
        // SAFETY: by the contract `size` bytes are readable there, and the new structure has room for its own size.
        unsafe { copy_nonoverlapping(at.cast::<u8>(), read.as_mut_ptr().cast(), size.min(size_of::<Self>())) };
        // SAFETY: the first version's fields were copied from a valid structure, and by the trait's contract all others
        // may be zero.
        Ok(unsafe { read.assume_init() })
    }

    /// Reads the structure that the other side returned, if it returned one: null is none, and less than the first
    /// version is none either.
    ///
    /// # Safety
    /// `at` is null, or as for [`read`](Growing::read).
    unsafe fn find(at: *const Self) -> Option<Self> {
        // SAFETY: it is not null, so by the contract it is as `read` needs it.
        if at.is_null() { None } else { unsafe { Self::read(at) }.ok() }
    }
}

/// A structure that is smaller than its first version: it is incomplete, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// The size that it states, in bytes.
    pub size: usize,
    /// The size of the first version, in bytes.
    pub needed: usize,
}

impl std::fmt::Display for TooSmall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, {} are needed", self.size, self.needed)
    }
}

impl std::error::Error for TooSmall {}

macro_rules! first_versions {
    ($($type:ident $size:literal,)*) => {$(
        // SAFETY: it is `repr(C)` and begins with its size; it has no field behind its first version yet.
        unsafe impl Growing for $type {
            const FIRST: usize = $size;
        }
    )*};
}

first_versions! {
    BusService 32,
    BusSpec 80,
    ConfigService 16,
    Context 64,
    DirsService 16,
    DispatchService 40,
    DispatchSpec 56,
    Entry 104,
    HostTable 40,
    KeysTable 16,
    LifecycleTable 48,
    LogService 16,
    MemoryTable 16,
    MetricsTable 16,
    PayloadOps 80,
    Registration 136,
    ReloadTable 16,
    SchemaTable 16,
    StateTable 40,
    StreamIo 64,
    StreamTable 40,
    TracePanic 64,
    TraceService 120,
    TraceSite 104,
    TraceTable 24,
    UnitService 64,
    UnitSpec 128,
    UnloadService 56,
    UnloadTable 24,
    WritableConfigService 32,
}

#[cfg(test)]
mod tests {
    use std::ptr::from_ref;

    use super::*;

    /// A structure of which 16 bytes are the first version.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Newer {
        size: u32,
        flags: u32,
        first: u64,
        newer: u64,
    }

    // SAFETY: it begins with its size, and the field behind the first 16 bytes may be 0.
    unsafe impl Growing for Newer {
        const FIRST: usize = 16;
    }

    /// Reads as many words as there are; the first one holds the size and the flags.
    fn read<const N: usize>(words: [u64; N]) -> Result<Newer, TooSmall> {
        // SAFETY: the tests state no size beyond their words, and numbers may have any value.
        unsafe { Newer::read(from_ref(&words).cast()) }
    }

    #[test]
    fn fields_that_an_older_side_lacks_are_zero() {
        let older = read([7 << 32 | 16, 5]).unwrap();
        assert_eq!(older, Newer { size: 16, flags: 7, first: 5, newer: 0 });
    }

    #[test]
    fn fields_of_a_newer_side_are_left_out() {
        let newer = read([40, 5, 0, 9, 9]).unwrap();
        assert_eq!((newer.size, newer.first, newer.newer), (40, 5, 0));
    }

    #[test]
    fn less_than_the_first_version_is_refused() {
        assert_eq!(read([15, 5]), Err(TooSmall { size: 15, needed: 16 }));
        assert_eq!(read([0, 0]).unwrap_err().to_string(), "0 bytes, 16 are needed");
    }
}
