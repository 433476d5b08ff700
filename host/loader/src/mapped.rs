//! The proof: what the system itself reports about a file's mappings.

use std::ffi::{CStr, c_int, c_void};
use std::fs::{File, read};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use hookrail_image::path_of;

/// Where the loader has mapped the file; empty if it does not know the file.
pub(crate) fn segments(file: BorrowedFd<'_>) -> Vec<Range<usize>> {
    loaded(file, 0)
}

/// Where the loader has mapped the code of the file.
pub(crate) fn code(file: BorrowedFd<'_>) -> Vec<Range<usize>> {
    loaded(file, libc::PF_X)
}

/// Where the loader has mapped the segments of the file that have these flags.
fn loaded(file: BorrowedFd<'_>, flags: u32) -> Vec<Range<usize>> {
    struct Search {
        path: String,
        flags: u32,
        found: Vec<Range<usize>>,
    }
    /// # Safety
    /// `info` is the loader's record, for the call; `search` points to a `Search` that nobody else uses meanwhile.
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader passes its record and our argument, both for the call.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        // SAFETY: the loader's names are C strings.
        if unsafe { CStr::from_ptr(info.dlpi_name) }.to_bytes() == search.path.as_bytes() {
            // SAFETY: the loader's table has so many entries.
            let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
            let loaded = headers
                .iter()
                .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & search.flags == search.flags);
            search.found.extend(loaded.map(|header| {
                let start = (info.dlpi_addr + header.p_vaddr) as usize;
                start..start + header.p_memsz as usize
            }));
        }
        0
    }
    let mut search = Search { path: path_of(file), flags, found: Vec::new() };
    // SAFETY: `look` fits, and the search outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

/// How many mappings of the file the kernel has, by device and inode, since names may be anything. `None` if the kernel
/// cannot be asked.
pub(crate) fn mappings(file: &File) -> Option<usize> {
    let metadata = file.metadata().ok()?;
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let maps = maps()?;
    let wanted = (format!("{major:02x}:{minor:02x}"), metadata.ino().to_string());
    let is_of_file = |line: &&str| {
        // address perms offset dev inode path
        let mut fields = line.split_ascii_whitespace().skip(3);
        fields.next() == Some(&wanted.0) && fields.next() == Some(&wanted.1)
    };
    Some(maps.lines().filter(is_of_file).count())
}

/// From this address to the end of its mapping; `None` if nothing is mapped there.
pub(crate) fn containing(address: usize) -> Option<Range<usize>> {
    let number = |text| usize::from_str_radix(text, 16).ok();
    maps()?.lines().find_map(|line| {
        let (start, end) = line.split_ascii_whitespace().next()?.split_once('-')?;
        let (start, end) = (number(start)?, number(end)?);
        (start..end).contains(&address).then_some(address..end)
    })
}

/// All mappings of this process, in the kernel's words; `None` if it does not say. It is asked about this thread: of a
/// process whose main thread has ended it says that there is nothing.
fn maps() -> Option<String> {
    // It contains file names, which need not be UTF-8.
    let maps = String::from_utf8_lossy(&read("/proc/thread-self/maps").ok()?).into_owned();
    (!maps.is_empty()).then_some(maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_program_is_mapped_and_an_unmapped_file_is_not() {
        assert!(mappings(&File::open("/proc/self/exe").unwrap()).unwrap() > 0);
        assert_eq!(mappings(&File::open("/proc/self/status").unwrap()), Some(0));
    }
}
