//! Peers of the control socket that do not keep to the rules: they are told so, and harm nobody.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use hookrail::control::command::{List, Load, Show, Start, Stop};
use hookrail::control::{Client, Manage};
use hookrail::{Message, MessagePublish};
use hookrail_tests::counter::Raise;
use hookrail_tests::plugin;
use hookrail_tests::probe::eventually;
use hookrail_tests::wired::Wired;

#[test]
fn a_malformed_request_is_told_and_the_connection_goes_on() {
    let wired = Wired::new();
    let mut peer = wired.peer();
    for line in ["", "nonsense", "[1,2]", "{\"id\":3,\"command\":\"lst\"}", "\u{0}\u{1}", "{\"id\":3,"] {
        let answer = peer.ask(line);
        assert_eq!(answer["error"]["code"], "HR0701", "{line}: {answer}");
    }
    assert_eq!(peer.ask("{\"id\":4,\"command\":\"list\"}"), serde_json::json!({ "id": 4, "ok": [] }));
    peer.send(b"\xff\xfe\n");
    assert_eq!(peer.line().unwrap()["error"]["code"], "HR0701");
    // Deeper than any parser should follow.
    assert_eq!(peer.ask(&"[".repeat(100_000))["error"]["code"], "HR0701");
    assert!(wired.client().ask(List::new()).unwrap().is_empty());
}

#[test]
fn requests_in_one_piece_are_answered_in_order() {
    let wired = Wired::new();
    let mut peer = wired.peer();
    let all: String = (0..200).map(|id| format!("{{\"id\":{id},\"command\":\"list\"}}\n")).collect();
    peer.send(all.as_bytes());
    for id in 0..200 {
        assert_eq!(peer.line().unwrap()["id"], id);
    }
}

#[test]
fn a_line_that_is_too_long_is_told_and_cut_off() {
    let wired = Wired::new();
    let fits =
        format!("{{\"id\":1,\"command\":\"show\",\"params\":{{\"plugin\":\"{}\"}}}}", "a".repeat((1 << 20) - 100));
    assert_eq!(wired.peer().ask(&fits)["error"]["code"], "HR0103");
    let mut peer = wired.peer();
    peer.send(&vec![b'a'; 2 << 20]);
    assert_eq!(peer.line().unwrap()["error"]["code"], "HR0703");
    assert_eq!(peer.line(), None);
    assert!(wired.client().ask(List::new()).unwrap().is_empty());
}

#[test]
fn half_a_line_does_nothing_and_holds_up_nobody() {
    let wired = Wired::new();
    wired.client().ask(Load::new(plugin("hello"))).unwrap();
    let mut peers: Vec<_> = (0..10).map(|_| wired.peer()).collect();
    for peer in &mut peers {
        // A whole request but for its newline.
        peer.send(b"{\"id\":1,\"command\":\"unload\",\"params\":{\"plugin\":\"hello\"}}");
        assert_eq!(wired.client().ask(List::new()).unwrap().len(), 1);
    }
    for peer in &mut peers {
        peer.stream.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(peer.line(), None);
    }
    assert_eq!(wired.client().ask(List::new()).unwrap().len(), 1);
}

#[test]
fn connections_over_the_limit_are_refused_until_others_close() {
    let wired = Wired::new();
    let mut peers: Vec<_> = (0..100).map(|_| wired.unheard_peer()).collect();
    let mut refused: Vec<_> = peers.split_off(64);
    for peer in &mut refused {
        assert_eq!(peer.line().unwrap()["error"]["code"], "HR0708");
        assert_eq!(peer.line(), None);
    }
    for peer in &mut peers {
        assert_eq!(peer.line().unwrap()["protocol"], 1);
        assert_eq!(peer.ask("{\"id\":1,\"command\":\"list\"}")["id"], 1);
    }
    assert_eq!(Client::connect(wired.control.path()).unwrap_err().code(), "HR0708");
    drop(peers);
    eventually("their places are free", || Client::connect(wired.control.path()).is_ok());
}

/// Whatever peers do, messages go on at once: no dispatch knows of the socket.
#[test]
fn peers_that_hang_up_in_the_middle_of_commands_harm_nobody() {
    let wired = Wired::new();
    let hello = plugin("hello");
    wired.client().ask(Load::new(&hello)).unwrap();
    let publish = wired.host.point(MessagePublish).unwrap();
    let (dispatched, is_over, rounds) = (AtomicU64::new(0), AtomicBool::new(false), 40);
    scope(|scope| {
        let over = Raise(&is_over);
        let traffic = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert!(!publish.dispatch(&mut Message::new("log", "a")).is_denied());
                dispatched.fetch_add(1, Ordering::Relaxed);
            }
        });
        for round in 0..rounds {
            let mut peer = wired.peer();
            let replace = format!(
                "{{\"id\":1,\"command\":\"replace\",\"params\":{{\"plugin\":\"hello\",\"file\":{hello:?}}}}}\n"
            );
            let list = "{\"id\":1,\"command\":\"list\"}\n".repeat(500);
            peer.send(if round % 4 == 0 { replace.as_bytes() } else { list.as_bytes() });
            drop(peer);
        }
        // By one connection: the places of those that have hung up may not be free yet.
        let mut client = wired.client();
        eventually("all that was begun is done", || {
            client.ask(Show::new("hello")).is_ok_and(|shown| shown.plugin.generation > Some(1))
                && client.ask(Stop::new("hello")).is_ok()
        });
        let seen = dispatched.load(Ordering::Relaxed);
        eventually("messages go on", || dispatched.load(Ordering::Relaxed) > seen + 100);
        drop(over);
        traffic.join().unwrap();
    });
}

#[test]
fn a_peer_that_never_reads_its_events_loses_them_and_holds_up_nobody() {
    let wired = Wired::new();
    let hello = plugin("hello");
    let mut client = wired.client();
    client.ask(Load::new(&hello)).unwrap();
    let mut deaf = wired.peer();
    deaf.send(b"{\"id\":1,\"command\":\"events\"}\n");
    assert_eq!(deaf.line().unwrap(), serde_json::json!({ "id": 1, "ok": null }));
    let (mut sent, began) = (0, Instant::now());
    // More than the system's buffer and the queue of the host hold.
    for _ in 0..2000 {
        client.ask(Stop::new("hello")).unwrap();
        client.ask(Start::new("hello")).unwrap();
        sent += 2;
    }
    let (mut came, mut dropped) = (0, 0);
    while came + dropped < sent {
        let Some(line) = deaf.line() else {
            // Who takes nothing for half a minute is cut off, which this machine was too slow to avoid.
            assert!(began.elapsed() > Duration::from_secs(30), "it is not cut off");
            return println!("skipped: it took {:?}", began.elapsed());
        };
        match line.get("dropped") {
            Some(count) => dropped = count.as_u64().unwrap(),
            None => came += 1,
        }
    }
    assert_eq!(came + dropped, sent);
    assert!(dropped > 0 && came > 1000, "{came} came, {dropped} were left out");
}
