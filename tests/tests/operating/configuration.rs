//! What an operator writes decides: instances, configurations, priorities, faults. Every mistake in it
//! is named with its place, and changes nothing.

use std::path::{Path, PathBuf};

use hookrail::{CallbackView, Config, Decision, End, Host, Message, MessagePublish};
use hookrail_tests::watched::{Watched, says};
use hookrail_tests::{alone, zoo};
use serde_json::{Value, json};

#[test]
fn instances_have_their_own_configuration_and_callbacks() {
    alone!();
    let watched = Watched::new(plugin(
        "many-instances",
        json!({ "instances": {
            "late": { "config": { "key": "second", "value": "b" } },
            "early": { "config": { "key": "first", "value": "a" } },
        }}),
    ));
    let plugin = load(&watched.host, "many_instances");
    assert_eq!(watched.host.plugin_views()[0].instances, ["many-instances:early", "many-instances:late"]);
    let mut message = Message::new("a", "");
    let _ = watched.host.point(MessagePublish).unwrap().dispatch(&mut message);
    // Of one priority: by the instance's name, not as they were configured.
    let headers: Vec<_> = message.headers.iter().map(|header| (&*header.key, &*header.value)).collect();
    assert_eq!(headers, [("first", "a"), ("second", "b")]);
    assert_eq!(watched.host.unload(&plugin).unwrap(), End::Unmapped);
    watched.is_as_before("two instances");
}

#[test]
fn a_plugin_of_one_instance_is_refused_two() {
    alone!();
    let watched = Watched::new(plugin("one-instance", json!({ "instances": { "a": {}, "b": {} } })));
    says(
        &watched.refused(zoo("one_instance")),
        "HR0204",
        &["`one-instance` can have one"],
        "configure it once, in [plugins.one-instance.config]",
    );
}

#[test]
fn an_instance_that_refuses_takes_the_others_back() {
    alone!();
    let good = json!({ "key": "k", "value": "v" });
    let bad = json!({ "key": "k", "value": "v", "refuse": true });
    let instances = json!({ "a": { "config": good }, "b": { "config": bad }, "c": { "config": good } });
    let watched = Watched::new(plugin("many-instances", json!({ "instances": instances })));
    let error = watched.refused(zoo("many_instances"));
    says(&error, "HR0402", &["many-instances:b: its start failed", "many-instances:b was told to refuse"], "fix");
}

#[test]
fn all_mistakes_of_a_configuration_are_named_at_once_with_their_paths() {
    alone!();
    for (config, mistakes) in [
        (json!({}), &["/: \"key\" is a required", "/: \"value\" is a required"][..]),
        (json!({ "key": 1, "value": true }), &["/key: 1 is not", "/value: true is not"]),
        (
            json!({ "key": [], "value": "much too long", "refuse": 0, "colour": "red" }),
            &["/key: [] is not", "/value: \"much too long\" is longer", "/refuse: 0 is not", "/: Additional", "colour"],
        ),
        (json!("text"), &["/: \"text\" is not of type \"object\""]),
    ] {
        let watched = Watched::new(plugin("many-instances", json!({ "config": config })));
        let error = watched.refused(zoo("many_instances"));
        says(&error, "HR0203", &["configuration of `many-instances`"], "hookrail inspect --schema");
        says(&error, "HR0203", mistakes, "");
    }
}

/// No instance may have started when another one's configuration turns out to be wrong.
#[test]
fn every_configuration_is_checked_before_any_instance_starts() {
    alone!();
    let instances = json!({
        "a": { "config": { "key": "k", "value": "v", "refuse": true } },
        "b": { "config": { "key": 7, "value": "v" } },
    });
    let watched = Watched::new(plugin("many-instances", json!({ "instances": instances })));
    says(&watched.refused(zoo("many_instances")), "HR0203", &["`many-instances:b`", "/key: 7"], "");
}

/// As for the program, so that an embedded host and the program that manages it mean the same home.
#[test]
fn the_home_of_a_file_is_relative_to_it_and_the_environment_takes_precedence() {
    alone!();
    let file = write("home", "home = \"kept/here\"\n");
    let home = || Config::read(&file).unwrap().home_dir();
    let set = |home| {
        // SAFETY: this process runs nothing but this test, on this thread.
        unsafe { std::env::set_var("HOOKRAIL_HOME", home) };
    };
    set("");
    assert_eq!(home(), file.with_file_name("kept/here"));
    set("/from/the/environment");
    assert_eq!(home(), Path::new("/from/the/environment"));
    assert_eq!(Config::read(&file).unwrap().with_home("/from/code").home_dir(), Path::new("/from/code"));
}

#[test]
fn an_override_moves_a_callback_and_keeps_where_it_came_from() {
    alone!();
    let watched = Watched::new(toml(
        "moved",
        r#"
            [plugins.many-instances.config]
            key = "where"
            value = "moved"

            [[overrides]]
            point = "message.publish"
            callback = "many-instances/mark"
            priority = 1500
        "#,
    ));
    load(&watched.host, "many_instances");
    let chain = publish_chain(&watched.host);
    let order: Vec<_> =
        chain.iter().map(|it| (it.priority, &*it.instance, it.priority_origin.name(), it.declared_priority)).collect();
    assert_eq!(
        order,
        [
            (300, "well-behaved", "declared", None),
            (1000, "hookrail", "built-in", None),
            (1500, "many-instances", "overridden", Some(300)),
        ]
    );
}

#[test]
fn a_disabled_callback_is_shown_and_not_called() {
    alone!();
    let watched = Watched::new(toml(
        "disabled",
        r#"
            [plugins.many-instances.config]
            key = "was"
            value = "here"

            [[overrides]]
            point = "message.publish"
            callback = "many-instances/mark"
            enabled = false
        "#,
    ));
    load(&watched.host, "many_instances");
    let mut message = Message::new("a", "");
    let _ = watched.host.point(MessagePublish).unwrap().dispatch(&mut message);
    assert_eq!(message.header("was"), None);
    let chain = publish_chain(&watched.host);
    assert!(chain.iter().any(|it| it.instance == "many-instances" && !it.enabled));
}

#[test]
fn a_reserved_number_is_refused_to_operators_too() {
    alone!();
    let hooks = r#"overrides = [{ point = "message.publish", callback = "one-instance/look", priority = 1000 }]"#;
    let watched = Watched::new(toml("reserved", hooks));
    let said = ["one-instance/look on message.publish", "reserved priority 1000"];
    says(&watched.refused(zoo("one_instance")), "HR0202", &said, "any number but 1000");
}

#[test]
fn the_operator_says_what_a_fault_means() {
    alone!();
    for (fault, decision, shown) in [
        ("", Decision::Passed, "open"),
        ("fault_policy = \"open\"", Decision::Passed, "open"),
        ("fault_policy = \"closed\"", Decision::Denied(0), "closed"),
    ] {
        let hook = "[[overrides]]\npoint = \"message.publish\"\ncallback = \"panics-in-callback/fold\"\n";
        let watched = Watched::new(toml("fault", &format!("{hook}{fault}")));
        load(&watched.host, "panics_in_callback");
        let outcome = watched.host.point(MessagePublish).unwrap().dispatch(&mut Message::new("a", "boom"));
        assert_eq!(outcome.decision(), decision, "{fault}");
        let chain = publish_chain(&watched.host);
        let callback = chain.iter().find(|it| it.name == "fold").unwrap();
        assert_eq!((callback.fault_policy.name(), callback.faults), (shown, 1), "{fault}");
        let denial = watched.host.denial(&outcome);
        if decision == Decision::Passed {
            assert_eq!(denial, None);
        } else {
            let denial = denial.unwrap();
            let reason = denial.reason.unwrap();
            assert_eq!(denial.by.unwrap(), "panics-in-callback/fold");
            assert!(reason.contains("panics-in-callback/fold failed: panicked: the body said boom"), "{reason}");
        }
    }
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_key_and_line() {
    alone!();
    for (text, said) in [
        ("\n[plugin.mask]\n", ["line 2", "unknown field `plugin`"]),
        ("[plugins.mask]\nconfg = {}\n", ["line 2", "unknown field `confg`"]),
        ("[message]\nmax_body = -1\n", ["line 2", "-1"]),
        ("[unload]\ndeadline = \"soon\"\n", ["line 2", "write for example"]),
        ("[unload]\ndeadline = 5000\n", ["line 2", "a time with its unit, for example"]),
        ("[upgrade]\nmax_state = \"much\"\n", ["line 2", "write for example"]),
        ("overrides = [{ callback = \"a/b\" }]\n", ["line 1", "missing field `point`"]),
        (
            "\n\n[[overrides]]\npoint = \"p\"\ncallback = \"a/b\"\nfault_policy = \"ajar\"\n",
            ["line 6", "`ajar`, expected one of `open`, `closed`, `rollback`"],
        ),
        ("[[overrides]]\npoint = \"p\"\ncallback = \"a/b\"\nprioriti = 5\n", ["line 4", "unknown field `prioriti`"]),
        ("this is no TOML", ["line 1", "expected"]),
    ] {
        let file = write("mistake", text);
        let error = Config::read(&file).unwrap_err();
        says(&error, "HR0201", &[&file.display().to_string()], "docs/guide/operating.md");
        says(&error, "HR0201", &said, "");
    }
    let error = Config::read("/no/such/hookrail.toml").unwrap_err();
    says(&error, "HR0501", &["/no/such/hookrail.toml", "No such file"], "");
}

#[test]
fn contradictory_settings_are_refused_by_their_key() {
    alone!();
    for (text, said) in [
        ("[plugins.a]\nconfig = { x = 1 }\n[plugins.a.instances.b]\n", "`plugins.a` has both"),
        ("[plugins.a.instances.\"../b\"]\n", "is not a name"),
        ("[[overrides]]\npoint = \"p\"\ncallback = \"a\"\n", "`overrides[0]` names its callback without its instance"),
        (
            "[[overrides]]\npoint = \"p\"\ncallback = \"a/b\"\n[[overrides]]\npoint = \"p\"\ncallback = \"a/b\"\npriority = 1\n",
            "`overrides[1]` is about a callback that an entry before it is about",
        ),
    ] {
        says(&Host::new(toml("meaningless", text)).unwrap_err(), "HR0205", &[said], "");
    }
}

#[test]
fn an_override_of_nothing_is_told() {
    alone!();
    let text = "[[overrides]]\npoint = \"message.publish\"\ncallback = \"hookrail/valdate\"\nenabled = false\n";
    let host = Host::new(toml("unused", text)).unwrap();
    assert_eq!(host.unused_overrides().len(), 1);
}

fn load(host: &Host, specimen: &str) -> hookrail::PluginHandle {
    // SAFETY: our own library: its faults are those that the host looks for.
    unsafe { host.load(zoo(specimen)) }.unwrap()
}

fn publish_chain(host: &Host) -> Vec<CallbackView> {
    host.point_views().into_iter().find(|point| point.point == "message.publish").unwrap().chain
}

fn plugin(name: &str, configured: Value) -> Config {
    serde_json::from_value(json!({ "plugins": { name: configured } })).unwrap()
}

fn toml(name: &str, text: &str) -> Config {
    Config::read(write(name, text)).unwrap()
}

fn write(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("operator_{name}.toml"));
    std::fs::write(&file, text).unwrap();
    file
}
