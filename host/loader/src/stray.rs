//! Threads that run a library's code and that the host was never told of: started by a `pthread_create` that was found
//! by name, by `clone`, or by a library that the plugin opened itself.
//!
//! The system is asked: a thread belongs to a library if it is in its code, if a return address on its stack leads
//! there, or if it was started there. Asked are threads that
//!
//! - began after the library was opened: no other can have been started by it;
//! - never ran code of a plugin for the host: such a thread is accounted for otherwise, and what earlier calls have left
//!   on its stack would look like calls that still run.
//!
//! A thread that is computing cannot be looked at until it waits for something; it counts until then. Where the kernel
//! does not show what threads are doing (`/proc/self/task/ID/syscall`), no thread is found.

use std::collections::HashSet;
use std::fs::{read_dir, read_to_string};
use std::io;
use std::ops::Range;
use std::thread::sleep;
use std::time::Duration;

use hookrail_dispatch::reclaim;

use crate::mapped;

/// How often a thread that is computing is looked at, in the hope that it is only passing through.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_micros(500);

/// How much of a stack is looked through, in bytes, beginning at its innermost frame.
const STACK: usize = 16 << 20;

/// At the upper end of a stack that the C library made is its record of the thread, with the function that it was
/// started with. On x86_64 the record is the last thing there; elsewhere static thread-locals follow it.
const RECORD: usize = if cfg!(target_arch = "x86_64") { 4 << 10 } else { 16 << 10 };

/// When a library was opened, in the clock ticks that the system counts for threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened(u64);

impl Opened {
    pub(crate) fn now() -> Self {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: there is room for the time.
        unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut now) };
        // SAFETY: the call touches no memory.
        let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.cast_unsigned();
        let (seconds, nanoseconds) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
        Opened(seconds * ticks + nanoseconds * ticks / 1_000_000_000)
    }
}

/// How many threads that began since a library was opened run code in these segments of it, or may do so.
pub(crate) fn count(code: &[Range<usize>], since: Opened) -> usize {
    let Ok(tasks) = read_dir("/proc/thread-self/../") else { return 0 };
    let known: HashSet<_> = reclaim::all().map(|slot| slot.thread()).collect();
    // SAFETY: the call touches no memory.
    let own = unsafe { libc::gettid() }.cast_unsigned();
    if read_to_string(activity(own)).is_err() {
        return 0;
    }
    let ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let young = ids.filter(|id| *id != own && !known.contains(id) && began(*id).is_some_and(|began| began >= since.0));
    young.filter(|id| leads_into(*id, code)).count()
}

fn activity(id: u32) -> String {
    format!("/proc/thread-self/../{id}/syscall")
}

/// When a thread began, in clock ticks since the system started; `None` if it has ended.
fn began(id: u32) -> Option<u64> {
    let stat = read_to_string(format!("/proc/thread-self/../{id}/stat")).ok()?;
    // The name, in parentheses, may contain anything; the start is the 22nd field, and the state behind the name the 3rd.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

fn leads_into(id: u32, code: &[Range<usize>]) -> bool {
    for _ in 0..LOOKS {
        // It has ended.
        let Ok(activity) = read_to_string(activity(id)) else { return false };
        if let Some([stack, counter]) = registers(&activity) {
            return is_in(code, counter)
                || mapped::containing(stack).is_some_and(|stack| stack_leads_into(stack, code));
        }
        sleep(PAUSE);
    }
    true
}

/// The stack pointer and the program counter of a thread that waits for something.
fn registers(activity: &str) -> Option<[usize; 2]> {
    let number = |text: &str| usize::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let mut fields = activity.split_ascii_whitespace().rev();
    let (counter, stack) = (number(fields.next()?)?, number(fields.next()?)?);
    Some([stack, counter])
}

/// Whether a word on the stack, from its innermost frame to its upper end, leads into the code.
fn stack_leads_into(stack: Range<usize>, code: &[Range<usize>]) -> bool {
    let record = stack.end.saturating_sub(RECORD);
    let mut at = stack.start.next_multiple_of(size_of::<usize>());
    let end = stack.end.min(at.saturating_add(STACK));
    let mut words = vec![0_usize; 8 << 10];
    while at < end {
        let count = words.len().min((end - at) / size_of::<usize>());
        // It has ended, and its stack with it.
        let Ok(count) = read_words(at, &mut words[..count]) else { return false };
        if count == 0 {
            return false;
        }
        let leads = |(index, word): (usize, &usize)| {
            is_in(code, *word) && (at + index * size_of::<usize>() >= record || is_return_address(*word, code))
        };
        if words[..count].iter().enumerate().any(leads) {
            return true;
        }
        at += count * size_of::<usize>();
    }
    false
}

/// Copies words of this process, which may go away at any time: the system looks whether they are there.
fn read_words(at: usize, words: &mut [usize]) -> io::Result<usize> {
    // SAFETY: any bytes are words.
    let (_, bytes, _) = unsafe { words.align_to_mut::<u8>() };
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(at), iov_len: bytes.len() };
    // SAFETY: the system writes into `bytes`, as long as they are, and checks where it reads.
    let count = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    usize::try_from(count).map(|count| count / size_of::<usize>()).map_err(|_| io::Error::last_os_error())
}

fn is_in(code: &[Range<usize>], address: usize) -> bool {
    code.iter().any(|segment| segment.contains(&address))
}

/// Whether the instruction before an address in the code is a call. A pointer to a function, which many a thread may
/// hold, is none.
fn is_return_address(address: usize, code: &[Range<usize>]) -> bool {
    /// The longest call, in bytes.
    const LONGEST: usize = 8;
    if !is_in(code, address - LONGEST) {
        return false;
    }
    // SAFETY: the library is mapped, and these bytes are in one of its segments with code, which are readable.
    let before = unsafe { *std::ptr::with_exposed_provenance::<[u8; LONGEST]>(address - LONGEST) };
    if cfg!(target_arch = "x86_64") {
        // `call rel32`, or `call` of a register or of memory, with any addressing: FF /2.
        before[3] == 0xe8 || (1..LONGEST - 1).any(|at| before[at] == 0xff && before[at + 1] & 0x38 == 0x10)
    } else {
        // `bl`, or `blr` with or without authentication.
        let call = u32::from_le_bytes([before[4], before[5], before[6], before[7]]);
        call >> 26 == 0b10_0101 || call & 0xfeff_f000 == 0xd63f_0000
    }
}
