//! Commands of the embedding program: carried out as those of every host are, by whatever way they come.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail::control::command::{Command, List, Requirements};
use hookrail::control::{Call, Client, Error, Handler, Manage};
use hookrail::{Config, Host};
use hookrail_tests::probe::eventually;
use hookrail_tests::wired::{Directory, Peer, manager};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Adds to what the program has counted, and answers the sum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    number: u64,
}

impl Command for Add {
    const NAME: &'static str = "gateway_add";
    const REQUIRES: Requirements = Requirements::HOST;
    type Answer = Sum;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    sum: u64,
}

/// The thread that carries it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {}

impl Command for Who {
    const NAME: &'static str = "gateway_who";
    const REQUIRES: Requirements = Requirements::HOST_AND_PLUGINS;
    type Answer = u64;
}

/// The same as [`Add`], of a command that has a name alone.
struct Echo;

impl Handler for Echo {
    fn requirements(&self) -> Requirements {
        Requirements::NOTHING
    }

    fn execute(&self, _: &Call<'_>, fields: Map<String, Value>) -> Result<Value, Error> {
        Ok(json!({ "heard": fields }))
    }
}

#[test]
fn a_command_of_the_program_is_carried_out_here_and_over_the_socket() {
    let (host, directory) = (Host::new(Config::default()).unwrap(), Directory::new());
    let manager = manager(&host);
    let total = AtomicU64::new(0);
    let add = move |_: &Call<'_>, Add { number }| Ok(Sum { sum: total.fetch_add(number, Ordering::Relaxed) + number });
    assert!(manager.register(add), "nobody else has the name");
    let control = manager.open_control(directory.0.join("c.sock")).unwrap();

    assert_eq!(manager.ask(Add { number: 1 }).unwrap(), Sum { sum: 1 });
    let mut client = Client::connect(control.path()).unwrap();
    assert_eq!(client.ask(Add { number: 2 }).unwrap(), Sum { sum: 3 });
    assert_eq!(manager.ask(Add { number: 4 }).unwrap(), Sum { sum: 7 });
}

#[test]
fn unknown_fields_of_own_commands_are_refused() {
    let (host, directory) = (Host::new(Config::default()).unwrap(), Directory::new());
    let manager = manager(&host);
    assert!(manager.register(|_: &Call<'_>, Add { number }| Ok(Sum { sum: number })));
    assert!(manager.register_handler("gateway_echo", Arc::new(Echo)));
    let control = manager.open_control(directory.0.join("c.sock")).unwrap();
    let mut peer = Peer::new(UnixStream::connect(control.path()).unwrap());
    let answer =
        peer.ask(&json!({ "id": 1, "command": "gateway_add", "params": { "number": 1, "more": 2 } }).to_string());
    assert_eq!(answer["error"]["code"], "HR0701", "{answer}");
    let answer = peer.ask(&json!({ "id": 2, "command": "gateway_echo", "params": { "a": [1] } }).to_string());
    assert_eq!(answer["ok"], json!({ "heard": { "a": [1] } }), "{answer}");
}

#[test]
fn a_command_is_asked_by_its_name_whether_or_not_it_has_a_type() {
    let host = Host::new(Config::default()).unwrap();
    let manager = manager(&host);
    assert!(manager.register(|_: &Call<'_>, Add { number }| Ok(Sum { sum: number })));
    assert!(manager.register_handler("gateway_echo", Arc::new(Echo)));
    let ask = |command: &str, fields: Value| {
        let Value::Object(fields) = fields else { panic!("fields are those of an object") };
        manager.ask_by_name(command, fields)
    };
    assert_eq!(ask("gateway_add", json!({ "number": 3 })).unwrap(), json!({ "sum": 3 }));
    assert_eq!(ask("gateway_echo", json!({ "a": [1] })).unwrap(), json!({ "heard": { "a": [1] } }));
    assert_eq!(ask("list", json!({})).unwrap(), json!([]));
    assert_eq!(ask("gateway_add", json!({ "number": "three" })).unwrap_err().code(), "HR0701");
    assert_eq!(ask("gateway_sub", json!({})).unwrap_err().code(), "HR0701");
}

#[test]
fn commands_that_run_plugins_have_a_thread_of_their_own() {
    let (host, directory) = (Host::new(Config::default()).unwrap(), Directory::new());
    let manager = manager(&host);
    // SAFETY: it asks the system who it is.
    let thread = || u64::from(unsafe { libc::gettid() }.unsigned_abs());
    assert!(manager.register(move |_: &Call<'_>, Who {}| Ok(thread())));
    let control = manager.open_control(directory.0.join("c.sock")).unwrap();
    let mut client = Client::connect(control.path()).unwrap();
    let who = client.ask(Who {}).unwrap();
    let is_there = || std::path::Path::new(&format!("/proc/self/task/{who}")).exists();
    eventually("the thread has ended, and the connection is open", || !is_there());
    client.ask(Who {}).unwrap();
    assert_eq!(manager.ask(Who {}).unwrap(), thread(), "within the program the asker's own");
}

#[test]
fn the_first_command_of_a_name_stays() {
    let host = Host::new(Config::default()).unwrap();
    let manager = manager(&host);
    assert!(!manager.register(|_: &Call<'_>, List { .. }| panic!("it takes the place of a command of every host")));
    assert_eq!(manager.ask(List::new()).unwrap(), []);
    assert!(manager.register(|_: &Call<'_>, Add { .. }| Ok(Sum { sum: 1 })));
    assert!(!manager.register(|_: &Call<'_>, Add { .. }| Ok(Sum { sum: 2 })));
    assert_eq!(manager.ask(Add { number: 0 }).unwrap(), Sum { sum: 1 });
}
