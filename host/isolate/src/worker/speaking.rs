//! Says where this process was when a signal ends it: see [`last_words`](crate::last_words).
//!
//! Everything here runs in the handler of a signal, on a thread that may be anywhere: it takes no lock, allocates
//! nothing, and calls only what the system allows there. The unwinder is not promised to be of that kind; if it gets
//! stuck, the host ends the process after a while.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use crate::last_words::{FRAMES, SIZE, Words};
use crate::role::LANES;

/// The signals by which a process is ended for what it does, and by which a host ends one to hear where it is.
const SIGNALS: [c_int; 7] =
    [libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGSEGV, libc::SIGSYS, libc::SIGTRAP];
/// What a handler needs of a stack, beside that of a thread which may have overflown.
const STACK: usize = 128 << 10;

/// Where it is said: null, or `SIZE` bytes that stay mapped.
static WORDS: AtomicPtr<Words> = AtomicPtr::new(null_mut());
/// The threads that serve the lanes, by the system's numbers.
static THREADS: [AtomicI32; LANES] = [const { AtomicI32::new(0) }; LANES];
/// The thread that speaks, once one does, and whether it has said all.
static SPEAKER: AtomicI32 = AtomicI32::new(0);
static HAS_SPOKEN: AtomicBool = AtomicBool::new(false);
/// What was done before on each signal.
static BEFORE: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// From now on this process says where it is when it is ended. Once, before it has other threads.
pub(super) fn begin(memory: &OwnedFd) -> io::Result<()> {
    // SAFETY: the mapping is new, and stays.
    let words = unsafe {
        libc::mmap(null_mut(), SIZE, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, memory.as_raw_fd(), 0)
    };
    if words == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    WORDS.store(words.cast(), Ordering::Release);
    // SAFETY: zeroes are an action, which is filled in below.
    let mut before: [libc::sigaction; SIGNALS.len()] = unsafe { zeroed() };
    // SAFETY: as above.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = speak as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    for (signal, before) in SIGNALS.into_iter().zip(&mut before) {
        // SAFETY: both actions are readable and writable; the handler calls only what it may.
        unsafe { libc::sigaction(signal, null_mut(), before) };
    }
    let _ = BEFORE.set(before);
    for signal in SIGNALS {
        // SAFETY: as above.
        if unsafe { libc::sigaction(signal, &action, null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // For good: this thread ends with the process.
    std::mem::forget(Stack::new());
    Ok(())
}

thread_local! {
    static IS_LANE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread serves a lane: whatever of plugins runs on it runs within a callback.
pub(super) fn is_lane() -> bool {
    IS_LANE.get()
}

/// This thread serves a lane, until this is dropped.
pub(super) struct Serving {
    lane: usize,
    _stack: Stack,
}

impl Serving {
    pub(super) fn new(lane: usize) -> Self {
        if let Some(thread) = THREADS.get(lane) {
            // SAFETY: the call touches no memory.
            thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
        }
        IS_LANE.set(true);
        Serving { lane, _stack: Stack::new() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(thread) = THREADS.get(self.lane) {
            thread.store(0, Ordering::Relaxed);
        }
    }
}

/// The stack of this thread for handlers.
///
/// # Invariants
/// `memory` is null, or `STACK` bytes that are mapped, and which nobody else uses.
struct Stack {
    memory: *mut c_void,
    before: libc::stack_t,
}

impl Stack {
    fn new() -> Self {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: the mapping is new.
        let memory = unsafe { libc::mmap(null_mut(), STACK, protection, flags, -1, 0) };
        // SAFETY: zeroes are a stack, which is filled in below.
        let mut before: libc::stack_t = unsafe { zeroed() };
        if memory == libc::MAP_FAILED {
            // Without it an overflow is told by the system alone.
            return Stack { memory: null_mut(), before };
        }
        let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: STACK };
        // SAFETY: the stack is mapped until it is put back.
        unsafe { libc::sigaltstack(&stack, &mut before) };
        // INVARIANT: it was mapped just now.
        Stack { memory, before }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.memory.is_null() {
            // SAFETY: what was there before is put back, and by the type invariant the memory is ours; no handler runs
            // on this thread.
            unsafe {
                libc::sigaltstack(&self.before, null_mut());
                libc::munmap(self.memory, STACK);
            }
        }
    }
}

/// The handler.
///
/// # Safety
/// The system calls it.
unsafe extern "C" fn speak(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: it is null, or mapped for good, and atomics may be written by anybody.
    let Some(words) = (unsafe { WORDS.load(Ordering::Acquire).as_ref() }) else { return };
    // SAFETY: the calls touch no memory.
    let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    let send = |thread: i32| {
        // SAFETY: the call touches no memory.
        unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) }
    };
    // The host has sent this to the process: whose thread is meant it has written there.
    let asked = words.asked.load(Ordering::Relaxed) as usize;
    let meant = THREADS.get(asked.wrapping_sub(1)).map_or(0, |thread| thread.load(Ordering::Relaxed));
    if SPEAKER.load(Ordering::Relaxed) == 0
        && signal == libc::SIGABRT
        && meant != 0
        && meant != thread
        && send(meant) == 0
    {
        return;
    }
    match SPEAKER.compare_exchange(0, thread, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            words.said.store(1, Ordering::Relaxed);
            // SAFETY: the system passes the context of what it has interrupted.
            words.at.store(unsafe { interrupted(context) }, Ordering::Relaxed);
            // First, since the unwinder may get stuck.
            // SAFETY: that much is mapped behind the words.
            unsafe { list(words) };
            // SAFETY: the words stay, and nobody else writes frames now.
            unsafe { _Unwind_Backtrace(note, std::ptr::from_ref(words).cast_mut().cast()) };
            HAS_SPOKEN.store(true, Ordering::Release);
        }
        // What it does would end the process before the other one has said all.
        Err(speaker) if speaker != thread => wait_for_speaker(),
        // It has failed while it spoke.
        Err(_) => {}
    }
    if let Some((_, before)) = SIGNALS.iter().zip(BEFORE.get().into_iter().flatten()).find(|(of, _)| **of == signal) {
        // SAFETY: it is what the system gave.
        unsafe { libc::sigaction(signal, before, null_mut()) };
    }
    // What the processor has raised, it raises again; anything else has to be sent again.
    // SAFETY: the system passes what it tells of the signal.
    let is_raised = unsafe { (*info).si_code } > 0;
    if !is_raised || matches!(signal, libc::SIGSYS | libc::SIGTRAP) {
        send(thread);
    }
}

/// Waits until another thread has said all, for two seconds at most.
fn wait_for_speaker() {
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    for _ in 0..200 {
        if HAS_SPOKEN.load(Ordering::Acquire) {
            return;
        }
        // SAFETY: the time is readable, and nothing is written.
        unsafe { libc::nanosleep(&pause, null_mut()) };
    }
}

/// Notes one frame, for the unwinder.
///
/// # Safety
/// `context` is the unwinder's, for this call; `words` are those that stay.
unsafe extern "C" fn note(context: *mut c_void, words: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END_OF_STACK: c_int = 5;
    // SAFETY: the words stay, and the unwinder passes its context.
    let (words, address) = unsafe { (&*words.cast::<Words>(), _Unwind_GetIP(context)) };
    let count = words.count.load(Ordering::Relaxed) as usize;
    let Some(frame) = words.frames.get(count) else { return END_OF_STACK };
    frame.store(address as u64, Ordering::Relaxed);
    words.count.store(count as u32 + 1, Ordering::Relaxed);
    if count + 1 < FRAMES { GO_ON } else { END_OF_STACK }
}

/// Copies the list of what is mapped behind the words.
///
/// # Safety
/// `SIZE` bytes are mapped there, from the words on.
unsafe fn list(words: &Words) {
    let room = SIZE - size_of::<Words>();
    // SAFETY: the path is a text of C.
    let file = unsafe { libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return;
    }
    let mut len = 0;
    while len < room {
        let to = std::ptr::from_ref(words) as usize + size_of::<Words>() + len;
        // SAFETY: so much is mapped there, which only this handler writes.
        let read = unsafe { libc::read(file, without_provenance_mut(to), room - len) };
        let Ok(read @ 1..) = usize::try_from(read) else { break };
        len += read;
    }
    words.mapped.store(len as u32, Ordering::Release);
    // SAFETY: it was opened here.
    unsafe { libc::close(file) };
}

/// The instruction that a signal has interrupted.
///
/// # Safety
/// `context` is what the system has passed to a handler.
unsafe fn interrupted(context: *mut c_void) -> u64 {
    // SAFETY: it is the context of a handler.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    return machine.gregs[libc::REG_RIP as usize].cast_unsigned();
    #[cfg(target_arch = "aarch64")]
    return machine.pc;
}

// The unwinder that the standard library is linked with.
unsafe extern "C" {
    fn _Unwind_Backtrace(note: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}
