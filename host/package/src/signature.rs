//! Signatures in the format of [minisign](https://jedisct1.github.io/minisign/): Ed25519 over BLAKE2b of the file, in a
//! separate file beside it.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hookrail_model::ParseError;
use hookrail_model::package::{KeyId, shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest signature file, in bytes.
pub(super) const MAX_SIGNATURE: u64 = 8192;

/// A public key; as text, the second line of a `.pub` file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct PublicKey {
    key: minisign_verify::PublicKey,
    text: String,
    id: KeyId,
}

/// A parsed signature, not yet verified.
pub struct Signature {
    signature: minisign_verify::Signature,
    /// The key that it claims to be made with.
    pub key: KeyId,
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why bytes are not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The signature does not match: it is another key's, or of other bytes.
    #[error("its signature is invalid: {0}")]
    Mismatch(String),
    /// The bytes could not be read.
    #[error("the bytes cannot be read: {0}")]
    Read(io::Error),
}

impl PublicKey {
    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

impl Signature {
    /// The trusted comment, which is signed together with the file.
    pub fn comment(&self) -> &str {
        self.signature.trusted_comment()
    }

    /// Verifies that `key` signed these bytes, which are read once and not kept.
    ///
    /// # Errors
    /// If reading fails, or the signature does not match.
    pub fn verify(&self, key: &PublicKey, bytes: &mut dyn Read) -> Result<(), VerifyError> {
        let mismatch = |error: minisign_verify::Error| {
            VerifyError::Mismatch(match error {
                minisign_verify::Error::InvalidSignature => "the file is not the one that was signed".into(),
                other => other.to_string(),
            })
        };
        let mut verifier = key.key.verify_stream(&self.signature).map_err(mismatch)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => return verifier.finalize().map_err(mismatch),
                Ok(count) => verifier.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(VerifyError::Read(error)),
            }
        }
    }
}

/// The id in the bytes of a key or a signature, which begin with two bytes of the algorithm.
fn key_id(bytes: &[u8]) -> Option<KeyId> {
    bytes.get(2..10)?.try_into().ok().map(|id| KeyId::new(u64::from_le_bytes(id)))
}

impl FromStr for PublicKey {
    type Err = ParseError;

    /// Parses a key alone, or a whole `.pub` file.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("untrusted comment:"));
        let [line] = lines.collect::<Vec<_>>()[..] else {
            let why = "this is no public key: one line, with one of comment above it at most";
            return Err(ParseError::new(why));
        };
        let wrong = || ParseError::new(format!("`{}` is no public key of minisign", shown(line)));
        let id = BASE64_STANDARD.decode(line).ok().and_then(|bytes| key_id(&bytes)).ok_or_else(wrong)?;
        let key = minisign_verify::PublicKey::from_base64(line).map_err(|_| wrong())?;
        Ok(PublicKey { key, text: line.into(), id })
    }
}

impl FromStr for Signature {
    type Err = ParseError;

    /// Parses a whole `.minisig` file.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(format!("this is no signature of minisign: {why}"));
        if text.len() as u64 > MAX_SIGNATURE {
            return Err(wrong(&format!("it is longer than {MAX_SIGNATURE} bytes")));
        }
        // Its comments are shown to people, even before the signature is verified. That of minisign itself contains
        // tabs.
        if text.contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
            return Err(wrong("it has a character that does not print"));
        }
        let signature = minisign_verify::Signature::decode(text).map_err(|error| wrong(&error.to_string()))?;
        let line = text.lines().nth(1).unwrap_or_default();
        let key = BASE64_STANDARD.decode(line).ok().and_then(|bytes| key_id(&bytes));
        Ok(Signature { signature, key: key.ok_or_else(|| wrong("its second line is damaged"))? })
    }
}

impl TryFrom<String> for PublicKey {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.text
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUSA2qyCOQ/Exm5gs8XBhzPLxFewj9puBqBT15EzSjJbt1WbJZXKcXPDqMAiAuSLRRgzyYss6XOIy10HAryi6M4COEEIZ5OPJgM=
trusted comment: hello-1.0.0
P25rJ1lJa4BSPePOxJ2ZfkZGQXDpdEviAfjT0W9Y57XxjYRz3QrQkaPY46ctV+sOe5A7iyqZv8ejyTFRbf6aAQ==
";

    #[test]
    fn a_signature_is_of_all_bytes_and_one_key() {
        let key: PublicKey = "RWSA2qyCOQ/Exgc8a6Ks7uWKjkHBuWhU0cOrri5XO+Yms4kc7RzaR+Gb".parse().unwrap();
        let signature: Signature = SIGNATURE.parse().unwrap();
        assert_eq!((signature.comment(), signature.key), ("hello-1.0.0", key.id()));
        signature.verify(&key, &mut &b"hello\n"[..]).unwrap();
        let error = signature.verify(&key, &mut &b"hello"[..]).unwrap_err();
        assert!(error.to_string().contains("not the one that was signed"), "{error}");
        let renamed: Signature = SIGNATURE.replace("hello-1.0.0", "hello-9.0.0").parse().unwrap();
        assert!(renamed.verify(&key, &mut &b"hello\n"[..]).is_err(), "its comment is signed too");
    }

    #[test]
    fn invalid_signatures_and_keys_are_refused() {
        let escaped = SIGNATURE.replace("hello", "\u{1b}[2J");
        let long = format!("{SIGNATURE}{}", " ".repeat(MAX_SIGNATURE as usize));
        for (text, why) in [("", ""), ("x\ny", ""), (&*escaped, "does not print"), (&*long, "longer than 8192 bytes")] {
            let error = text.parse::<Signature>().err().unwrap().to_string();
            assert!(error.starts_with("this is no signature of minisign: ") && error.contains(why), "{error}");
        }
        for text in ["", "x", "RW", "\u{1b}[2J", "a\nb", &*"x".repeat(9000)] {
            let error = text.parse::<PublicKey>().unwrap_err().to_string();
            assert!(error.len() < 1200 && !error.contains(char::is_control), "{error:?}");
        }
    }
}
