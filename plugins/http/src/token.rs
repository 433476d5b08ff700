//! A bearer token, which stands in a file.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hookrail_abi::Secret;
use sha2::{Digest, Sha256};

const LONGEST: u64 = 4096;

/// How long a token that was read is used before its file is looked at again: that long after it was changed, the old one
/// is still accepted, or sent. A file that cannot be read is looked at again after that long, too, and its last token used
/// until then: it may be just being replaced.
const FRESH: Duration = Duration::from_secs(1);

/// A token file, which may be changed at any time.
#[derive(Debug)]
pub(crate) struct Token {
    path: PathBuf,
    /// `None` after its file could not be read twice.
    token: Option<Secret>,
    /// Why it could not be read last time.
    fault: Option<String>,
    read: Instant,
}

impl Token {
    /// # Errors
    /// If there is no token in the file, with the name of the option.
    pub(crate) fn new(path: &str) -> Result<Self, String> {
        let path = PathBuf::from(path);
        let token = Some(read(&path)?);
        Ok(Token { path, token, fault: None, read: Instant::now() })
    }

    /// The token as it is now.
    ///
    /// # Errors
    /// If the file has had none for some time.
    pub(crate) fn current(&mut self) -> Result<&Secret, String> {
        if self.read.elapsed() >= FRESH {
            self.look();
        }
        self.token.as_ref().ok_or_else(|| self.fault.clone().unwrap_or_default())
    }

    /// Why its file could not be read when that was tried last, if that is so.
    pub(crate) fn fault(&self) -> Option<&String> {
        self.fault.as_ref()
    }

    fn look(&mut self) {
        self.read = Instant::now();
        match read(&self.path) {
            Ok(token) => (self.token, self.fault) = (Some(token), None),
            Err(why) if self.fault.is_none() => self.fault = Some(why),
            Err(why) => (self.token, self.fault) = (None, Some(why)),
        }
    }

    /// Whether that is the token. The time it takes says nothing of the token.
    ///
    /// # Errors
    /// As for [`current`](Self::current).
    pub(crate) fn is(&mut self, offered: &[u8]) -> Result<bool, String> {
        let token = Sha256::digest(self.current()?.expose());
        let offered = Sha256::digest(offered);
        let differ = token.iter().zip(&offered).fold(0, |differ, (a, b)| black_box(differ | (a ^ b)));
        Ok(differ == 0)
    }
}

fn read(path: &Path) -> Result<Secret, String> {
    let fails = |why: &dyn std::fmt::Display| format!("`token_file`: {}: {why}", path.display());
    let mut text = String::new();
    let file = File::open(path).map_err(|error| fails(&error))?;
    // A pipe would have the host wait for ever.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(fails(&"it is no file"));
    }
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| fails(&error))?;
    let token = text.trim();
    if token.is_empty() || text.len() as u64 > LONGEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fails(&"let it have one line of up to 4096 visible ASCII characters, without spaces"));
    }
    Ok(Secret::from(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line_and_only_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "abc\n").unwrap();
        let mut token = Token::new(path.to_str().unwrap()).unwrap();
        for (offered, is) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("", false)] {
            assert_eq!(token.is(offered.as_bytes()), Ok(is), "{offered}");
        }
        for wrong in ["", " \n", "a b", "a\nb", "\u{e4}", &"x".repeat(4097)] {
            std::fs::write(&path, wrong).unwrap();
            let error = Token::new(path.to_str().unwrap()).unwrap_err();
            assert!(error.starts_with("`token_file`: /") && error.contains("one line"), "{error}");
        }
    }

    #[test]
    fn a_token_outlives_its_file_for_one_look_and_comes_back_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "abc").unwrap();
        let mut token = Token::new(path.to_str().unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        token.look();
        assert!(token.token.is_some() && token.fault().unwrap().contains("No such file"));
        token.look();
        // As of now: it is not looked at again.
        assert!(token.current().unwrap_err().contains("No such file"));
        assert!(token.is(b"abc").unwrap_err().contains("No such file"));
        std::fs::write(&path, "def").unwrap();
        token.look();
        assert_eq!(token.fault(), None);
        assert_eq!(token.is(b"def"), Ok(true));
    }

    #[test]
    fn what_is_no_file_with_a_token_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = Token::new(directory.path().join("none").to_str().unwrap()).unwrap_err();
        assert!(error.contains("none: No such file"), "{error}");
        assert!(Token::new(directory.path().to_str().unwrap()).unwrap_err().contains("it is no file"));
    }
}
