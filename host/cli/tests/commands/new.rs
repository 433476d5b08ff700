//! `hookrail new`: what it makes builds, passes its own tests and `hookrail check`, without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::{has_peer, own_target};
use serde_json::Value;

/// Makes one; returns its directory.
pub(crate) fn made(test: &str, arguments: &[&str]) -> PathBuf {
    let directory = directory(&format!("new_{test}"));
    let output = run(hookrail(&["new"]).args(arguments).arg("--json").current_dir(&directory), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    directory.join(made["directory"].as_str().unwrap())
}

/// What the error says.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let directory = directory("new_refused");
    fs::create_dir(directory.join("there")).unwrap();
    fs::write(directory.join("there/file"), "").unwrap();
    let output = run(hookrail(&["new"]).args(arguments).current_dir(&directory), b"");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
    let left: Vec<_> = fs::read_dir(&directory).unwrap().collect();
    assert_eq!(left.len(), 1, "{arguments:?}: {left:?}");
    text(&output.stderr).to_owned()
}

pub(crate) fn succeeds(command: &mut Command) -> String {
    let output = run(command, b"");
    assert!(output.status.success(), "{command:?}: {}\n{}", text(&output.stderr), text(&output.stdout));
    text(&output.stdout).to_owned()
}

/// Without a network, and without debug information, as the zoo is built, whose dependencies it has.
pub(crate) fn cargo(package: &Path, arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(package).args(arguments).arg("--config=profile.dev.debug=false");
    command.env("CARGO_TARGET_DIR", own_target("zoo")).env("CARGO_NET_OFFLINE", "1");
    succeeds(&mut command)
}

fn passes_its_checks(library: &Path) {
    let checked = succeeds(hookrail(&["check"]).arg(library));
    assert!(checked.contains(" passed") && !checked.contains(" failed"), "{checked}");
}

#[test]
fn a_crate_with_the_sources_that_the_program_carries_works_at_once() {
    let package = made("carried", &["rate-limit", "--priority", "300", "--abi", "carried"]);
    cargo(&package, &["test", "--quiet"]);
    let cost = cargo(&package, &["bench", "--profile", "dev", "--bench", "cost"]);
    assert!(cost.contains("mark: ") && cost.contains(" ns a call"), "{cost}");
    cargo(&package, &["build"]);
    passes_its_checks(&own_target("zoo").join("debug/librate_limit.so"));
}

#[test]
fn a_crate_for_any_point_works_at_once() {
    let abi = hookrail_tests::root();
    let abi = abi.to_str().unwrap();
    for point in ["message.delivered", "message.dropped"] {
        let name = point.replace('.', "-");
        let package = made(&name, &[&name, "--point", point, "--priority", "-7", "--abi", abi]);
        cargo(&package, &["test", "--quiet"]);
    }
    let package = made("publish", &["first", "--priority", "1500", "--abi", abi]);
    cargo(&package, &["build"]);
    let library = own_target("zoo").join("debug/libfirst.so");
    let out = run(hookrail(&["run", "--output-format", "json", "--plugin"]).arg(library), b"a line\n");
    assert!(text(&out.stdout).contains(r#"["first","seen"]"#), "{}", text(&out.stdout));
}

/// A crate of points in a directory of its own; returns it.
fn points_crate(test: &str, abi: &str) -> PathBuf {
    let points = directory(&format!("new_points_{test}")).join("points");
    fs::create_dir_all(points.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"gate-points\"\nversion = \"0.3.0\"\nedition = \"2024\"\n[dependencies]\nhookrail-abi = {abi}\n[workspace]\n"
    );
    fs::write(points.join("Cargo.toml"), manifest).unwrap();
    let payload = "use hookrail_abi::{Payload, Text, points};\n\n#[repr(C)]\n#[derive(Payload, Clone)]\npub struct Ask {\n    pub who: Text,\n}\n\n";
    let root = "points! {\n    // SAFETY: it owns its text.\n    pub unsafe local Opened: \"gate.opened\", 1, Notify<Ask>;\n}\n";
    fs::write(points.join("src/lib.rs"), format!("pub mod asking;\n\n{payload}{root}")).unwrap();
    let module = "use hookrail_abi::points;\n\nuse crate::Ask;\n\npoints! {\n    // SAFETY: it owns its text.\n    pub unsafe local Asked: \"gate.asked\", 1, Gate<Ask>;\n}\n";
    fs::write(points.join("src/asking.rs"), module).unwrap();
    points
}

/// The gateway is the example of the guide to embedding.
#[test]
fn a_crate_for_a_point_of_another_program_works_at_once() {
    let gateway = hookrail_tests::root().join("host/examples/gateway/points");
    let abi = format!("{{ path = {:?} }}", hookrail_tests::root().join("abi"));
    let gate = points_crate("works", &abi);
    for (point, crate_) in [("gateway.request", &gateway), ("gate.opened", &gate), ("gate.asked", &gate)] {
        let name = point.replace('.', "-");
        let crate_ = crate_.to_str().unwrap();
        let package = made(&name, &[&name, "--point", point, "--points-crate", crate_, "--priority", "300"]);
        cargo(&package, &["test", "--quiet"]);
        cargo(&package, &["build"]);
        let library = own_target("zoo").join(format!("debug/lib{}.so", name.replace('-', "_")));
        let seen: Value = serde_json::from_str(&succeeds(hookrail(&["inspect", "--json"]).arg(&library))).unwrap();
        assert_eq!(seen["note"]["hooks"][0]["point"], point, "{seen}");
        succeeds(hookrail(&["check", "--quick"]).arg(&library));
    }
}

#[test]
fn a_crate_of_points_is_found_where_its_plugins_find_it() {
    let manifest = |test: &str, abi: &str, version: &str| {
        let points = points_crate(test, abi);
        let at = format!("{}{version}", points.display());
        let arguments = ["watcher", "--point", "gate.opened", "--points-crate", &at, "--priority", "300"];
        fs::read_to_string(made(test, &arguments).join("Cargo.toml")).unwrap()
    };
    let written = manifest("of_registry", "\"1.0\"", "@0.3");
    assert!(written.contains("gate-points = \"0.3\"\n") && written.contains("hookrail-abi = \"^1.0\"\n"), "{written}");
    let git = "{ git = \"https://code.example/h\", branch = \"main\" }";
    let written = manifest("of_git", git, "");
    assert!(written.contains("gate-points = { path = \"../../new_points_of_git/points\" }\n"), "{written}");
    assert!(written.contains(&format!("hookrail-abi = {git}\n")), "{written}");
    assert!(!written.contains(points_crate("of_git", git).to_str().unwrap()), "{written}");
}

/// What is committed goes to other machines.
#[test]
fn no_file_of_a_new_plugin_names_a_directory_of_this_machine() {
    let checkout = hookrail_tests::root();
    let points = checkout.join("host/examples/gateway/points");
    let linked = &["--abi", checkout.to_str().unwrap()][..];
    let own = &["--point", "gateway.request", "--points-crate", points.to_str().unwrap()][..];
    for (name, more) in [("plain", &[][..]), ("plain-c", &["--lang", "c"]), ("linked", linked), ("own", own)] {
        let directory = made(&format!("clone_{name}"), &[&[name, "--priority", "5"], more].concat());
        let mut below = vec![directory];
        while let Some(path) = below.pop() {
            if path.is_dir() {
                below.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            // Where the target directory lies elsewhere, a relative path leads by the root of the system.
            let relative = format!("..{}", checkout.to_str().unwrap());
            let text = fs::read_to_string(&path).unwrap().replace(&relative, "..");
            assert!(!text.contains(checkout.to_str().unwrap()), "{}: {text}", path.display());
        }
    }
    // By default, all that it needs is in the repository of its author.
    let manifest = fs::read_to_string(made("default", &["plain", "--priority", "5"]).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("hookrail-abi = { path = \"hookrail/abi\" }"), "{manifest}");
}

/// One that is linked may be in another repository.
#[test]
fn what_a_clone_would_lack_is_said() {
    let said = |test: &str, is_in_it: bool| {
        let directory = directory(&format!("new_lacks_{test}"));
        fs::create_dir_all(directory.join("abi/include")).unwrap();
        fs::write(directory.join("abi/Cargo.toml"), "").unwrap();
        fs::write(directory.join("abi/include/hookrail.h"), "").unwrap();
        let repository = if is_in_it { directory.clone() } else { directory.join("mine") };
        fs::create_dir_all(repository.join(".git")).unwrap();
        let mut new = hookrail(&["new", "a", "--priority", "5", "--abi", "abi", "--directory", "mine/a"]);
        let output = run(new.current_dir(&directory), b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).to_owned()
    };
    let inside = said("nothing", true);
    assert!(!inside.contains("whoever clones"), "{inside}");
    let outside = said("outside", false);
    assert!(outside.contains("Cargo.toml names ../../abi, which is not in one repository with it"), "{outside}");
}

#[test]
fn a_c_source_works_at_once() {
    if !has_peer("cc", "gcc") || !has_peer("make", "make") {
        return;
    }
    for point in ["message.publish", "message.delivered", "message.dropped"] {
        let name = format!("c-{}", point.replace('.', "-"));
        let directory = made(&name, &[&name, "--point", point, "--priority", "40", "--lang", "c"]);
        succeeds(Command::new("make").arg("CFLAGS=-Werror").current_dir(&directory));
        let library = directory.join(format!("lib{}.so", name.replace('-', "_")));
        let test = || {
            let output = run(Command::new("make").arg("test").current_dir(&directory), b"");
            (output.status.success(), text(&output.stderr).to_owned())
        };
        let (passes, said) = test();
        assert!(passes && said.is_empty(), "{said}");
        if point == "message.publish" {
            let plugin = directory.join("plugin.c");
            let source = fs::read_to_string(&plugin).unwrap();
            fs::write(&plugin, source.replace("\"seen\"", "\"missed\"")).unwrap();
            let (passes, said) = test();
            assert!(!passes && said.contains("not so: header != NULL"), "{said}");
            fs::write(&plugin, source).unwrap();
            passes_its_checks(&library);
        } else {
            succeeds(hookrail(&["hooks", "show", point, "--plugin"]).arg(&library));
        }
    }
}

/// From nothing to messages that pass it, as its README and the guides say.
#[test]
fn a_c_source_becomes_a_package_that_is_installed_and_runs() {
    if !has_peer("cc", "gcc") || !has_peer("make", "make") {
        return;
    }
    let directory = made("c_whole", &["quiet-c", "--priority", "400", "--lang", "c"]);
    let above = directory.parent().unwrap();
    let in_its_directory = |mut command: Command| {
        let program = Path::new(env!("CARGO_BIN_EXE_hookrail")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap();
        command.current_dir(&directory).env("HOOKRAIL_HOME", above.join("home")).env("PATH", path);
        command
    };
    let ok = |arguments: &[&str]| succeeds(&mut in_its_directory(hookrail(arguments)));
    let make = |arguments: &[&str]| {
        let mut make = Command::new("make");
        make.args(arguments).env("SOURCE_DATE_EPOCH", "1700000000");
        run(&mut in_its_directory(make), b"")
    };
    assert!(make(&[]).status.success());
    ok(&["check", "--quick", "./libquiet_c.so"]);
    let manifest = directory.join("hookrail-package.toml");
    completed(&manifest);
    let packed = make(&["package"]);
    assert!(packed.status.success(), "{}", text(&packed.stderr));
    let key = above.join("jane.key");
    ok(&["keygen", "--key", key.to_str().unwrap(), "--no-password"]);
    ok(&["sign", "quiet-c-0.1.0.hrp", "--key", key.to_str().unwrap()]);
    ok(&["trust", "add", key.with_extension("pub").to_str().unwrap(), "--name", "Jane"]);
    ok(&["plugin", "install", "quiet-c-0.1.0.hrp"]);
    ok(&["plugin", "enable", "quiet-c"]);
    let out = run(&mut in_its_directory(hookrail(&["run", "--output-format", "json"])), b"a line\n");
    assert!(text(&out.stdout).contains(r#"["quiet-c","seen"]"#), "{}", text(&out.stderr));

    // Nothing but its author keeps the two versions the same.
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace("0.1.0", "0.2.0")).unwrap();
    let packed = make(&["package"]);
    assert!(!packed.status.success());
    let said = text(&packed.stderr);
    assert!(said.contains("HR0621") && said.contains("says quiet-c 0.2.0, and the library quiet-c 0.1.0"), "{said}");
}

/// Fills in what only the author knows.
pub(crate) fn completed(manifest: &Path) {
    let text = fs::read_to_string(manifest).unwrap();
    let text = text.replace(concat!("TO", "DO: what it does, in one sentence."), "Marks messages.");
    let text = text.replace(concat!("TO", "DO: the address of its source."), "https://code.example/quiet");
    let text = text.replace("Your Name <you@example.org>", "Jane Doe <jane@example.org>");
    fs::write(manifest, text).unwrap();
}

#[test]
fn what_a_template_leaves_to_its_author_is_not_packed() {
    for (language, name, file, library) in [
        ("rust", "left", "Cargo.toml", &[][..]),
        ("c", "left-c", "hookrail-package.toml", &["--lib", "x86_64-unknown-linux-gnu=libleft_c.so"]),
    ] {
        let directory = made(name, &[name, "--priority", "1", "--lang", language]);
        let manifest = directory.join(file);
        let packed = || {
            let mut pack = hookrail(&["pack"]);
            pack.args(library).current_dir(&directory);
            let output = run(&mut pack, b"");
            assert_eq!(output.status.code(), Some(2), "{language}: {}", text(&output.stderr));
            text(&output.stderr).to_owned()
        };
        let text = fs::read_to_string(&manifest).unwrap();
        let by = text.lines().find(|line| line.starts_with("authors = ")).unwrap();
        let text = text.replace(by, "authors = [\"Your Name <you@example.org>\"]");
        fs::write(&manifest, text.replace(concat!("TO", "DO: the address of its source."), "https://example.com/left"))
            .unwrap();
        let said = packed();
        for left in [
            &*format!("error[HR0621]: cannot pack {name}: its {file} lacks\n"),
            concat!("\n    `description`: `TO", "DO: what it does, in one sentence.` is a placeholder\n"),
            "\n    `authors`: `Your Name <you@example.org>` is a placeholder\n",
            "\n    `repository`: `https://example.com/left` is a placeholder\n",
        ] {
            assert!(said.contains(left), "{language}: no {left} in {said}");
        }
    }
}

/// What signs for its author is not to be committed by mistake.
#[test]
fn keys_are_not_put_under_version_control() {
    for (language, name) in [("c", "ignoring-c"), ("rust", "ignoring")] {
        let directory = made(name, &[name, "--priority", "1", "--lang", language]);
        let ignored = fs::read_to_string(directory.join(".gitignore")).unwrap();
        assert!(ignored.lines().any(|line| line == "*.key"), "{language}: {ignored}");
    }
}

#[test]
fn a_refused_name_or_option_leaves_nothing() {
    let gateway = hookrail_tests::root().join("host/examples/gateway/points");
    let gateway = gateway.to_str().unwrap();
    for (arguments, why) in [
        (&["mask", "--priority", "1000"][..], "kept for the host"),
        (&["mask"], "--priority"),
        (&["Mask", "--priority", "1"], "lower-case"),
        (&["fn", "--priority", "1"], "means something else"),
        (&["mask", "--priority", "1", "--point", "client.check_acl"], "client.authorize"),
        (&["mask", "--priority", "1", "--point", "client.connect"], "planned"),
        (&["mask", "--priority", "1", "--point", "nowhere"], "no hook point"),
        (&["mask", "--priority", "1", "--point", "nowhere"], "--points-crate PATH"),
        (&["mask", "--priority", "1", "--abi", "/nowhere"], "--abi"),
        (&["mask", "--priority", "1", "--point", "a.b", "--points-crate", "/nowhere"], "HR0612"),
        (&["mask", "--priority", "1", "--point", "a.b", "--points-crate", gateway], "gateway.request, gateway.sign_in"),
        (&["mask", "--priority", "1", "--point", "a.b", "--points-crate", gateway, "--lang", "c"], "needs a header"),
        (&["there", "--priority", "1"], "not empty"),
    ] {
        let said = refused(arguments);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
