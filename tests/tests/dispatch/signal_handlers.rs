//! Signal handlers that dispatch in the middle of a dispatch. Nobody should; nothing breaks when
//! somebody does.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{spawn, yield_now};

use hookrail::{Callbacks, Decision, End, HookPoint, Host, Message, MessageDelivered, MessagePublish, Priority};
use hookrail_tests::alone;
use hookrail_tests::probe::{LONG, Probe, eventually};
use hookrail_tests::scene::patient;

/// At whatever moments the kernel picks.
#[test]
fn handlers_may_dispatch_while_their_thread_does() {
    static POINTS: OnceLock<Points> = OnceLock::new();
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    static WRONG: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn handler(_: c_int) {
        if let Some(points) = POINTS.get() {
            WRONG.fetch_add(usize::from(!points.dispatch()), Ordering::SeqCst);
            HANDLED.fetch_add(1, Ordering::SeqCst);
        }
    }
    alone!();
    let (host, points) = Points::new();
    POINTS.set(points).unwrap_or_else(|_| unreachable!());
    handle(libc::SIGUSR1, handler);
    static DONE: AtomicBool = AtomicBool::new(false);
    let (send, dispatcher) = channel();
    let (rest, resting) = channel();
    let (leave, wait) = channel::<()>();
    let thread = spawn(move || {
        // SAFETY: plain call.
        send.send(unsafe { libc::pthread_self() }).unwrap();
        while !DONE.load(Ordering::SeqCst) {
            assert!(POINTS.get().unwrap().dispatch());
        }
        // On its way back from the kernel it handles what was sent to it until then.
        yield_now();
        rest.send(()).unwrap();
        wait.recv().unwrap_err();
    });
    let dispatcher = dispatcher.recv().unwrap();
    eventually("many handlers have run", || {
        // SAFETY: the thread lives until `leave` is dropped.
        (0..1_000).for_each(|_| assert_eq!(unsafe { libc::pthread_kill(dispatcher, libc::SIGUSR1) }, 0));
        // Signals merge while the thread does not run: on a busy machine this is not many.
        HANDLED.load(Ordering::SeqCst) > 300
    });
    DONE.store(true, Ordering::SeqCst);
    resting.recv().unwrap();
    assert_eq!(WRONG.load(Ordering::SeqCst), 0);
    // The thread lives, and is seen outside: nobody waits for it.
    check_that_nobody_is_inside(&host);
    drop(leave);
    thread.join().unwrap();
}

/// At every single moment: the processor traps after each instruction of a dispatch, and the
/// handler dispatches, replaces a callback of the chain that is being walked, and frees what it may.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_handler_may_dispatch_behind_every_instruction() {
    use hookrail::Registered;
    use std::arch::asm;
    use std::sync::Mutex;

    struct World {
        host: Host,
        points: Points,
        /// The callback of the current chain, and how many there were before.
        current: Mutex<(Option<Registered>, usize)>,
        late: AtomicUsize,
        freed: AtomicUsize,
        wrong: AtomicUsize,
    }
    static WORLD: OnceLock<World> = OnceLock::new();

    /// Counts when it is used behind its end.
    struct Watched {
        alive: AtomicBool,
    }
    impl Watched {
        fn look(&self) {
            let late = usize::from(!self.alive.load(Ordering::SeqCst));
            WORLD.get().unwrap().late.fetch_add(late, Ordering::SeqCst);
        }
    }
    impl Drop for Watched {
        fn drop(&mut self) {
            self.alive.store(false, Ordering::SeqCst);
            WORLD.get().unwrap().freed.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl World {
        /// Publishes another chain with another callback, and retires the one before.
        fn replace(&self) {
            let mut current = self.current.lock().unwrap();
            let watched = Watched { alive: AtomicBool::new(true) };
            let next = Callbacks::new(if current.1.is_multiple_of(2) { "even" } else { "odd" }).on(
                MessagePublish,
                "look",
                Priority::new(600),
                move |_| watched.look(),
            );
            let before = current.0.replace(self.host.register(next).unwrap());
            current.1 += 1;
            before.into_iter().for_each(|before| self.host.unregister(before));
        }
    }

    extern "C" fn behind_each_instruction(_: c_int) {
        let world = WORLD.get().unwrap();
        world.wrong.fetch_add(usize::from(!world.points.dispatch()), Ordering::SeqCst);
        world.replace();
    }

    alone!();
    let (host, points) = Points::new();
    let zero = || AtomicUsize::new(0);
    let world = World { host, points, current: Mutex::default(), late: zero(), freed: zero(), wrong: zero() };
    let world = WORLD.get_or_init(|| world);
    world.replace();
    // Once around, so that nothing below is done for the first time.
    assert!(world.points.dispatch());
    handle(libc::SIGTRAP, behind_each_instruction);
    let mut message = Message::empty();
    // SAFETY: sets the trap flag; the handler keeps all registers, and the code in between allocates
    // nothing and takes no lock, so that the handler may.
    unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq") };
    let outcome = world.points.publish.dispatch(&mut message);
    // SAFETY: clears it.
    unsafe { asm!("pushfq", "and qword ptr [rsp], -0x101", "popfq") };

    let steps = world.current.lock().unwrap().1;
    assert!(steps > 50, "the processor does not trap: {steps}");
    assert_eq!(outcome.decision(), Decision::Passed);
    assert_eq!((world.wrong.load(Ordering::SeqCst), world.late.load(Ordering::SeqCst)), (0, 0));
    // Nobody is inside: the last change frees all callbacks but the one that is published.
    world.replace();
    assert_eq!(world.freed.load(Ordering::SeqCst), steps);
    check_that_nobody_is_inside(&world.host);
}

/// What a handler may use: nothing that allocates.
struct Points {
    publish: HookPoint<MessagePublish>,
}

impl Points {
    /// A chain on `message.publish` with a nested dispatch in it.
    fn new() -> (Host, Self) {
        let host = Host::new(patient()).unwrap();
        let delivered = host.point(MessageDelivered).unwrap();
        let callbacks = Callbacks::new("test").on(MessageDelivered, "count", Priority::new(1), |_| ()).on(
            MessagePublish,
            "nest",
            Priority::new(1),
            move |message| {
                let _ = delivered.dispatch(message);
            },
        );
        host.register(callbacks).unwrap();
        let publish = host.point(MessagePublish).unwrap();
        (host, Points { publish })
    }

    fn dispatch(&self) -> bool {
        self.publish.dispatch(&mut Message::empty()).decision() == Decision::Passed
    }
}

fn check_that_nobody_is_inside(host: &Host) {
    let probe = Probe::default();
    let guard = probe.guard();
    let callbacks = Callbacks::new("last").on(MessagePublish, "look", Priority::new(1), move |_| guard.called());
    let registered = host.register(callbacks).unwrap();
    host.unregister(registered);
    assert!(probe.is_dropped());
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    assert_eq!(host.begin_unload(&hello).unwrap().wait_timeout(LONG), End::Unmapped);
}

fn handle(signal: c_int, handler: extern "C" fn(c_int)) {
    // SAFETY: all zero is a valid action, and the handler only does what the interrupted code allows.
    let installed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &action, std::ptr::null_mut())
    };
    assert_eq!(installed, 0);
}
