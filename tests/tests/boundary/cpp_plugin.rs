//! A plugin in C++, `cpp_plugin/throws.cpp`: no exception leaves it, whatever function it is thrown in.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use hookrail::{Decision, End, Error, Host, Message, MessagePublish};
use hookrail_tests::{cc, ended, has_peer, scene};
use serde_json::{Value, json};

fn build(test: &str, more: &[&str]) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boundary/cpp_plugin/throws.cpp");
    let arguments = [&["-shared", "-fPIC"], more].concat();
    cc::compile(cc::STRICT_CPP, source, &arguments, &format!("libhookrail_throws_{test}.so"))
}

/// A host whose instance of the plugin has that configuration.
fn host(config: Value) -> Host {
    Host::new(scene::config("throws", config)).unwrap()
}

#[test]
fn an_exception_in_a_callback_is_a_fault_with_its_text() {
    if !has_peer("c++", "g++") {
        return;
    }
    let host = host(json!({}));
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(build("callback", &[])) }.unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let thrown = [
        ("exception", "the beans are out"),
        ("int", "an exception that is not a std::exception"),
        ("nested", "vector::_M_range_check: __n (which is 7) >= this->size() (which is 3)"),
    ];
    for (faults, (body, what)) in (1..).zip(thrown) {
        assert!(publish.dispatch(&mut Message::new("a", body)).is_denied(), "its fault denies");
        assert_eq!(publish.dispatch(&mut Message::new("a", "nothing")).decision(), Decision::Passed);
        let points = host.point_views();
        let mut views = points.iter().flat_map(|point| &point.chain);
        let view = views.find(|view| view.name == "throws").unwrap();
        assert_eq!((view.faults, &*view.last_fault.as_ref().unwrap().message), (faults, what));
    }
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
}

#[test]
fn an_exception_elsewhere_is_a_failure_with_its_text() {
    if !has_peer("c++", "g++") {
        return;
    }
    let refused = |error: Error| {
        let said = error.to_string();
        move |text: &str| assert!(said.contains(text), "{said}")
    };
    let library = build("elsewhere", &[]);
    // SAFETY: our own plugin.
    refused(unsafe { host(json!({ "in": "start" })).load(&library) }.unwrap_err())("thrown by start");

    let host = host(json!({ "in": "reload, stop" }));
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(&library) }.unwrap();
    refused(host.reload("throws", &json!({})).unwrap_err())("thrown by reload");
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
}

/// Why the header has `HOOKRAIL_GUARD`: as docs/guide/faults.md says, the host ends, and nobody says which plugin it was.
#[test]
fn an_exception_that_no_guard_catches_ends_the_host() {
    if !has_peer("c++", "g++") {
        return;
    }
    let library = build("unguarded", &["-DUNGUARDED"]);
    for thrown in ["exception", "int", "nested"] {
        let output = Command::new(ended()).arg(&library).arg(thrown).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{thrown}: {said}");
        assert!(!said.contains("the host goes on"), "{thrown}: {said}");
    }
}
