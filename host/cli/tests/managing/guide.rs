//! What guides show in their consoles is what somebody sees who types that. The guide `author-to-operator.md` is
//! followed word for word by its two people.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use hookrail_tests::cli::console::{Console, Typed, typed};
use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{PATIENT, directory};
use hookrail_tests::guide::Package;
use hookrail_tests::{own_target, plugin, root, tmp};

/// A program with the environment of one of the two: it finds the program, and a cargo that needs neither a network nor
/// another build of all dependencies.
fn command(program: &str, home: &str) -> Command {
    let work = tmp().join("guide");
    let beside = Path::new(env!("CARGO_BIN_EXE_hookrail")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:{}:{path}", work.join("bin").display(), beside.display()));
    command.env("CARGO", work.join("bin/cargo")).env("CARGO_NET_OFFLINE", "1");
    command.env("CARGO_TARGET_DIR", own_target("zoo")).env("GIT_CONFIG_GLOBAL", work.join("gitconfig"));
    for variable in ["HOOKRAIL_CONFIG", "HOOKRAIL_LOG", "HOOKRAIL_PLUGINS", "SOURCE_DATE_EPOCH"] {
        command.env_remove(variable);
    }
    command.env("HOOKRAIL_HOME", work.join(home));
    command
}

/// Prepares what the guide presupposes.
fn prepare() -> (Console, Console) {
    let work = directory("guide");
    for name in ["bin", "jane", "you"] {
        fs::create_dir(work.join(name)).unwrap();
    }
    // Debug builds, whose dependencies the zoo has.
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let script = format!(
        "#!/bin/bash\narguments=()\nfor argument; do [ \"$argument\" = --release ] || arguments+=(\"$argument\"); done\n\
         exec {cargo:?} \"${{arguments[@]}}\" --config=profile.dev.debug=false\n"
    );
    fs::write(work.join("bin/cargo"), script).unwrap();
    fs::set_permissions(work.join("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(work.join("gitconfig"), "[user]\nname = Jane\nemail = jane@example.org\n").unwrap();
    build_prebuilt();
    let console = |name: &str, shell| Console::new(&work.join(name), shell);
    (console("jane", || command("bash", "jane-home")), console("you", || command("bash", "home")))
}

/// Builds the plugins that every list shows.
fn build_prebuilt() {
    for name in ["exec", "file-log", "hello", "http", "mask", "stamp", "throttle"] {
        plugin(name);
    }
}

/// Changes a file as the guide tells the reader to.
fn edit(file: &Path, of: &str, by: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(of), "{} has no {of}", file.display());
    fs::write(file, text.replace(of, by)).unwrap();
}

#[test]
fn author_and_operator_see_what_the_guide_shows() {
    let page = fs::read_to_string(root().join("docs/guide/author-to-operator.md")).unwrap();
    let (mut jane, mut you) = prepare();
    let mut running: Option<(Live, _)> = None;
    for typed in typed(&page) {
        let words: Vec<_> = typed.command.split(' ').collect();
        let quiet = jane.directory.clone();
        match words[..] {
            ["git", "commit", ..] => {
                edit(&quiet.join("src/lib.rs"), "\"seen\"", "\"seen-2\"");
                edit(&quiet.join("Cargo.toml"), "version = \"0.1.0\"", "version = \"0.2.0\"");
            }
            ["hookrail", "keygen", ..] => {
                edit(&quiet.join("Cargo.toml"), concat!("TO", "DO: what it does, in one sentence."), "Marks messages.");
                edit(
                    &quiet.join("Cargo.toml"),
                    concat!("TO", "DO: the address of its source."),
                    "https://code.example/quiet",
                );
            }
            ["hookrail", "plugin", "upgrade", ..] => {
                let mut run = command(env!("CARGO_BIN_EXE_hookrail"), "home");
                run.args(["run", "-q", "--output-format", "json"]).current_dir(&you.directory).envs(PATIENT);
                let mut live = Live::start(&mut run);
                assert!(live.through("first").contains("seen"));
                let flood = live.flood();
                running = Some((live, flood));
            }
            _ => {}
        }
        match words[..] {
            // It takes long, and the tests of `hookrail new` do it.
            ["hookrail", "check", ..] => {}
            ["cargo" | "git", ..] => assert_eq!(jane.run(typed.command).0, 0, "{}", typed.command),
            ["cd", ..] | ["hookrail", "keygen" | "new" | "pack", ..] => jane.follow(&typed),
            _ => you.follow(&typed),
        }
        if let ["hookrail", "pack", ..] = words[..] {
            let (code, printed) = jane.run(&format!("cp ../jane.pub *.hrp *.minisig {:?}", you.directory));
            assert_eq!(code, 0, "{printed}");
        }
    }
    // The lines went on all the while.
    let (live, flood) = running.unwrap();
    let sent = flood.end();
    let (code, lines, said) = live.end();
    assert_eq!((code, lines.len() as u64), (Some(0), 1 + sent), "{said:?}");
}

/// The commands of a page on first plugins, but for those that take long, run until they are ended, or depend on how
/// soon the reader types the next one.
fn brief(page: &str) -> Vec<Typed<'_>> {
    const OTHERS: [&str; 9] =
        ["(sleep", "cargo", "cd", "hookrail check", "hookrail dev", "hookrail keygen", "hookrail sign", "make", "yes"];
    let is_brief = |typed: &Typed<'_>| !OTHERS.iter().any(|other| typed.command.starts_with(other));
    typed(page).into_iter().filter(is_brief).collect()
}

#[test]
fn an_author_sees_what_the_guides_on_first_plugins_show() {
    let read = |page: &str| fs::read_to_string(root().join("docs/guide").join(page)).unwrap();
    let page = read("first-plugin.md");
    let package = Package::new("shouting", &page);
    let built = package.build();
    let release = package.directory.join("target/release");
    fs::create_dir_all(release.parent().unwrap()).unwrap();
    // It is there from an earlier run.
    let _ = fs::remove_file(&release);
    symlink(built.parent().unwrap(), release).unwrap();
    let mut console = Console::new(&package.directory, || operator("bash", "first-plugins"));
    let commands = brief(&page);
    assert_eq!(commands.len(), 7, "{commands:?}");
    commands.iter().for_each(|typed| console.follow(typed));

    // As the checkout, with a place of its own for what is built there.
    let checkout = directory("first-plugin-in-c");
    symlink(root().join("abi"), checkout.join("abi")).unwrap();
    let page = read("first-plugin-in-c.md");
    let mut console = Console::new(&checkout, || operator("bash", "first-plugins"));
    let commands = brief(&page);
    assert_eq!(commands.len(), 3, "{commands:?}");
    commands.iter().for_each(|typed| console.follow(typed));
}

/// A program of somebody who operates hosts, and has set no variable. Everybody has a home of their own, where no host of
/// another test runs.
fn operator(program: &str, home: &str) -> Command {
    let mut command = command(program, "");
    command.env_remove("HOOKRAIL_HOME").env("HOME", tmp().join(home));
    command
}

#[test]
fn an_operator_sees_what_the_guide_and_the_readme_show() {
    build_prebuilt();
    let directory = directory("operating");
    fs::create_dir(directory.join("target")).unwrap();
    let beside = Path::new(env!("CARGO_BIN_EXE_hookrail")).parent().unwrap();
    symlink(beside, directory.join("target/release")).unwrap();
    let mut console = Console::new(&directory, || operator("bash", "operating/ada"));
    let mut running = None;
    for page in ["docs/guide/operating.md", "README.md"] {
        let page = fs::read_to_string(root().join(page)).unwrap();
        let page = page.replace("/home/ada", directory.join("ada").to_str().unwrap());
        for typed in typed(&page) {
            match typed.command.split(' ').collect::<Vec<_>>()[..] {
                ["cat", file] => fs::write(directory.join(file), typed.shown.join("\n")).unwrap(),
                // Those show how something is written, need a PID, or run until they are ended.
                _ if typed.shown.is_empty() || typed.command.contains("| nc ") => {}
                ["cargo", ..] | ["hookrail", "run", "--watch"] => {}
                ["hookrail", "plugin", verb, ..] => {
                    running.get_or_insert_with(|| {
                        let mut run = operator(env!("CARGO_BIN_EXE_hookrail"), "operating/ada");
                        run.args(["run", "-q", "--plugin", "hello"]).current_dir(&directory).envs(PATIENT);
                        let mut live = Live::start(&mut run);
                        assert_eq!(live.through("a line"), "a line");
                        live
                    });
                    console.follow(&typed);
                    running.take_if(|_| verb == "show");
                }
                _ => console.follow(&typed),
            }
        }
    }
}

#[test]
fn whoever_runs_a_plugin_in_its_own_process_sees_what_the_guide_shows() {
    let work = directory("own-process");
    let examples = work.join("abi/examples/c");
    fs::create_dir_all(&examples).unwrap();
    symlink(root().join("abi/include"), work.join("abi/include")).unwrap();
    fs::copy(root().join("abi/examples/c/colons.c"), examples.join("colons.c")).unwrap();
    let page = fs::read_to_string(root().join("docs/guide/own-process.md")).unwrap();
    let page = page.replace("/home/ada", work.to_str().unwrap());
    let mut console = Console::new(&work, || operator("bash", "own-process"));
    for typed in typed(&page) {
        match typed.command.strip_prefix("cat ") {
            Some(file) => fs::write(work.join(file), typed.shown.join("\n")).unwrap(),
            None => console.follow(&typed),
        }
    }
}
