//! A call has the reply that was made for it, or is lost within bounds.

use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::thread::scope;
use std::time::{Duration, Instant};

use hookrail_isolate::lane::{Change, Context, DEPTHS, Lost, MAX_REPORT, Patience, Request, Spin};

use crate::pair::{Pair, bytes, calls, none, read, request};

const SPINS: [fn() -> Spin; 2] = [Spin::adaptive, Spin::never];

#[test]
fn a_reply_is_that_to_its_request() {
    for spin in SPINS {
        let mut pair = Pair::new(2, 1 << 20);
        let lane = pair.served(
            spin,
            calls(|_, mut crossing| {
                let request = crossing.request();
                assert_eq!((request.flags(), request.codec()), (7, 9));
                for (index, callback) in request.callbacks().iter().enumerate() {
                    crossing.begin(index);
                    crossing.end(if *callback == 13 { 0x202 } else { 0 }, u64::from(*callback) << 33);
                    if *callback == 13 {
                        crossing.report(1, format!("never {callback}"));
                        break;
                    }
                }
                let mut payload = read(crossing.payload());
                if payload.first() == Some(&b'!') {
                    payload.reverse();
                    return crossing.changed(bytes(&payload));
                }
                crossing.unchanged()
            }),
        );
        for round in 0..2000_u32 {
            let callbacks: Vec<_> = (round % 5..round % 5 + 1 + round % 16).collect();
            let sent: Vec<_> =
                (0..round % 700).map(|at| if at == 0 { b'!' - (round & 1) as u8 } else { at as u8 }).collect();
            let request = Request { flags: 7, codec: 9, ..request(&callbacks) };
            let reply = lane.call(&request, bytes(&sent), &pair.patience(), none).unwrap();
            let denies = callbacks.iter().position(|callback| *callback == 13);
            assert_eq!(reply.ran(), denies.map_or(callbacks.len(), |at| at + 1));
            assert_eq!(reply.verdict(), if denies.is_some() { 0x202 } else { 0 });
            let expected = (0..reply.ran()).map(|at| if Some(at) == denies { 0x202 } else { 0 });
            assert!(reply.verdicts().eq(expected));
            assert!(
                reply.durations().iter().copied().eq(callbacks.iter().map(|c| u64::from(*c) << 33).take(reply.ran()))
            );
            assert_eq!(reply.report(), denies.map(|_| (1, "never 13")));
            match reply.change() {
                Change::Changed(area) => {
                    assert_eq!(sent[0], b'!');
                    assert!(read(area).iter().eq(sent.iter().rev()));
                }
                Change::Unchanged => assert!(sent.first() != Some(&b'!')),
                other => panic!("{other:?}"),
            }
        }
        drop(lane);
        assert_eq!(pair.end(), [Ok(())]);
    }
}

#[test]
fn the_context_crosses_with_its_texts() {
    let mut pair = Pair::new(1, 1 << 16);
    let lane = pair.served(
        Spin::never,
        calls(|_, mut crossing| {
            let context = crossing.request().context();
            crossing.end(0, 0);
            crossing.report(2, format!("{context:?}"));
            crossing.unchanged()
        }),
    );
    let long = "ö".repeat(2048);
    let context = Context { deadline_ns: 5, trace: [7; 16], principal: "käthe", node: &long };
    for context in [Some(context), None, Some(Context::default())] {
        let request = Request { context, ..request(&[1]) };
        let reply = lane.call(&request, bytes(b"x"), &pair.patience(), none).unwrap();
        assert_eq!(reply.report(), Some((2, &*format!("{context:?}"))));
    }
    let longer = Context { principal: &"x".repeat(4097), ..context };
    let request = Request { context: Some(longer), ..request(&[1]) };
    let lost = lane.call(&request, bytes(b"x"), &pair.patience(), none).unwrap_err();
    assert!(matches!(lost, Lost::NoRoom { .. }), "{lost}");
}

#[test]
fn what_has_no_room_does_not_cross_and_spares_the_lane() {
    let mut pair = Pair::new(1, 4096);
    let lane = pair.served(
        Spin::never,
        calls(|_, mut crossing| {
            crossing.end(0, 0);
            crossing.changed(|room| Some(room.len() + 1))
        }),
    );
    let lost = lane.call(&request(&[1]), |room| Some(room.len() + 1), &pair.patience(), none).unwrap_err();
    assert!(matches!(lost, Lost::NoRoom { needed: 4097, room: 4096, .. }) && lost.spares_the_lane(), "{lost:?}");
    let lost = lane.call(&request(&[1]), |_| Some(usize::MAX), &pair.patience(), none).unwrap_err();
    assert!(matches!(lost, Lost::NoRoom { .. }), "{lost:?}");
    let lost = lane.call(&request(&[1]), |_| None, &pair.patience(), none).unwrap_err();
    assert_eq!(lost, Lost::Unencodable);
    let within = |_: hookrail_isolate::lane::Area<'_>| {
        let lost = lane.call(&request(&[1]), bytes(b""), &pair.patience(), none).unwrap_err();
        assert!(matches!(lost, Lost::NoRoom { room: 0, .. }), "no call while another one is encoded: {lost:?}");
        Some(0)
    };
    let reply = lane.call(&request(&[1]), within, &pair.patience(), none).unwrap();
    assert!(matches!(reply.change(), Change::Oversized(4097)));
}

#[test]
fn a_report_is_cut_at_16_kib() {
    let mut pair = Pair::new(1, 1 << 20);
    let lane = pair.served(
        Spin::never,
        calls(|_, mut crossing| {
            crossing.end(255, 0);
            crossing.report(2, "ä".repeat(MAX_REPORT));
            crossing.changed(bytes(b"behind it"))
        }),
    );
    let reply = lane.call(&request(&[1]), bytes(b""), &pair.patience(), none).unwrap();
    assert_eq!(reply.report(), Some((2, &*"ä".repeat(MAX_REPORT / 2))));
    let Change::Changed(area) = reply.change() else { panic!() };
    assert_eq!(read(area), b"behind it");
}

#[test]
fn a_call_ends_at_its_deadline_and_its_lane_is_abandoned() {
    for spin in SPINS {
        let pair = Pair::new(1, 4096);
        let lane = pair.claim(spin());
        let deadline = Instant::now() + Duration::from_millis(20);
        let patience = Patience { deadline: Some(deadline), each: Duration::ZERO, dead: &pair.dead };
        assert_eq!(lane.call(&request(&[1]), bytes(b"x"), &patience, none).unwrap_err(), Lost::Late);
        assert!(Instant::now() >= deadline);
        assert_eq!(lane.inside(), None, "nobody served it");
        assert_eq!(lane.call(&request(&[1]), bytes(b"x"), &pair.patience(), none).unwrap_err(), Lost::Late);
        drop(lane);
        assert!(hookrail_isolate::lane::HostLane::claim(&pair.host, spin()).is_none(), "it is not claimed again");
    }
}

#[test]
fn poison_wakes_whoever_waits_and_nobody_waits_after_it() {
    for spin in SPINS {
        let pair = Pair::new(4, 4096);
        let lanes: Vec<_> = (0..3).map(|_| pair.claim(spin())).collect();
        let idle = pair.claim(spin());
        scope(|scope| {
            let forever = Patience { deadline: None, each: Duration::ZERO, dead: &pair.dead };
            for lane in lanes {
                scope.spawn(move || {
                    assert_eq!(lane.call(&request(&[1]), bytes(b"x"), &forever, none).unwrap_err(), Lost::Dead);
                });
            }
            pair.dead.store(true, Ordering::Release);
            pair.host.poison();
        });
        assert_eq!(idle.call(&request(&[1]), bytes(b"x"), &pair.patience(), none).unwrap_err(), Lost::Dead);
        assert!(hookrail_isolate::lane::HostLane::claim(&pair.host, spin()).is_none());
    }
}

#[test]
fn whoever_was_inside_is_known_after_a_loss() {
    let inside = |limit: Duration| {
        let mut pair = Pair::new(1, 4096);
        let (let_go, stays) = channel::<()>();
        let lane = pair.served(
            Spin::never,
            calls(move |_, mut crossing| {
                crossing.begin(0);
                crossing.end(0, 0);
                crossing.begin(1);
                let _ = stays.recv();
                crossing.end(0, 0);
                crossing.end(0, 0);
                crossing.unchanged()
            }),
        );
        let patience = Patience { deadline: Some(Instant::now() + limit), each: Duration::ZERO, dead: &pair.dead };
        assert_eq!(lane.call(&request(&[4, 5, 6]), bytes(b"x"), &patience, none).unwrap_err(), Lost::Late);
        drop(let_go);
        lane.inside()
    };
    // On a busy machine the time may be over before it is inside.
    let limits = [150, 5_000, 60_000].map(Duration::from_millis);
    assert!(limits.into_iter().any(|limit| inside(limit) == Some(1)));
}

#[test]
fn a_lane_is_claimed_again_where_it_was_left() {
    let mut pair = Pair::new(1, 4096);
    let answer = calls(|_, mut crossing| {
        crossing.end(0, 0);
        crossing.unchanged()
    });
    let mut lane = pair.served(Spin::never, answer);
    for _ in 0..10 {
        lane.call(&request(&[1]), bytes(b"x"), &pair.patience(), none).unwrap();
        drop(lane);
        lane = pair.claim(Spin::never());
    }
}

/// The worker asks, the host calls before it answers, and so on.
#[test]
fn upcalls_nest() {
    for spin in SPINS {
        let mut pair = Pair::new(1, 1 << 16);
        struct Asks;
        impl hookrail_isolate::lane::Handler for Asks {
            fn call(
                &self,
                lane: &hookrail_isolate::lane::WorkerLane,
                mut crossing: hookrail_isolate::lane::Served<'_>,
            ) -> hookrail_isolate::lane::Answered {
                let sent = read(crossing.payload());
                let mut answer = Vec::new();
                let asked = format!("depth {}", crossing.depth());
                for kind in 0..2 {
                    let status = lane.upcall(self, kind, asked.as_bytes(), &mut answer).unwrap();
                    assert_eq!(status, kind + 10);
                }
                assert_eq!(read(crossing.payload()), sent, "the request still lies there");
                crossing.end(0, 0);
                crossing.changed(bytes(&answer))
            }
            fn note(
                &self,
                _: &hookrail_isolate::lane::WorkerLane,
                _: &hookrail_isolate::lane::Received,
                _: hookrail_isolate::lane::Area<'_>,
            ) {
            }
        }
        let lane = pair.served(spin, Asks);
        fn call(pair: &Pair, lane: &hookrail_isolate::lane::HostLane) -> Result<Vec<u8>, Lost> {
            let depth = lane.depth();
            let payload = vec![depth as u8; 100 * depth];
            let reply = lane.call(&request(&[1]), bytes(&payload), &pair.patience(), |kind, asked, answer| {
                assert_eq!(asked, format!("depth {depth}").as_bytes());
                if kind == 0 {
                    match call(pair, lane) {
                        Ok(inner) => answer.extend(inner),
                        Err(lost) => assert_eq!((lost, depth), (Lost::TooDeep, DEPTHS - 1)),
                    }
                }
                answer.push(depth as u8);
                kind + 10
            })?;
            let Change::Changed(area) = reply.change() else { panic!() };
            Ok(read(area))
        }
        let answers = call(&pair, &lane).unwrap();
        let expected: Vec<u8> = (0..DEPTHS as u8).rev().flat_map(|depth| [depth, depth]).collect();
        assert_eq!(answers, expected);
        assert_eq!(lane.depth(), 0);
    }
}
