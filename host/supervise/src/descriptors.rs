//! All descriptors of a process, except some.

use std::ffi::c_int;

use crate::sys;

/// Closes all but those, which it sorts.
pub(crate) fn close_all_but(keep: &mut [c_int]) {
    keep.sort_unstable();
    let mut first: c_int = 0;
    for next in keep.iter().copied().filter(|number| *number >= 0) {
        if next > first {
            close_range(first, next - 1, &[]);
        }
        first = next.saturating_add(1);
    }
    close_range(first, c_int::MAX, keep);
}

/// Marks all of them to be closed on exec.
pub(crate) fn mark_all() {
    const CLOSE_ON_EXEC: usize = 4;
    if sys::numbers(libc::SYS_close_range, [0, u32::MAX as usize, CLOSE_ON_EXEC]).is_err() {
        each_open(|number| {
            let _ = sys::numbers(libc::SYS_fcntl, [sys::fd(number), libc::F_SETFD as usize, libc::FD_CLOEXEC as usize]);
        });
    }
}

fn close_range(first: c_int, last: c_int, keep: &[c_int]) {
    // Since Linux 5.9.
    if sys::numbers(libc::SYS_close_range, [sys::fd(first), sys::fd(last), 0]).is_err() {
        each_open(|number| {
            if (first..=last).contains(&number) && !keep.contains(&number) {
                sys::close(number);
            }
        });
    }
}

/// Calls a function with every open descriptor, which it may close.
fn each_open(mut each: impl FnMut(c_int)) {
    let path = c"/proc/self/fd";
    let flags = (libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC) as usize;
    let at = sys::fd(libc::AT_FDCWD);
    // SAFETY: the path is a C string.
    let Ok(directory) = (unsafe { sys::call(libc::SYS_openat, [at, path.as_ptr() as usize, flags, 0, 0, 0]) }) else {
        return;
    };
    let directory = directory as c_int;
    // The position in this directory is a number of a descriptor, so closing some skips none.
    let mut buffer = Entries([0; 2048]);
    loop {
        let (start, length) = (buffer.0.as_mut_ptr() as usize, buffer.0.len());
        // SAFETY: the buffer is this one.
        let read = unsafe { sys::call(libc::SYS_getdents64, [sys::fd(directory), start, length, 0, 0, 0]) };
        let Ok(read @ 1..) = read else { break };
        let mut rest = buffer.0.get(..read).unwrap_or_default();
        // An entry: inode and offset of 8 bytes each, its length of 2, a kind, and the name with its final zero.
        while let Some(length) = rest.get(16..18) {
            let length = length.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
            let name = rest.get(19..length).unwrap_or_default();
            let digits = name.iter().take_while(|byte| **byte != 0);
            let number = digits.clone().try_fold(0, |number: c_int, byte| match byte {
                b'0'..=b'9' => number.checked_mul(10)?.checked_add(c_int::from(byte - b'0')),
                _ => None,
            });
            if let Some(number) = number.filter(|number| *number != directory && digits.count() > 0) {
                each(number);
            }
            rest = rest.get(length.max(1)..).unwrap_or_default();
        }
    }
    sys::close(directory);
}

/// Aligned as entries of a directory are.
#[repr(align(8))]
struct Entries([u8; 2048]);

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    /// As on Linux before 5.9, which has no call for a range.
    #[test]
    fn each_open_descriptor_is_found_once() {
        let files: Vec<_> = (0..300).map(|_| File::open("/dev/null").unwrap()).collect();
        let mut found = Vec::new();
        each_open(|number| found.push(number));
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), count);
        assert!(files.iter().all(|file| found.contains(&file.as_raw_fd())), "{found:?}");
    }
}
