//! `hookrail new`: creates a plugin that builds, and passes its tests and `hookrail check`, as a starting point.

mod abi;
mod file;
mod name;
mod point;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hookrail::ParseError;
use serde::Serialize;

use crate::args::{Language, New};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, stderr};

use abi::Abi;
use file::write;
use name::Name;
use point::Hooked;

/// What was created.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    directory: &'a Path,
    files: Vec<PathBuf>,
    next: Vec<String>,
}

pub(crate) fn run(options: &New) -> Result<ExitCode, Error> {
    let refused = |why: String| Error::NotMade { name: options.name.clone(), why };
    let name: Name = options.name.parse().map_err(|why: ParseError| refused(why.to_string()))?;
    let hooked = Hooked::of(&options.point).map_err(refused)?;
    let directory = options.directory.clone().unwrap_or_else(|| options.name.clone().into());
    if directory.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || directory.is_file() {
        return Err(refused(format!("{} already exists, and is not empty", directory.display())));
    }
    let abi = Abi::of(options.abi.as_deref()).map_err(refused)?;
    let files = match options.lang {
        Language::C => template::c(&name, &hooked, options.priority, &abi, &author()).map_err(refused)?,
        Language::Rust => template::rust(&name, &hooked, options.priority, &abi, &author()),
    };
    let is_new = !directory.exists();
    let written = write(&directory, &files);
    if let Err(cause) = written {
        // An incomplete plugin is removed.
        if is_new {
            let _ = fs::remove_dir_all(&directory);
        }
        return Err(Error::writing(&directory.display(), cause));
    }
    let into = format!("cd {}", directory.display());
    let next: Vec<String> = match options.lang {
        Language::C => [&*into, "make", "make check"].map(Into::into).into(),
        Language::Rust => {
            [&*into, "cargo test", "cargo build --release", &format!("hookrail check {}", name.library())]
                .map(Into::into)
                .into()
        }
    };
    let files = files.into_iter().map(|(path, _)| path).collect();
    let made = Made { name: name.as_str(), directory: &directory, files, next };
    if options.json {
        print::json(&made)?;
    } else {
        print::line(directory.display())?;
        stderr::lines(format_args!("next:\n  {}", made.next.join("\n  ")));
    }
    Ok(ExitCode::Ok)
}

/// The author's name from git, if it is configured.
fn author() -> String {
    let ask = |key: &str| {
        let mut git = Command::new("git");
        git.args(["config", key]).stdin(Stdio::null()).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        // Made safe for a TOML string.
        let text = String::from_utf8(output.stdout).ok()?.trim().replace(['"', '\\'], "");
        (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
    };
    match (ask("user.name"), ask("user.email")) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        _ => "Your Name <you@example.org>".into(),
    }
}
