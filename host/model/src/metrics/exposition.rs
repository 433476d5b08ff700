//! The text that Prometheus reads: its text format 0.0.4, which every scraper and `promtool` understand.
//!
//! OpenMetrics is not written: it names the type of a counter without `_total`, which readers of the older format take for
//! a number without a type.

use std::collections::BTreeMap;

use super::Family;

/// Writes families, without those that have no numbers.
///
/// What a name or a label must not hold is replaced, so that a text of others is neither another line nor a command to
/// the terminal.
pub fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { name, help, kind, samples } in families.iter().filter(|family| !family.samples.is_empty()) {
        text += &format!("# HELP {name} {}\n# TYPE {name} {}\n", escaped(help, false), kind.name());
        for sample in samples {
            text += &format!("{name}{}{} {}\n", sample.suffix, labels(&sample.labels), sample.value);
        }
    }
    text
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value, true))).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

/// The format has three escapes, and no more: for a backslash, a newline, and in labels a quotation mark.
fn escaped(text: &str, is_label: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped += "\\\\",
            '\n' => escaped += "\\n",
            '"' if is_label => escaped += "\\\"",
            _ if commands_a_terminal(letter) => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn commands_a_terminal(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_its_help_its_type_and_a_line_for_each_number() {
        let mut calls = Family::counter("calls_total", "What\\ever\nit is.");
        calls.add([("who", "a\"b\\c\nd\u{1b}[2J\u{202e}")], 3);
        calls.add([], 1 << 60);
        let mut took = Family::summary("took_seconds", "How long.");
        took.sample("", [("quantile", "0.5")], 56e-9);
        took.sample("_count", [], 2.0);
        let expected = [
            r"# HELP calls_total What\\ever\nit is.",
            "# TYPE calls_total counter",
            "calls_total{who=\"a\\\"b\\\\c\\nd\u{fffd}[2J\u{fffd}\"} 3",
            "calls_total 1152921504606847000",
            "# HELP took_seconds How long.",
            "# TYPE took_seconds summary",
            "took_seconds{quantile=\"0.5\"} 0.000000056",
            "took_seconds_count 2",
            "",
        ];
        assert_eq!(text(&[calls, Family::gauge("none", "Nothing."), took]), expected.join("\n"));
    }
}
