//! Packages and keys, by the program: what it packs and signs, it and the stock `minisign` verify.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hookrail_tests::cli::stocked::{Stocked, packages};
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::{has_peer, plugin};
use serde_json::Value;

const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// A crate whose library is the plugin `hello`, which is built already, and a home with a key.
struct Scene {
    directory: PathBuf,
}

const MANIFEST: &str = r#"[package]
name = "hello"
version = "1.0.0"
edition = "2024"
description = "Greets every message."
authors = ["Jane Doe <jane@example.org>"]
repository = "https://code.example/hello"
[lib]
crate-type = ["cdylib"]
[package.metadata.hookrail]
functionality = ["message_processing", "x-greeting"]
[workspace]
"#;

impl Scene {
    fn new(test: &str) -> Self {
        let scene = Scene { directory: directory(&format!("package_{test}")) };
        fs::create_dir(scene.directory.join("src")).unwrap();
        fs::write(scene.directory.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
        fs::write(scene.directory.join("Cargo.toml"), MANIFEST).unwrap();
        fs::write(scene.directory.join("README.md"), "# hello\n").unwrap();
        scene
    }

    fn with_key(test: &str) -> Self {
        let scene = Scene::new(test);
        scene.ok(&["keygen", "--key", "me.key", "--no-password"]);
        scene
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = hookrail(arguments);
        command.current_dir(&self.directory).env("HOOKRAIL_HOME", self.directory.join("home"));
        command.env("SOURCE_DATE_EPOCH", "1700000000").env("CARGO_NET_OFFLINE", "1");
        run(&mut command, b"")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    /// What it says of an error, which has that code of the program.
    fn refused(&self, arguments: &[&str], exit: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr).to_owned()
    }

    fn pack(&self, more: &[&str]) -> PathBuf {
        let library = format!("{TARGET}={}", plugin("hello").display());
        let mut arguments = vec!["pack", ".", "--lib", &library];
        arguments.extend(more);
        PathBuf::from(self.ok(&arguments).trim())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

#[test]
fn a_signed_package_is_verified_where_its_key_is_trusted() {
    let scene = Scene::with_key("signed");
    let package = scene.pack(&["--sign", "--key", "me.key"]);
    assert_eq!(package, Path::new("./hello-1.0.0.hrp"));
    let said = scene.refused(&["verify", "hello-1.0.0.hrp"], 7);
    assert!(said.contains("HR0809") && said.contains("hookrail trust add"), "{said}");
    scene.ok(&["trust", "add", "me.pub", "--name", "Jane"]);
    let verified: Value = serde_json::from_str(&scene.ok(&["verify", "hello-1.0.0.hrp", "--json"])).unwrap();
    assert_eq!(verified["signed"]["name"], "Jane");
    assert_eq!(verified["unfit"], Value::Null);
    assert_eq!(
        (&verified["built_by"]["name"], &verified["built_by"]["key"]),
        (&"Jane".into(), &trusted(&scene).into())
    );
    assert_eq!(verified["metadata"]["hooks"][0]["point"], "message.publish");
    assert_eq!(verified["metadata"]["functionality"][1], "x-greeting");
    // The library takes a configuration, so its schema is there too.
    let paths: Vec<_> = verified["metadata"]["files"].as_array().unwrap().iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, ["README.md", "etc/hello.schema.json", &format!("lib/{TARGET}/libhello.so")]);

    scene.ok(&["trust", "revoke", &trusted(&scene), "--reason", "it was lost", "--yes"]);
    let said = scene.refused(&["verify", "hello-1.0.0.hrp"], 7);
    assert!(said.contains("HR0814") && said.contains("it was lost"), "{said}");
    let said = scene.refused(&["trust", "add", "me.pub", "--name", "Jane"], 7);
    assert!(said.contains("HR0814"), "{said}");
}

/// The number of the one key that is trusted.
fn trusted(scene: &Scene) -> String {
    let listed = scene.ok(&["trust", "list"]);
    let row = listed.lines().nth(1).unwrap();
    row.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn minisign_verifies_ours_and_we_its() {
    if !has_peer("minisign", "minisign") {
        return;
    }
    let scene = Scene::with_key("minisign");
    scene.pack(&["--sign", "--key", "me.key"]);
    let minisign = |arguments: &[&str]| {
        let mut command = Command::new("minisign");
        let output = run(command.args(arguments).current_dir(&scene.directory), b"");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    };
    minisign(&["-Vm", "hello-1.0.0.hrp", "-p", "me.pub"]);
    // Theirs: a key of minisign, and its signature of our package.
    minisign(&["-G", "-W", "-p", "their.pub", "-s", "their.key"]);
    minisign(&["-Sm", "hello-1.0.0.hrp", "-s", "their.key", "-t", "looks good"]);
    let said = scene.ok(&["verify", "hello-1.0.0.hrp", "--key", "their.pub"]);
    assert!(said.contains("looks good"), "{said}");
    // With the comment that it writes itself, which has tabs.
    minisign(&["-Sm", "hello-1.0.0.hrp", "-s", "their.key"]);
    let said = scene.ok(&["verify", "hello-1.0.0.hrp", "--key", "their.pub"]);
    assert!(said.contains("file:hello-1.0.0.hrp\t"), "{said}");
    scene.ok(&["trust", "add", "their.pub", "--name", "They"]);
    scene.ok(&["verify", "hello-1.0.0.hrp"]);
    // And our signature with a key of theirs.
    scene.ok(&["sign", "hello-1.0.0.hrp", "--key", "their.key", "--yes"]);
    minisign(&["-Vm", "hello-1.0.0.hrp", "-p", "their.pub"]);
}

#[test]
fn a_password_keeps_a_key() {
    let scene = Scene::new("password");
    let with = |password: Option<&str>, arguments: &[&str]| {
        let mut command = hookrail(arguments);
        command.current_dir(&scene.directory).env("HOOKRAIL_HOME", scene.directory.join("home"));
        password.inspect(|password| _ = command.env("HOOKRAIL_KEY_PASSWORD", password));
        run(&mut command, b"")
    };
    assert!(with(Some("secret"), &["keygen"]).status.success());
    let file = scene.path("home/hookrail.key");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    assert!(with(Some("secret"), &["sign", "README.md"]).status.success());
    let wrong = with(Some("Secret"), &["sign", "README.md"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("HR0620"), "{}", text(&wrong.stderr));
}

#[test]
fn the_same_crate_gives_the_same_bytes() {
    let (one, other) = (Scene::new("same_one"), Scene::new("same_other"));
    let bytes = |scene: &Scene| fs::read(scene.directory.join(scene.pack(&[]))).unwrap();
    assert!(bytes(&one) == bytes(&other));
}

#[test]
fn a_changed_package_or_signature_is_refused() {
    let scene = Scene::with_key("changed");
    scene.pack(&["--sign", "--key", "me.key"]);
    scene.ok(&["trust", "add", "me.pub", "--name", "Jane"]);
    let package = scene.path("hello-1.0.0.hrp");
    let good = fs::read(&package).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(&package, bad).unwrap();
    let said = scene.refused(&["verify", "hello-1.0.0.hrp"], 7);
    assert!(said.contains("HR0807") && said.contains("not the one that was signed"), "{said}");
    fs::write(&package, good).unwrap();
    scene.ok(&["verify", "hello-1.0.0.hrp"]);

    let signature = scene.path("hello-1.0.0.hrp.minisig");
    fs::write(&signature, "this is none").unwrap();
    assert!(scene.refused(&["verify", "hello-1.0.0.hrp"], 7).contains("HR0807"));
    fs::remove_file(&signature).unwrap();
    assert!(scene.refused(&["verify", "hello-1.0.0.hrp"], 7).contains("HR0810"));
}

#[test]
fn an_unpackable_crate_is_refused_with_all_that_it_lacks() {
    let scene = Scene::new("lacking");
    let bare = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    fs::write(scene.path("Cargo.toml"), bare).unwrap();
    let said = scene.refused(&["pack"], 2);
    for lacking in ["`description`", "`authors", "`repository`", "`functionality", "`builder"] {
        assert!(said.contains(lacking), "{lacking} in {said}");
    }
    fs::write(scene.path("Cargo.toml"), MANIFEST.replace("message_processing", "cooking")).unwrap();
    let said = scene.refused(&["pack"], 2);
    assert!(said.contains("`cooking` is none of authentication"), "{said}");
    // A library for another machine than it says.
    fs::write(scene.path("Cargo.toml"), MANIFEST).unwrap();
    let other = if TARGET.starts_with('x') { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
    let said = scene.refused(&["pack", "--lib", &format!("{other}={}", plugin("hello").display())], 5);
    assert!(said.contains("HR0307"), "{said}");
    assert!(!scene.path("hello-1.0.0.hrp").exists());
}

/// A manifest beside libraries that something else has built is read as it stands: without cargo, and without
/// targets of cargo's.
#[test]
fn a_package_of_given_libraries_needs_no_crate() {
    let scene = Scene::new("given");
    let bare = MANIFEST.replace("[lib]\ncrate-type = [\"cdylib\"]\n", "");
    let library = format!("{TARGET}={}", plugin("hello").display());
    let packed = |source: bool| {
        let mut arguments = vec!["pack", ".", "--lib", &library, "--json"];
        arguments.extend(source.then_some("--source"));
        let mut command = hookrail(&arguments);
        command.current_dir(&scene.directory).env("SOURCE_DATE_EPOCH", "1700000000").env("CARGO", "/nowhere");
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    // What a crate takes from its workspace is that of this one.
    let workspace = "[workspace.package]\nauthors = [\"Ann <ann@example.org>\"]\n";
    let own = "authors = [\"Jane Doe <jane@example.org>\"]";
    fs::remove_dir_all(scene.path("src")).unwrap();
    fs::write(
        scene.path("Cargo.toml"),
        bare.replace(own, "authors.workspace = true").replace("[workspace]\n", workspace),
    )
    .unwrap();
    assert_eq!(packed(false)["authors"][0], "Ann <ann@example.org>");

    fs::remove_file(scene.path("Cargo.toml")).unwrap();
    let said = scene.refused(&["pack", ".", "--lib", &library], 2);
    assert!(said.contains("neither Cargo.toml nor hookrail-package.toml"), "{said}");
    fs::write(scene.path("hookrail-package.toml"), &bare).unwrap();
    fs::write(scene.path("plugin.c"), "").unwrap();
    let metadata = packed(true);
    assert_eq!(metadata["authors"][0], "Jane Doe <jane@example.org>");
    let paths: Vec<_> =
        metadata["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert!(["hookrail-package.toml", "plugin.c"].iter().all(|path| paths.contains(path)), "{paths:?}");
    let said = scene.refused(&["pack"], 2);
    assert!(said.contains("HR0621") && said.contains("--lib TARGET=FILE"), "{said}");
    fs::write(scene.path("hookrail-package.toml"), "[package]\nname = \"hello\"\n").unwrap();
    let said = scene.refused(&["pack", ".", "--lib", &library], 2);
    assert!(said.contains("its hookrail-package.toml lacks") && said.contains("`description`"), "{said}");
}

#[test]
fn a_home_that_others_can_write_is_trusted_with_nothing() {
    let scene = Scene::with_key("open_home");
    scene.ok(&["trust", "add", "me.pub", "--name", "Jane"]);
    let home = scene.path("home");
    fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o770)).unwrap();
    let said = scene.refused(&["trust", "list"], 7);
    assert!(said.contains("HR0813") && said.contains("chmod go-w"), "{said}");
}

/// Opening a pipe waits for a writer, and there is none.
#[test]
fn a_pipe_in_place_of_a_signature_holds_up_nobody() {
    let home = Stocked::new("piped");
    let place = |directory: &Path| {
        fs::create_dir_all(directory).unwrap();
        let package = directory.join("screen-1.0.0.hrp");
        fs::copy(packages().join("screen-1.0.0.hrp"), &package).unwrap();
        let pipe = directory.join("screen-1.0.0.hrp.minisig");
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        package.to_str().unwrap().to_owned()
    };
    let package = place(&directory("piped_package"));
    let said = home.refused(&["verify", &package], "HR0807", 7);
    assert!(said.contains("screen-1.0.0.hrp.minisig: it is a special file"), "{said}");
    home.refused(&["plugin", "install", &package], "HR0807", 7);
    home.ok(&["inspect", &package]);
    let dropped = place(&home.home.join("incoming"));
    let ran = run(&mut home.command(&["run"]), b"a\n");
    assert_eq!(text(&ran.stdout), "a\n", "{}", text(&ran.stderr));
    assert!(home.ok(&["plugin", "import-incoming"]).contains("error[HR0807]"), "{dropped}");
}
