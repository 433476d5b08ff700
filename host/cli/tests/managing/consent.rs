//! What destroys asks on a terminal, and does nothing without an answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::terminal::typed;
use hookrail_tests::cli::{run, text};

/// Each verb that destroys, in a home that has what it destroys.
fn verbs(home: &Stocked) -> [Vec<String>; 4] {
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["keygen", "--no-password"]);
    let file = home.home.join("signed");
    fs::write(&file, "text").unwrap();
    home.ok(&["sign", file.to_str().unwrap()]);
    let listed = home.ok(&["trust", "list"]);
    let id = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    [
        &["plugin", "uninstall", "screen", "--purge"][..],
        &["trust", "revoke", id, "--reason", "lost"],
        &["sign", file.to_str().unwrap(), "--comment", "another"],
        &["keygen", "--no-password"],
    ]
    .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn destructive_commands_are_confirmed_on_a_terminal_or_by_yes() {
    let home = Stocked::new("consent");
    for verb in verbs(&home) {
        let words: Vec<_> = verb.iter().map(String::as_str).collect();
        let before = home.all();
        let said = home.refused(&words, "HR0627", 2);
        assert!(said.contains("--yes"), "{said}");
        for answer in ["n\n", "\n", "yess\n", "\x04"] {
            let output = typed(&mut home.command(&words), answer);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains("continue? [y/N] nothing was changed\n"), "{said}");
        }
        assert!(home.all() == before, "{words:?} has changed something");
        let output = typed(&mut home.command(&words), "y\n");
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        assert!(home.all() != before, "{words:?} has changed nothing");
    }
    let home = Stocked::new("consent_given");
    for verb in verbs(&home) {
        let before = home.all();
        home.ok(&verb.iter().map(String::as_str).chain(["--yes"]).collect::<Vec<_>>());
        assert!(home.all() != before, "{verb:?} has changed nothing");
    }
}

#[test]
fn a_password_comes_from_a_file() {
    let home = Stocked::new("password_file");
    let directory = home.home.parent().unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (key, password, wrong, text_file) = (path("me.key"), path("password"), path("wrong"), path("text"));
    for (file, content) in [(&password, "secret\nand more\n"), (&wrong, "Secret\n"), (&text_file, "text\n")] {
        fs::write(file, content).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let with = |verb: &[&str], file: &str, input: &[u8]| {
        let mut command = home.command(&[verb, &["--key", &key, "--password-file", file]].concat());
        let output = run(command.env("HOOKRAIL_KEY_PASSWORD", "another"), input);
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let sign = ["sign", &text_file, "--yes"];
    let (code, said) = with(&sign, &password, b"");
    assert!(code == Some(2) && said.contains("there is no such file") && said.contains("`hookrail keygen`"), "{said}");
    let (code, said) = with(&["keygen"], &password, b"");
    assert!(code == Some(0) && !said.contains("warning"), "{said}");
    assert_eq!(with(&sign, &password, b"").0, Some(0));
    assert_eq!(with(&sign, "-", b"secret\r\n").0, Some(0));
    assert!(with(&sign, &wrong, b"").1.contains("error[HR0620]"));
    assert!(with(&sign, &path("none"), b"").1.contains("error[HR0501]"));
    fs::set_permissions(&password, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = with(&sign, &password, b"");
    assert!(code == Some(0) && said.contains("warning: others may read the password"), "{said}");
}
