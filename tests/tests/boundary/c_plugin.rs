//! A plugin written in C, `abi/examples/c/screen.c`, loaded like any other: proof that the boundary
//! is C's and not Rust's.

use std::fs::{read_to_string, write};
use std::path::PathBuf;

use hookrail::{Decision, End, HookPoint, Host, Message, MessagePublish, PluginHandle};
use hookrail_tests::cc;
use hookrail_tests::scene::patient;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../abi/examples/c/screen.c");

#[test]
fn a_c_plugin_edits_what_passes() {
    let screen = Screen::load("edits");
    let mut message = Message::new("news.local", "rain tomorrow   ");
    assert_eq!(screen.publish.dispatch(&mut message).decision(), Decision::Passed);
    assert_eq!(message.body.as_slice(), b"rain tomorrow");
    assert_eq!(message.header("screened"), Some("yes"));
}

/// Whoever allocated first, the other side may grow it and either may free it.
#[test]
fn memory_goes_back_and_forth() {
    let screen = Screen::load("memory");
    let mut message = Message::new("news.local", "");
    for round in 0..100 {
        message.add_header(&format!("round-{round}"), "made by Rust");
        let _ = screen.publish.dispatch(&mut message);
        message.set_header("screened", "what C made, Rust may grow");
        let _ = screen.publish.dispatch(&mut message);
        assert_eq!(message.header("screened"), Some("yes"));
        message.headers.truncate(round + 1);
    }
    let Screen { host, plugin, .. } = screen;
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
    assert_eq!(message.clone().headers.len(), 100);
}

#[test]
fn a_c_plugin_denies_and_says_why() {
    let screen = Screen::load("denies");
    let mut message = Message::new("news.local", "this is confidential: rain");
    let outcome = screen.publish.dispatch(&mut message);
    assert_eq!(outcome.decision(), Decision::Denied(403));
    let denial = screen.host.denial(&outcome).unwrap().to_string();
    assert_eq!(denial, "denied by screen/screen with code 403: the body says that it is confidential");
    assert_eq!(message.header("screened"), None);
}

#[test]
fn the_example_is_a_plugin_in_cpp_too() {
    let library = cc::compile(cc::STRICT_CPP, SOURCE, &["-shared", "-fPIC"], "screen_in_cpp.so");
    assert_eq!(hookrail::inspect(library).unwrap().note.name, "screen");
}

#[test]
fn a_c_plugin_is_read_without_running_it() {
    let inspection = hookrail::inspect(build("note")).unwrap();
    assert_eq!((&*inspection.note.name, &*inspection.note.abi), ("screen", "1.0"));
    assert_eq!(inspection.note.hooks.len(), 1);
}

/// Each test builds a file of its own: tests run at once.
fn build(test: &str) -> PathBuf {
    cc::compile(cc::STRICT_C, SOURCE, &["-shared", "-fPIC"], &format!("libhookrail_screen_{test}.so"))
}

/// The example with the note and the instance that the guide goes on to explain.
#[test]
fn the_guides_additions_to_the_example_work() {
    let guide = read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/first-plugin-in-c.md")).unwrap();
    let blocks: Vec<_> = guide.split("```c\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    // What comes after is of another plugin.
    let [example, note, instance, ..] = &blocks[..] else { panic!("the guide has other code: {blocks:?}") };
    let (instance, entry) = instance.rsplit_once("\n\n").unwrap();
    let changes = [
        ("#include <hookrail.h>\n", &*format!("#include <hookrail.h>\n{instance}")),
        ("  (void)ctx;\n  hookrail_message", "  count(ctx, payload);\n  hookrail_message"),
        ("HOOKRAIL_PLUGIN(\"screen\", \"1.0.0\", HOOKS);\n", note),
        (
            "HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);\n",
            entry,
        ),
    ];
    let source = changes.into_iter().fold((*example).to_owned(), |source, (of, by)| {
        assert_eq!(source.matches(of).count(), 1, "{of}");
        source.replace(of, by)
    });
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guide.c");
    write(&file, source).unwrap();
    let library = cc::compile(cc::STRICT_C, file.to_str().unwrap(), &["-shared", "-fPIC"], "guide.so");
    let note = hookrail::inspect(&library).unwrap().note;
    assert_eq!((&*note.instances, note.isolation.as_deref().unwrap(), note.capabilities.len()), ("one", "worker", 2));
    let host = Host::new(patient()).unwrap();
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(library) }.unwrap();
    let publish = host.point(MessagePublish).unwrap();
    assert_eq!(publish.dispatch(&mut Message::new("news.local", "rain")).decision(), Decision::Passed);
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
}

/// Nothing in a name may separate or climb, and none is the host's own.
#[test]
fn a_name_that_no_plugin_may_have_is_refused() {
    let source = read_to_string(SOURCE).unwrap();
    for (number, name) in ["", "../up", ".hidden", "a/b", "a:b", "hookrail"].into_iter().enumerate() {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("named_{number}.c"));
        write(&file, source.replace("\"screen\", \"1.0.0\"", &format!("{name:?}, \"1.0.0\""))).unwrap();
        let output = format!("named_{number}.so");
        let library = cc::compile(cc::STRICT_C, file.to_str().unwrap(), &["-shared", "-fPIC"], &output);
        let error = hookrail::inspect(&library).unwrap_err();
        assert!(error.code() == "HR0317" && error.to_string().contains(&format!("the name `{name}`")), "{error}");
        // SAFETY: nothing of it runs.
        assert_eq!(unsafe { Host::new(patient()).unwrap().load(library) }.unwrap_err().code(), "HR0317");
    }
}

struct Screen {
    host: Host,
    plugin: PluginHandle,
    publish: HookPoint<MessagePublish>,
}

impl Screen {
    fn load(test: &str) -> Self {
        let host = Host::new(patient()).unwrap();
        // SAFETY: our own plugin.
        let plugin = unsafe { host.load(build(test)) }.unwrap();
        let publish = host.point(MessagePublish).unwrap();
        Screen { host, plugin, publish }
    }
}
