//! Waiting for events, traces, unloads and stops: by a thread, or by a task of any executor.

use std::pin::{Pin, pin};
use std::sync::mpsc::{RecvError, TryRecvError, channel};
use std::task::{Context, Poll};

use hookrail::{Config, End, EventKind, Events, Host, Message, MessagePublish, PluginHandle, Status, UnloadLimits};
use hookrail_tests::executor::{Counted, block_on, panicking};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::{alone, plugin};

fn host() -> Host {
    Host::new(Config::default().with_unload(UnloadLimits::default().with_deadline(LONG))).unwrap()
}

fn load(host: &Host) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(plugin("hello")) }.unwrap()
}

fn is_loaded(events: &mut Events) -> bool {
    matches!(block_on(events.recv_async()).unwrap().what, EventKind::Loaded { .. })
}

#[test]
fn an_event_wakes_the_task_that_waits_for_it() {
    let host = host();
    let mut events = host.events();
    std::thread::scope(|scope| {
        let task = scope.spawn(|| is_loaded(&mut events));
        load(&host);
        assert!(task.join().unwrap());
    });
}

#[test]
fn dropping_a_future_loses_no_event() {
    let host = host();
    let mut events = host.events();
    let task = Counted::default();
    // Dropped before it is polled, when it has been polled in vain, and when the event is there.
    drop(events.recv_async());
    assert_eq!(task.poll(&mut pin!(events.recv_async())), Poll::Pending);
    load(&host);
    assert_eq!(task.wakes(), 1);
    drop(events.recv_async());
    assert!(is_loaded(&mut events));
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn the_waker_of_the_last_poll_is_woken_by_an_event() {
    let host = host();
    let mut events = host.events();
    let [first, last] = [(), ()].map(|()| Counted::default());
    for task in [&first, &last] {
        assert_eq!(task.poll(&mut pin!(events.recv_async())), Poll::Pending);
    }
    load(&host);
    assert_eq!((first.wakes(), last.wakes()), (0, 1));
    assert!(!first.is_known() && !last.is_known());
}

#[test]
fn waiting_receivers_are_woken_when_the_host_is_dropped() {
    let host = host();
    let point = host.point(MessagePublish).unwrap();
    let (mut events, mut traces) = (host.events(), host.trace("message.publish", None, 2).unwrap());
    let [for_events, for_traces] = [(), ()].map(|()| Counted::default());
    assert_eq!(for_events.poll(&mut pin!(events.recv_async())), Poll::Pending);
    assert_eq!(for_traces.poll(&mut pin!(traces.recv_async())), Poll::Pending);
    let (blocked, more) = (host.events(), host.trace("message.publish", None, 1).unwrap());
    let (ended, ends) = channel();
    let thread = std::thread::spawn(move || {
        ended.send((blocked.recv().map(|_| ()), more.recv().map(|_| ()))).unwrap();
    });
    drop(host);
    assert_eq!((for_events.wakes(), for_traces.wakes()), (1, 1));
    assert_eq!(events.recv().map(|_| ()), Err(RecvError));
    assert_eq!(block_on(traces.recv_async()).map(|_| ()), Err(RecvError));
    assert_eq!(ends.recv_timeout(LONG), Ok((Err(RecvError), Err(RecvError))));
    thread.join().unwrap();
    // The point outlives its host, and is no longer traced.
    assert!(!point.dispatch(&mut Message::new("a", "b")).is_denied());
    assert_eq!(traces.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn events_before_the_end_of_the_host_are_received_after_it() {
    let host = host();
    let events = host.events();
    load(&host);
    drop(host);
    let told: Vec<_> = events.iter().map(|event| event.what).collect();
    assert!(matches!(&told[..], [EventKind::Loaded { .. }, EventKind::Unloading, EventKind::Ended { .. }]), "{told:?}");
}

#[test]
fn traces_end_when_all_that_were_asked_for_were_received() {
    let host = host();
    let point = host.point(MessagePublish).unwrap();
    let mut traces = host.trace("message.publish", None, 2).unwrap();
    for _ in 0..3 {
        assert!(!point.dispatch(&mut Message::new("a", "b")).is_denied());
    }
    assert!(block_on(traces.recv_async()).is_ok());
    assert_eq!(traces.iter().count(), 1);
    assert_eq!(traces.recv_timeout(LONG).map(|_| ()), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    assert_eq!(host.trace("message.publish", None, 0).unwrap().iter().count(), 0);
}

/// Calls `act` while another thread is under a pin, for which every unload and stop waits.
fn while_pinned<R>(host: &Host, act: impl FnOnce(&dyn Fn()) -> R) -> R {
    let ((entered, enters), (leave, leaves)) = (channel(), channel::<()>());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            host.pin(|_| {
                entered.send(()).unwrap();
                let _ = leaves.recv();
            });
        });
        enters.recv_timeout(LONG).unwrap();
        let leave = std::cell::Cell::new(Some(leave));
        act(&|| drop(leave.take()))
    })
}

#[test]
fn an_unload_is_awaited() {
    alone!();
    let host = host();
    let hello = load(&host);
    while_pinned(&host, |leave| {
        let mut ticket = host.begin_unload(&hello).unwrap();
        let [first, last, other] = [(), (), ()].map(|()| Counted::default());
        for task in [&first, &last] {
            assert_eq!(task.poll(&mut ticket), Poll::Pending);
        }
        // Each ticket is awaited by itself.
        let mut clone = ticket.clone();
        assert_eq!(other.poll(&mut clone), Poll::Pending);
        assert_eq!((ticket.try_wait(), ticket.wait_timeout(std::time::Duration::ZERO)), (None, End::Busy(1)));
        leave();
        assert_eq!(block_on(ticket), End::Unmapped);
        assert_eq!(first.wakes(), 0, "the waker of the last poll is woken");
        eventually("the task that polled the clone is woken", || other.wakes() > 0);
        assert_eq!(other.poll(&mut clone), Poll::Ready(End::Unmapped));
    });
}

#[test]
fn the_waker_of_the_last_poll_is_woken_by_the_end_of_an_unload() {
    alone!();
    let host = host();
    let hello = load(&host);
    while_pinned(&host, |leave| {
        let mut ticket = host.begin_unload(&hello).unwrap();
        let [first, last] = [(), ()].map(|()| Counted::default());
        for task in [&first, &last] {
            assert_eq!(task.poll(&mut ticket), Poll::Pending);
        }
        leave();
        eventually("the last one is woken", || last.wakes() > 0);
        assert_eq!((ticket.wait(), first.wakes()), (End::Unmapped, 0));
    });
}

#[test]
fn a_dropped_ticket_keeps_no_waker_and_the_unload_goes_on() {
    alone!();
    let host = host();
    let hello = load(&host);
    while_pinned(&host, |leave| {
        let mut ticket = host.begin_unload(&hello).unwrap();
        let other = ticket.clone();
        let task = Counted::default();
        assert_eq!(task.poll(&mut ticket), Poll::Pending);
        assert!(task.is_known());
        drop(ticket);
        assert!(!task.is_known());
        leave();
        assert_eq!(other.wait_timeout(LONG), End::Unmapped);
    });
}

#[test]
fn a_stop_is_awaited_and_then_the_plugin_can_be_started() {
    alone!();
    let host = host();
    let hello = load(&host);
    while_pinned(&host, |leave| {
        let mut ticket = host.begin_stop(&hello).unwrap();
        let task = Counted::default();
        assert_eq!(task.poll(&mut ticket), Poll::Pending);
        assert_eq!(ticket.wait_timeout(std::time::Duration::ZERO), Status::Stopping);
        leave();
        eventually("the task is woken", || task.wakes() == 1);
        assert_eq!(block_on(ticket), Status::Stopped);
        host.start(&hello).unwrap();
    });
}

/// It may be called within a dispatch, and by the thread that ends plugins.
#[test]
fn a_waker_that_panics_ends_nothing_of_the_host() {
    let host = host();
    let hello = load(&host);
    let point = host.point(MessagePublish).unwrap();
    let (waker, mut events) = (panicking(), host.events());
    let mut context = Context::from_waker(&waker);
    let mut traces = host.trace("message.publish", None, 1).unwrap();
    assert!(traces.poll_recv(&mut context).is_pending());
    assert!(!point.dispatch(&mut Message::new("a", "b")).is_denied());
    assert!(traces.poll_recv(&mut context).is_ready());
    assert!(events.poll_recv(&mut context).is_pending());
    let mut ticket = host.begin_unload(&hello).unwrap();
    let _ = Pin::new(&mut ticket).poll(&mut context);
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    let told: Vec<_> = events.try_iter().map(|event| event.what).collect();
    assert!(matches!(&told[..], [EventKind::Unloading, EventKind::Ended { .. }]), "{told:?}");
}

/// It would wait for its own caller.
#[test]
fn a_ticket_that_is_awaited_under_a_pin_says_how_far_it_is() {
    alone!();
    let host = host();
    let hello = load(&host);
    let ticket = host.pin(|_| {
        let ticket = host.begin_unload(&hello).unwrap();
        assert_eq!(block_on(ticket.clone()), End::Busy(1));
        assert_eq!(ticket.wait(), End::Busy(1));
        ticket
    });
    assert_eq!(block_on(ticket), End::Unmapped);
}
