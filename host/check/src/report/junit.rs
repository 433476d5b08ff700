//! The report for CI, as JUnit XML.

use std::fmt::Write;

use super::{Outcome, Report};
use crate::answer::Status;

/// The whole report.
pub fn junit(report: &Report<'_>) -> String {
    let count = |is: fn(&Status) -> bool| report.outcomes.iter().filter(|outcome| is(&outcome.answer.status)).count();
    let failures = count(|status| *status == Status::Failed);
    let errors = count(|status| status.is_bad() && *status != Status::Failed);
    let skipped = count(|status| *status == Status::Skipped);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{:.3}\">",
        escaped(&format!("hookrail check {} {}", report.plugin, report.version)),
        report.outcomes.len(),
        report.took.as_secs_f64()
    );
    let _ = writeln!(
        xml,
        "    <properties>\n      <property name=\"seed\" value=\"{}\"/>\n      \
         <property name=\"strictness\" value=\"{}\"/>\n      \
         <property name=\"isolation\" value=\"{}\"/>\n    </properties>",
        report.plan.seed,
        report.strictness,
        report.isolation()
    );
    for outcome in &report.outcomes {
        xml.push_str(&case(report, outcome));
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(report: &Report<'_>, outcome: &Outcome) -> String {
    let check = outcome.check;
    let detail = escaped(&outcome.answer.detail);
    let told = escaped(&format!("{}\nwhile: {}\nagain: {}", check.why, outcome.doing, (report.again)(check)));
    let inner = match outcome.answer.status {
        Status::Passed => String::new(),
        Status::Warned => format!("      <system-out>{detail}</system-out>\n"),
        Status::Skipped => format!("      <skipped message=\"{detail}\"/>\n"),
        Status::Failed => format!("      <failure message=\"{detail}\">{told}</failure>\n"),
        Status::Crashed { .. } | Status::TimedOut => {
            let kind = outcome.answer.status.name();
            let printed = escaped(&outcome.output);
            format!("      <error type=\"{kind}\" message=\"{detail}\">{told}\n{printed}</error>\n")
        }
    };
    format!(
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\">\n{inner}    </testcase>\n",
        escaped(&report.plugin),
        check.kind.name(),
        check.name,
        outcome.took.as_secs_f64()
    )
}

/// Text escaped for XML; characters that XML cannot represent are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => _ = write!(escaped, "&#{};", u32::from(c)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_plugins_are_escaped_in_xml() {
        assert_eq!(escaped("<a b=\"&\">\u{1b}[1m\n"), "&lt;a b=&quot;&amp;&quot;&gt;[1m&#10;");
    }
}
