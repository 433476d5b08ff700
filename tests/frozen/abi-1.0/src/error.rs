//! Errors of plugin code.

/// An error of plugin code: any error type, or a text (`"...".into()`).
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result of plugin code.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its causes, on one line: `cannot read the rules: no such file`.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors include their cause in their own text.
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Outer(&'static str, std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.1)
        }
    }

    #[test]
    fn causes_are_told_once() {
        let cause = "x".parse::<u8>().unwrap_err();
        assert_eq!(with_causes(&Outer("no limit", cause.clone())), "no limit: invalid digit found in string");
        assert_eq!(
            with_causes(&Outer("no: invalid digit found in string", cause)),
            "no: invalid digit found in string"
        );
    }
}
