//! The read path asks the kernel for nothing, and what the kernel may refuse a writer leaves
//! readers alone. Both by seccomp filters, in children of their own, which must not be forked while
//! another test holds the lock of the system's loader.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use hookrail::{
    Callbacks, Config, Decision, End, HookPoint, Host, Message, MessageDelivered, MessagePublish, Priority,
    UnloadLimits, Verdict,
};
use hookrail_tests::alone;
use hookrail_tests::child::{Ended, in_child};

#[test]
fn dispatch_makes_no_system_call() {
    alone!();
    let (_host, publish, delivered) = busy_host();
    let ended = in_child(|| {
        let mut message = Message::new("a.b", "text");
        // Once around, so that the slot and the allocator have what they need.
        dispatch(&publish, &delivered, &mut message);
        allow_only_to_exit();
        (0..100_000).for_each(|_| dispatch(&publish, &delivered, &mut message));
    });
    assert_eq!(ended, Ended::Exited(0));
}

/// Proves that the filter above bites.
#[test]
fn a_callback_that_makes_a_system_call_is_caught() {
    alone!();
    let (host, publish, delivered) = busy_host();
    let asking = Callbacks::new("asking").on(MessagePublish, "who", Priority::new(600), |_| {
        // SAFETY: takes nothing and cannot fail.
        unsafe { libc::getppid() };
    });
    host.register(asking).unwrap();
    let ended = in_child(|| {
        let mut message = Message::new("a.b", "text");
        dispatch(&publish, &delivered, &mut message);
        allow_only_to_exit();
        dispatch(&publish, &delivered, &mut message);
    });
    assert_eq!(ended, Ended::Killed(libc::SIGSYS));
}

/// From the moment that `membarrier` fails nothing is known about readers: nothing is freed, and
/// the answer says so.
#[test]
fn without_the_fence_nothing_is_unmapped() {
    alone!();
    let hello = hookrail_tests::plugin("hello");
    let ended = in_child(|| {
        let config = Config::default().with_unload(UnloadLimits::default().with_deadline(Duration::from_millis(20)));
        let host = Host::new(config).unwrap();
        // SAFETY: our own plugin.
        let hello = unsafe { host.load(hello) }.unwrap();
        let publish = host.point(MessagePublish).unwrap();
        refuse_membarrier();
        // The thread that finishes unloadings starts here and inherits the filter.
        let ticket = host.begin_unload(&hello).unwrap();
        let mut message = Message::new("a.b", "text");
        assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
        assert_eq!(message.header("greeting"), None);
        // After both deadlines: neither a grace period nor a look at frames may conclude anything.
        assert_eq!(ticket.wait_timeout(Duration::from_millis(200)), End::Busy(1));
    });
    assert_eq!(ended, Ended::Exited(0));
}

/// What is taken out of a host cannot be put back: so whoever takes it first has the thread that finishes it.
#[test]
fn a_thread_that_cannot_be_started_costs_no_plugin() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let greets = || {
        let mut message = Message::new("a.b", "text");
        let _ = publish.dispatch(&mut message);
        message.header("greeting") == Some("hello")
    };
    // The filter is that thread's alone.
    scope(|scope| {
        scope.spawn(|| {
            refuse_threads();
            let refused = [
                host.begin_unload(&hello).map(drop).unwrap_err(),
                host.begin_stop(&hello).map(drop).unwrap_err(),
                // SAFETY: our own plugin.
                unsafe { host.upgrade(&hello, hookrail_tests::plugin("hello")) }.map(drop).unwrap_err(),
            ];
            for error in refused {
                assert_eq!(error.code(), "HR0501", "{error}");
                assert!(greets(), "nothing has happened to it: {error}");
            }
        });
    });
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(Duration::from_secs(120)), End::Unmapped);
    assert!(!greets());
}

/// A fault that could not be acted on is acted on with the next one.
#[test]
fn a_watchdog_that_could_not_be_started_is_started_later() {
    alone!();
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let mut config = Config::default();
    config.limits.stuck = Duration::ZERO;
    let host = Host::new(config).unwrap();
    let faulty = Callbacks::new("test").on(MessagePublish, "fail", Priority::new(1), |_| -> Verdict {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // Without the panic hook, which prints each of them.
        std::panic::resume_unwind(Box::new("as planned"))
    });
    host.register(faulty).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let is_called = || {
        let before = CALLS.load(Ordering::Relaxed);
        let _ = publish.dispatch(&mut Message::new("a.b", "text"));
        CALLS.load(Ordering::Relaxed) > before
    };
    scope(|scope| {
        scope.spawn(|| {
            refuse_threads();
            assert!((0..100).all(|_| is_called()), "nobody acts on its faults");
        });
    });
    let began = Instant::now();
    while is_called() {
        assert!(began.elapsed() < Duration::from_secs(120), "it is never quarantined");
        sleep(Duration::from_millis(5));
    }
}

/// A host with a real plugin, whose callback allocates, and others around it that dispatch on
/// another point, deny, and fail.
fn busy_host() -> (Host, HookPoint<MessagePublish>, HookPoint<MessageDelivered>) {
    let host = Host::new(Config::default()).unwrap();
    // SAFETY: our own plugin.
    unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    let (publish, delivered) = (host.point(MessagePublish).unwrap(), host.point(MessageDelivered).unwrap());
    let nested: HookPoint<MessageDelivered> = delivered.clone();
    let callbacks = Callbacks::new("test")
        .on(MessageDelivered, "look", Priority::new(1), |message| assert_eq!(message.topic.as_str(), "a.b"))
        .on(MessagePublish, "nest", Priority::new(1), move |message| {
            let _ = nested.dispatch(message);
        })
        .on(MessagePublish, "deny", Priority::new(2000), |_| Verdict::Deny(7));
    host.register(callbacks).unwrap();
    (host, publish, delivered)
}

fn dispatch(publish: &HookPoint<MessagePublish>, delivered: &HookPoint<MessageDelivered>, message: &mut Message) {
    assert_eq!(publish.dispatch(message).decision(), Decision::Denied(7));
    assert_eq!(message.header("greeting"), Some("hello"));
    message.headers.clear();
    let _ = delivered.dispatch(message);
}

fn allow_only_to_exit() {
    let exit = libc::SYS_exit_group as u32;
    filter(&[only_if(exit, 1), answer(libc::SECCOMP_RET_KILL_PROCESS), answer(libc::SECCOMP_RET_ALLOW)]);
}

fn refuse_membarrier() {
    let membarrier = libc::SYS_membarrier as u32;
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    filter(&[only_if(membarrier, 1), answer(libc::SECCOMP_RET_ALLOW), answer(refused)]);
}

fn refuse_threads() {
    let refused = libc::SECCOMP_RET_ERRNO | libc::EAGAIN as u32;
    let (clone, clone3) = (libc::SYS_clone as u32, libc::SYS_clone3 as u32);
    filter(&[only_if(clone, 2), only_if(clone3, 1), answer(libc::SECCOMP_RET_ALLOW), answer(refused)]);
}

/// Applies to this thread and to those it starts. The program begins with the call's number.
fn filter(program: &[libc::sock_filter]) {
    let load_number = statement((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0);
    let mut program: Vec<_> = std::iter::once(load_number).chain(program.iter().copied()).collect();
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the kernel copies the program during the call.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(installed, "seccomp: {}", std::io::Error::last_os_error());
}

fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

/// Goes on `skip` further when the number is this one.
fn only_if(number: u32, skip: u8) -> libc::sock_filter {
    let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    libc::sock_filter { code, jt: skip, jf: 0, k: number }
}

fn answer(action: u32) -> libc::sock_filter {
    statement((libc::BPF_RET | libc::BPF_K) as u16, action)
}
