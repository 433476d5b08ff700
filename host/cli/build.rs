//! Puts the sources of `hookrail-abi` into the program, for `hookrail new` to write out.

use std::env::var_os;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let own = PathBuf::from(var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = own.ancestors().nth(2).expect("it lies in the workspace, at host/cli");
    let abi = root.join("abi");
    let mut files = vec![abi.join("Cargo.toml"), abi.join("build.rs")];
    below(&abi.join("src"), &mut files);
    below(&abi.join("derive"), &mut files);
    below(&abi.join("include"), &mut files);
    files.sort();
    let mut table = String::from("pub(crate) const ABI: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.strip_prefix(root).expect("it was found there").display();
        let _ = writeln!(table, "    ({:?}, include_str!({:?})),", name.to_string(), file);
    }
    table.push_str("];\n");
    let _ = writeln!(table, "pub(crate) const MANIFEST: &str = include_str!({:?});", root.join("Cargo.toml"));
    let _ = writeln!(table, "pub(crate) const LOCK: &str = include_str!({:?});", root.join("Cargo.lock"));
    let out = PathBuf::from(var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("carried.rs"), table).expect("cargo made the directory");
    println!("cargo::rerun-if-changed=build.rs");
    for changed in [&abi, &root.join("Cargo.toml"), &root.join("Cargo.lock")] {
        println!("cargo::rerun-if-changed={}", changed.display());
    }
}

/// All files below a directory.
fn below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the sources are there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, files);
        } else {
            files.push(path);
        }
    }
}
