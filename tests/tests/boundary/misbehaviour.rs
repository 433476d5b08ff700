//! Every plugin that breaks a rule is refused or survived: the error names the plugin, the rule and
//! the way out, the rest of the host goes on, and nothing of the plugin is left.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hookrail::{Config, Decision, End, Error, Host, Message, MessageDelivered, MessagePublish};
use hookrail_tests::specimens::c;
use hookrail_tests::watched::{Watched, says};
use hookrail_tests::{alone, zoo, zoo_with};
use serde_json::{Value, json};

/// A specimen, the code of its error, what the error says beside the plugin's name, and the way out.
type Row = (&'static str, &'static str, &'static [&'static str], &'static str);

fn check(build: fn(&str) -> PathBuf, rows: &[Row]) {
    let watched = Watched::new(Config::default());
    for (specimen, code, said, fix) in rows {
        let error = watched.refused(build(specimen));
        says(&error, code, said, fix);
        says(&error, code, &[&specimen.replace('_', "-")], fix);
    }
}

#[test]
fn a_plugin_of_another_abi_or_heap_is_refused() {
    alone!();
    let heap = "build it without its own malloc";
    let rows: &[Row] = &[
        ("another_abi", "HR0301", &["works with ABI 2.0 to 2.0, this host offers 1.0"], "rebuild the plugin"),
        ("hides_its_abi", "HR0305", &["the ABI version: the note says 1.1, the code 1.0"], "in C, fix"),
        ("short_entry", "HR0315", &["its entry has 96 bytes, 104 are needed"], "state `sizeof`"),
        ("short_table", "HR0315", &["its table `schema/1` has 8 bytes, 16 are needed"], "state `sizeof`"),
        ("entry_without_stop", "HR0319", &["its entry lacks the function `stop`"], "hookrail.h"),
        ("table_without_run", "HR0319", &["its table `stream/1` lacks the function `run`"], "hookrail.h"),
        ("hides_panic_abort", "HR0305", &["the panic strategy: the note says unwind, the code abort"], "in C, fix"),
        ("private_heap", "HR0311", &["its `malloc` is not the one of this process"], heap),
        ("private_free", "HR0311", &["its `free` is not the one of this process"], heap),
    ];
    check(c, rows);
}

#[test]
fn a_library_whose_panics_abort_is_refused() {
    alone!();
    let aborts = |name: &str| {
        let profiles = ["dev", "release"].map(|profile| format!("--config=profile.{profile}.panic=\"abort\""));
        zoo_with(name, "abort", &[&profiles[0], &profiles[1]], "")
    };
    check(aborts, &[("one_instance", "HR0308", &["panic = \"abort\""], "remove panic = \"abort\" from its profile")]);
}

#[test]
fn a_plugin_must_register_what_its_note_declares() {
    alone!();
    let fix = "so that both say the same";
    let rows: &[Row] = &[
        ("note_of_another_priority", "HR0305", &["the priority of `look` on message.publish", "5, the code 300"], fix),
        ("note_of_another_revision", "HR0305", &["the revision of `look` on message.publish", "7, the code 1"], fix),
        ("note_of_other_effects", "HR0305", &["the effects of `look`", "says pure, the code external"], fix),
        ("undeclared_hook", "HR0406", &["`look` on message.publish, which its note does not"], "declare it in HOOKS"),
    ];
    check(c, rows);
}

#[test]
fn a_registration_must_make_sense() {
    alone!();
    let rows: &[Row] = &[
        ("no_priority", "HR0404", &["`look` on message.publish without a priority"], "HOOKRAIL_HAS_PRIORITY"),
        ("priority_1000", "HR0405", &["`look` on message.publish with the reserved priority 1000"], "below 1000"),
        ("priority_at_the_end", "HR0405", &["the reserved priority -2147483648"], "below 1000"),
        ("registers_twice", "HR0401", &["`look` twice on message.publish"], "different names"),
        ("no_code", "HR0403", &["`look` on message.publish with no code"], "docs/abi.md"),
        ("asynchronous_form", "HR0408", &["`look` on message.publish as asynchronous"], "HOOKRAIL_FORM_SYNCHRONOUS"),
        ("another_form", "HR0403", &["a calling form that this host does not know"], "docs/abi.md"),
        ("short_ops", "HR0403", &["payload operations of 16 bytes, 80 are needed"], "docs/abi.md"),
        ("ops_without_drop", "HR0403", &["payload operations without the function `drop`"], "docs/abi.md"),
        ("short_record", "HR0403", &["a record of 16 bytes, 136 are needed"], "docs/abi.md"),
    ];
    check(c, rows);
}

#[test]
fn a_hooked_point_must_exist_here_with_the_same_payload() {
    alone!();
    let list = "`hookrail hooks list`";
    let same = "the same version of the crate that declares the point";
    let rows: &[Row] = &[
        ("unknown_point", "HR0312", &["hooks message.published", "there are ", "message.publish"], list),
        (
            "planned_point",
            "HR0312",
            &["hooks client.connected", "in the catalogue, but nobody dispatches it yet"],
            list,
        ),
        ("renamed_point", "HR0312", &["hooks client.check_acl", "it is called client.authorize now"], list),
        ("another_revision", "HR0310", &["revision 2 of message.publish, this host has revision 1"], same),
        ("another_payload", "HR0309", &["another payload of message.publish", "no description of its layout"], same),
    ];
    check(c, rows);
}

#[test]
fn a_plugin_that_cannot_begin_leaves_nothing() {
    alone!();
    let fix = "fix what it reports";
    check(c, &[("fails_to_attach", "HR0402", &["its attach failed: it said nothing"], fix)]);
    let rows: &[Row] = &[
        (
            "panics_in_create",
            "HR0402",
            &["its create failed: panicked: no configuration suits me at", "_create.rs:"],
            fix,
        ),
        ("panics_in_start", "HR0402", &["its start failed: panicked: not today at", "panics_in_start.rs:"], fix),
        ("says_the_schema_wrongly", "HR0402", &["its schema failed: "], "hookrail inspect --schema"),
    ];
    check(zoo, rows);
}

#[test]
fn a_name_is_loaded_once() {
    alone!();
    let watched = Watched::new(Config::default());
    let error = watched.refused(c("well_behaved"));
    says(&error, "HR0101", &["a plugin named `well-behaved` is already loaded"], "unload it first");
}

#[test]
fn a_panic_on_the_way_out_does_not_keep_the_library() {
    alone!();
    for (file, name) in [("panics_in_stop", "panics-in-stop"), ("panics_in_drop", "panics-in-drop")] {
        let watched = Watched::new(Config::default());
        let plugin = load(&watched.host, file).unwrap();
        assert_eq!(plugin.name(), name);
        assert_eq!(watched.host.unload(&plugin).unwrap(), End::Unmapped, "{name}");
        watched.is_as_before(name);
    }
}

#[test]
fn a_panic_in_a_callback_is_a_fault_and_the_chain_goes_on() {
    alone!();
    let watched = Watched::new(serde_json::from_value(json!({ "quarantine": { "faults": 0 } })).unwrap());
    let plugin = load(&watched.host, "panics_in_callback").unwrap();
    let publish = watched.host.point(MessagePublish).unwrap();
    let delivered = watched.host.point(MessageDelivered).unwrap();
    for round in 1..=100 {
        let mut message = Message::new("a", "boom");
        assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
        assert_eq!(delivered.dispatch(&mut message).decision(), Decision::Passed);
        // What stands after it still judges, and what it does not choke on passes.
        assert_eq!(
            publish.dispatch(&mut Message::new("a b", "boom")).decision(),
            Decision::Denied(hookrail::BAD_TOPIC.into())
        );
        assert_eq!(publish.dispatch(&mut Message::new("a", "fine")).decision(), Decision::Passed);
        let faults = faults(&watched.host);
        assert_eq!((faults["fold"], faults["notify"]), (2 * round, round));
    }
    assert_eq!(watched.host.unload(&plugin).unwrap(), End::Unmapped);
    watched.is_as_before("a hundred panics");
}

/// Whoever dropped the panic's payload would end the process.
#[test]
fn the_payload_of_a_panic_is_not_dropped() {
    alone!();
    let watched = Watched::new(Config::default());
    let plugin = load(&watched.host, "panics_with_a_bomb").unwrap();
    let publish = watched.host.point(MessagePublish).unwrap();
    assert_eq!(publish.dispatch(&mut Message::new("a", "")).decision(), Decision::Passed);
    assert_eq!(watched.host.unload(&plugin).unwrap(), End::Unmapped);
    watched.is_as_before("three bombs");
    drop(watched);

    let watched = Watched::new(config("panics-with-a-bomb", json!({ "at_start": true })));
    let said = ["panics-with-a-bomb", "its start failed: panicked: with something that is not text"];
    says(&watched.refused(zoo("panics_with_a_bomb")), "HR0402", &said, "");
}

/// Bits 0-7 are the verdict, which is one of the kind's, bits 8-31 a code that only a denial may have.
#[test]
fn an_impossible_verdict_is_a_fault() {
    alone!();
    let went_on = (Decision::Passed, 0);
    let fault = (Decision::Passed, 1);
    for (answer, fold, notify) in [
        (0, went_on, went_on),
        (1, (Decision::Skipped, 0), fault),
        (2, (Decision::Denied(0), 0), fault),
        (2 | 7 << 8, (Decision::Denied(7), 0), fault),
        (2 | 0xff_ffff << 8, (Decision::Denied(0xff_ffff), 0), fault),
        (3, fault, fault),
        (4, fault, fault),
        (77, fault, fault),
        (1 << 8, fault, fault),
        (255, fault, fault),
        (u32::MAX, fault, fault),
    ] {
        let watched = Watched::new(config("answers-anything", json!({ "answer": answer })));
        let plugin = load(&watched.host, "answers_anything").unwrap();
        let mut message = Message::new("a", "");
        let folded = watched.host.point(MessagePublish).unwrap().dispatch(&mut message).decision();
        let notified = watched.host.point(MessageDelivered).unwrap().dispatch(&mut message).decision();
        let faults = faults(&watched.host);
        assert_eq!((folded, faults["fold"]), fold, "{answer} on message.publish");
        assert_eq!((notified, faults["notify"]), notify, "{answer} on message.delivered");
        assert_eq!(watched.host.unload(&plugin).unwrap(), End::Unmapped);
        watched.is_as_before(&answer.to_string());
    }
}

fn load(host: &Host, specimen: &str) -> Result<hookrail::PluginHandle, Error> {
    // SAFETY: our own library: its faults are those that the host looks for.
    unsafe { host.load(zoo(specimen)) }
}

fn config(plugin: &str, config: Value) -> Config {
    serde_json::from_value(json!({ "plugins": { plugin: { "config": config } } })).unwrap()
}

/// How often each callback failed, by its name.
fn faults(host: &Host) -> BTreeMap<String, u64> {
    let callbacks = host.point_views().into_iter().flat_map(|point| point.chain);
    callbacks.map(|callback| (callback.name, callback.faults)).collect()
}
