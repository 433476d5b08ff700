//! What the author of a file can do that is not a plugin yet, in the words of the tools that built it.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What has compiled a library, as far as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Compiler {
    /// One for C or C++.
    C,
    /// That of Rust.
    Rust,
    /// It does not say.
    Unknown,
}

/// The next step for a library that is not a plugin.
pub(super) fn of_library(compiler: Compiler) -> &'static str {
    match compiler {
        Compiler::C => {
            "write HOOKRAIL_PLUGIN and HOOKRAIL_ENTRY of hookrail.h once, at file scope, and build it again: `cc -shared -fPIC -I DIR -o libNAME.so NAME.c`, where hookrail.h is in DIR"
        }
        Compiler::Rust => "add `hookrail_abi::export!(YourPlugin);` and crate-type = [\"cdylib\"], and `cargo build`",
        Compiler::Unknown => {
            "Rust: add `hookrail_abi::export!(YourPlugin);` and crate-type = [\"cdylib\"]; C: add HOOKRAIL_PLUGIN and HOOKRAIL_ENTRY"
        }
    }
}

/// The next step for a file that is not a library.
pub(super) fn of_file(file: &str) -> Cow<'static, str> {
    const EITHER: &str = "Rust: pass the lib*.so that `cargo build` makes of a crate with crate-type = [\"cdylib\"]; C: the one that `cc -shared -fPIC -I DIR -o libNAME.so NAME.c` makes, where hookrail.h is in DIR";
    let path = Path::new(file);
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
    let (stem, extension) = (text(path.file_stem()), text(path.extension()));
    // A shell takes it as it stands.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./+".contains(letter);
    if !file.chars().all(is_plain) || file.starts_with('-') {
        return EITHER.into();
    }
    let library = path.with_file_name(format!("lib{stem}.so"));
    let library = library.display();
    let compile = |compiler: &str| {
        format!("compile it: `{compiler} -shared -fPIC -I DIR -o {library} {file}`, where hookrail.h is in DIR")
    };
    match &*extension {
        "c" => compile("cc").into(),
        "cc" | "cpp" | "cxx" => compile("c++").into(),
        "o" => format!("link it: `cc -shared -o {library} {file}`, if it was compiled with -fPIC").into(),
        _ => EITHER.into(),
    }
}
