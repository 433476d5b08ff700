//! A file that says what shall be installed, and a directory into which packages are dropped.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::{Stocked, packages};
use hookrail_tests::cli::text;
use hookrail_tests::probe::eventually;
use serde_json::{Value, json};

/// A file with that in it, beside the home.
fn wanted(home: &Stocked, text: &str) -> String {
    let file = home.home.with_file_name("plugins.toml");
    fs::write(&file, text.replace("PACKAGES", packages().to_str().unwrap())).unwrap();
    file.to_str().unwrap().to_owned()
}

/// How it stands with ours.
fn screen(home: &Stocked) -> Value {
    let listed = home.json(&["plugin", "list"]);
    listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").cloned().unwrap_or_default()
}

#[test]
fn a_plugin_list_is_applied_once() {
    let home = Stocked::new("apply_once");
    let hooks = r#"overrides = [{ point = "message.publish", callback = "screen/screen", priority = 1500 }]"#;
    let first = format!("[plugins.screen]\npackage = \"PACKAGES/screen-1.0.0.hrp\"\nconfig = {{ a = 1 }}\n{hooks}\n");
    let file = wanted(&home, &first);
    let would = home.ok(&["plugin", "apply", &file, "--dry-run"]);
    let steps =
        ["1.0.0 would be installed", "would be configured", "callbacks would be overridden", "would be enabled"];
    assert!(steps.iter().all(|step| would.contains(&format!("screen: {step}\n"))), "{would}");
    assert_eq!(screen(&home), Value::Null);

    let done = home.json(&["plugin", "apply", &file]);
    let actions: Vec<_> = done["steps"].as_array().unwrap().iter().map(|step| &step["action"]).collect();
    assert_eq!(actions, ["install", "configure", "override", "enable"]);
    assert_eq!(screen(&home)["status"], "stopped");
    assert_eq!(home.ok(&["plugin", "apply", &file]), "everything is as the file says\n");
    let staged = home.ok(&["plugin", "stage", "screen-1.1.0.hrp"]);
    assert!(staged.contains("screen/screen at 1500, 2 of 2, after hookrail/validate"), "{staged}");

    let second = "[plugins.screen]\npackage = \"PACKAGES/screen-1.1.0.hrp\"\nenabled = false\n";
    let done = home.ok(&["plugin", "apply", &wanted(&home, second)]);
    assert_eq!(done, "screen: 1.1.0 installed in place of 1.0.0\nscreen: disabled\n");
    assert_eq!(home.json(&["config", "get", "screen"])["value"], json!({ "a": 1 }));
}

#[test]
fn the_first_step_that_fails_is_the_last() {
    let home = Stocked::new("apply_fails");
    let said = home.refused(&["plugin", "apply", &wanted(&home, "[plugins.none]\n")], "HR0103", 3);
    assert!(said.contains("none is not as the file says"), "{said}");
    for (wrong, code, exit) in [
        ("[plugins.screen]\nenabeld = true\n", "HR0623", 2),
        ("nothing", "HR0623", 2),
        ("[plugins.other]\npackage = \"PACKAGES/screen-1.0.0.hrp\"\n", "HR0105", 2),
        ("[plugins.screen]\npackage = \"PACKAGES/nothing.hrp\"\n", "HR0501", 3),
        ("[plugins.screen]\npackage = \"PACKAGES/me.pub\"\n", "HR0810", 7),
    ] {
        home.refused(&["plugin", "apply", &wanted(&home, wrong)], code, exit);
        assert_eq!(screen(&home), Value::Null, "{wrong}");
    }
    let file = wanted(&home, "[plugins.none]\n[plugins.screen]\npackage = \"PACKAGES/screen-1.0.0.hrp\"\n");
    home.refused(&["plugin", "apply", &file], "HR0103", 3);
    home.refused(&["plugin", "apply", "/nosuch.toml"], "HR0501", 3);
}

/// Whether a host runs or not: what it would refuse is never written, and what would do nothing neither.
#[test]
fn an_override_of_what_is_not_there_is_refused() {
    let home = Stocked::new("apply_overrides");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let refused = |run: &str| {
        for (callback, point, priority, code, exit) in [
            ("screen/screen", "message.publish", 1000, "HR0202", 2),
            ("screen/nope", "message.publish", 1, "HR0835", 8),
            ("screen/screen", "nope", 1, "HR0835", 8),
            ("screen", "message.publish", 1, "HR0205", 2),
            ("mask/screen", "message.publish", 1, "HR0835", 8),
        ] {
            let hook = format!("{{ point = {point:?}, callback = {callback:?}, priority = {priority} }}");
            let said = home.refused(
                &["plugin", "apply", &wanted(&home, &format!("[plugins.screen]\noverrides = [{hook}]\n"))],
                code,
                exit,
            );
            assert!(said.contains(callback) || code == "HR0205", "{run}: {said}");
        }
        let twice = ["1", "2"].map(|priority| {
            format!("{{ point = \"message.publish\", callback = \"screen/screen\", priority = {priority} }}")
        });
        let twice = format!("[plugins.screen]\noverrides = [{}]\n", twice.join(", "));
        let said = home.refused(&["plugin", "apply", &wanted(&home, &twice)], "HR0205", 2);
        assert!(said.contains("`overrides[1]` is about a callback that an entry before it is about"), "{run}: {said}");
    };
    refused("without a host");
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(run.through("a line"), "a line");
    refused("with one");
    let hooks = "overrides = [{ point = \"message.publish\", callback = \"screen:a/screen\", priority = 7 }]\n";
    assert_eq!(
        home.ok(&["plugin", "apply", &wanted(&home, &format!("[plugins.screen]\n{hooks}"))]),
        "screen: callbacks overridden\n"
    );
    assert_eq!(run.end().0, Some(0));
}

/// What a running host is told by a file happens in it.
#[test]
fn a_running_host_applies_a_plugin_list() {
    let home = Stocked::new("apply_live");
    let mut run = Live::start(home.command(&["run", "-q"]).env_remove("HOOKRAIL_PLUGINS"));
    assert_eq!(run.through("confidential"), "confidential");
    home.ok(&["plugin", "apply", &wanted(&home, "[plugins.screen]\npackage = \"PACKAGES/screen-1.0.0.hrp\"\n")]);
    assert_eq!((&screen(&home)["status"], &screen(&home)["generation"]), (&"running".into(), &1.into()));
    // A dry run reaches nothing that runs.
    let off = wanted(&home, "[plugins.screen]\nenabled = false\n");
    assert_eq!(home.ok(&["plugin", "apply", &off, "--dry-run"]), "screen: would be disabled\n");
    assert_eq!((&screen(&home)["status"], &screen(&home)["generation"]), (&"running".into(), &1.into()));
    let hooks = "overrides = [{ point = \"message.publish\", callback = \"screen/screen\", enabled = false }]\n";
    let file = wanted(&home, &format!("[plugins.screen]\n{hooks}"));
    assert_eq!(home.ok(&["plugin", "apply", &file]), "screen: callbacks overridden\n");
    // It is not loaded again for that.
    assert_eq!(screen(&home)["generation"], 1);
    let shown = home.json(&["plugin", "show", "screen"]);
    assert_eq!(shown["callbacks"][0]["status"], "disabled");
    assert_eq!(run.end().0, Some(0));
}

/// Puts a package into the drop-in directory, as if it had lain there for a minute.
fn drop_in(home: &Stocked, name: &str, signed: bool) -> PathBuf {
    let directory = home.home.join("incoming");
    fs::create_dir_all(&directory).unwrap();
    // Under a name at which nobody looks, until it is whole: a host may look at any time.
    let put = |name: &str| {
        let hidden = directory.join(format!(".{name}"));
        fs::copy(packages().join(name), &hidden).unwrap();
        let file = File::options().write(true).open(&hidden).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        fs::rename(hidden, directory.join(name)).unwrap();
    };
    signed.then(|| put(&format!("{name}.minisig")));
    put(name);
    directory.join(name)
}

#[test]
fn dropped_in_packages_are_installed_or_refused() {
    let home = Stocked::new("incoming");
    assert_eq!(home.ok(&["plugin", "import-incoming"]), "there is nothing to install\n");
    let good = drop_in(&home, "screen-1.0.0.hrp", true);
    let bad = drop_in(&home, "screen-1.2.0.hrp", false);
    let taken = home.ok(&["plugin", "import-incoming"]);
    assert!(taken.contains("screen-1.0.0 was installed from") && taken.contains("error[HR0810]"), "{taken}");
    assert!(!good.exists() && !bad.exists());
    let refused = home.home.join("incoming/refused");
    assert!(refused.join("screen-1.2.0.hrp").exists());
    assert!(fs::read_to_string(refused.join("screen-1.2.0.hrp.why")).unwrap().starts_with("error[HR0810]: "));
    assert_eq!(screen(&home)["status"], "disabled");
    // What may still be on its way is left alone, if it is looked at within ten seconds.
    eventually("it is young when it is looked at", || {
        let young = drop_in(&home, "screen-1.1.0.hrp", false);
        File::options().write(true).open(&young).unwrap().set_modified(SystemTime::now()).unwrap();
        let waits = home.ok(&["plugin", "import-incoming"]);
        young.exists() && waits.contains("screen-1.1.0.hrp waits to be tried again: error[HR0810]")
    });
}

#[test]
fn a_run_installs_dropped_in_packages_while_lines_flow() {
    let home = Stocked::new("incoming_live");
    drop_in(&home, "screen-1.0.0.hrp", true);
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert!(run.said.line(0).contains("screen-1.0.0 was installed from"));
    assert_eq!(run.through("a line"), "a line");
    home.ok(&["plugin", "enable", "screen"]);
    drop_in(&home, "screen-1.1.0.hrp", true);
    assert!(run.said.line(1).contains("screen-1.1.0 was installed from"));
    let plugin = screen(&home);
    assert_eq!((&plugin["version"], &plugin["generation"]), (&"1.1.0".into(), &2.into()));
    assert_eq!(run.through("another"), "another");
    let (code, ..) = run.end();
    assert_eq!(code, Some(0));
    assert!(text(&home.run(&["plugin", "show", "screen"]).stdout).contains("before it 1.0.0, enabled"));
}

#[test]
fn a_run_goes_on_without_a_usable_drop_in_directory() {
    let home = Stocked::new("incoming_broken");
    let incoming = home.home.join("incoming");
    fs::write(&incoming, "a file").unwrap();
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(run.through("a line"), "a line");
    let told = |line: &str| line.contains("packages that are dropped in cannot be installed");
    assert!(told(&run.said.line(0)));
    fs::remove_file(&incoming).unwrap();
    drop_in(&home, "screen-1.0.0.hrp", true);
    assert!(run.said.line(1).contains("screen-1.0.0 was installed from"));
    // The same once more is something else.
    fs::remove_dir(&incoming).unwrap();
    fs::write(&incoming, "a file").unwrap();
    assert!(told(&run.said.line(2)));
    assert_eq!(run.end().0, Some(0));
}
