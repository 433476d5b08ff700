//! What plugins are configured with: set where no host runs and where one does, taken or refused, kept, and
//! imported from files of EMQX.

use std::fs;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked;
use hookrail_tests::cli::stocked::{Stocked, packages};
use hookrail_tests::cli::{directory, hookrail, run, text};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{
    "type": "object", "additionalProperties": false,
    "properties": { "timeout_ms": { "type": "integer" }, "words": { "type": "array", "items": { "type": "string" } } }
}"#;

/// A home with a package of ours installed that brings a default and a schema of its configuration.
fn installed(test: &str) -> Stocked {
    let home = Stocked::new(test);
    let directory = home.home.with_file_name("crate");
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::create_dir(directory.join("etc")).unwrap();
    fs::write(directory.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
    fs::write(directory.join("etc/screen.json"), r#"{ "timeout_ms": 100 }"#).unwrap();
    fs::write(directory.join("etc/screen.schema.json"), SCHEMA).unwrap();
    for file in ["Cargo.toml", "me.key", "screen-1.2.0.so"] {
        fs::copy(packages().join(file), directory.join(file)).unwrap();
    }
    let library = format!("{}=screen-1.2.0.so", stocked::TARGET);
    let mut pack = hookrail(&["pack", ".", "--lib", &library, "--sign", "--key", "me.key"]);
    let packed = run(pack.current_dir(&directory).env("SOURCE_DATE_EPOCH", "1700000000"), b"");
    assert!(packed.status.success(), "{}", text(&packed.stderr));
    home.ok(&["plugin", "install", directory.join("screen-1.2.0.hrp").to_str().unwrap()]);
    home
}

/// Sets this, read from stdin.
fn set(home: &Stocked, config: &str, more: &[&str]) -> (Option<i32>, String) {
    let output =
        run(&mut home.command(&[&["config", "set", "screen", "--file", "-"], more].concat()), config.as_bytes());
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn get(home: &Stocked) -> (Value, Value) {
    let configured = home.json(&["config", "get", "screen"]);
    (configured["value"].clone(), configured["origin"].clone())
}

#[test]
fn a_configuration_is_checked_by_the_schema_and_former_ones_are_kept() {
    let home = installed("config_set");
    assert_eq!(get(&home), (json!({ "timeout_ms": 100 }), "package".into()));
    assert_eq!(home.json(&["config", "schema", "screen"])["additionalProperties"], false);
    for (wrong, code, exit) in [
        (r#"{ "timeout": 5 }"#, "HR0203", 2),
        (r#"{ "timeout_ms": "5" }"#, "HR0203", 2),
        ("[", "HR0623", 2),
        ("", "HR0623", 2),
    ] {
        let (found, said) = set(&home, wrong, &[]);
        assert!(said.contains(&format!("error[{code}]: ")) && found == Some(exit), "{wrong}: {found:?} {said}");
    }
    assert_eq!(get(&home).1, "package");

    for number in 1..=3 {
        let (code, said) = set(&home, &format!(r#"{{ "timeout_ms": {number} }}"#), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("screen has configuration {number}\n")) && said.contains("no host is running"));
    }
    assert!(set(&home, r#"{ "timeout_ms": 3 }"#, &[]).1.contains("already has that configuration"));
    assert_eq!(get(&home), (json!({ "timeout_ms": 3 }), "operator".into()));
    let history = home.json(&["config", "history", "screen"]);
    let revisions: Vec<_> = history.as_array().unwrap().iter().map(|former| &former["revision"]).collect();
    assert_eq!(revisions, [2, 1]);
    let first = home.ok(&["config", "history", "screen", "--revision", "1"]);
    assert_eq!(set(&home, &first, &[]).0, Some(0));
    assert_eq!(get(&home).0, json!({ "timeout_ms": 1 }));
    home.refused(&["config", "history", "screen", "--revision", "9"], "HR0624", 3);
    for verb in ["get", "schema", "history"] {
        home.refused(&["config", verb, "none"], "HR0103", 3);
    }
    home.ok(&["plugin", "uninstall", "screen"]);
    assert!(home.home.join("config/screen").exists());
}

/// In the table, and nowhere else.
#[test]
fn long_values_are_cut_in_the_history() {
    let home = Stocked::new("config_long");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let long = json!({ "words": "ä".repeat(200) });
    for config in [&long, &json!({})] {
        assert_eq!(set(&home, &config.to_string(), &[]).0, Some(0));
    }
    let shown = home.ok(&["config", "history", "screen"]);
    assert!(shown.contains("ää…\n") && shown.lines().all(|line| line.chars().count() < 120), "{shown}");
    let whole = home.ok(&["config", "history", "screen", "--revision", "1"]);
    assert_eq!(serde_json::from_str::<Value>(&whole).unwrap(), long);
    assert_eq!(home.json(&["config", "history", "screen"])[0]["value"], long);
}

#[test]
fn a_running_plugin_takes_a_configuration_or_nothing_changes() {
    let home = installed("config_live");
    home.ok(&["plugin", "enable", "screen"]);
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(run.through("a line"), "a line");
    let (code, said) = set(&home, r#"{ "words": ["vetoed"] }"#, &[]);
    assert!(code == Some(5) && said.contains("error[HR0402]") && said.contains("it vetoes that"), "{said}");
    assert_eq!(get(&home).1, "package");
    assert_eq!(
        set(&home, r#"{ "timeout_ms": 4 }"#, &[]),
        (Some(0), "screen has configuration 1\n  timeout_ms: 100 -> 4\n".into())
    );
    let (code, said) = set(&home, r#"{ "timeout_ms": 5 }"#, &["--restart", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let done: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&done["replaced"]["generation"], &done["revision"]), (&2.into(), &2.into()));
    assert_eq!(run.through("another"), "another");
    assert_eq!(run.end().0, Some(0));
    assert_eq!(get(&home).1, "operator");
}

/// It is not enabled, and it is what the configuration is for all the same.
#[test]
fn a_plugin_loaded_by_hand_restarts_with_the_new_configuration() {
    let home = installed("config_by_hand");
    let mut run = Live::start(&mut home.command(&["run", "-q", "--plugin", "./screen-1.0.0.so"]));
    assert_eq!(run.through("a line"), "a line");
    let (code, said) = set(&home, r#"{ "timeout_ms": 5 }"#, &["--restart", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let done: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(done["replaced"]["generation"], 2);
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn single_keys_are_set_and_the_others_stay() {
    let home = installed("config_keys");
    let said = home.ok(&["config", "set", "screen", "words=[\"a\"]", "timeout_ms=5"]);
    assert_eq!(said, "screen has configuration 1\n  timeout_ms: 100 -> 5\n  words: new, [\"a\"]\n");
    let done = home.json(&["config", "set", "screen", "timeout_ms=6"]);
    assert_eq!(done["changes"], json!([{ "key": "timeout_ms", "before": 5, "after": 6 }]));
    assert_eq!(get(&home), (json!({ "timeout_ms": 6, "words": ["a"] }), "operator".into()));
    home.refused(&["config", "set", "screen", "timeout_ms=soon"], "HR0203", 2);
    let said = text(&home.run(&["config", "set", "screen", "one.json"]).stderr).to_owned();
    assert!(said.contains("write KEY=VALUE, or --file FILE"), "{said}");
}

#[test]
fn all_configurations_are_checked_without_a_host() {
    let home = installed("config_check");
    let directory = home.home.with_file_name("checked");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("host.toml");
    let check = |config: &str, more: &[&str]| {
        fs::write(&file, config).unwrap();
        let mut command = home.command(&["config", "check", "--json"]);
        let output = run(command.current_dir(&directory).args(more), b"");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        (output.status.code(), serde_json::from_str::<Value>(&said).unwrap_or_else(|_| panic!("{said}")))
    };
    let named = ["--config", file.to_str().unwrap()];
    let (code, report) = check("", &[]);
    assert_eq!((code, &report["config"], &report["home"]["source"]), (Some(0), &Value::Null, &"environment".into()));
    assert_eq!(
        report["instances"],
        json!([{ "instance": "screen", "origin": "package", "checked": true, "error": null }])
    );
    let (code, report) = check("[plugins.screen.config]\ntimeout_ms = \"x\"\n", &named);
    assert_eq!((code, &report["config"]["source"]), (Some(2), &"flag".into()));
    assert_eq!(
        (&report["instances"][0]["origin"], &report["instances"][0]["error"]["code"]),
        (&"host".into(), &"HR0203".into())
    );
    let (code, report) = check("[limits]\nstuk = \"1s\"\n", &named);
    assert_eq!((code, &report["mistakes"][0]["code"]), (Some(2), &"HR0201".into()));
    let (code, report) = check("[points.nosuch]\nlevel = \"off\"\n", &named);
    assert_eq!((code, &report["error"]["code"]), (Some(2), &"HR0205".into()));
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_a_file() {
    let directory = directory("precedence");
    let homes = ["flag", "environment", "file", "here"].map(|name| directory.join(name));
    fs::write(directory.join("hookrail.toml"), format!("home = {:?}\n", homes[3])).unwrap();
    let file = directory.join("other.toml");
    fs::write(&file, format!("home = {:?}\n", homes[2])).unwrap();
    let in_effect = |home: &[&str], environment: &[(&str, &str)]| {
        let mut command = hookrail(&[&["config", "check", "--json"], home].concat());
        command.current_dir(&directory).env_remove("HOOKRAIL_HOME").envs(environment.iter().copied());
        let output = run(&mut command, b"");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let [config, home] = ["config", "home"].map(|setting| report[setting]["source"].as_str().unwrap().to_owned());
        (config, home, report["home"]["path"].as_str().unwrap().to_owned())
    };
    let path = |number: usize| homes[number].to_str().unwrap();
    let (config, nothing) = (file.to_str().unwrap(), "/nosuch.toml");
    let is = |config: &str, home: &str, path: &str| (config.to_owned(), home.to_owned(), path.to_owned());
    assert_eq!(in_effect(&[], &[]), is("default", "file", path(3)));
    assert_eq!(in_effect(&[], &[("HOOKRAIL_CONFIG", config)]), is("environment", "file", path(2)));
    assert_eq!(in_effect(&["--config", config], &[("HOOKRAIL_CONFIG", nothing)]), is("flag", "file", path(2)));
    assert_eq!(in_effect(&[], &[("HOOKRAIL_HOME", path(1))]), is("default", "environment", path(1)));
    assert_eq!(in_effect(&["--home", path(0)], &[("HOOKRAIL_HOME", path(1))]), is("default", "flag", path(0)));
    // Verbs that read none of the two take them all the same.
    let output = run(&mut hookrail(&["--config", nothing, "completions", "bash"]), b"");
    assert!(output.status.success());
}

/// Whoever sets another key at the same time: what is said to be set stays set.
#[test]
fn all_mistakes_are_shown_at_once() {
    let directory = directory("config_mistakes");
    let check = |file: &str| {
        fs::write(directory.join("hookrail.toml"), file).unwrap();
        let output = run(hookrail(&["config", "check", "--json"]).current_dir(&directory), b"");
        assert_eq!(output.status.code(), Some(2));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mistakes = report["mistakes"].as_array().unwrap().iter();
        mistakes.map(|mistake| mistake["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mistakes = check("log_levl = 'info'\n[unload]\ndeadline = 5\n[plugins.mask]\ncolour = 1\n");
    let said =
        |mistakes: &[String], number: usize, what: &str| assert!(mistakes[number].contains(what), "{mistakes:?}");
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    ["line 1,", "line 3,", "line 5,"].iter().enumerate().for_each(|(number, line)| said(&mistakes, number, line));
    let mistakes = check(
        "[pipelines.q]\nsources.in.use = 'stdin'\n[pipelines.q.sinks.out]\nuse = 'stdout'\ntopics = ['a..b']\nqueue.capacity = 0\n",
    );
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    ["toml:6: ", "toml:5: "].iter().enumerate().for_each(|(number, line)| said(&mistakes, number, line));
}

#[test]
fn offline_no_library_is_opened() {
    let directory = directory("config_offline");
    // Of a library that is none, nothing can be said.
    let file = "[plugins.a]\nlibrary = 'nothing.so'\nconfig.a = 1\n[plugins.mask]\nconfig.b = 1\n";
    fs::write(directory.join("hookrail.toml"), file).unwrap();
    let check = |more: &[&str]| {
        let mut command = hookrail(&[&["config", "check", "--json"], more].concat());
        run(command.current_dir(&directory), b"")
    };
    assert!(!check(&[]).status.success());
    let output = check(&["--offline"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checked: Vec<_> = report["instances"].as_array().unwrap().iter().map(|instance| &instance["checked"]).collect();
    assert_eq!(checked, [false, false]);
}

/// What `config show` says of one key: its value, its origin, and its place.
fn shown(command: &mut std::process::Command, key: &str) -> [Value; 3] {
    let output = run(command, b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let key = keys.iter().find(|shown| shown["key"] == key).unwrap_or_else(|| panic!("no {key}: {keys:?}"));
    ["value", "origin", "place"].map(|field| key[field].clone())
}

#[test]
fn each_value_says_where_it_comes_from() {
    let directory = directory("config_show");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = ['a']\n[unload]\ndeadline = '7s'\n")
        .unwrap();
    let show = |variables: &[(&str, &str)]| {
        let mut command = hookrail(&["config", "show", "--json"]);
        command.current_dir(&directory).envs(variables.iter().copied());
        command
    };
    let (deadline, patterns) = ("unload.deadline", "plugins.mask.config.patterns");
    assert_eq!(shown(&mut show(&[]), deadline), [json!("7s"), json!("file"), json!("hookrail.toml:4")]);
    assert_eq!(shown(&mut show(&[]), patterns), [json!(["a"]), json!("file"), json!("hookrail.toml:2")]);
    assert_eq!(shown(&mut show(&[]), "upgrade.probation"), [json!("10s"), json!("default"), Value::Null]);
    let variables = [("HOOKRAIL_UNLOAD__DEADLINE", "9s"), ("HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__PATH", "hunter2")];
    let [value, origin, place] = shown(&mut show(&variables), deadline);
    assert_eq!([value, origin, place], [json!("9s"), json!("environment"), json!("HOOKRAIL_UNLOAD__DEADLINE")]);
    // It may be a secret.
    assert_eq!(shown(&mut show(&variables), "plugins.file-log.config.path")[0], json!("***"));
    let wrong = run(&mut show(&[("HOOKRAIL_UNLOAD__DEADLINE", "soon")]), b"");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("HOOKRAIL_UNLOAD__DEADLINE"), "{}", text(&wrong.stderr));
}

#[test]
fn a_variable_configures_what_runs() {
    let directory = directory("config_variable");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = ['a']\n").unwrap();
    let mut command = hookrail(&["run", "-q", "--plugin"]);
    command.arg(hookrail_tests::plugin("mask")).current_dir(&directory);
    let output = run(command.env("HOOKRAIL_PLUGINS__MASK__CONFIG__PATTERNS__0", "b+"), b"abba\n");
    assert_eq!(text(&output.stdout), "a***a\n", "{}", text(&output.stderr));
}

#[test]
fn keys_that_are_set_at_the_same_time_undo_none_of_each_other() {
    let home = Stocked::new("config_at_once");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let keys: Vec<_> = (0..40).map(|number| format!("k{number}")).collect();
    let is_set = |key: &String| home.run(&["config", "set", "screen", &format!("{key}=1")]).status.success();
    let set: Vec<_> = std::thread::scope(|scope| {
        let shares = keys.chunks(10).map(|share| scope.spawn(move || share.iter().map(is_set).collect::<Vec<_>>()));
        let shares: Vec<_> = shares.collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(set.contains(&true), "somebody has come first");
    let (value, _) = get(&home);
    for (key, is_set) in keys.iter().zip(set) {
        assert_eq!(value.get(key).is_some(), is_set, "{key}: {value}");
    }
}

#[test]
fn the_hosts_own_configuration_file_takes_precedence() {
    let home = installed("config_host");
    let directory = home.home.with_file_name("configured");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("hookrail.toml"), "[plugins.screen.config]\ntimeout_ms = 7\n").unwrap();
    let got = run(home.command(&["config", "get", "screen", "--json"]).current_dir(&directory), b"");
    let got: Value = serde_json::from_slice(&got.stdout).unwrap();
    assert_eq!((&got["value"], &got["origin"]), (&json!({ "timeout_ms": 7 }), &"host".into()));
    let set = run(home.command(&["config", "set", "screen", "--file", "-"]).current_dir(&directory), b"{}");
    assert!(
        text(&set.stderr).contains("error[HR0832]: screen: it is configured in hookrail.toml:1, "),
        "{}",
        text(&set.stderr)
    );
}

#[test]
fn a_file_of_emqx_becomes_what_the_plugin_takes() {
    let home = installed("config_import");
    let file = home.home.with_file_name("emqx_screen.conf");
    fs::write(&file, "## How long\nscreen.timeout = 2s\nscreen.words = confidential, secret\n").unwrap();
    let file = file.to_str().unwrap();
    let expected = json!({ "timeout_ms": 2000, "words": ["confidential", "secret"] });
    let would: Value = serde_json::from_str(&home.ok(&["config", "import", file, "--dry-run"])).unwrap();
    assert_eq!(would, expected);
    assert_eq!(get(&home).1, "package");
    let changes = "  timeout_ms: 100 -> 2000\n  words: new, [\"confidential\",\"secret\"]\n";
    assert_eq!(home.ok(&["config", "import", file]), format!("screen has configuration 1\n{changes}"));
    assert_eq!(get(&home), (expected, "operator".into()));
    fs::write(file, "screen.timeout = 2s\nscreen.wrods = a\n").unwrap();
    let said = home.refused(&["config", "import", file, "--plugin", "screen"], "HR0623", 2);
    assert!(said.contains("line 2: ") && said.contains("words"), "{said}");
    home.refused(&["config", "import", "none.conf"], "HR0501", 3);
}
