//! All that a guardian and its child need to know, prepared by the host: neither of them can allocate.

use std::ffi::{CString, OsStr, OsString, c_char, c_int};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::{io, ptr};

use crate::arena::Arena;
use crate::spec::{Group, Program, Spec};
use crate::{memory, sys};

/// What is to be started, as the copies of this process read it.
///
/// # Invariants
/// All that it points to is in memory that the guardian keeps. The texts end with a zero, the lists of texts with a
/// null.
pub(crate) struct Plan<'a> {
    /// The process that the guardian is to be a child of.
    pub(crate) host: c_int,
    /// The guardian's end of the socket.
    pub(crate) socket: c_int,
    /// What the guardian unmaps.
    pub(crate) dispensable: &'a [(usize, usize)],
    /// What it keeps open, with room for [`OWN`] more.
    pub(crate) kept: &'a mut [c_int],
    /// The descriptor of the program, or -1 if it has a path.
    pub(crate) program: c_int,
    pub(crate) path: *const c_char,
    pub(crate) arguments: *const *const c_char,
    pub(crate) environment: *const *const c_char,
    /// Null if it is the host's.
    pub(crate) directory: *const c_char,
    /// Descriptors, and the numbers under which the child has them.
    pub(crate) descriptors: &'a mut [(c_int, c_int)],
    /// It is above all those numbers.
    pub(crate) first_free: c_int,
    pub(crate) limits: &'a [(u32, u64)],
    /// The directory of its group. Null if it has none.
    pub(crate) group: *const c_char,
    /// The descriptor by which it goes into the group, or -1.
    pub(crate) entrance: c_int,
    pub(crate) leads_session: bool,
    pub(crate) may_gain_privileges: bool,
}

/// How many descriptors the guardian has of its own.
const OWN: usize = 5;

/// Prepares a plan and runs a function with it.
pub(crate) fn with<R>(
    spec: &Spec,
    socket: c_int,
    standard: &[(c_int, c_int)],
    run: impl FnOnce(&mut Plan<'_>) -> R,
) -> io::Result<R> {
    let path = match &spec.program {
        Program::Path(path) => text(path.as_os_str())?,
        Program::Open(_) => CString::default(),
    };
    let directory = spec.directory.as_ref().map(|directory| text(directory.as_os_str())).transpose()?;
    let group = spec.cgroup.as_ref().map(|group| text(group.path().as_os_str())).transpose()?;
    let arguments = [&spec.name].into_iter().chain(&spec.arguments).map(|argument| text(argument));
    let arguments = arguments.collect::<io::Result<Vec<_>>>()?;
    let environment = spec.environment.iter().map(variable).collect::<io::Result<Vec<_>>>()?;
    let given = spec.descriptors.iter().map(|(descriptor, number)| (descriptor.as_raw_fd(), *number));
    let descriptors: Vec<_> = standard.iter().copied().chain(given).collect();
    let kept: Vec<_> = [-1; OWN].into_iter().chain(spec.held.iter().map(AsRawFd::as_raw_fd)).collect();
    let limits: Vec<_> = spec.limits.iter().map(|(limit, most)| (limit.resource(), *most)).collect();

    let texts = || arguments.iter().chain(&environment).chain(&directory).chain(&group).chain([&path]);
    let bytes = texts().map(|text| text.as_bytes_with_nul().len()).sum::<usize>()
        + (arguments.len() + environment.len() + 2) * size_of::<*const c_char>()
        + size_of_val(&descriptors[..])
        + size_of_val(&kept[..])
        + size_of_val(&limits[..]);
    let arena = Arena::new(bytes, texts().count() + 5)?;
    let put = |text: &CString| arena.put(text.as_bytes_with_nul()).as_ptr().cast::<c_char>();
    let list = |texts: &[CString]| {
        let pointers: Vec<_> = texts.iter().map(&put).chain([ptr::null()]).collect();
        arena.put(&pointers).as_ptr()
    };

    let on_stack = 0;
    let mut dispensable = memory::dispensable(&[
        libc::syscall as *const () as usize,
        sys::exit as *const () as usize,
        // SAFETY: the calling thread has one.
        unsafe { libc::__errno_location() } as usize,
        &raw const on_stack as usize,
        arena.range().start,
    ]);
    let ranges = Arena::new(size_of_val(&dispensable[..]), 1)?;
    // They may be where another thread had something when the system was asked.
    let apart = |arena: &Arena, start, end| arena.range().end <= start || end <= arena.range().start;
    dispensable.retain(|(start, end)| apart(&arena, *start, *end) && apart(&ranges, *start, *end));

    let highest = descriptors.iter().map(|(_, number)| *number).max().unwrap_or(2);
    // INVARIANT: the two arenas are kept, and so is this stack.
    let mut plan = Plan {
        host: sys::pid(),
        socket,
        dispensable: ranges.put(&dispensable),
        kept: arena.put(&kept),
        program: spec.program.number().unwrap_or(-1),
        path: put(&path),
        arguments: list(&arguments),
        environment: list(&environment),
        directory: directory.as_ref().map_or(ptr::null(), put),
        descriptors: arena.put(&descriptors),
        first_free: highest.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?,
        limits: arena.put(&limits),
        group: group.as_ref().map_or(ptr::null(), put),
        entrance: spec.cgroup.as_ref().map_or(-1, |group| group.entrance().as_raw_fd()),
        leads_session: spec.group == Group::Session,
        may_gain_privileges: spec.may_gain_privileges,
    };
    Ok(run(&mut plan))
}

/// A text that ends with a zero.
fn text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

fn variable((name, value): &(OsString, OsString)) -> io::Result<CString> {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    if name.is_empty() || name.contains(&b'=') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of a variable is empty or has a `=`"));
    }
    Ok(CString::new([name, b"=", value].concat())?)
}
