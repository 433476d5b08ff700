//! A running host that is looked at: why its callbacks stand where they stand, what they do, and what
//! becomes of one that fails.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookrail::control::command::{self, Points, Show, Unload};
use hookrail::control::{Client, Manage};
use hookrail_tests::cli::asked::{ask, refused, shown, told};
use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{PATIENT, directory, home, hookrail, text};
use hookrail_tests::probe::eventually;

const POINT: &str = "message.publish";
const FAILING: &str = "panics-in-callback/fold";

/// `hookrail run` with a specimen that panics when a line is `boom`.
fn run(test: &str, config: &str) -> Live {
    let directory = directory(&format!("observed_{test}"));
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["run", "-q", "--plugin"]);
    command.arg(hookrail_tests::zoo("panics_in_callback")).current_dir(directory).envs(PATIENT);
    let mut live = Live::start(&mut command);
    // What has answered a message has opened its socket.
    assert_eq!(live.through("ready"), "ready");
    live
}

fn socket(live: &Live) -> PathBuf {
    home().join("run").join(format!("{}.sock", live.id()))
}

#[test]
fn a_callback_that_fails_too_often_is_quarantined_until_it_is_released() {
    let mut live = run("quarantined", "[quarantine]\nfaults = 3\npause = \"0s\"\n");
    let mut events = hookrail(&["events"]);
    let events = Live::start(&mut events);
    refused(&["hooks", "unquarantine", POINT, FAILING], "HR0111", 1);
    // The events begin when somebody listens: what was said by then is not repeated, and quarantined it is only once.
    events.out.until_told(|| {
        shown(&["plugin", "stop", "panics-in-callback"]);
        shown(&["plugin", "start", "panics-in-callback"]);
    });
    eventually("it is quarantined", || {
        assert_eq!(live.through("boom"), "boom", "it is passed over");
        events.out.with("quarantined") > 0
    });
    let told_of = events.out.wait_for("quarantined");
    assert!(told_of.contains("panics-in-callback/fold on message.publish quarantined: 3 faults within"), "{told_of}");

    let explained = shown(&["hooks", "explain", POINT]);
    assert!(explained.contains("it declares 10; quarantined, it is passed over: 3 faults within"), "{explained}");
    assert!(explained.contains("hookrail/validate") && explained.contains("built in"), "{explained}");
    let stats = shown(&["hooks", "stats", POINT]);
    assert!(stats.contains("quarantined") && stats.contains("the body said boom"), "{stats}");
    let detail = shown(&["plugin", "show", "panics-in-callback"]);
    assert!(detail.contains("quarantined, declared"), "{detail}");

    let faults = |point: &serde_json::Value| point["chain"][0]["faults"].as_u64().unwrap();
    let before = faults(&told(&["hooks", "show", POINT]));
    assert_eq!(live.through("boom"), "boom");
    assert_eq!(faults(&told(&["hooks", "show", POINT])), before, "it was not called");
    assert!(shown(&["hooks", "unquarantine", POINT, FAILING]).contains("it declares 10\n"));
    assert_eq!(live.through("boom"), "boom");
    assert_eq!(faults(&told(&["hooks", "show", POINT])), before + 1);
    assert_eq!(live.end().0, Some(6), "a callback failed");
}

#[test]
fn calls_are_counted_and_timed_from_the_request_on() {
    let mut live = run("counted", "");
    let of = |which: usize| told(&["hooks", "stats", POINT])[0]["chain"][which].clone();
    let stats = shown(&["hooks", "stats", POINT]);
    assert!(stats.contains("`hookrail hooks set-level message.publish count` counts all"), "{stats}");
    assert_eq!(told(&["hooks", "set-level", POINT, "histogram"])["level"], "histogram");
    for line in ["a", "b", "boom"] {
        live.through(line);
    }
    assert_eq!((of(0)["calls"]["total"].as_u64(), of(0)["faults"].as_u64()), (Some(3), Some(1)));
    assert_eq!(of(1)["latency"]["timed"], 3);
    let all = shown(&["hooks", "stats"]);
    assert!(all.contains("message.publish    histogram           3      0"), "{all}");
    shown(&["hooks", "set-level", POINT, "off"]);
    live.through("c");
    assert_eq!(of(0)["calls"]["total"], 3, "what was counted stays");
    assert_eq!(live.end().0, Some(6));
}

#[test]
fn a_trace_shows_what_one_message_went_through() {
    let mut live = run("traced", "");
    let trace = std::thread::spawn({
        let mut command = hookrail(&["hooks", "trace", POINT, "--filter", "body=wanted", "--wait", "100s", "--json"]);
        move || command.output().unwrap()
    });
    while !trace.is_finished() {
        live.through("other");
        live.through("wanted");
    }
    let output = trace.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let trace: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&trace["payload"]["body"], &trace["steps"][0]["callback"]), (&"wanted".into(), &FAILING.into()));

    let none = ask(&["hooks", "trace", POINT, "--wait", "1ms"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(text(&none.stderr).contains("0 of 1 came in that time"), "{}", text(&none.stderr));
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn a_trace_condition_on_an_unknown_field_is_told_from_a_quiet_stream() {
    let mut live = run("no_field", "");
    let trace = |field: &str, wait: &str| {
        let mut command = hookrail(&["hooks", "trace", POINT, "--filter", &format!("{field}=x"), "--wait", wait]);
        std::thread::spawn(move || command.output().unwrap())
    };
    let mut client = Client::connect(socket(&live)).unwrap();
    let mut is_traced = || client.ask(Points::new()).unwrap().iter().any(|view| view.tracers == 1);
    let said = loop {
        let (asked, mut came) = (trace("topics", "1s"), false);
        while !asked.is_finished() {
            // What comes by is traced for sure while it is before and behind it.
            let before = is_traced();
            live.through("a");
            came |= before && is_traced();
        }
        let output = asked.join().unwrap();
        if came {
            assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), ""), "{}", text(&output.stderr));
            break text(&output.stderr).to_owned();
        }
    };
    assert!(said.contains("error[HR0712]: ") && said.contains("no field `topics` in "), "{said}");
    assert!(said.contains("they have body, id, source, timestamp, topic\n"), "{said}");
    drop(client);
    let quiet = trace("topic", "1ms").join().unwrap();
    assert!(text(&quiet.stderr).contains("0 of 1 came in that time"), "{}", text(&quiet.stderr));
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn a_point_is_traced_no_longer_than_somebody_waits_for_it() {
    let live = run("abandoned", "");
    let tracers = || told(&["hooks", "show", POINT])["tracers"].as_u64().unwrap();
    let mut tracing = hookrail(&["hooks", "trace", POINT, "--filter", "body=never", "--wait", "10m"]);
    // It is killed when it is dropped.
    let tracing = Live::start(&mut tracing);
    eventually("it is traced", || tracers() > 0);
    for verb in ["show", "explain", "stats"] {
        let seen = shown(&["hooks", verb, POINT]);
        assert!(seen.contains(", traced by 1"), "{verb}: {seen}");
    }
    let all = shown(&["hooks", "stats"]);
    assert!(all.contains("message.publish    off, traced by 1"), "{all}");
    assert_eq!(told(&["hooks", "stats", POINT])[0]["tracers"], 1);

    let killed = Instant::now();
    drop(tracing);
    while tracers() > 0 {
        assert!(killed.elapsed() < Duration::from_secs(300), "it is traced for nobody");
    }
    assert!(!shown(&["hooks", "show", POINT]).contains("traced"));
    assert_eq!(live.end().0, Some(0));
}

/// As `nc -N` does.
#[test]
fn a_half_closed_connection_still_gets_its_answer() {
    let mut live = run("half_closed", "");
    let mut socket = UnixStream::connect(socket(&live)).unwrap();
    writeln!(socket, r#"{{"id":1,"command":"trace","params":{{"point":"{POINT}","count":1,"wait_ms":100000}}}}"#)
        .unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let answer = std::thread::spawn(move || {
        // The first line is the greeting.
        BufReader::new(socket).lines().nth(1).unwrap().unwrap()
    });
    while !answer.is_finished() {
        live.through("wanted");
    }
    let answer: serde_json::Value = serde_json::from_str(&answer.join().unwrap()).unwrap();
    assert_eq!(answer["ok"][0]["payload"]["body"], "wanted");
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn a_wait_that_is_longer_than_any_is_refused_and_not_cut() {
    let live = run("patient", "");
    let output = ask(&["hooks", "trace", POINT, "--wait", "601s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a host waits for 600 s at most"), "{}", text(&output.stderr));
    let mut client = Client::connect(socket(&live)).unwrap();
    let plugin = "panics-in-callback".to_owned();
    let wait = Duration::from_millis(600_001);
    let said = [
        client.ask(Unload::new(&plugin).wait(wait)).unwrap_err(),
        client.ask(command::Trace::new(POINT, 1).wait(wait)).unwrap_err(),
    ];
    for said in said {
        assert_eq!(said.code(), "HR0701");
        assert!(said.to_string().contains("`wait_ms` is 600001: at most 600000"), "{said}");
    }
    assert!(client.ask(Show::new(&plugin)).unwrap().plugin.loaded, "nothing was done");
    drop(client);
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn unobservable_points_and_callbacks_are_refused() {
    let live = run("refused", "");
    refused(&["hooks", "set-level", "no.such", "count"], "HR0110", 3);
    refused(&["hooks", "unquarantine", "no.such", FAILING], "HR0110", 3);
    refused(&["hooks", "unquarantine", POINT, "no/body"], "HR0109", 3);
    refused(&["hooks", "trace", "no.such"], "HR0110", 3);
    refused(&["hooks", "stats", "no.such"], "HR0110", 3);
    let planned = "client.authenticate: no host dispatches it yet, so no callback is called";
    assert_eq!(shown(&["hooks", "stats", "client.authenticate"]).trim_end(), planned);
    for asked in [
        &["hooks", "set-level", "client.authenticate", "count"][..],
        &["hooks", "unquarantine", "client.authenticate", FAILING],
        &["hooks", "trace", "client.authenticate"],
    ] {
        let said = refused(asked, "HR0110", 3);
        assert!(said.contains(planned), "{said}");
    }
    let said = ask(&["hooks", "set-level", POINT, "trace"]);
    assert!(text(&said.stderr).contains("`hookrail hooks trace` shows single dispatches"), "{}", text(&said.stderr));
    refused(&["hooks", "explain", "no.such"], "HR0110", 3);
    for wrong in [
        &["hooks", "set-level", POINT, "loud"][..],
        &["hooks", "trace", POINT, "--filter", "body"],
        &["hooks", "trace", POINT, "--wait", "soon"],
        &["hooks", "trace", POINT, "-n", "0"],
        &["hooks", "trace", POINT, "-n", "1001"],
    ] {
        assert_eq!(ask(wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(live.end().0, Some(0));
}
