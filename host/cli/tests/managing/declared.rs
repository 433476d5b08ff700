//! `hookrail.toml`: what it declares is not changed by commands, and what is wrong with it is told with its line.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{directory, hookrail, run, text};

/// A directory with that as its `hookrail.toml`, and with a list of plugins.
fn with(test: &str, declared: &str, list: &str) -> PathBuf {
    let directory = directory(test);
    fs::write(directory.join("hookrail.toml"), declared).unwrap();
    fs::write(directory.join("plugins.toml"), list).unwrap();
    directory
}

/// What a command says that must be refused with that code.
fn refused(command: &mut Command, code: &str) -> String {
    let output = run(command, b"");
    let said = text(&output.stderr).to_owned();
    assert!(said.contains(&format!("error[{code}]")), "{command:?}: {said}");
    said
}

#[test]
fn commands_do_not_change_what_a_file_declares() {
    let home = Stocked::new("declared");
    let mask = "max_memory = '1 MiB'\n[plugins.mask.config]\npatterns = ['secret']\n";
    let hook = "{ point = 'message.publish', callback = 'mask/mask', priority = 7 }";
    let list = format!("[plugins.mask]\noverrides = [{hook}]\n");
    let directory = with("declared_files", &format!("\n[plugins.mask]\n{mask}"), &list);
    fs::write(directory.join("off.toml"), "[plugins.mask]\nenabled = false\n").unwrap();
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.current_dir(&directory);
        command
    };
    let refusals = |at: &str| {
        for (arguments, line) in [
            (&["plugin", "apply", "plugins.toml"][..], 2),
            (&["plugin", "apply", "plugins.toml", "--dry-run"], 2),
            (&["plugin", "disable", "mask"], 2),
            (&["config", "set", "mask", "replacement=x"], 4),
        ] {
            let said = refused(&mut command(arguments), "HR0832");
            assert!(said.contains(&format!(" in hookrail.toml:{line}, ")), "{at}: {said}");
        }
    };
    refusals("without a host");
    let mut host = Live::start(&mut command(&["run", "-q"]));
    assert_eq!(host.through("a secret"), "a ***");
    refusals("with one");
    let shown = run(&mut command(&["plugin", "show", "mask"]), b"");
    assert!(text(&shown.stdout).contains("built-in, loaded by this host itself, not enabled for others\n"));
    let shown = run(&mut command(&["plugin", "show", "stamp"]), b"");
    assert!(text(&shown.stdout).contains("built-in, disabled\n"));
    assert_eq!(host.through("a secret"), "a ***");
    assert_eq!(host.end().0, Some(0));
    // Neither does what the file says nothing of change it: the next host would not read that.
    assert!(run(&mut command(&["plugin", "enable", "mask"]), b"").status.success());
    refused(&mut command(&["plugin", "apply", "off.toml"]), "HR0832");
}

#[test]
fn an_override_that_a_file_has_is_not_stored() {
    let home = Stocked::new("declared_overrides");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let declared = "[[overrides]]\npoint = 'message.publish'\ncallback = 'screen/screen'\npriority = 5\n";
    let hook = "{ point = 'message.publish', callback = 'screen/screen', priority = 7 }";
    let list = format!("[plugins.screen]\noverrides = [{hook}]\n");
    let directory = with("declared_overrides_files", declared, &list);
    let said = refused(
        home.command(&["plugin", "apply", "../declared_overrides_files/plugins.toml"]).current_dir(&directory),
        "HR0832",
    );
    assert!(said.contains("screen/screen is overridden in hookrail.toml:1, "), "{said}");
}

/// Each with its line, and with the way out where there is one.
#[test]
fn a_mistake_in_a_file_is_told_with_its_line() {
    let hook = "point = 'message.publish'\ncallback = 'mask/mask'\n";
    for (number, (file, code, line, said)) in [
        ("\n[plugins.mask]\nmax_memory = 0\n", "HR0205", 3, "is 0: leave it out"),
        ("[plugins.mask.worker]\ncpu_weight = 0\n", "HR0205", 2, "is not between 1 and 10000"),
        ("home = '~/x'\n", "HR0205", 1, "write the path in full"),
        ("\n[points.'message.publsh']\n", "HR0205", 2, "but `message.publish` is"),
        (&format!("[[overrides]]\n{hook}[[overrides]]\n{hook}"), "HR0205", 4, "an entry before it"),
        ("[plugins.mask.config]\npatterns = 3\n", "HR0203", 1, "fix: `hookrail config schema mask` prints"),
        ("[plugins.mask.instances.a]\nconfig = { patterns = 3 }\n", "HR0203", 2, "`hookrail config schema mask`"),
        (
            &format!("[plugins.mask.config]\npatterns = ['a']\n[[overrides]]\n{hook}priority = 1000\n"),
            "HR0202",
            3,
            "1000",
        ),
        (
            &format!("[plugins.mask.config]\npatterns = ['a']\n[[overrides]]\n{}", hook.replace("/mask", "/msk")),
            "HR0205",
            5,
            "but `mask/mask` is",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let directory = with(&format!("mistake_{number}"), file, "");
        let output = refused(hookrail(&["run", "-q"]).env_remove("HOOKRAIL_HOME").current_dir(&directory), code);
        assert!(output.contains(&format!(": hookrail.toml:{line}: ")) && output.contains(said), "{file}: {output}");
    }
}

#[test]
fn the_way_out_of_a_misplaced_key_is_told() {
    for (number, (file, line, fix)) in [
        ("[plugins.mask]\npatterns = ['a']\n", 2, "move `patterns` into [plugins.mask.config]"),
        ("[plugins.mask.instances.a]\nlimit = 1\n", 2, "move `limit` into [plugins.mask.instances.a.config]"),
        (
            "[points.message.publish]\nlevel = 'count'\n",
            1,
            "put the name of the point into quotes: [points.\"message.publish\"]",
        ),
        ("[points.a.b.c]\nlevel = 'count'\n", 1, "[points.\"a.b.c\"]"),
        ("home = a\n", 1, "in which text needs quotes"),
    ]
    .into_iter()
    .enumerate()
    {
        let directory = with(&format!("misplaced_{number}"), file, "");
        let said = refused(hookrail(&["run", "-q"]).env_remove("HOOKRAIL_HOME").current_dir(&directory), "HR0201");
        let is_told = |part: &str| said.contains(part);
        assert!(is_told(&format!("hookrail.toml: TOML parse error at line {line}, ")), "{said}");
        assert!(said.contains("fix: ") && is_told(fix), "{said}");
    }
}
