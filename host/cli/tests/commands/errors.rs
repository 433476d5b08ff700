//! What the pages of errors advise, and how the program leads to them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::{fs, io};

use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::root;
use serde_json::Value;

/// What an author of a page has written in code, such as `hookrail plugin load FILE`.
fn advised() -> BTreeSet<String> {
    let mut advised = BTreeSet::new();
    for entry in fs::read_dir(root().join("docs/errors")).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        let spans = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned));
        advised.extend(spans.filter(|span| span.starts_with("hookrail ")));
    }
    assert!(advised.len() > 30, "the commands are found");
    advised
}

/// The verb of a command, and the options that it is given.
fn parts(command: &str) -> (Vec<&str>, Vec<&str>) {
    const NOUNS: [&str; 4] = ["config", "hooks", "plugin", "trust"];
    let words: Vec<_> = command.split_whitespace().skip(1).take_while(|word| *word != "--").collect();
    let length = if words.first().is_some_and(|word| NOUNS.contains(word)) { 2 } else { 1 };
    let verb: Vec<_> = words.iter().copied().take(length).filter(|word| !word.starts_with('-')).collect();
    let options = words.into_iter().filter(|word| word.starts_with('-')).collect();
    (verb, options)
}

#[test]
fn pages_advise_nothing_that_is_not_there() {
    let mut helps = BTreeMap::new();
    for command in advised() {
        let (verb, options) = parts(&command);
        let help = helps.entry(verb.join(" ")).or_insert_with(|| {
            let output = run(&mut hookrail(&[&*verb, &["--help"]].concat()), b"");
            assert!(output.status.success(), "`{command}` is no command: {}", text(&output.stderr));
            text(&output.stdout).to_owned()
        });
        for option in options.into_iter().filter(|option| !matches!(*option, "-vv" | "..." | "--version")) {
            assert!(help.contains(option), "`{command}` has an option that is not there");
        }
    }
}

#[test]
fn an_error_names_its_page_if_the_documents_lie_beside_the_program() {
    let directory = directory("errors_beside");
    let program = directory.join("hookrail");
    fs::hard_link(env!("CARGO_BIN_EXE_hookrail"), &program).unwrap();
    let said = || {
        let mut command = std::process::Command::new(&program);
        let output = run(command.args(["run", "/nosuch/file"]).current_dir(&directory), b"");
        text(&output.stderr).to_owned()
    };
    assert!(!said().contains("more:"), "it names no page that is not there");
    let page = directory.join("docs/errors/HR0501.md");
    fs::create_dir_all(page.parent().unwrap()).unwrap();
    fs::write(&page, "").unwrap();
    let said = said();
    assert!(said.contains("error[HR0501]") && said.ends_with(&format!("\n  more: {}\n", page.display())), "{said}");
}

#[test]
fn an_error_is_an_object_for_programs() {
    for (arguments, code, exit) in [
        (&["plugin", "show", "nosuch", "--json"][..], "HR0103", 3),
        (&["run", "/nosuch/file", "--json"], "HR0501", 3),
        (&["inspect", "--json", "/nosuch/file"], "HR0501", 3),
        (&["plugin", "install", "/nosuch.hrp", "--json"], "HR0501", 3),
    ] {
        let output = run(&mut hookrail(arguments), b"");
        let said = text(&output.stderr);
        let last: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_default();
        let error = &last["error"];
        assert_eq!(error["code"], code, "{arguments:?}: {said}");
        assert!(error["message"].is_string() && error["fix"].is_string(), "{said}");
        assert_eq!(error["retryable"], false, "{said}");
        assert_eq!((output.status.code(), &*output.stdout), (Some(exit), &b""[..]), "{arguments:?}: {said}");
    }
}

/// What the system refuses is told as what it is, with what can be done about it.
#[test]
fn what_the_system_refuses_has_its_own_words() {
    let directory = directory("errors_system");
    fs::create_dir(directory.join("d")).unwrap();
    fs::write(directory.join("f"), "").unwrap();
    symlink("loop", directory.join("loop")).unwrap();
    let long = "n".repeat(300);
    for (arguments, said, fix) in [
        (&["run", "loop"][..], "cannot read loop", "leads back to itself"),
        (&["inspect", "./loop"], "cannot read ./loop", "leads back to itself"),
        (&["--config", "loop", "plugin", "list"], "cannot read loop", "leads back to itself"),
        (&["run", &long], "cannot read n", "255 bytes"),
        (&["plugin", "install", &long], "cannot read n", "255 bytes"),
        (&["--home", &long, "plugin", "list"], "look for running hosts in n", "255 bytes"),
        (&["run", "d"], "cannot read d", "not a directory"),
        (&["--config", "d", "plugin", "list"], "cannot read d", "not a directory"),
        (&["run", "f/x"], "cannot read f/x", "a directory is a file"),
        (&["--home", "f", "plugin", "list"], "look for running hosts in f", "a directory is a file"),
        (&["keygen", "--no-password", "--key", "none/k"], "cannot write none/k", "how far it leads"),
    ] {
        let output = run(hookrail(arguments).current_dir(&directory), b"");
        let output = text(&output.stderr);
        assert!(output.contains(&format!("error[HR0501]: cannot {}", said.trim_start_matches("cannot "))), "{output}");
        assert!(output.lines().any(|line| line.starts_with("  fix: ") && line.contains(fix)), "{output}");
    }
    for (path, fix) in [("d", "not a directory"), ("f/x.sock", "a directory is a file")] {
        let output = run(hookrail(&["run", "-q", "--control", path]).current_dir(&directory), b"");
        let output = text(&output.stderr);
        assert!(output.contains("this run cannot be managed") && output.contains(fix), "{output}");
    }
}

/// Wherever the descriptors run out.
#[test]
fn too_few_descriptors_are_told_as_that() {
    let mut refused = 0;
    for limit in 6..24 {
        let mut command = hookrail(&["run", "-q", "--plugin", "hello"]);
        let raise = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        // SAFETY: after the fork it makes one system call.
        unsafe {
            command.pre_exec(move || {
                (libc::setrlimit(libc::RLIMIT_NOFILE, &raise) == 0).then_some(()).ok_or_else(io::Error::last_os_error)
            })
        };
        let output = run(&mut command, b"a line\n");
        let said = text(&output.stderr);
        if !output.status.success() {
            refused += 1;
            assert!(said.contains("Too many open files") && said.contains("raise `ulimit -n`"), "{limit}: {said}");
        }
    }
    assert!(refused > 3, "{refused}");
}

#[test]
fn a_user_without_a_home_is_told_so() {
    // SAFETY: a question.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: only root can become another user");
        return;
    }
    let directory = directory("errors_home");
    let output = |arguments: &[&str]| {
        let mut command = hookrail(arguments);
        // It has no line in /etc/passwd.
        command.env_remove("HOME").env_remove("HOOKRAIL_HOME").uid(54321).current_dir("/");
        command.output()
    };
    let Ok(refused) = output(&["config", "check"]) else {
        println!("skipped: the program cannot be run by another user");
        return;
    };
    let said = text(&refused.stderr);
    assert!(said.contains("error[HR0205]: `home` has no default: $HOME is not set"), "{said}");
    assert!(said.contains("--home DIR"), "{said}");
    let named = output(&["config", "check", "--home", directory.to_str().unwrap()]).unwrap();
    assert!(!text(&named.stderr).contains("HR0205"), "{}", text(&named.stderr));
}
