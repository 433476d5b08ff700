//! The home of hosts, and the hosts that run in it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookrail::control::command::Status;
use hookrail::control::{Client, Manage, Running, running};
use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;

use super::finding::Finding;
use crate::running::describe;

const GROUP: &str = "home";
/// Below that there is too little for a queue on disk, or for an upgrade.
const LITTLE: u64 = 256 << 20;
/// Below that not even marks can be relied on.
const NOTHING: u64 = 8 << 20;
/// The longest wait for the answer of a host.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn look(home: &Result<PathBuf, hookrail::Error>) -> Vec<Finding> {
    let home = match home {
        Ok(home) => home,
        Err(error) => return vec![Finding::failure(GROUP, "directory", error.to_string(), error.fix())],
    };
    match fs::metadata(home) {
        Ok(metadata) if !metadata.is_dir() => {
            let found = format!("{} is no directory", home.display());
            vec![Finding::failure(GROUP, "directory", found, "--home names another one")]
        }
        Ok(metadata) => {
            let mut findings = vec![directory(home, &metadata), space(home)];
            findings.extend(hosts(home));
            findings
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![missing(home)],
        Err(error) => {
            let found = format!("{}: {error}", home.display());
            vec![Finding::failure(
                GROUP,
                "directory",
                found,
                "run it as the user of the host, or name another with --home",
            )]
        }
    }
}

/// Whether it can be made.
fn missing(home: &Path) -> Finding {
    let above = home.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("."));
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    let found = format!("{} is not there", home.display());
    match access(above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::note(GROUP, "directory", format!("{found}: the first host makes it")),
        Err(_) => {
            let found = format!("{found}, and nothing can be made in {}", above.display());
            Finding::failure(GROUP, "directory", found, format!("`install -d -m 700 -o USER {}`", home.display()))
        }
    }
}

/// As each use of the home demands it: no other user may write there, since what is installed there is loaded.
fn directory(home: &Path, metadata: &Metadata) -> Finding {
    let (mode, owner, user) = (metadata.mode() & 0o7777, metadata.uid(), geteuid().as_raw());
    let found = format!("{}, mode {mode:o}", home.display());
    if owner != user && owner != 0 {
        let fix = format!("`chown {user} {}`, or run it as user {owner}", home.display());
        return Finding::failure(
            GROUP,
            "directory",
            format!("{found}, belongs to user {owner}, and this is {user}"),
            fix,
        );
    }
    if mode & 0o022 != 0 {
        let fix = format!("`chmod go-w {}`", home.display());
        return Finding::failure(GROUP, "directory", format!("{found}: other users can write there"), fix);
    }
    if access(home, Access::WRITE_OK | Access::READ_OK | Access::EXEC_OK).is_err() {
        let fix = "run it as its owner, or name another with --home";
        return Finding::failure(GROUP, "directory", format!("{found}: this user cannot write there"), fix);
    }
    Finding::ok(GROUP, "directory", found)
}

fn space(home: &Path) -> Finding {
    const NAME: &str = "free space";
    let fix = format!("make room in the file system of {}, or name another home with --home", home.display());
    match statvfs(home) {
        Err(error) => Finding::warning(GROUP, NAME, io::Error::from(error).to_string(), fix),
        Ok(system) => {
            let free = system.f_bavail.saturating_mul(system.f_frsize);
            let found = format!("{} MiB", free >> 20);
            match free {
                // Some file systems have no such number.
                _ if system.f_files > 0 && system.f_favail == 0 => {
                    Finding::failure(GROUP, NAME, format!("{found}, and no file can be made: no inode is left"), fix)
                }
                0..NOTHING => Finding::failure(GROUP, NAME, found, fix),
                NOTHING..LITTLE => Finding::warning(GROUP, NAME, found, fix),
                _ => Finding::ok(GROUP, NAME, found),
            }
        }
    }
}

/// The hosts that run, and what dead ones have left.
fn hosts(home: &Path) -> Vec<Finding> {
    let sockets = || {
        let entries = fs::read_dir(home.join("run")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "sock")).count()
    };
    let before = sockets();
    let live = match running(home) {
        Ok(live) => live,
        Err(error) => {
            let found = format!("{}: {error}", home.join("run").display());
            return vec![Finding::failure(GROUP, "hosts", found, "run it as the user of the host")];
        }
    };
    let mut findings: Vec<_> = live.iter().map(host).collect();
    if live.is_empty() {
        findings.push(Finding::note(GROUP, "hosts", "none runs"));
    }
    let stale = before.saturating_sub(live.len());
    if stale > 0 {
        let left = sockets().saturating_sub(live.len());
        let found = format!("{stale} of hosts that are gone; {} were removed", stale.saturating_sub(left));
        findings.push(Finding::note(GROUP, "sockets", found));
    }
    findings
}

fn host(host: &Running) -> Finding {
    let answer = Client::connect(&host.socket).and_then(|mut client| {
        client.set_timeout(Some(PATIENCE))?;
        client.ask(Status::new())
    });
    match answer {
        Ok(_) => Finding::note(GROUP, "hosts", format!("runs and answers: {}", describe(host))),
        Err(error) => {
            let found = format!("{} does not answer: {error}", describe(host));
            Finding::failure(GROUP, "hosts", found, format!("look at its log; `kill {}` ends it", host.pid))
        }
    }
}
