//! A plugin is replaced under full load: no message is lost or run twice, nobody calls what is gone, and
//! nothing is left. The same for 10,000 replacements and with bounded memory is `.ci/long`'s.

use hookrail_tests::soak::{Plan, run};
use hookrail_tests::{alone, zoo};

fn replaces(specimen: &str) {
    // The tests' own memory is not still enough to be held to a bound.
    let report = run(Plan { file: zoo(specimen), replacements: 300, growth: usize::MAX });
    println!("{report}");
    assert_eq!(report.missed(), [""; 0], "{report}");
}

#[test]
fn a_plugin_with_thread_locals_is_replaced_under_full_load() {
    alone!();
    replaces("replaced_with_thread_locals");
}

#[test]
fn a_plugin_with_threads_is_replaced_under_full_load() {
    alone!();
    replaces("replaced_with_threads");
}
