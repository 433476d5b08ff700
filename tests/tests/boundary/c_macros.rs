//! What a plugin in C says in the macros of `hookrail.h` is what its note says and what it registers, and a compiler
//! refuses what is wrong with it.

use std::path::{Path, PathBuf};

use hookrail::{Config, Decision, Host, Message, MessageDelivered, MessageDropped, MessagePublish};
use hookrail_tests::{cc, tmp};
use serde_json::json;

const SOURCE: &str = include_str!("c_header/user.c");

const OPTIONS: &str = ", HOOKRAIL_INSTANCES(\"one\"), HOOKRAIL_ISOLATION(\"worker\"),\n  \
                       HOOKRAIL_CAPABILITIES(\"net.connect:db:5432\", \"env:TZ\")";

/// The source with something else in place of a part of it.
fn with(part: &str, other: &str) -> String {
    assert_eq!(SOURCE.matches(part).count(), 1, "{part}");
    SOURCE.replace(part, other)
}

fn write(name: &str, source: &str) -> String {
    let file = tmp().join(format!("macros_{name}.c"));
    std::fs::write(&file, source).unwrap();
    file.to_str().unwrap().to_owned()
}

fn build(name: &str, source: &str) -> PathBuf {
    cc::compile(cc::STRICT_C, &write(name, source), &["-shared", "-fPIC"], &format!("macros_{name}.so"))
}

fn refusal(name: &str, source: &str, more: &[&str]) -> String {
    cc::refusal(cc::STRICT_C, &write(name, source), &[&["-c"], more].concat())
}

/// The note in a library, as it is written there.
fn note(library: &Path) -> String {
    let bytes = std::fs::read(library).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let start = text.find("{\"format\"").expect("the note says its format first");
    let end = text[start..].find("]}").expect("the hooks are last");
    text[start..start + end + 2].to_owned()
}

#[test]
fn the_note_says_what_the_macros_were_given() {
    let library = build("all", SOURCE);
    assert_eq!(
        note(&library),
        r#"{"format": 1, "name": "user", "version": "1.2.3", "instances": "one", "isolation": "worker", "#.to_owned()
            + r#""capabilities": ["net.connect:db:5432", "env:TZ"], "abi": "1.0", "hooks": ["#
            + r#"{"point": "message.publish", "revision": 1, "name": "touch", "priority": -5, "effects": "pure"}, "#
            + r#"{"point": "message.delivered", "revision": 1, "name": "look", "priority": 300, "effects": "external"}, "#
            + r#"{"point": "message.dropped", "revision": 1, "name": "look", "priority": 300, "effects": "local"}]}"#
    );
    let read = hookrail::inspect(&library).unwrap().note;
    assert_eq!((&*read.instances, read.isolation.as_deref().unwrap(), read.hooks.len()), ("one", "worker", 3));
}

#[test]
fn the_note_has_no_key_for_what_the_author_does_not_say() {
    let note: serde_json::Value = serde_json::from_str(&note(&build("bare", &with(OPTIONS, "")))).unwrap();
    let keys: Vec<_> = note.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["abi", "format", "hooks", "name", "version"]);
}

#[test]
fn a_plugin_registers_what_its_note_says() {
    let host = Host::new(Config::default()).unwrap();
    host.point(MessageDelivered).unwrap();
    host.point(MessageDropped).unwrap();
    host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    unsafe { host.load(build("registers", SOURCE)) }.unwrap();
    let mut registered = Vec::new();
    for point in host.point_views() {
        for view in point.chain.iter().filter(|view| view.instance == "user") {
            let (effects, policy) = (view.effects.to_string(), view.fault_policy.to_string());
            let words = [&*point.point, &*view.name, &*effects, &*policy].map(String::from);
            registered.push((words, view.priority));
        }
    }
    let said = [
        (["message.delivered", "look", "external", "open"], 300),
        (["message.dropped", "look", "local", "open"], 300),
        (["message.publish", "touch", "pure", "closed"], -5),
    ];
    assert_eq!(registered, said.map(|(words, priority)| (words.map(String::from), priority)));
}

#[test]
fn texts_are_set_and_appended_and_an_empty_one_is_a_text_too() {
    let host = Host::new(Config::default()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    unsafe { host.load(build("sets_texts", SOURCE)) }.unwrap();
    let mut message = Message::new("a.b", "");
    assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
    assert_eq!((message.header("key"), message.header("empty")), (Some("value"), Some("")));
}

#[test]
fn a_plugin_may_hook_nothing() {
    let (head, hooks) = SOURCE.split_once("#define HOOKS(HOOK)").unwrap();
    let (_, rest) = hooks.split_once("\n\n").unwrap();
    let callbacks = head.find("static uint32_t touch").unwrap();
    let library = build("hooks_nothing", &format!("{}#define HOOKS(HOOK)\n\n{rest}", &head[..callbacks]));
    assert_eq!(json!(hookrail::inspect(library).unwrap().note.hooks), json!([]));
}

#[test]
fn a_mistake_in_a_hook_does_not_compile() {
    for (name, hook, said) in [
        ("no_priority", "touch, HOOKRAIL", "requires 5 arguments, but only 4 given"),
        ("priority_1000", "touch, 1000, HOOKRAIL", "the priority of touch is 1000, which belongs to the host"),
    ] {
        let refusal = refusal(name, &with("touch, -5, HOOKRAIL", hook), &[]);
        assert!(refusal.contains(said), "{refusal}");
    }
    let (effects, fault) = ("HOOKRAIL_EFFECTS_PURE", "HOOKRAIL_ON_FAULT_CLOSED");
    let columns = format!("{effects}, {fault}");
    for (name, other, said) in [
        ("swapped_columns", format!("{fault}, {effects}"), "HOOKRAIL_ON_FAULT_CLOSED_IN_COLUMN_4"),
        ("effects_twice", format!("{effects}, {effects}"), "HOOKRAIL_EFFECTS_PURE_IN_COLUMN_5"),
        ("a_number_as_effects", format!("2, {fault}"), "_IN_COLUMN_4"),
    ] {
        let refusal = refusal(name, &with(&columns, &other), &[]);
        assert!(refusal.contains(said), "{refusal}");
    }
}

#[test]
fn unquoted_texts_do_not_compile() {
    for (name, part, other) in [("unquoted_name", "\"user\"", "user"), ("unquoted_version", "\"1.2.3\"", "1.2")] {
        let refusal = refusal(name, &with(part, other), &[]);
        assert!(refusal.contains("error: "), "{refusal}");
    }
}

#[test]
fn functions_of_another_type_do_not_compile() {
    for (name, part, other, said) in [
        (
            "another_start",
            "ENTRY(create, start,",
            "ENTRY(create, hookrail_nothing,",
            "uint32_t hookrail_nothing(hookrail_instance *, hookrail_registrar *)",
        ),
        (
            "swapped_functions",
            "hookrail_nothing, destroy, query",
            "query, destroy, hookrail_nothing",
            "uint32_t query(hookrail_instance *)",
        ),
        (
            "another_callback",
            "touch, -5, HOOKRAIL",
            "strlen, -5, HOOKRAIL",
            "uint32_t strlen(void *ctx, void *payload)",
        ),
    ] {
        // Whatever warnings are on.
        let source = write(name, &with(part, other));
        let refusal = cc::refusal(&["cc", "-std=c11", "-w"], &source, &["-c"]);
        assert!(refusal.contains(said), "{refusal}");
    }
}

#[test]
fn swapped_arguments_do_not_compile() {
    let refusal = refusal("swapped", &with("hooks(instance, registrar)", "hooks(registrar, instance)"), &[]);
    let said = "expected 'hookrail_instance *' but argument is of type 'hookrail_registrar *'";
    assert!(refusal.contains(said), "{refusal}");
}

#[test]
fn another_layout_does_not_compile() {
    let refusal = refusal("packed", SOURCE, &["-fpack-struct"]);
    for said in ["hookrail_config_service has another size", "hookrail_config_service.read is elsewhere"] {
        assert!(refusal.contains(said), "{refusal}");
    }
}
