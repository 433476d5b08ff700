//! The proof: what the system itself says of a file's mappings.

use std::ffi::{c_int, c_void};
use std::fs::{File, read_to_string};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

/// Whether the loader still knows the file, or the kernel still maps it.
///
/// When the system cannot be asked the answer is yes: nothing may be claimed that was not seen.
pub(super) fn is_mapped(file: &File) -> bool {
    is_known_to_loader(file) || is_in_maps(file).unwrap_or(true)
}

fn is_known_to_loader(file: &File) -> bool {
    struct Search {
        path: String,
        found: bool,
    }
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader passes its record and our argument, both for the call.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        // SAFETY: the loader's names are C strings.
        let name = unsafe { std::ffi::CStr::from_ptr(info.dlpi_name) };
        search.found |= name.to_bytes() == search.path.as_bytes();
        0
    }
    let mut search = Search { path: format!("/proc/self/fd/{}", file.as_raw_fd()), found: false };
    // SAFETY: `look` fits, and the search outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

/// By device and inode: names may be anything.
fn is_in_maps(file: &File) -> Option<bool> {
    let metadata = file.metadata().ok()?;
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let maps = read_to_string("/proc/self/maps").ok()?;
    let wanted = (format!("{major:02x}:{minor:02x}"), metadata.ino().to_string());
    Some(maps.lines().any(|line| {
        // address perms offset dev inode path
        let mut fields = line.split_ascii_whitespace().skip(3);
        fields.next() == Some(&wanted.0) && fields.next() == Some(&wanted.1)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_program_is_mapped_and_an_unmapped_file_is_not() {
        assert!(is_mapped(&File::open("/proc/self/exe").unwrap()));
        assert!(!is_mapped(&File::open("/proc/self/status").unwrap()));
    }
}
