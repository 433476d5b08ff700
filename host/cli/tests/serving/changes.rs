//! The configuration is read again while messages flow.

use crate::scenes::{FOLLOW, following, signal};

#[test]
fn a_signal_or_a_verb_has_the_file_read_again_and_only_what_differs_changes() {
    let place = following("serve-reload");
    let serving = place.serve();
    place.append("logs/app.log", "secret1 hidden\n");
    place.wait_for_lines("out/all.txt", 1);
    assert!(place.ask(&["config", "reload"]).contains("nothing differs"));
    let more = "[pipelines.logs.sinks.more]\nuse = \"file-log\"\nconfig = { path = \"DIR/out/more.txt\" }\n";
    place.configure(&format!("{}{more}", FOLLOW.replace("secret[0-9]+", "hidden")));
    signal(serving.id(), libc::SIGHUP);
    serving.said.wait_for("logs is changed");
    place.append("logs/app.log", "secret2 hidden\n");
    place.wait_for_lines("out/more.txt", 1);
    place.wait_for_lines("out/all.txt", 2);
    assert_eq!(place.lines("out/all.txt"), ["*** hidden", "secret2 ***"]);
    assert_eq!(place.lines("out/more.txt"), ["secret2 ***"]);
    place.configure(&format!("{}[limits]\nstuck = \"1s\"\n", FOLLOW.replace("secret[0-9]+", "hidden")));
    let done = place.ask(&["config", "reload"]);
    assert!(done.contains("logs is changed") && done.contains("limits differs, and is read only when"), "{done}");
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn a_mistake_changes_nothing_and_is_named() {
    let place = following("serve-reload-mistake");
    let serving = place.serve();
    place.append("logs/app.log", "one\n");
    place.wait_for_lines("out/all.txt", 1);
    for (wrong, said) in [
        ("[pipelines.logs", "hookrail.toml"),
        ("[pipelines.q.sources.in]\nuse = \"stdin\"\n", "needs at least one source and one sink"),
        ("[pipelines.logs.sources.more]\nuse = \"tail\"\nconfig = { path = 1 }\n", "'path' was unexpected"),
    ] {
        place.configure(&format!("{FOLLOW}{wrong}"));
        let refused = place.ask(&["config", "reload"]);
        assert!(refused.contains("error[") && refused.contains(said), "{refused}");
    }
    // A plugin that came with the program, and has no source: it is loaded for that, and does not stay.
    let plugins = || {
        let listed: Vec<serde_json::Value> = serde_json::from_str(&place.ask(&["plugin", "list", "--json"])).unwrap();
        listed.into_iter().map(|plugin| plugin["name"].to_string() + &plugin["status"].to_string()).collect::<Vec<_>>()
    };
    let before = plugins();
    let wrong = "[pipelines.q.sources.in]\nuse = \"hello\"\n[pipelines.q.sinks.out]\nuse = \"stdout\"\n";
    place.configure(&format!("{FOLLOW}{wrong}"));
    let refused = place.ask(&["config", "reload"]);
    assert!(refused.contains("error[") && refused.contains("hello"), "{refused}");
    assert_eq!(plugins(), before);
    // A pattern that is none, and with it a pipeline that could be changed.
    place.configure(&FOLLOW.replace("secret[0-9]+", "(").replace("all.txt", "other.txt"));
    let refused = place.ask(&["config", "reload"]);
    assert!(refused.contains("error["), "{refused}");
    place.append("logs/app.log", "secret1\n");
    place.wait_for_lines("out/all.txt", 2);
    assert_eq!(place.lines("out/all.txt"), ["one", "***"]);
    serving.interrupt();
    serving.end();
}
