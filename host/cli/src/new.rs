//! `hookrail new`: creates a plugin that builds, and passes its tests and `hookrail check`, as a starting point.

mod abi;
mod declared;
mod endpoint;
mod file;
mod name;
mod own;
mod place;
mod point;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hookrail::ParseError;
use serde::Serialize;

use crate::args::{Language, New, PointsCrate, Wanted};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, stderr};

use abi::Abi;
use endpoint::Endpoint;
use file::{File, write};
use name::Name;
use own::Own;
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
    let directory = options.directory.clone().unwrap_or_else(|| options.name.clone().into());
    if directory.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || directory.is_file() {
        return Err(refused(format!("{} already exists, and is not empty", directory.display())));
    }
    let place = place::resolved(&directory).map_err(|cause| Error::writing(&directory.display(), cause))?;
    let (files, linked) = match (options.wanted(), &options.points_crate) {
        (Wanted::Callback(priority), Some(points)) => of_own_point(options, &name, priority, points, &place)?,
        (Wanted::Callback(priority), None) => of_known_point(options, &name, priority, &place).map_err(refused)?,
        (Wanted::Endpoint(kind, of), _) => {
            of_endpoint(options, &name, &Endpoint { kind, name: of }, &place).map_err(refused)?
        }
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
    let next = next(options, &name, &directory);
    let files = files.into_iter().map(|(path, _)| path).collect();
    let made = Made { name: name.as_str(), directory: &directory, files, next };
    if options.json {
        print::json(&made)?;
    } else {
        print::line(directory.display())?;
        for linked in linked.iter().filter(|linked| !place::is_cloned_with(&place, linked)) {
            let path = place::relative(&place, linked);
            stderr::line(format_args!(
                "Cargo.toml names {}, which is not in one repository with it: whoever clones the plugin needs it there too",
                path.display()
            ));
        }
        stderr::lines(format_args!("next:\n  {}", made.next.join("\n  ")));
    }
    Ok(ExitCode::Ok)
}

/// What its author does next.
fn next(options: &New, name: &Name, directory: &Path) -> Vec<String> {
    let mut next = vec![format!("cd {}", directory.display())];
    let library = match options.lang {
        Language::C => {
            next.extend(["make", "make test", "make check"].map(Into::into));
            format!("./{}", name.library_in_c())
        }
        Language::Rust => {
            let library = name.library();
            next.extend(["cargo test".into(), "cargo build --release".into(), format!("hookrail check {library}")]);
            library
        }
    };
    if matches!(options.wanted(), Wanted::Endpoint(..)) {
        next.push(format!("hookrail serve --plugin {library}"));
    }
    next
}

/// The files of a plugin for a point that this program knows, and the directories that they link.
fn of_known_point(
    options: &New,
    name: &Name,
    priority: i32,
    place: &Path,
) -> Result<(Vec<File>, Vec<PathBuf>), String> {
    let hooked = Hooked::of(&options.point)?;
    let abi = Abi::of(&options.abi)?;
    Ok(match options.lang {
        // It has its own copy of the header.
        Language::C => (template::c(name, &hooked, priority, &abi, &author())?, Vec::new()),
        Language::Rust => {
            let files = template::rust(name, &hooked, priority, &abi, &author(), place);
            (files, abi.linked().map(Path::to_owned).into_iter().collect())
        }
    })
}

/// The same for a point that a crate declares.
fn of_own_point(
    options: &New,
    name: &Name,
    priority: i32,
    points: &PointsCrate,
    place: &Path,
) -> Result<(Vec<File>, Vec<PathBuf>), Error> {
    let refused = |why: String| Error::NotMade { name: options.name.clone(), why };
    if options.lang == Language::C {
        return Err(refused(
            "in C, a point of another program needs a header of that program's; --lang rust reads the crate".into(),
        ));
    }
    let own = Own::of(&options.point, points, refused)?;
    let linked = own.linked().into_iter().map(Path::to_owned).collect();
    Ok((template::own(name, &own, priority, &author(), place), linked))
}

/// The same for a source or a sink.
fn of_endpoint(
    options: &New,
    name: &Name,
    endpoint: &Endpoint<'_>,
    place: &Path,
) -> Result<(Vec<File>, Vec<PathBuf>), String> {
    let abi = Abi::of(&options.abi)?;
    Ok(match options.lang {
        Language::C => (endpoint.c(name, &abi, &author())?, Vec::new()),
        Language::Rust => {
            (endpoint.rust(name, &abi, &author(), place), abi.linked().map(Path::to_owned).into_iter().collect())
        }
    })
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
