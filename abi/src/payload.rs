//! Operations on a payload whose type is not known: cloning, restoring, encoding, masking.

mod owned;

use std::ffi::c_void;
use std::fmt::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use owned::Payload;

use crate::{Bytes, Text};

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Format {
    /// For machines: MessagePack with field names; secrets in the clear.
    MessagePack = 0,
    /// For people: JSON; secrets masked.
    Json = 1,
}

/// Operations on the payload of one point, so that a worker, a recorder or a bridge can handle a payload whose type it
/// was not compiled with.
///
/// All functions are thread-safe. Those that return a `u32` return 0 on success. The last three are null for a `LOCAL`
/// point.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PayloadOps {
    /// Size of the payload in bytes.
    pub size: usize,
    /// Alignment of the payload in bytes.
    pub align: usize,
    /// Writes a copy of `from` to the uninitialised `to`.
    pub clone: unsafe extern "C" fn(from: *const c_void, to: *mut c_void),
    /// Makes the initialised `to` equal to `from`, reusing its memory.
    pub assign: unsafe extern "C" fn(from: *const c_void, to: *mut c_void),
    /// Drops the payload in place.
    pub drop: unsafe extern "C" fn(payload: *mut c_void),
    /// Appends the payload to `out` in a [`Format`].
    pub encode: Option<unsafe extern "C" fn(payload: *const c_void, format: u32, out: *mut Bytes) -> u32>,
    /// Reads a payload into the uninitialised `to`; on failure writes what is wrong to `error`.
    pub decode: Option<
        unsafe extern "C" fn(bytes: *const u8, len: usize, format: u32, to: *mut c_void, error: *mut Text) -> u32,
    >,
    /// Masks the payload's secrets in place.
    pub redact: Option<unsafe extern "C" fn(payload: *mut c_void) -> u32>,
}

impl PayloadOps {
    /// The operations of a payload that can be encoded and decoded.
    pub const fn portable<T: Clone + Serialize + DeserializeOwned>() -> Self {
        PayloadOps {
            encode: Some(encode::<T>),
            decode: Some(decode::<T>),
            redact: Some(redact::<T>),
            ..PayloadOps::local::<T>()
        }
    }

    /// The operations of a payload that never leaves this process.
    pub const fn local<T: Clone>() -> Self {
        PayloadOps {
            size: size_of::<T>(),
            align: align_of::<T>(),
            clone: clone::<T>,
            assign: assign::<T>,
            drop: drop::<T>,
            encode: None,
            decode: None,
            redact: None,
        }
    }
}

/// # Safety
/// `from` points to a valid `T`, and `to` to aligned room for one.
unsafe extern "C" fn clone<T: Clone>(from: *const c_void, to: *mut c_void) {
    // SAFETY: the caller passes a valid payload and aligned room for another.
    unsafe { to.cast::<T>().write((*from.cast::<T>()).clone()) }
}

/// # Safety
/// Both point to a valid `T`; nobody else uses `to` during the call.
unsafe extern "C" fn assign<T: Clone>(from: *const c_void, to: *mut c_void) {
    // SAFETY: the caller passes two valid payloads, the second one exclusively.
    unsafe { (*to.cast::<T>()).clone_from(&*from.cast()) }
}

/// # Safety
/// `payload` points to a valid `T`, which nobody uses again.
unsafe extern "C" fn drop<T>(payload: *mut c_void) {
    // SAFETY: the caller passes a valid payload and does not use it again.
    unsafe { payload.cast::<T>().drop_in_place() }
}

/// # Safety
/// `payload` points to a valid `T`, and `out` to bytes that nobody else uses during the call.
unsafe extern "C" fn encode<T: Serialize>(payload: *const c_void, format: u32, out: *mut Bytes) -> u32 {
    // SAFETY: the caller passes a valid payload and valid bytes, the latter exclusively.
    let (payload, out) = unsafe { (&*payload.cast::<T>(), &mut *out) };
    let bytes = if format == Format::Json as u32 {
        serde_json::to_vec(payload).ok()
    } else {
        rmp_serde::to_vec_named(payload).ok()
    };
    match bytes {
        Some(bytes) => {
            out.extend_from_slice(&bytes);
            0
        }
        None => 1,
    }
}

/// # Safety
/// `bytes` is not null, and `len` bytes there are readable. `to` is aligned room for a `T`, and `error` points to a
/// text that nobody else uses during the call.
unsafe extern "C" fn decode<T: DeserializeOwned>(
    bytes: *const u8,
    len: usize,
    format: u32,
    to: *mut c_void,
    error: *mut Text,
) -> u32 {
    // SAFETY: the caller passes a pointer that is not null, and `len` readable bytes.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, len) };
    let read = if format == Format::Json as u32 {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    } else {
        rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
    };
    match read {
        Ok(payload) => {
            // SAFETY: the caller passes aligned room for a payload.
            unsafe { to.cast::<T>().write(payload) };
            0
        }
        Err(what) => {
            // SAFETY: the caller passes a valid text, exclusively.
            let _ = unsafe { &mut *error }.write_str(&what);
            1
        }
    }
}

/// Through JSON, which masks secrets: one rule for what a secret is.
///
/// # Safety
/// `payload` points to a valid `T` that nobody else uses during the call.
unsafe extern "C" fn redact<T: Serialize + DeserializeOwned>(payload: *mut c_void) -> u32 {
    // SAFETY: the caller passes a valid payload, exclusively.
    let payload = unsafe { &mut *payload.cast::<T>() };
    let masked = serde_json::to_vec(payload).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match masked {
        Some(masked) => {
            *payload = masked;
            0
        }
        None => 1,
    }
}
