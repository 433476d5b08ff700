//! Which files are followed.

use std::path::{Path, PathBuf};

use glob::{GlobError, MatchOptions, Pattern, glob_with};
use hookrail_abi::Result;

/// As in a shell: `*` stops at a slash, and does not begin with a dot.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The patterns of an operator.
#[derive(Debug)]
pub(crate) struct Globs {
    paths: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Globs {
    /// Reads them, or returns why that fails.
    pub(crate) fn new(paths: &[String], exclude: &[String]) -> Result<Self> {
        if paths.is_empty() {
            return Err("`paths` is empty: name the files to follow".into());
        }
        if let Some(path) = paths.iter().find(|path| !path.starts_with('/')) {
            return Err(format!("`paths` has \"{path}\": begin it with a slash").into());
        }
        Ok(Globs { paths: patterns("paths", paths)?, exclude: patterns("exclude", exclude)? })
    }

    /// The patterns of `paths`.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(Pattern::as_str)
    }

    /// What is there now, with the number of the pattern that it matches; something may come more than once.
    pub(crate) fn list(&self) -> impl Iterator<Item = (usize, Result<PathBuf, GlobError>)> {
        let each = |(number, pattern): (usize, &Pattern)| {
            // `new` has parsed it.
            let paths = glob_with(pattern.as_str(), AS_A_SHELL).into_iter().flatten();
            paths.map(move |path| (number, path))
        };
        let is_wanted =
            |(_, path): &(usize, Result<PathBuf, GlobError>)| path.as_ref().map_or(true, |path| !self.excludes(path));
        self.paths.iter().enumerate().flat_map(each).filter(is_wanted)
    }

    /// Whether a file of that path would be followed.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        self.paths.iter().any(|pattern| pattern.matches_path_with(path, AS_A_SHELL)) && !self.excludes(path)
    }

    /// A pattern with a slash is for the path, one without for the name.
    fn excludes(&self, path: &Path) -> bool {
        let name = path.file_name().map_or(path, Path::new);
        self.exclude.iter().any(|pattern| {
            let subject = if pattern.as_str().contains('/') { path } else { name };
            // Who excludes `*.gz` wants `.a.gz` no more than `a.gz`.
            pattern.matches_path_with(subject, MatchOptions { require_literal_leading_dot: false, ..AS_A_SHELL })
        })
    }
}

fn patterns(field: &str, texts: &[String]) -> Result<Vec<Pattern>> {
    let pattern = |text: &String| {
        Pattern::new(text).map_err(|error| format!("`{field}` has \"{text}\": {}, column {}", error.msg, error.pos + 1))
    };
    Ok(texts.iter().map(pattern).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(paths: &[&str], exclude: &[&str]) -> Result<Globs> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Globs::new(&owned(paths), &owned(exclude))
    }

    #[test]
    fn what_is_excluded_is_neither_listed_nor_matched() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_str().unwrap();
        std::fs::create_dir_all(directory.path().join("sub/old")).unwrap();
        for name in ["a.log", "b.log", "b.log.gz", ".c.log", "sub/d.log", "sub/old/e.log"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let check = |paths: &[&str], exclude: &[&str], expected: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|path| format!("{root}/{path}")).collect();
            let globs = globs(&paths.iter().map(String::as_str).collect::<Vec<_>>(), exclude).unwrap();
            let listed: Vec<_> = globs.list().map(|(_, path)| path.unwrap()).collect();
            let expected: Vec<_> = expected.iter().map(|name| directory.path().join(name)).collect();
            assert_eq!(listed, expected, "{paths:?} without {exclude:?}");
            assert!(listed.iter().all(|path| globs.matches(path)));
        };
        check(&["*"], &["*.gz", "sub"], &["a.log", "b.log"]);
        check(&["*.log"], &["b*"], &["a.log"]);
        check(&["*.log", "a.*"], &["b*"], &["a.log", "a.log"]);
        check(&["**/*.log"], &["/**/old/*"], &["a.log", "b.log", "sub/d.log"]);
        check(&[".c.log", "none.log"], &["*.gz"], &[".c.log"]);
        assert!(!globs(&["/var/*.log"], &["b*"]).unwrap().matches(Path::new("/var/b.log")));
        assert!(!globs(&["/var/*.log"], &[]).unwrap().matches(Path::new("/var/log/a.log")));
    }

    #[test]
    fn a_bad_pattern_is_refused_with_the_reason() {
        for (paths, exclude, said) in [
            (&[][..], &[][..], "`paths` is empty: name the files to follow"),
            (&["a.log"], &[], "`paths` has \"a.log\": begin it with a slash"),
            (&["/[a.log"], &[], "`paths` has \"/[a.log\": invalid range pattern, column 2"),
            (&["/a"], &["***"], "`exclude` has \"***\": wildcards are either"),
        ] {
            let error = globs(paths, exclude).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
