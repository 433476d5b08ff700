//! The proof: what the system itself reports about a file's mappings.

use std::ffi::{CStr, c_int, c_void};
use std::fs::{File, read};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use hookrail_image::path_of;

/// Where the loader has mapped the file; empty if it does not know the file.
pub(crate) fn segments(file: BorrowedFd<'_>) -> Vec<Range<usize>> {
    struct Search {
        path: String,
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
            let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
            search.found.extend(loaded.map(|header| {
                let start = (info.dlpi_addr + header.p_vaddr) as usize;
                start..start + header.p_memsz as usize
            }));
        }
        0
    }
    let mut search = Search { path: path_of(file), found: Vec::new() };
    // SAFETY: `look` fits, and the search outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

/// How many mappings of the file the kernel has, by device and inode, since names may be anything. `None` if the kernel
/// cannot be asked.
pub(crate) fn mappings(file: &File) -> Option<usize> {
    let metadata = file.metadata().ok()?;
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let maps = read("/proc/self/maps").ok()?;
    // It contains file names, which need not be UTF-8.
    let maps = String::from_utf8_lossy(&maps);
    let wanted = (format!("{major:02x}:{minor:02x}"), metadata.ino().to_string());
    let is_of_file = |line: &&str| {
        // address perms offset dev inode path
        let mut fields = line.split_ascii_whitespace().skip(3);
        fields.next() == Some(&wanted.0) && fields.next() == Some(&wanted.1)
    };
    Some(maps.lines().filter(is_of_file).count())
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
