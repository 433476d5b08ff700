//! Secrets from files: given to plugins and endpoints, read again, and shown nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hookrail_tests::cli::live::Live;
use hookrail_tests::plugin;

use crate::scenes::Place;

const CONFIG: &str = r#"
[plugins.mask.config]
patterns = [{ secret_file = "DIR/pattern" }]
[pipelines.logs.sources.in]
use = "stdin"
[pipelines.logs.sinks.out]
use = "stdout"
[pipelines.logs.sinks.file]
use = "file-log"
config = { path = { secret_file = "DIR/where" } }
"#;

fn with_secrets(test: &str) -> Place {
    _ = ["mask", "file-log"].map(plugin);
    let place = Place::new(test, CONFIG);
    write(&place, "pattern", "hunter2");
    write(&place, "where", &format!("{}\n", place.path("one.txt").display()));
    place
}

/// Writes a file that only this user reads.
fn write(place: &Place, name: &str, text: &str) {
    fs::write(place.path(name), text).unwrap();
    fs::set_permissions(place.path(name), PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn what_a_file_has_reaches_plugins_and_endpoints_and_is_shown_nowhere() {
    let place = with_secrets("secrets");
    let mut serving = place.serve();
    assert_eq!(serving.through("a hunter2"), "a ***");
    place.wait_for_lines("one.txt", 1);
    let shown = [
        place.ask(&["config", "show", "--origin"]),
        place.ask(&["config", "show", "--json"]),
        place.ask(&["config", "get", "mask"]),
        place.ask(&["config", "check", "--json"]),
        place.ask(&["plugin", "show", "mask", "--json"]),
        place.ask(&["pipeline", "show", "logs", "--json"]),
    ]
    .concat();
    assert!(shown.contains("DIR/pattern".replace("DIR", place.directory.to_str().unwrap()).as_str()), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("one.txt"), "{shown}");
    serving.interrupt();
    let (code, _, said) = serving.end();
    let said = said.join("\n");
    assert!(code == Some(0) && !said.contains("hunter2") && !said.contains("can be read by all"), "{said}");
}

#[test]
fn files_are_read_again_and_only_what_differs_changes() {
    let place = with_secrets("secrets-reload");
    let mut serving = place.serve();
    assert_eq!(serving.through("a hunter2"), "a ***");
    assert!(place.ask(&["config", "reload"]).contains("nothing differs"));
    write(&place, "pattern", "other");
    let done = place.ask(&["config", "reload"]);
    assert!(done.contains("mask has another configuration") && !done.contains("logs is changed"), "{done}");
    assert_eq!(serving.through("b hunter2 other"), "b hunter2 ***");
    // What the other sink has not taken yet is for its successor.
    place.wait_for_lines("one.txt", 2);
    write(&place, "where", place.path("two.txt").to_str().unwrap());
    let done = place.ask(&["config", "reload"]);
    assert!(done.contains("logs is changed") && !done.contains("mask has"), "{done}");
    assert!(place.ask(&["config", "reload"]).contains("nothing differs"));
    assert_eq!(serving.through("c other"), "c ***");
    place.wait_for_lines("two.txt", 1);
    assert_eq!(place.lines("two.txt"), ["c ***"]);
    // A generation that follows is given what the file has.
    let done = place.ask(&["plugin", "restart", "mask"]);
    assert!(!done.contains("error["), "{done}");
    assert_eq!(serving.through("d other"), "d ***");
    fs::remove_file(place.path("pattern")).unwrap();
    let refused = place.ask(&["config", "reload"]);
    let place_of_key = "hookrail.toml:3: `plugins.mask.config.patterns[0].secret_file` is ";
    assert!(refused.contains(place_of_key) && refused.contains("cannot be read"), "{refused}");
    assert_eq!(serving.through("e other"), "e ***");
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}

/// What is undone is what was there, and not what its files have by now.
#[test]
fn a_reload_that_fails_changes_no_secret() {
    let place = with_secrets("secrets-undone");
    let mut serving = place.serve();
    assert_eq!(serving.through("a hunter2"), "a ***");
    write(&place, "pattern", "other");
    // It is found out after the plugins have been given what is new.
    place.configure(&CONFIG.replace("config = { path", "config = { paths"));
    for _ in 0..2 {
        let refused = place.ask(&["config", "reload"]);
        assert!(refused.contains("error[") && refused.contains("hookrail.toml:10: "), "{refused}");
        assert_eq!(serving.through("b hunter2 other"), "b *** other");
    }
    place.configure(CONFIG);
    assert!(place.ask(&["config", "reload"]).contains("mask has another configuration"));
    assert_eq!(serving.through("c hunter2 other"), "c hunter2 ***");
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}

/// An endpoint that never ran was given nothing: there is nothing that could be another.
#[test]
fn an_endpoint_that_never_ran_has_no_other_secrets() {
    let place = with_secrets("secrets-of-nobody");
    place.configure(&format!("{CONFIG}[pipelines.logs.sinks.later]\nuse = \"of-nobody\"\nconfig = {{ token = {{ secret_file = \"DIR/pattern\" }} }}\n"));
    // The sink that never runs takes nothing of what it is given.
    let mut serving = Live::start(&mut place.command(&["serve", "--drain", "10ms"]));
    assert_eq!(serving.through("a hunter2"), "a ***");
    for _ in 0..2 {
        let done = place.ask(&["config", "reload"]);
        assert!(done.contains("nothing differs"), "{done}");
    }
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}

/// Neither the error nor the log, whoever the panic ends.
#[test]
fn a_plugin_that_panics_with_a_secret_shows_it_to_nobody() {
    let place = with_secrets("secrets-panics");
    let library = hookrail_tests::zoo("panics_with_its_secret");
    for isolation in ["in-process", "worker"] {
        let plugin = |at: &str| {
            format!(
                "[plugins.panics-with-its-secret]\nlibrary = {library:?}\nisolation = {isolation:?}\n\
                 [plugins.panics-with-its-secret.config]\ntoken = {{ secret_file = \"DIR/pattern\" }}\nat = {at:?}\n"
            )
        };
        let pipeline = "[pipelines.p.sources.s]\nuse = \"panics-with-its-secret\"\n\
            config = { token = { secret_file = \"DIR/pattern\" }, at = \"start\" }\n\
            [pipelines.p.sinks.out]\nuse = \"stdout\"\n";
        let hides = |call: &str, said: &str| {
            assert!(!said.contains("hunter2") && said.contains("***") && said.contains(call), "{isolation}: {said}");
        };
        place.configure(&plugin("start"));
        hides("start", &place.ask(&["serve"]));
        // The endpoint is tried again, and the rest goes on.
        place.configure(&(plugin("") + pipeline));
        let serving = place.serve_and_answer();
        serving.said.wait_for("***");
        let shown = place.ask(&["pipeline", "show", "p", "--json"]);
        serving.interrupt();
        let (_, _, said) = serving.end();
        hides("accept", &(said.join("\n") + &shown));
    }
}

#[test]
fn a_file_that_is_missing_or_does_not_fit_is_an_error_with_its_line_and_without_the_secret() {
    let place = with_secrets("secrets-wrong");
    let refused = |said: &[&str]| {
        let text = place.ask(&["serve"]);
        assert!(said.iter().all(|said| text.contains(said)) && !text.contains("hunter2"), "{said:?}: {text}");
    };
    fs::remove_file(place.path("where")).unwrap();
    let key = "hookrail.toml:10: `pipelines.logs.sinks.file.config.path.secret_file` is ";
    refused(&[key, "cannot be read", "error[HR0205]"]);
    assert!(place.ask(&["config", "check"]).contains(key));
    assert!(!place.ask(&["config", "check", "--offline"]).contains("error["), "nothing is opened");
    write(&place, "where", "x");
    // What the plugin says of it.
    write(&place, "pattern", "(hunter2");
    refused(&["error[HR0402]: mask: ", "***"]);
    // What its schema says.
    let odd = "[plugins.mask.config]\npatterns = []\nwith = { secret_file = 'DIR/pattern' }\nx = 1\n";
    place.configure(&odd.replace("with = ", "patterns_of = "));
    refused(&["error[HR0203]: hookrail.toml:"]);
}

#[test]
fn a_file_that_all_users_can_read_is_warned_about() {
    let place = with_secrets("secrets-mode");
    fs::set_permissions(place.path("pattern"), PermissionsExt::from_mode(0o644)).unwrap();
    let serving = Live::start(&mut place.command(&["serve"]));
    serving.said.wait_for("can be read by all users: `chmod o-r ");
    serving.interrupt();
    serving.end();
}

#[test]
fn what_is_set_by_a_command_names_no_files() {
    let place = with_secrets("secrets-set");
    place.configure("");
    let file = place.path("pattern");
    let set = place.ask(&["config", "set", "mask", &format!("patterns=[{{\"secret_file\": {file:?}}}]")]);
    assert!(set.contains("error[HR0203]") && !set.contains("hunter2"), "{set}");
}
