//! The rules for metadata that its types do not express.

use std::collections::HashSet;

use semver::Version;

use super::super::capability::Capability;
use super::metadata::{FORMAT, Functionality, Metadata, Requirement};
use super::target::{Build, Target};
use crate::note::Guarantee;
use crate::parse::ParseError;

/// The longest version, in bytes. A name and a version are parts of file names, which are limited to 255 bytes.
const LONGEST_VERSION: usize = 64;
const LONGEST_TEXT: usize = 4096;

/// The largest library, in bytes: it is copied into memory to be inspected and to be run.
const LARGEST_LIBRARY: u64 = 512 << 20;

impl Metadata {
    /// Refuses what the types allow but the rules do not; also called by code that creates metadata.
    ///
    /// # Errors
    /// If a rule is broken: the text says which.
    pub fn check(&self) -> Result<(), ParseError> {
        self.check_rules().map_err(ParseError::new)
    }

    fn check_rules(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("`format` is {}, this host reads {FORMAT}", self.format));
        }
        is_name(&self.name)?;
        let version = &self.version;
        if *version < Version::new(0, 0, 1) || !version.build.is_empty() {
            return Err(format!("`version` is {version}: a version above 0.0.0 without a `+`"));
        }
        if version.to_string().len() > LONGEST_VERSION {
            return Err(format!("`version` is longer than {LONGEST_VERSION} bytes"));
        }
        humantime::parse_rfc3339(&self.built_at)
            .map_err(|error| format!("`built_at` is {:?}: {error}", self.built_at))?;
        for (what, is_empty) in [
            ("authors", self.authors.is_empty()),
            ("files", self.files.is_empty()),
            ("functionality", self.functionality.is_empty()),
            ("targets", self.targets.is_empty()),
        ] {
            if is_empty {
                return Err(format!("`{what}` is empty"));
            }
        }
        self.texts().try_for_each(|(what, text)| check_text(what, text))?;
        for capability in &self.capabilities {
            capability.parse::<Capability>().map_err(|error| format!("`capabilities`: {error}"))?;
        }
        if let Some(isolation) = self.isolation.as_ref().filter(|wish| !["in-process", "worker"].contains(&&***wish)) {
            return Err(format!("`isolation` is `{isolation}`: `worker` or `in-process`"));
        }
        self.functionality.iter().try_for_each(Functionality::check).map_err(|error| error.to_string())?;
        if let Some(index) = self.endpoints.iter().position(|endpoint| endpoint.guarantee == Guarantee::Unknown) {
            let known = [Guarantee::AtLeastOnce, Guarantee::AtMostOnce].map(Guarantee::name).join(", ");
            return Err(format!("`endpoints.{index}.guarantee` is none of {known}"));
        }
        self.check_requirements()?;
        self.check_files()?;
        self.check_targets()
    }

    /// The texts that are shown to people and written to logs.
    fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let builder = &self.builder;
        let of_hooks = self.hooks.iter().flat_map(|hook| [&hook.point, &hook.name, &hook.effects]);
        let of_points = self.fires.iter().map(|fired| ("fires", &*fired.point));
        let of_endpoints = self.endpoints.iter().map(|endpoint| ("endpoints", &*endpoint.name));
        let website = builder.website.iter().map(|text| ("builder.website", &**text));
        let authors = self.authors.iter().map(|text| ("authors", &**text));
        let capabilities = self.capabilities.iter().map(|text| ("capabilities", &**text));
        let signature = builder.signature.iter().flat_map(|text| text.lines()).map(|line| ("builder.signature", line));
        [
            ("description", &*self.description),
            ("source", &self.source),
            ("builder.name", &builder.name),
            ("builder.contact", &builder.contact),
        ]
        .into_iter()
        .chain(self.isolation.iter().map(|text| ("isolation", &**text)))
        .chain(authors)
        .chain(capabilities)
        .chain(website)
        .chain(signature)
        .chain(of_hooks.map(|text| ("hooks", &**text)))
        .chain(of_points)
        .chain(of_endpoints)
    }

    /// No plugin may be required twice, and none may require itself.
    fn check_requirements(&self) -> Result<(), String> {
        for (index, Requirement { name, .. }) in self.requires.iter().enumerate() {
            is_name(name)?;
            if *name == self.name || self.requires[..index].iter().any(|before| before.name == *name) {
                return Err(format!("`requires` has `{name}` twice, or is about itself"));
            }
        }
        Ok(())
    }

    /// No two files may share a path, and no file may have the path of a directory, whether `A` and `a` are the same or
    /// not.
    fn check_files(&self) -> Result<(), String> {
        let mut files = HashSet::new();
        for file in &self.files {
            let folded = file.path.folded();
            if let Some(twice) = files.replace(folded) {
                return Err(format!("`files` has `{twice}` twice, but for its case"));
            }
        }
        for file in &self.files {
            if let Some(directory) =
                file.path.directories().find(|directory| files.contains(&*directory.to_ascii_lowercase()))
            {
                return Err(format!("`files` has `{directory}` as a file, and as the directory of `{}`", file.path));
            }
        }
        Ok(())
    }

    /// Each target must have its own library, built for it.
    fn check_targets(&self) -> Result<(), String> {
        for (index, Build { target, library, .. }) in self.targets.iter().enumerate() {
            if *target == Target::Unknown {
                let known = Target::ALL.map(|target| target.to_string());
                return Err(format!("`targets.{index}.target` is none of {}", known.join(", ")));
            }
            if self.targets[..index].iter().any(|before| before.target == *target) {
                return Err(format!("`targets` has {target} twice"));
            }
            if self.targets[..index].iter().any(|before| before.library == *library) {
                return Err(format!("`targets` has `{library}` twice: a library is for one machine"));
            }
            match self.files.iter().find(|file| file.path == *library) {
                None => return Err(format!("`files` has no `{library}`, the library for {target}")),
                Some(file) if file.size > LARGEST_LIBRARY => {
                    return Err(format!("the library `{library}` is larger than {LARGEST_LIBRARY} bytes"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Checks a plugin's name, which also names directories and files.
///
/// # Errors
/// If it is not a valid name: the text says why.
pub fn check_name(name: &str) -> Result<(), ParseError> {
    is_name(name).map_err(ParseError::new)
}

fn is_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.bytes().all(is_plain);
    is_name.then_some(()).ok_or_else(|| format!("`name` is {name:?}, not up to 64 letters, digits, `-`, `_` and `.`"))
}

/// Characters that reverse text direction could disguise it as another text.
fn check_text(what: &str, text: &str) -> Result<(), String> {
    let commands = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.trim().is_empty() {
        Err(format!("`{what}` is empty"))
    } else if text.len() > LONGEST_TEXT {
        Err(format!("`{what}` is longer than {LONGEST_TEXT} bytes"))
    } else if text.contains(commands) {
        Err(format!("`{what}` has a character that does not print in it: {text:?}"))
    } else {
        Ok(())
    }
}
