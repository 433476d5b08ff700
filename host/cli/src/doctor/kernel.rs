//! What the kernel offers, and the clock.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Access, MemfdFlags, access, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use super::finding::Finding;

const GROUP: &str = "kernel";
/// 2020-01-01, in seconds since the Unix epoch: no released program is older.
const EARLIEST: u64 = 1_577_836_800;

pub(super) fn look() -> Vec<Finding> {
    vec![membarrier(), memfd(), pidfd(), proc(), landlock(), seccomp(), cgroup(), clock()]
}

fn membarrier() -> Finding {
    const NAME: &str = "membarrier";
    if hookrail::has_membarrier() {
        return Finding::ok(GROUP, NAME, "dispatch pays for no fence");
    }
    let found = "the kernel refuses membarrier(2): each dispatch pays for a full fence, and is some nanoseconds slower";
    Finding::warning(GROUP, NAME, found, "allow `membarrier` in the seccomp profile of the container or the unit")
}

/// Libraries are loaded from sealed copies in memory.
fn memfd() -> Finding {
    const NAME: &str = "executable memory files";
    match map_executable() {
        Ok(()) => Finding::ok(GROUP, NAME, "plugins can be loaded"),
        Err(error) => Finding::failure(
            GROUP,
            NAME,
            format!("no plugin can be loaded: {error}"),
            "`sysctl vm.memfd_noexec=0`, and `memfd_create` allowed by the seccomp profile",
        ),
    }
}

/// As the loader does: a file in memory, of which a page is mapped to be executed.
fn map_executable() -> io::Result<()> {
    const PAGE: usize = 4096;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create("doctor", flags | MemfdFlags::EXEC).or_else(|_| memfd_create("doctor", flags))?;
    ftruncate(&file, PAGE as u64)?;
    let access = ProtFlags::READ | ProtFlags::EXEC;
    // SAFETY: a fresh mapping of a page of the file, at an address of the kernel's choice.
    let page = unsafe { mmap(ptr::null_mut(), PAGE, access, MapFlags::PRIVATE, &file, 0)? };
    // SAFETY: the mapping was made above, and nothing refers to it.
    unsafe { munmap(page, PAGE)? };
    Ok(())
}

fn pidfd() -> Finding {
    const NAME: &str = "pidfd";
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Finding::ok(GROUP, NAME, "the end of workers and operators is seen"),
        Err(error) => Finding::failure(
            GROUP,
            NAME,
            format!("no worker and no operator can be started: {}", io::Error::from(error)),
            "use Linux 5.4 or newer, and allow `pidfd_open` in the seccomp profile",
        ),
    }
}

fn proc() -> Finding {
    const NAME: &str = "/proc";
    let needed = ["/proc/self/maps", "/proc/self/status", "/proc/self/task"];
    let missing = needed.into_iter().find_map(|path| {
        let opened = if Path::new(path).is_dir() { fs::read_dir(path).map(drop) } else { File::open(path).map(drop) };
        opened.err().map(|error| format!("{path}: {error}"))
    });
    match missing {
        None => Finding::ok(GROUP, NAME, "it can be proved that a library is gone"),
        Some(why) => {
            let found = format!("no library can be proved to be gone, and none is unloaded: {why}");
            Finding::failure(GROUP, NAME, found, "mount it: `mount -t proc proc /proc`")
        }
    }
}

/// For confinement to come: nothing of a host needs it yet.
fn landlock() -> Finding {
    /// `LANDLOCK_CREATE_RULESET_VERSION`
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag and no attributes the call returns a number, and touches no memory.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    let found = if version > 0 { format!("ABI {version}") } else { "not there, and not needed".into() };
    Finding::note(GROUP, "Landlock", found)
}

fn seccomp() -> Finding {
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).map(str::trim);
    let there = if actions.is_ok() { "there" } else { "not there, and not needed" };
    let filtered = if mode == Some("2") { "; this process is under a filter" } else { "" };
    Finding::note(GROUP, "seccomp", format!("{there}{filtered}"))
}

/// Limits of workers are kept by groups where there are some, and else by polling.
fn cgroup() -> Finding {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let found = match own.map(|own| PathBuf::from(format!("/sys/fs/cgroup{}", own.trim_end_matches('/')))) {
        Some(path) if access(&path, Access::WRITE_OK).is_ok() && path.join("cgroup.procs").exists() => {
            format!("{} can be written: groups limit workers if it is theirs (Delegate=yes)", path.display())
        }
        Some(path) => format!("{} cannot be written: workers are limited one by one", path.display()),
        None => "no cgroup v2: workers are limited one by one".into(),
    };
    Finding::note(GROUP, "cgroup", found)
}

fn clock() -> Finding {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let shown = humantime::format_rfc3339_seconds(UNIX_EPOCH + now);
    if now.as_secs() >= EARLIEST {
        return Finding::ok(GROUP, "clock", shown.to_string());
    }
    let found = format!("{shown} is before 2020: the ids of messages, which begin with the time, will not ascend");
    Finding::warning(GROUP, "clock", found, "set it, or start the host when it is set: `timedatectl set-ntp true`")
}
