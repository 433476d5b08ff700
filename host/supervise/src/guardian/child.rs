//! The child, between its copying and its program.

use std::ffi::c_int;
use std::ptr;

use crate::plan::Plan;
use crate::report::{Failed, Report, Step};
use crate::{descriptors, sys};

/// Executes the program, or tells through the descriptor what failed.
///
/// # Safety
/// This process is a copy by [`sys::copy`], and the plan's invariants hold.
pub(super) unsafe fn run(plan: &mut Plan<'_>, guardian: c_int, tell: c_int) -> ! {
    // SAFETY: by the contract.
    let (tell, (step, errno)) = unsafe { execute(plan, guardian, tell) };
    let _ = sys::write(tell, &Report::Failed { step, errno }.encode());
    sys::exit(127)
}

/// Returns if it failed, with the descriptor that tells it.
///
/// # Safety
/// As for [`run`].
unsafe fn execute(plan: &mut Plan<'_>, guardian: c_int, mut tell: c_int) -> (c_int, Failed) {
    let mut program = plan.program;
    let mut steps = || -> Result<(), Failed> {
        let on = |step| move |errno| (step, errno);
        sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize).map_err(on(Step::Parent))?;
        if sys::parent() != guardian {
            // It was killed before that, so nobody would be told.
            sys::exit(127);
        }
        let lead = if plan.leads_session { libc::SYS_setsid } else { libc::SYS_setpgid };
        sys::numbers(lead, [0, 0]).map_err(on(Step::Group))?;
        if plan.entrance >= 0 {
            // 0 is whoever writes it.
            sys::write(plan.entrance, b"0").map_err(on(Step::Cgroup))?;
        }
        if !plan.directory.is_null() {
            // SAFETY: by the plan's invariants it is a C string.
            unsafe { sys::call(libc::SYS_chdir, [plan.directory as usize, 0, 0, 0, 0, 0]) }
                .map_err(on(Step::Directory))?;
        }
        // Out of the way of the numbers to come.
        let away = |number: c_int| {
            let arguments = [sys::fd(number), libc::F_DUPFD_CLOEXEC as usize, sys::fd(plan.first_free)];
            sys::numbers(libc::SYS_fcntl, arguments).map(|number| number as c_int).map_err(on(Step::Descriptors))
        };
        tell = away(tell)?;
        if program >= 0 {
            program = away(program)?;
        }
        for (descriptor, _) in plan.descriptors.iter_mut() {
            *descriptor = away(*descriptor)?;
        }
        descriptors::mark_all();
        for (descriptor, number) in plan.descriptors.iter() {
            sys::numbers(libc::SYS_dup3, [sys::fd(*descriptor), sys::fd(*number), 0]).map_err(on(Step::Descriptors))?;
        }
        if !plan.may_gain_privileges {
            sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(on(Step::Privileges))?;
        }
        for (resource, most) in plan.limits {
            let limit = libc::rlimit64 { rlim_cur: *most, rlim_max: *most };
            let limit = ptr::from_ref(&limit) as usize;
            // SAFETY: the limit lives until it returns.
            unsafe { sys::call(libc::SYS_prlimit64, [0, *resource as usize, limit, 0, 0, 0]) }
                .map_err(on(Step::Limits))?;
        }
        Ok(())
    };
    if let Err(failed) = steps() {
        return (tell, failed);
    }
    sys::set_mask(0);
    let (arguments, environment) = (plan.arguments as usize, plan.environment as usize);
    let failed = if program >= 0 {
        let flags = libc::AT_EMPTY_PATH as usize;
        let empty = c"".as_ptr() as usize;
        // SAFETY: by the plan's invariants, these are lists of texts.
        unsafe { sys::call(libc::SYS_execveat, [sys::fd(program), empty, arguments, environment, flags, 0]) }
    } else {
        // SAFETY: by the plan's invariants, these are a text and lists of texts.
        unsafe { sys::call(libc::SYS_execve, [plan.path as usize, arguments, environment, 0, 0, 0]) }
    };
    (tell, (Step::Execute, failed.err().unwrap_or(libc::ENOEXEC)))
}
