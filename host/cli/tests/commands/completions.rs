//! Completion: as shells ask for it, by the variables of their scripts, and in the shells themselves.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{directory, home, hookrail, run, text};
use hookrail_tests::{has_peer, plugin};

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What the program offers for the last of these words; it never says anything else.
fn offered(mut command: Command, shell: &str, words: &[&str]) -> Vec<String> {
    command.env("HOOKRAIL_COMPLETE", shell).env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = run(command.args(["--", "hookrail"]).args(words), b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {}", text(&output.stderr));
    // After a name zsh has what is said of it after a colon, fish after a tab.
    let name = |line: &str| match shell {
        "zsh" => line.split(':').next().unwrap().to_owned(),
        _ => line.split('\t').next().unwrap().to_owned(),
    };
    let names = text(&output.stdout).lines().map(name);
    // Where a name may stand, options may too.
    names.filter(|name| !name.starts_with('-') || words.iter().any(|word| word.starts_with("--"))).collect()
}

/// In each shell it is the same.
fn check(command: impl Fn() -> Command, words: &[&str], expected: &[&str]) {
    for shell in SHELLS {
        assert_eq!(offered(command(), shell, words), expected, "{shell}, {words:?}");
    }
}

/// The same of what a running host has to say, which on a busy machine may not come in time.
fn check_of_host(words: &[&str], expected: &[&str]) {
    for shell in SHELLS {
        let mut tries = (0..100).map(|_| offered(hookrail(&[]), shell, words));
        let last = tries.find(|offered| offered == expected);
        assert!(last.is_some(), "{shell}, {words:?}: {:?}", offered(hookrail(&[]), shell, words));
    }
}

/// A host with the plugins mask and hello.
fn host() -> Live {
    let mut live = Live::start(
        hookrail(&["run", "-q", "--plugin"])
            .arg(plugin("hello"))
            .arg("--plugin")
            .arg(plugin("mask"))
            .current_dir(masking("completions_host")),
    );
    // What has answered a message has opened its socket.
    assert_eq!(live.through("ready"), "ready");
    live
}

/// A directory in which a host finds a configuration of mask.
fn masking(test: &str) -> std::path::PathBuf {
    let directory = directory(test);
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = [\"secret\"]\n").unwrap();
    directory
}

#[test]
fn verbs_options_and_prebuilt_plugins_are_offered() {
    // Where nothing lies that is called like one of them.
    let directory = directory("completions_prebuilt");
    let program = || {
        let mut command = hookrail(&[]);
        command.current_dir(&directory);
        command
    };
    check(program, &["plugin", "inst"], &["install"]);
    check(program, &["compl"], &["completions"]);
    check(program, &["completions", ""], &["bash", "fish", "zsh"]);
    check(program, &["plugin", "install", "--do"], &["--downgrade"]);
    check(program, &["run", "--plugin", "ma"], &["mask"]);
    check(program, &["plugin", "set-log-level", "mask", "w"], &["warn"]);
}

#[test]
fn installed_plugins_and_packages_to_install_are_offered() {
    let home = Stocked::new("completions_installed");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    for verb in ["uninstall", "rollback"] {
        check(|| home.command(&[]), &["plugin", verb, ""], &["screen"]);
    }
    for verb in ["enable", "disable"] {
        check(|| home.command(&[]), &["plugin", verb, "s"], &["screen", "stamp"]);
    }
    check(|| home.command(&[]), &["plugin", "enable", "x"], &[]);
    // Not their signatures.
    check(|| home.command(&[]), &["plugin", "install", "screen-1.1"], &["screen-1.1.0.hrp"]);
    let keys = offered(home.command(&[]), "bash", &["trust", "revoke", ""]);
    assert!(keys.len() == 1 && home.ok(&["trust", "list"]).contains(&keys[0]), "{keys:?}");
}

#[test]
fn plugins_points_and_callbacks_of_a_running_host_are_offered() {
    let host = host();
    // Another one that never answers hides nothing of it.
    let silent = home().join("run/1.sock");
    let _ = fs::remove_file(&silent);
    let _silent = UnixListener::bind(&silent).unwrap();
    for verb in ["show", "stop", "start", "unload"] {
        check_of_host(&["plugin", verb, ""], &["hello", "mask"]);
    }
    check_of_host(&["hooks", "explain", "message.p"], &["message.publish"]);
    check_of_host(&["hooks", "unquarantine", "message.publish", "mask"], &["mask/mask"]);
    // Whatever a socket is called: the process that listens on it is ours.
    let mut hosts = [std::process::id(), host.id()];
    hosts.sort_unstable();
    let hosts = hosts.map(|pid| pid.to_string());
    check_of_host(&["plugin", "list", "--pid", ""], &[&*hosts[0], &*hosts[1]]);
    host.end();
}

#[test]
fn without_a_host_the_points_are_those_of_the_catalogue_and_no_home_is_made() {
    let points = ["message.delivered", "message.dropped", "message.publish"];
    let none = directory("completions_none").join("home");
    let program = || {
        let mut command = hookrail(&[]);
        command.env("HOOKRAIL_HOME", &none);
        command
    };
    check(program, &["hooks", "show", ""], &points);
    check(program, &["new", "mine", "--point", ""], &points);
    check(program, &["plugin", "stop", ""], &[]);
    check(program, &["plugin", "uninstall", ""], &[]);
    assert!(!none.exists(), "to look for names is no reason to make it");
}

#[test]
fn broken_files_and_silent_hosts_are_passed_over() {
    let directory = directory("completions_broken");
    fs::write(directory.join("hookrail.toml"), "this is no TOML").unwrap();
    let _ = fs::remove_dir_all(home());
    fs::create_dir_all(home().join("run")).unwrap();
    fs::write(home().join("state.json"), "{").unwrap();
    let _silent = UnixListener::bind(home().join("run/1.sock")).unwrap();
    let program = || {
        let mut command = hookrail(&[]);
        command.current_dir(&directory);
        command
    };
    check(program, &["plugin", "uninstall", ""], &[]);
    check(program, &["plugin", "stop", ""], &[]);
    check(program, &["hooks", "show", "message.p"], &["message.publish"]);
    // The next run gives this home to another test.
    fs::remove_dir_all(home()).unwrap();
}

/// A shell with the program in its path, in the directory of the packages.
fn shell(home: &Stocked, program: &str, arguments: &[&str]) -> String {
    let beside = Path::new(env!("CARGO_BIN_EXE_hookrail")).parent().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(stocked::packages());
    command.env("HOOKRAIL_HOME", &home.home).env("PATH", format!("{}:/usr/bin:/bin", beside.display()));
    // Fish keeps a history at home.
    let output = run(command.env("HOME", directory("completions_home")), b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{program}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

#[test]
fn bash_itself_completes() {
    let home = Stocked::new("completions_bash");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let script = "
        source <(hookrail completions bash)
        read -r -a how <<< \"$(complete -p hookrail)\"
        function=${how[-2]}
        COMP_WORDS=(hookrail plugin uninstall s) COMP_CWORD=3
        $function hookrail s uninstall && printf '%s\\n' \"${COMPREPLY[@]}\"
        COMP_WORDS=(hookrail hooks show message.d) COMP_CWORD=3
        $function hookrail message.d show && printf '%s\\n' \"${COMPREPLY[@]}\"";
    assert_eq!(shell(&home, "bash", &["--norc", "-c", script]), "screen\nmessage.delivered\nmessage.dropped\n");
}

#[test]
fn zsh_itself_completes() {
    if !has_peer("zsh", "zsh") {
        return;
    }
    let home = Stocked::new("completions_zsh");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    // Its completion works in an interactive line only, so what the script calls there is written here.
    let script = "
        compdef() { function=$1 }
        _describe() { print -l -- ${(P)3} }
        source <(hookrail completions zsh)
        words=(hookrail plugin uninstall s) CURRENT=4
        $function
        words=(hookrail hooks show message.d) CURRENT=4
        $function";
    let said = shell(&home, "zsh", &["-f", "-c", script]);
    assert_eq!(said, "screen:1.0.0, disabled\nmessage.delivered\nmessage.dropped\n");
}

#[test]
fn fish_itself_completes() {
    if !has_peer("fish", "fish") {
        return;
    }
    let home = Stocked::new("completions_fish");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let script = "
        hookrail completions fish | source
        complete -C 'hookrail plugin uninstall s'
        complete -C 'hookrail hooks show message.d'";
    let said = shell(&home, "fish", &["--no-config", "-c", script]);
    assert_eq!(said, "screen\t1.0.0, disabled\nmessage.delivered\nmessage.dropped\n");
}

#[test]
fn the_script_asks_the_program_as_it_was_started() {
    for shell in SHELLS {
        let output = run(&mut hookrail(&["completions", shell]), b"");
        assert!(text(&output.stdout).contains(env!("CARGO_BIN_EXE_hookrail")), "{}", text(&output.stdout));
    }
    let output = run(&mut hookrail(&["completions", "tcsh"]), b"");
    assert_eq!(output.status.code(), Some(2));
}
