//! The service `unit/1`.

use std::os::fd::IntoRawFd;
use std::ptr::{copy_nonoverlapping, from_ref};
use std::sync::Arc;
use std::time::Duration;

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, Growing, Str, UNIT_DONE, UNIT_ENDED, UNIT_ERROR, UNIT_FAILED, UNIT_FOREVER, UNIT_GONE, UNIT_HALT,
    UNIT_HALTED, UNIT_HAPPENED, UNIT_HAS_FAILED, UNIT_INIT, UNIT_NOT_READY, UNIT_NOTHING, UNIT_ORDER, UNIT_PING,
    UNIT_READY, UNIT_REFUSED, UNIT_RELOAD, UNIT_RESUME, UNIT_RUNNING, UNIT_SHUTDOWN, UNIT_STARTED, UNIT_STOPPED,
    UNIT_STOPPING, UNIT_UNWELL, UNIT_WAITING, UnitService, UnitStatus,
};
use hookrail_model::guarded;
use hookrail_model::unit::UnitState;

use super::units::Open;
use super::{Handle, Revocable};
use crate::units::{Next, UnitEnd, UnitEvent, UnitInbox, UnitOrder, UnitSaid, UnitSpec};

pub(super) static SERVICE: UnitService =
    UnitService { size: size_of::<UnitService>() as u32, start, next, watch, say, signal, state, end };

/// How many bytes a text, or all texts of a specification, may have.
const LONGEST: usize = UnitSpec::MOST;

/// What the functions return if there is no such unit.
const NONE: u32 = 1;

/// What ends with the instance.
struct Registered(Arc<Open>);

// SAFETY: the host calls nothing of the plugin for a unit.
unsafe impl Revocable for Registered {
    /// Its process is ordered to end, by a thread of the plugin that takes what happens, and killed after its time.
    fn revoke(self: Box<Self>) {
        self.0.control.end();
        self.0.inbox.wait_until_gone();
    }
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; `spec` points to a specification of any version, which
/// holds for the call; nobody else uses `id` and `why` meanwhile.
unsafe extern "C" fn start(
    handle: *const boundary::Handle,
    spec: *const boundary::UnitSpec,
    id: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the others are exclusive.
    let (handle, id, why) = unsafe { (&*handle.cast::<Handle>(), &mut *id, &mut *why) };
    // SAFETY: by the contract.
    let spec = unsafe { boundary::UnitSpec::read(spec) };
    let refused = "the host has failed".to_owned();
    let began = guarded(Err(refused), || {
        let spec = spec.map_err(|too_small| format!("a specification of {too_small}"))?;
        // SAFETY: by the contract its texts hold for the call.
        begin(handle, unsafe { copied(&spec) }?)
    });
    match began {
        Ok(began) => {
            *id = began;
            0
        }
        Err(refused) => {
            why.push_str(&refused);
            1
        }
    }
}

fn begin(handle: &Handle, spec: UnitSpec) -> Result<u64, String> {
    let units = &handle.units;
    for over in units.forget() {
        handle.registrations.remove(over);
    }
    let place = units.take_name(&spec.name)?;
    let inbox = UnitInbox::new().map_err(|error| format!("this process can have no more descriptors: {error}"))?;
    let inbox = Arc::new(inbox);
    let control = units.behind().begin(&handle.instance, spec, inbox.clone())?;
    let open = Arc::new(Open { control, inbox });
    let registered = handle.registrations.add(|| Box::new(Registered(open.clone())));
    let Some(id) = registered else {
        open.control.end();
        return Err("the instance is being stopped".into());
    };
    place.fill(id, open);
    Ok(id)
}

/// # Safety
/// The texts of the specification hold for the call.
unsafe fn copied(spec: &boundary::UnitSpec) -> Result<UnitSpec, String> {
    let mut copier = Copier { left: LONGEST };
    // SAFETY: by the contract all of its texts and lists hold for the call.
    let (name, program, directory, arguments, variables) = unsafe {
        (
            copier.text(spec.name)?,
            copier.text(spec.program)?,
            copier.text(spec.directory)?,
            copier.texts(spec.arguments, spec.argument_count)?,
            copier.texts(spec.environment, spec.environment_count)?,
        )
    };
    let time = |nanoseconds: u64| (nanoseconds != 0).then(|| Duration::from_nanos(nanoseconds));
    Ok(UnitSpec {
        name,
        program,
        arguments,
        environment: variables.into_iter().map(variable).collect::<Result<_, _>>()?,
        directory: Some(directory).filter(|directory| !directory.is_empty()),
        restarts: (spec.restarts != 0).then_some(spec.restarts),
        ready: time(spec.ready_ns),
        order: time(spec.order_ns),
        shutdown: time(spec.shutdown_ns),
        pong: time(spec.pong_ns),
        ping_every: if spec.ping_every_ns == UNIT_FOREVER { Some(Duration::MAX) } else { time(spec.ping_every_ns) },
    })
}

fn variable(text: String) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err(format!("the variable `{text}` is not `NAME=value`")),
    }
}

/// Copies texts, of which all together have no more than so many bytes.
struct Copier {
    left: usize,
}

impl Copier {
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| format!("its texts have more than {LONGEST} bytes"))?;
        Ok(())
    }

    /// # Safety
    /// The text holds for the call.
    unsafe fn text(&mut self, text: Str) -> Result<String, String> {
        self.take(text.len)?;
        // SAFETY: by the contract.
        let text = unsafe { text.to_text() }.into_owned();
        if text.contains('\0') { Err(format!("the text {text:?} has a byte that is 0")) } else { Ok(text) }
    }

    /// # Safety
    /// The list and its texts hold for the call.
    unsafe fn texts(&mut self, at: *const Str, count: usize) -> Result<Vec<String>, String> {
        self.take(count.saturating_mul(size_of::<Str>()))?;
        let texts = match count {
            0 => &[],
            // SAFETY: by the contract.
            count => unsafe { std::slice::from_raw_parts(at, count) },
        };
        // SAFETY: by the contract.
        texts.iter().map(|text| unsafe { self.text(*text) }).collect()
    }
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded.
unsafe fn open(handle: *const boundary::Handle, id: u64) -> Option<Arc<Open>> {
    // SAFETY: the handle is one of ours, kept while its library is there.
    unsafe { &*handle.cast::<Handle>() }.units.get(id)
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `event` during the call, which has the
/// size that it states.
unsafe extern "C" fn next(
    handle: *const boundary::Handle,
    id: u64,
    timeout_ns: u64,
    event: *mut boundary::UnitEvent,
) -> u32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }) else { return UNIT_GONE };
    let limit = if timeout_ns == UNIT_FOREVER { Duration::MAX } else { Duration::from_nanos(timeout_ns) };
    match guarded(Next::Nothing, || open.inbox.next(limit)) {
        Next::Gone => UNIT_GONE,
        Next::Nothing => UNIT_NOTHING,
        Next::Happened(happened, descriptors) => {
            let mut descriptors = descriptors.into_iter();
            let mut descriptor = || descriptors.next().map_or(-1, IntoRawFd::into_raw_fd);
            let mut out = boundary::UnitEvent::none();
            match happened {
                // It is the state of the inbox, and not in its queue.
                UnitEvent::Gone => return UNIT_GONE,
                UnitEvent::Failed => out.kind = UNIT_FAILED,
                UnitEvent::Ended { run, end } => {
                    (out.kind, out.run) = (UNIT_ENDED, run);
                    (out.status, out.signal) = match end {
                        UnitEnd::Exited(status) => (status, 0),
                        UnitEnd::Killed(signal) => (-1, signal),
                        UnitEnd::Unseen => (-1, 0),
                    };
                }
                UnitEvent::Order { run, number, order } => {
                    (out.kind, out.run, out.order, out.what) = (UNIT_ORDER, run, number, what(order));
                }
                UnitEvent::Started { run } => {
                    (out.kind, out.run, out.input, out.output) = (UNIT_STARTED, run, descriptor(), descriptor());
                }
            }
            // SAFETY: by the contract.
            unsafe { write_out(&out, event) };
            UNIT_HAPPENED
        }
    }
}

fn what(order: UnitOrder) -> u32 {
    match order {
        UnitOrder::Halt => UNIT_HALT,
        UnitOrder::Ping => UNIT_PING,
        UnitOrder::Reload => UNIT_RELOAD,
        UnitOrder::Resume => UNIT_RESUME,
        UnitOrder::Shutdown => UNIT_SHUTDOWN,
    }
}

/// Writes a structure into that of the caller, but for the size and not beyond it.
///
/// # Safety
/// `out` begins with its size, which is as many bytes as are writable there.
unsafe fn write_out<T>(it: &T, out: *mut T) {
    // SAFETY: by the contract it begins with its size.
    let size = unsafe { out.cast::<u32>().read() } as usize;
    let behind = size_of::<u32>();
    let length = size.min(size_of::<T>()).saturating_sub(behind);
    // SAFETY: as many bytes are readable in ours, and writable in the caller's, behind the size; they are two.
    unsafe { copy_nonoverlapping(from_ref(it).cast::<u8>().add(behind), out.cast::<u8>().add(behind), length) };
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded.
unsafe extern "C" fn watch(handle: *const boundary::Handle, id: u64) -> i32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }) else { return -1 };
    open.inbox.watch().map_or(-1, IntoRawFd::into_raw_fd)
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; `text` is readable for the call.
unsafe extern "C" fn say(handle: *const boundary::Handle, id: u64, run: u64, what: u32, order: u64, text: Str) -> u32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }) else { return NONE };
    if text.len > LONGEST {
        return NONE;
    }
    guarded(NONE, || {
        // SAFETY: by the contract.
        let text = || unsafe { text.to_text() }.into_owned();
        let said = match what {
            UNIT_DONE => UnitSaid::Done(order),
            UNIT_NOT_READY => UnitSaid::NotReady(order),
            UNIT_READY => UnitSaid::Ready,
            UNIT_REFUSED => UnitSaid::Refused(order, text()),
            UNIT_UNWELL => UnitSaid::Unwell(order, text()),
            _ => return NONE,
        };
        open.control.say(run, said);
        0
    })
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded.
unsafe extern "C" fn signal(handle: *const boundary::Handle, id: u64, signal: i32) -> u32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }) else { return NONE };
    guarded(NONE, || if open.control.signal(signal) { 0 } else { NONE })
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `status` and `why` during the call, and
/// `status` has the size that it states.
unsafe extern "C" fn state(handle: *const boundary::Handle, id: u64, status: *mut UnitStatus, why: *mut Text) -> u32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }).filter(|open| !open.inbox.is_gone()) else { return NONE };
    let Some(unit) = guarded(None, || open.control.now()) else { return NONE };
    let state = match unit.state {
        UnitState::Error => UNIT_ERROR,
        UnitState::Failed => UNIT_HAS_FAILED,
        UnitState::Halted => UNIT_HALTED,
        UnitState::Init => UNIT_INIT,
        UnitState::Running => UNIT_RUNNING,
        UnitState::Stopping => UNIT_STOPPING,
        UnitState::Waiting => UNIT_WAITING,
        _ => UNIT_STOPPED,
    };
    let now = UnitStatus { size: 0, state, pid: unit.pid.unwrap_or_default(), reserved: 0, restarts: unit.restarts };
    // SAFETY: by the contract; the text is exclusive.
    unsafe {
        write_out(&now, status);
        (*why).push_str(&unit.reason.unwrap_or_default());
    }
    0
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded.
unsafe extern "C" fn end(handle: *const boundary::Handle, id: u64) -> u32 {
    // SAFETY: by the contract.
    let Some(open) = (unsafe { open(handle, id) }) else { return NONE };
    guarded((), || open.control.end());
    0
}
