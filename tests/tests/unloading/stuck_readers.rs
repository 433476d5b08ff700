//! What a call that does not return keeps: the chains that were replaced since, and nothing when it is over.

use std::sync::mpsc::channel;
use std::thread::scope;

use hookrail::{Callbacks, Config, Decision, Flow, Host, Message, MessageDelivered, MessagePublish, Priority};
use hookrail_tests::alone;

/// How often a chain is changed meanwhile, twice each time.
const CHANGES: usize = 2_000;

/// What a former chain of up to two callbacks takes at most, with what is noted of it.
const EACH: usize = 2_048;

#[test]
fn each_change_behind_a_call_that_does_not_return_keeps_one_small_chain_until_it_does() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    let (enter, entered) = channel();
    let (leave, left) = channel::<()>();
    let (enter, left) = (std::sync::Mutex::new(enter), std::sync::Mutex::new(left));
    let stay = Callbacks::new("stuck").on(MessagePublish, "stay", Priority::new(1), move |_: &mut Message| {
        enter.lock().unwrap().send(()).unwrap();
        let _ = left.lock().unwrap().recv();
        Flow::Continue
    });
    host.register(stay).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let change = || {
        let look = Callbacks::new("other").on(MessageDelivered, "look", Priority::new(1), |_: &Message| {});
        host.unregister(host.register(look).unwrap());
    };
    (0..CHANGES).for_each(|_| change());
    scope(|scope| {
        let stuck = scope.spawn(|| publish.dispatch(&mut Message::new("a", "")).decision());
        entered.recv().unwrap();
        let before = allocated();
        (0..CHANGES).for_each(|_| change());
        let kept = allocated().saturating_sub(before);
        assert!(kept > CHANGES, "they are kept while somebody may read them: {kept} bytes");
        assert!(kept < 2 * CHANGES * EACH, "{kept} bytes");
        drop(leave);
        assert_eq!(stuck.join().unwrap(), Decision::Passed);
        // Collects what is retired.
        change();
        let rest = allocated().saturating_sub(before);
        // The list of them keeps its room.
        assert!(rest < kept / 4, "{rest} of {kept} bytes are still there");
    });
}

/// The bytes that `malloc` has given out.
fn allocated() -> usize {
    // SAFETY: a plain call.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}
