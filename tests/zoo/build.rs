//! Compiles the parts of specimens that are written in C++, when asked for them by the feature `cpp`.

use std::path::Path;
use std::process::Command;

const PARTS: &[&str] = &["thread", "thread_local"];
const FLAGS: &[&str] = &["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC"];

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    if std::env::var_os("CARGO_FEATURE_CPP").is_none() {
        return;
    }
    let directory = std::env::var("OUT_DIR").expect("cargo gives a directory");
    let objects: Vec<_> = PARTS.iter().map(|part| Path::new(&directory).join(part).with_extension("o")).collect();
    for (part, object) in PARTS.iter().zip(&objects) {
        run(Command::new("c++").args(FLAGS).arg("-c").arg(format!("cpp/{part}.cpp")).arg("-o").arg(object));
    }
    run(Command::new("ar").arg("rcs").arg(Path::new(&directory).join("libzoo_cpp.a")).args(&objects));
    println!("cargo::rustc-link-search=native={directory}");
}

fn run(command: &mut Command) {
    assert!(command.status().is_ok_and(|status| status.success()), "failed: {command:?}");
}
