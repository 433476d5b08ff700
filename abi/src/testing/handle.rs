//! What the test host knows of an instance, and the services that it offers.

use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::{from_ref, null};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::bus::{self, Bus, HasBus};
use super::config::Kept;
use super::dispatch::{self, HasPoints, Points};
use crate::boundary::{
    self, BusService, ConfigService, DirsService, DispatchService, LogService, Str, WritableConfigService,
};
use crate::{Configuration, Plugin, Text};

/// What the test host's services know of the instance.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) config: Kept,
    /// The instance's own directory, removed with it.
    home: PathBuf,
    pub(super) log: Mutex<Vec<String>>,
    pub(super) bus: Arc<Bus>,
    pub(super) points: Points,
}

impl Handle {
    pub(super) fn new<P: Plugin>(config: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only distinctness matters.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("hookrail-testing-{}-{number}", std::process::id()));
        Handle {
            config: Kept::new(config, |json| P::Config::from_json(json).map(drop)),
            home,
            log: Mutex::default(),
            bus: Arc::default(),
            points: Points::of(P::FIRES),
        }
    }

    pub(super) fn dir(&self, kind: u32) -> PathBuf {
        self.home.join(kind.to_string())
    }
}

impl HasBus for Handle {
    fn bus(&self) -> &Arc<Bus> {
        &self.bus
    }
}

impl HasPoints for Handle {
    fn points(&self) -> &Points {
        &self.points
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home); // It is there only if the plugin asked for one.
    }
}

/// # Safety
/// `id` is readable for the call.
pub(super) unsafe extern "C" fn query(id: Str) -> *const c_void {
    static BUS: BusService = bus::service::<Handle>();
    static DISPATCH: DispatchService = dispatch::service::<Handle>();
    static LOG: LogService = LogService { size: size_of::<LogService>() as u32, write: log };
    static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read };
    static WRITABLE: WritableConfigService =
        WritableConfigService { size: size_of::<WritableConfigService>() as u32, read, stored, write };
    static DIRS: DirsService = DirsService { size: size_of::<DirsService>() as u32, path: dirs };
    // SAFETY: the plugin passes text that is readable for the call.
    match &*unsafe { id.to_text() } {
        "bus/1" => from_ref(&BUS).cast(),
        "dispatch/1" => from_ref(&DISPATCH).cast(),
        "log/1" => from_ref(&LOG).cast(),
        "config/1" => from_ref(&CONFIG).cast(),
        "config/2" => from_ref(&WRITABLE).cast(),
        "dirs/1" => from_ref(&DIRS).cast(),
        _ => null(),
    }
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there; `text` is readable for the call.
unsafe extern "C" fn log(handle: *const boundary::Handle, _level: u32, text: Str) {
    // SAFETY: the handle is ours, kept while the instance lives; the text holds for the call.
    let (handle, text) = unsafe { (&*handle.cast::<Handle>(), text.to_text()) };
    handle.log.lock().expect("nobody panics with it").push(text.into_owned());
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there; nobody else uses `out` during the call.
unsafe extern "C" fn read(handle: *const boundary::Handle, out: *mut Text) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the text is exclusive.
    unsafe { (*out).push_str(&(*handle.cast::<Handle>()).config.now().json) };
    0
}

/// # Safety
/// As for `read`; nobody else uses `revision` either.
unsafe extern "C" fn stored(handle: *const boundary::Handle, out: *mut Text, revision: *mut u64) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the others are exclusive.
    let (handle, out, revision) = unsafe { (&*handle.cast::<Handle>(), &mut *out, &mut *revision) };
    let now = handle.config.now();
    out.push_str(&now.json);
    *revision = now.revision;
    0
}

/// # Safety
/// As for `stored`; `json` is readable for the call, and `why` is a text as `out` is.
unsafe extern "C" fn write(
    handle: *const boundary::Handle,
    json: Str,
    if_revision: u64,
    revision: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the text holds for the call, the others are exclusive.
    let (handle, json, revision, why) =
        unsafe { (&*handle.cast::<Handle>(), json.to_text(), &mut *revision, &mut *why) };
    match handle.config.write(&json, if_revision) {
        Ok(now) => *revision = now,
        Err((answer, said)) => {
            why.push_str(&said);
            return answer;
        }
    }
    0
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there; nobody else uses `out` during the call.
unsafe extern "C" fn dirs(handle: *const boundary::Handle, kind: u32, out: *mut Text) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    let path = handle.dir(kind);
    match std::fs::create_dir_all(&path) {
        Ok(()) => {
            out.push_str(&path.to_string_lossy());
            0
        }
        Err(error) => {
            out.push_str(&error.to_string());
            1
        }
    }
}
