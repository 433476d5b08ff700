//! Notes arrive in order, whole, each once, and their sender never waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread::sleep;
use std::time::Duration;

use hookrail_isolate::lane::{Notified, Request, Spin};

use crate::pair::{Pair, bytes, none, read, request, until, with};

/// The bytes of the note with this number: of very different lengths, so that the ring wraps at every place.
fn bytes_of(number: u64) -> Vec<u8> {
    let len = (number * 7919) % 3001 + 8;
    number.to_ne_bytes().into_iter().chain((8..len).map(|at| (at ^ number) as u8)).collect()
}

#[test]
fn notes_arrive_in_order_and_calls_between_them() {
    const NOTES: u64 = 5000;
    for spin in [Spin::adaptive, Spin::never] {
        let mut pair = Pair::new(1, 4096);
        let seen = Arc::new(AtomicU64::new(0));
        let expected = seen.clone();
        let lane = pair.served(
            spin,
            with(
                |_, mut crossing| {
                    crossing.end(0, 0);
                    crossing.unchanged()
                },
                move |_, note, payload| {
                    let number = expected.load(Ordering::Relaxed);
                    assert_eq!((note.callbacks(), note.flags()), (&[number as u32, 5][..], 3));
                    assert_eq!(read(payload), bytes_of(number));
                    expected.store(number + 1, Ordering::Release);
                },
            ),
        );
        for number in 0..NOTES {
            let (callbacks, payload) = ([number as u32, 5], bytes_of(number));
            let note = Request { flags: 3, ..request(&callbacks) };
            until(|| lane.notify(&note, bytes(&payload)) != Notified::Full);
            if number % 50 == 0 {
                lane.call(&request(&[1]), bytes(b"x"), &pair.patience(), none).unwrap();
            }
            if number % 1000 == 0 {
                // The reader goes to sleep, and has to be woken.
                sleep(Duration::from_millis(20));
            }
        }
        until(|| seen.load(Ordering::Acquire) == NOTES);
        // The last one is taken out once it was heard.
        until(|| lane.notes_pending() == 0);
        drop(lane);
        assert_eq!(pair.end(), [Ok(())]);
    }
}

#[test]
fn a_full_queue_is_said_and_takes_notes_again() {
    let mut pair = Pair::new(1, 4096);
    let (gate, (sender, done)) = (Arc::new(Barrier::new(2)), channel());
    let lane = {
        let gate = gate.clone();
        pair.served(
            Spin::never,
            with(
                |_, _| panic!("no request was sent"),
                move |_, note, _| {
                    if note.callbacks() == [0] {
                        gate.wait();
                    }
                    sender.send(note.callbacks()[0]).unwrap();
                },
            ),
        )
    };
    assert_eq!(lane.notify(&request(&[1]), bytes(&vec![0; 1 << 20])), Notified::Oversized);
    assert_eq!(lane.notify(&request(&[1]), |_| None), Notified::Unencodable);
    let payload = vec![7; 1000];
    let mut queued = 0;
    while lane.notify(&request(&[queued]), bytes(&payload)) == Notified::Queued {
        queued += 1;
    }
    assert!((250..262).contains(&queued), "256 KiB hold {queued}");
    gate.wait();
    assert!(done.iter().take(queued as usize).eq(0..queued));
    until(|| lane.notes_pending() == 0);
    assert_eq!(lane.notify(&request(&[1]), bytes(&payload)), Notified::Queued);
    assert_eq!(done.recv(), Ok(1));
}

#[test]
fn what_a_dead_worker_has_not_come_to_is_told() {
    let mut pair = Pair::new(2, 4096);
    let idle = pair.claim(Spin::never());
    let done = Arc::new(AtomicU64::new(0));
    let counted = done.clone();
    let gate = Arc::new(Barrier::new(2));
    let waits = gate.clone();
    let lane = pair.served(
        Spin::adaptive,
        with(
            |_, mut crossing| {
                crossing.end(0, 0);
                crossing.unchanged()
            },
            move |lane, note, _| {
                for _ in note.callbacks() {
                    // In the second one it ends.
                    if counted.load(Ordering::Relaxed) == 3 {
                        waits.wait();
                        waits.wait();
                        return;
                    }
                    lane.note_done();
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            },
        ),
    );
    for _ in 0..4 {
        assert_eq!(lane.notify(&request(&[1, 2]), bytes(b"x")), Notified::Queued);
    }
    gate.wait();
    // Three callbacks were done, of eight; nothing was queued on the other lane.
    assert_eq!((pair.host.notes_lost(), pair.host.notes_lost()), (5, 0));
    assert_eq!(lane.notify(&request(&[1]), bytes(b"x")), Notified::Abandoned);
    drop(idle);
    pair.host.poison();
    gate.wait();
}

#[test]
fn an_abandoned_lane_takes_no_notes() {
    let pair = Pair::new(1, 4096);
    let lane = pair.claim(Spin::never());
    pair.dead.store(true, Ordering::Release);
    pair.host.poison();
    assert_eq!(lane.notify(&request(&[1]), bytes(b"x")), Notified::Queued, "it has not noticed");
    pair.dead.store(false, Ordering::Release);
    lane.call(&request(&[1]), bytes(b"x"), &pair.patience(), none).unwrap_err();
    assert_eq!(lane.notify(&request(&[1]), bytes(b"x")), Notified::Abandoned);
}
