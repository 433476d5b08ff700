//! Taking secrets out of what is shown.

use std::cmp::Reverse;

use serde_json::Value;

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The text without these secrets: neither as they are, nor as JSON or Rust would quote them.
pub fn without_secrets<'a>(mut text: String, secrets: impl IntoIterator<Item = &'a String>) -> String {
    let quoted = |secret: &String| [Value::from(&**secret).to_string(), format!("{secret:?}")];
    let inside = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let mut forms: Vec<_> =
        secrets.into_iter().flat_map(|secret| quoted(secret).map(inside).into_iter().chain([secret.clone()])).collect();
    // The longest first: one may begin with another, whose rest would be left.
    forms.sort_by_key(|form| Reverse(form.len()));
    forms.dedup();
    for form in forms.iter().filter(|form| !form.is_empty()) {
        if text.contains(&**form) {
            text = text.replace(&**form, MASK);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_secret_that_begins_with_another() {
        let secrets = ["abc", "abcdef", "a\"b\u{7f}"].map(str::to_owned);
        let hidden = without_secrets("abcdef, abc, a\"b\u{7f}, a\\\"b\u{7f}, a\\\"b\\u{7f}, ab".into(), &secrets);
        assert_eq!(hidden, "***, ***, ***, ***, ***, ab");
    }
}
