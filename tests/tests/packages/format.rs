//! Packages are made and read, and other programs see in them what we see.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail::inspect;
use hookrail::package::{
    Build, Builder, Compatibility, Content, Error, Metadata, Package, Target, fits_here, libc_here, write,
};
use hookrail_tests::{has_peer, plugin};

/// A package of the plugin `hello`, in a directory of its own.
fn packed(directory: &Path, change: impl FnOnce(&mut Metadata, &mut Vec<Content>)) -> Result<PathBuf, Error> {
    let library = plugin("hello");
    let inspection = inspect(&library).unwrap();
    let path = |text: &str| text.parse().unwrap();
    let readme = directory.join("README.md");
    fs::write(&readme, "# hello\n").unwrap();
    let content = |to: &str, from: &Path| Content::new(path(to), from);
    let inside = format!("lib/{}/libhookrail_hello.so", Target::HERE);
    let mut contents = vec![content(&inside, &library), content("README.md", &readme)];
    let note = inspection.note;
    let builder = Builder::new("The Hookrail developers", "hookrail@example.org");
    let any = || "~> 1.0".parse().unwrap();
    let version = note.version.parse().unwrap();
    let mut metadata = Metadata::new(note, version, builder, Compatibility::new(any(), any()));
    metadata.description = "Greets every message.".into();
    metadata.built_at = "2026-11-21T10:20:30Z".into();
    metadata.authors = vec!["The Hookrail developers <hookrail@example.org>".into()];
    metadata.source = "https://example.org/hookrail".into();
    metadata.functionality = vec!["message_processing".to_owned().try_into().unwrap()];
    metadata.targets = vec![Build::new(Target::HERE, libc_here(), path(&inside))];
    change(&mut metadata, &mut contents);
    write(metadata, contents, directory, None).map(|(path, _)| path)
}

#[test]
fn a_package_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = packed(directory.path(), |_, _| ()).unwrap();
    assert_eq!(path.file_name().unwrap(), "hello-1.0.0.hrp");
    let mut package = Package::open(&path).unwrap();
    package.verify().unwrap();
    let build = fits_here(package.metadata()).unwrap();
    assert_eq!(build.target, Target::HERE);
    let mut seen = Vec::new();
    package
        .unpack::<Error>(&mut |unpacked| {
            let mut bytes = Vec::new();
            unpacked.bytes.read_to_end(&mut bytes).unwrap();
            seen.push((unpacked.file.path.to_string(), bytes.len() as u64));
            Ok(())
        })
        .unwrap();
    let size = fs::metadata(plugin("hello")).unwrap().len();
    assert_eq!(seen, [("README.md".into(), 8), (format!("lib/{}/libhookrail_hello.so", Target::HERE), size)]);
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = |directory: &tempfile::TempDir, reversed: bool| {
        let path = packed(directory.path(), |_, contents| {
            if reversed {
                contents.reverse()
            }
        })
        .unwrap();
        fs::read(path).unwrap()
    };
    assert!(bytes(&one, false) == bytes(&other, true));
}

/// What a program says on stdout.
fn said(program: &str, args: &[&str], directory: &Path) -> String {
    let output = Command::new(program).args(args).current_dir(directory).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn stock_programs_see_in_a_package_what_we_see() {
    if !has_peer("unzip", "unzip") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = packed(directory.path(), |_, _| ()).unwrap();
    let package = Package::open(&path).unwrap();
    let metadata = package.metadata();
    said("unzip", &["-q", "hello-1.0.0.hrp"], directory.path());
    assert_eq!(fs::metadata(directory.path().join("hello-1.0.0.tar")).unwrap().len(), metadata.tar.size);
    let sum = said("sha256sum", &["hello-1.0.0.tar"], directory.path());
    assert_eq!(sum.split(' ').next().unwrap(), metadata.tar.sha256.to_string());
    let json = fs::read(directory.path().join("hello-1.0.0.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Metadata>(&json).unwrap(), *metadata);
    said("tar", &["xf", "hello-1.0.0.tar"], directory.path());
    for file in &metadata.files {
        let inside = format!("hello/{}", file.path);
        let sum = said("sha256sum", &[&inside], directory.path());
        assert_eq!(sum.split(' ').next().unwrap(), file.sha256.to_string(), "{inside}");
    }
}

/// Somebody packs by hand, with the stock programs.
#[test]
fn packages_of_stock_programs_are_read() {
    if !has_peer("unzip", "unzip") || !has_peer("zip", "zip") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = packed(directory.path(), |_, _| ()).unwrap();
    said("unzip", &["-q", "hello-1.0.0.hrp"], directory.path());
    said("tar", &["xf", "hello-1.0.0.tar"], directory.path());
    fs::remove_file(&path).unwrap();
    fs::remove_file(directory.path().join("hello-1.0.0.tar")).unwrap();
    // With directories of its own, in any order, and with the day of the year in it.
    said("tar", &["cf", "hello-1.0.0.tar", "hello"], directory.path());
    let sum = said("sha256sum", &["hello-1.0.0.tar"], directory.path());
    let json = directory.path().join("hello-1.0.0.json");
    let mut metadata: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    metadata["tar"]["sha256"] = sum.split(' ').next().unwrap().into();
    metadata["tar"]["size"] = fs::metadata(directory.path().join("hello-1.0.0.tar")).unwrap().len().into();
    fs::write(&json, metadata.to_string()).unwrap();
    said("zip", &["-q", "hello-1.0.0.hrp", "hello-1.0.0.tar", "hello-1.0.0.json"], directory.path());
    Package::open(&path).unwrap().verify().unwrap();
}

/// What is published for people and programs that make packages by hand.
#[test]
fn the_schema_of_the_metadata_is_the_one_in_the_documents() {
    let file = hookrail_tests::root().join("docs/package.schema.json");
    let schema = format!("{:#}\n", Metadata::schema());
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        fs::write(&file, &schema).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == schema, "HOOKRAIL_BLESS=1 writes it again");
}
