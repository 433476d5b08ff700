//! Creates homes, and signed packages of any number of plugins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail::package::{
    Build, Builder, Compatibility, Content, Home, Metadata, Target, Trust, libc_here, signature_of, write,
};
use hookrail::store::{Install, Store, agree};
use hookrail_tests::root;
use minisign::KeyPair;

/// The name of the plugin in C, from which others are made with names of the same length.
const SCREEN: &str = "screen";

/// Creates packages.
pub(crate) struct Maker {
    directory: tempfile::TempDir,
    key: KeyPair,
    screen: Vec<u8>,
}

impl Maker {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let library = directory.path().join("screen.so");
        let compiled = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-I"])
            .arg(root().join("abi/include"))
            .arg("-o")
            .args([&library, &root().join("abi/examples/c/screen.c")])
            .status();
        assert!(compiled.expect("a C compiler: rustc links with it").success());
        let screen = fs::read(&library).expect("the library");
        Maker { directory, key: KeyPair::generate_unencrypted_keypair().expect("a key"), screen }
    }

    /// The store of a new home in that directory, which trusts the key of the packages.
    pub(crate) fn store(&self, directory: &Path) -> Store {
        let home = Home::open(directory).expect("a home");
        let mut trust = Trust::default();
        trust.add(self.key.pk.to_base64().parse().expect("a key"), "Jane".into()).expect("it is new");
        trust.write(&home.lock().expect("nobody has it")).expect("it can be written");
        Store::open(home).expect("a store")
    }

    /// Installs `count` plugins, and returns their names.
    pub(crate) fn install(&self, store: &Store, count: usize) -> Vec<String> {
        let install = |number: usize| {
            let name = format!("p{number:05}");
            let package = self.package(&name, &[]);
            let mut change = store.change().expect("nobody else changes it");
            change.install(&package, Install::new(), agree).expect("it is installed");
            for file in [signature_of(&package), package] {
                fs::remove_file(file).expect("it was there");
            }
            name
        };
        (0..count).map(install).collect()
    }

    /// A signed package of the plugin in C, under another name of the same length and with additional files.
    pub(crate) fn package(&self, name: &str, more: &[(&str, &[u8])]) -> PathBuf {
        let directory = tempfile::tempdir_in(self.directory.path()).expect("a directory");
        let library = renamed(&self.screen, name);
        let contents = [("lib/libscreen.so", &*library)].into_iter().chain(more.iter().copied());
        let contents: Vec<_> = contents
            .map(|(path, bytes)| {
                let from = directory.path().join(path.replace('/', "-"));
                fs::write(&from, bytes).expect("there is room for it");
                Content::new(path.parse().expect("a path"), from)
            })
            .collect();
        let package =
            write(metadata(&contents[0].from), contents, self.directory.path(), None).expect("it is packed").0;
        let bytes = fs::File::open(&package).expect("it is there");
        let signature = minisign::sign(Some(&self.key.pk), &self.key.sk, bytes, Some("it is good"), None);
        fs::write(signature_of(&package), signature.expect("it is signed").into_string()).expect("room");
        package
    }
}

/// A library with another name in its note.
fn renamed(library: &[u8], name: &str) -> Vec<u8> {
    let [from, to] = [SCREEN, name].map(|name| format!("\"name\": \"{name}\"").into_bytes());
    assert_eq!(from.len(), to.len());
    let at = library.windows(from.len()).position(|bytes| bytes == from).expect("its note says its name");
    [&library[..at], &to, &library[at + to.len()..]].concat()
}

fn metadata(library: &Path) -> Metadata {
    let note = hookrail::inspect(library).expect("a plugin").note;
    let version = note.version.parse().expect("a version");
    let any = || "~> 1.0".parse().expect("a range");
    let builder = Builder::new("Jane", "jane@example.org");
    let mut metadata = Metadata::new(note, version, builder, Compatibility::new(any(), any()));
    metadata.description = "Denies what is confidential.".into();
    metadata.built_at = "2026-11-21T10:20:30Z".into();
    metadata.authors = vec!["Jane".into()];
    metadata.source = "https://example.org/screen".into();
    metadata.functionality = vec!["message_processing".to_owned().try_into().expect("one of those that are known")];
    metadata.targets = vec![Build::new(Target::HERE, libc_here(), "lib/libscreen.so".parse().expect("a path"))];
    metadata
}
