//! The rules of one configuration, and where they apply.

use hookrail_abi::Bytes;
use hookrail_abi::prelude::*;

use crate::config::{Config, Replacing};
use crate::filter::Filter;
use crate::rule::Rule;

/// The rules of one configuration, compiled.
pub(crate) struct Masks {
    rules: Vec<Rule>,
    filter: Option<Filter>,
    headers: Vec<String>,
    body: bool,
}

impl Masks {
    pub(crate) fn new(config: Config) -> Result<Self> {
        let Config { patterns, headers, body } = config;
        if patterns.is_empty() {
            return Err("`patterns` is empty: name at least one regular expression to mask".into());
        }
        if !body && headers.is_empty() {
            return Err("`body` is false and `headers` is empty: there is nothing to mask in".into());
        }
        let patterns: Vec<_> = patterns.into_iter().map(Replacing::from).collect();
        let rule = |(index, Replacing { pattern, replacement }): (usize, &Replacing)| {
            Rule::new(pattern, replacement).map_err(|why| format!("patterns[{index}] \"{pattern}\": {why}").into())
        };
        let rules = patterns.iter().enumerate().map(rule).collect::<Result<_>>()?;
        let filter = Filter::new(&patterns.into_iter().map(|replacing| replacing.pattern).collect::<Vec<_>>());
        Ok(Masks { rules, filter, headers, body })
    }

    /// Masks a message. Allocates only for what matches.
    pub(crate) fn apply(&self, message: &mut Message) {
        if self.body {
            match &self.filter {
                Some(filter) => filter.run(&mut message.body, |body| self.apply_to_body(body)),
                None => self.apply_to_body(&mut message.body),
            }
        }
        // Without this test, a message without headers would still cost a loop over the names.
        if !self.headers.is_empty() {
            self.apply_to_headers(message);
        }
    }

    fn apply_to_body(&self, body: &mut Bytes) {
        for rule in &self.rules {
            if let Some(masked) = rule.replace_all(body) {
                *body = masked;
            }
        }
    }

    fn apply_to_headers(&self, message: &mut Message) {
        for header in message.headers.iter_mut().filter(|header| self.headers.iter().any(|name| header.key == **name)) {
            for rule in &self.rules {
                if let Some(masked) = rule.replace_all(header.value.as_bytes()) {
                    // A pattern with `(?-u)` may cut a character in two.
                    header.value.set(&String::from_utf8_lossy(&masked));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Mask;
    use hookrail_abi::testing;

    #[test]
    fn a_bad_pattern_is_named() {
        refused(r#"{"patterns": ["fine", "([a-z"]}"#, &["patterns[1] \"([a-z\": ", "unclosed character class"]);
    }

    #[test]
    fn a_replacement_with_a_group_that_is_not_there_is_named() {
        let config = r#"{"patterns": [{"pattern": "(a)", "replacement": "$2"}]}"#;
        refused(config, &["patterns[0] \"(a)\": ", "`$2`", "has 1 group"]);
    }

    #[test]
    fn a_configuration_that_masks_nothing_is_refused() {
        refused(r#"{"patterns": []}"#, &["`patterns` is empty"]);
        refused(r#"{"patterns": ["a"], "body": false}"#, &["`body` is false and `headers` is empty"]);
    }

    #[test]
    fn mistakes_in_a_configuration_are_reported() {
        refused("{}", &["missing field `patterns`"]);
        refused(r#"{"patterns": ["a"], "header": []}"#, &["unknown field `header`"]);
        refused(r#"{"patterns": [1]}"#, &["a text, or a table of `pattern` and `replacement`"]);
    }

    fn refused(config: &str, why: &[&str]) {
        let error = testing::start::<Mask>(config).unwrap_err().to_string();
        for why in why {
            assert!(error.contains(why), "{config}: {error}");
        }
    }
}
