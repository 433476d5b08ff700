//! The services of the engine itself: `config/1`, `config/2`, `dirs/1`, `dispatch/1`, `log/1` and `unit/1`.

use std::fs::create_dir_all;
use std::sync::Once;

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, DirsService, LogService, Str};
use hookrail_abi::host::Dir;
use hookrail_model::guarded;

use super::{Handle, Services, config, dispatch, unit};

/// Offers the host's own services to all plugins of this process. Every host does; a worker has none.
pub fn offer() {
    static OFFERED: Once = Once::new();
    static DIRS: DirsService = DirsService { size: size_of::<DirsService>() as u32, path: dirs };
    static LOG: LogService = LogService { size: size_of::<LogService>() as u32, write: log };
    // SAFETY: these are the tables of those ids, and their functions take any thread.
    OFFERED.call_once(|| unsafe {
        Services::register("config/1", &config::CONFIG);
        Services::register("config/2", &config::WRITABLE);
        Services::register("dirs/1", &DIRS);
        Services::register("dispatch/1", &dispatch::SERVICE);
        Services::register("log/1", &LOG);
        Services::register("unit/1", &unit::SERVICE);
    });
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; `text` is readable for the call.
unsafe extern "C" fn log(handle: *const boundary::Handle, level: u32, text: Str) {
    // SAFETY: the handle is one of ours, kept while its library is there; the text holds for the call.
    let (handle, text) = unsafe { (&*handle.cast::<Handle>(), text.to_text()) };
    guarded((), || handle.diagnostics.line(&handle.instance, level, &text));
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `out` during the call.
unsafe extern "C" fn dirs(handle: *const boundary::Handle, kind: u32, out: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    let made = |name| {
        let path = handle.home.join(name);
        create_dir_all(&path).map(|()| path).map_err(|error| (name, error))
    };
    let path = match kind {
        kind if kind == Dir::Data as u32 => made("data"),
        kind if kind == Dir::State as u32 => made("state"),
        kind if kind == Dir::Ephemeral as u32 => {
            handle.ephemeral.path(&handle.home).map_err(|error| ("ephemeral", error))
        }
        other => {
            out.push_str(&format!("there is no directory of kind {other}"));
            return 1;
        }
    };
    match path {
        Ok(path) => {
            out.push_str(&path.to_string_lossy());
            0
        }
        Err((name, error)) => {
            out.push_str(&format!("cannot make the directory {}: {error}", handle.home.join(name).display()));
            1
        }
    }
}
