//! The services `config/1` and `config/2`.

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, CONFIG_ANY_REVISION, CONFIG_BUSY, CONFIG_CHANGED, CONFIG_REFUSED, ConfigService, Str, WritableConfigService,
};
use hookrail_model::guarded;

use super::Handle;
use crate::writable::NotWritten;

pub(super) static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read };

pub(super) static WRITABLE: WritableConfigService =
    WritableConfigService { size: size_of::<WritableConfigService>() as u32, read, stored, write };

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `out` during the call.
unsafe extern "C" fn read(handle: *const boundary::Handle, out: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    out.push_str(&handle.config.lock());
    0
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses the others during the call.
unsafe extern "C" fn stored(handle: *const boundary::Handle, out: *mut Text, revision: *mut u64) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the others are exclusive.
    let (handle, out, revision) = unsafe { (&*handle.cast::<Handle>(), &mut *out, &mut *revision) };
    guarded(CONFIG_REFUSED, || {
        let writable = handle.writable.lock().clone();
        match writable.stored(&handle.instance) {
            Ok((json, current)) => {
                out.push_str(&json);
                *revision = current;
                0
            }
            Err(why) => answer(why, out),
        }
    })
}

/// # Safety
/// As for `stored`; `json` is readable for the call.
unsafe extern "C" fn write(
    handle: *const boundary::Handle,
    json: Str,
    if_revision: u64,
    revision: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text holds for the call, the others are
    // exclusive.
    let (handle, revision, why) = unsafe { (&*handle.cast::<Handle>(), &mut *revision, &mut *why) };
    if let Some(too_large) = NotWritten::too_large(json.len) {
        return answer(too_large, why);
    }
    // SAFETY: as above.
    let json = unsafe { json.to_text() };
    guarded(CONFIG_REFUSED, || {
        let writable = handle.writable.lock().clone();
        let (config, now) = (handle.config.clone(), json.clone().into_owned());
        let taken = Box::new(move |_| *config.lock() = now);
        let if_revision = (if_revision != CONFIG_ANY_REVISION).then_some(if_revision);
        match writable.write(&handle.instance, &json, if_revision, taken) {
            Ok(current) => {
                *revision = current;
                0
            }
            Err(error) => answer(error, why),
        }
    })
}

fn answer(why: NotWritten, out: &mut Text) -> u32 {
    let (answer, why) = match why {
        NotWritten::Busy(why) => (CONFIG_BUSY, why),
        NotWritten::Changed(why) => (CONFIG_CHANGED, why),
        NotWritten::Refused(why) => (CONFIG_REFUSED, why),
    };
    out.push_str(&why);
    answer
}
