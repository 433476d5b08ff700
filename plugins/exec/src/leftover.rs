//! What an operator has published and the stream has not taken when the plugin is stopped: it is kept in a file until the
//! operator is begun again.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hookrail_abi::prelude::*;

use crate::link::{Link, Published};

/// Keeps what is left, if anything is.
///
/// # Errors
/// If it cannot be written; then it is still there.
pub(crate) fn keep(link: &Link, directory: &Path) -> Result<()> {
    let left = link.state().take_published(usize::MAX);
    if left.is_empty() {
        return Ok(());
    }
    let written = write(&left, &path(directory, &link.name));
    if written.is_err() {
        link.state().publish_first(left.into_iter());
    }
    written
}

fn write(left: &[Published], path: &Path) -> Result<()> {
    let mut lines = fs::read(path).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(error),
    })?;
    for published in left {
        serde_json::to_writer(&mut lines, &published.message)?;
        lines.push(b'\n');
    }
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
    let new = path.with_extension("new");
    // Messages are nobody else's business.
    let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&lines)?;
    file.sync_data()?;
    Ok(fs::rename(new, path)?)
}

/// Publishes what was kept, before everything else. Its receipts are lost, with the process that waited for them.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn publish(link: &Link, directory: &Path) -> Result<usize> {
    let path = path(directory, &link.name);
    let lines = match fs::read(&path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut kept = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message = serde_json::from_slice(line)?;
        kept.push(Published { message, receipt: None, size: line.len() });
    }
    let count = kept.len();
    link.state().publish_first(kept.into_iter());
    link.source.ring();
    fs::remove_file(path)?;
    Ok(count)
}

fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join("kept").join(format!("{name}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_comes_first_and_once() {
        let directory = tempfile::tempdir().unwrap();
        let published = |body: &str| Published { message: Message::new("a", body), receipt: None, size: 1 };
        let link = Link::new("one").unwrap();
        link.state().publish(published("1"));
        keep(&link, directory.path()).unwrap();
        link.state().publish(published("2"));
        keep(&link, directory.path()).unwrap();
        let again = Link::new("one").unwrap();
        again.state().publish(published("3"));
        assert_eq!(publish(&again, directory.path()).unwrap(), 2);
        assert_eq!(publish(&again, directory.path()).unwrap(), 0);
        let bodies: Vec<_> =
            again.state().take_published(9).iter().map(|kept| kept.message.body.to_display().into_owned()).collect();
        assert_eq!(bodies, ["1", "2", "3"]);
    }
}
