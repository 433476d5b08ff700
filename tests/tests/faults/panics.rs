//! How a plugin panics reaches the host's log: its message, its place, and its functions by name.

use std::sync::Mutex;

use hookrail::{End, Message};
use hookrail_tests::leftovers::Leftovers;
use hookrail_tests::listener::{Listener, fields};
use hookrail_tests::scene::{Scene, config, prints};
use hookrail_tests::{alone, zoo};
use serde_json::json;
use tracing::Level;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes the errors of the host.
const ERRORS: Listener = Listener {
    wants: |metadata| *metadata.level() == Level::ERROR,
    hears: |event| LINES.lock().unwrap().push(fields(event)),
};

/// What is logged while `happens`.
fn logged(happens: impl FnOnce()) -> Vec<String> {
    let _ = tracing::subscriber::set_global_default(ERRORS);
    LINES.lock().unwrap().clear();
    happens();
    std::mem::take(&mut *LINES.lock().unwrap())
}

fn publish(scene: &Scene, body: &str) {
    let _ = scene.publish.dispatch(&mut Message::new("a", body));
}

fn says(line: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} in: {line}");
}

#[test]
fn a_panic_in_a_callback_names_whose_it_is_and_where_it_came_from() {
    alone!();
    let scene = Scene::new(config("panics-variously", json!({})));
    let plugin = scene.load(zoo("panics_variously"));
    let lines = logged(|| publish(&scene, "boom"));
    let [line] = &*lines else { panic!("{lines:?}") };
    says(line, &["fault: panicked: it went badly wrong at ", "panics_variously.rs:"]);
    says(line, &["point=\"message.publish\"", "instance=\"panics-variously\"", "callback=\"look\"", "generation=1 "]);
    assert_eq!(line.matches("panics_variously::deep_inside\n").count(), 4, "{line}");
    // Two ways to write a method's name: the compiler's version decides.
    assert!(
        line.contains("panics_variously::Panics::look") || line.contains("<panics_variously::Panics>::look"),
        "{line}"
    );
    // The machinery on both sides is left out. What is of the plugin's own may have types of ours in its name.
    let machineries =
        ["rust_panic_with_hook", "rust_begin_unwind", "core::panicking", "catch_unwind", ": hookrail_abi::"];
    for machinery in machineries {
        assert!(!line.contains(machinery), "{machinery} in: {line}");
    }
    let end = scene.unload(plugin);
    assert_eq!(end, End::Unmapped);
    prints(&end, "unmapped");
}

#[test]
fn a_panic_that_the_plugin_catches_is_not_the_reason_of_another_failure() {
    alone!();
    let scene = Scene::new(config("panics-variously", json!({})));
    let plugin = scene.load(zoo("panics_variously"));
    assert_eq!(logged(|| publish(&scene, "caught")), [""; 0]);
    for (body, reason) in
        [("caught, then an error", "it just fails"), ("caught, then another", "panicked: thrown by hand")]
    {
        let lines = logged(|| publish(&scene, body));
        let [line] = &*lines else { panic!("{lines:?}") };
        says(line, &[&format!("fault: {reason} ")]);
        assert!(!line.contains("it went badly wrong") && !line.contains("backtrace"), "{line}");
    }
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn a_panic_on_a_thread_of_the_plugins_own_is_logged_at_once() {
    alone!();
    let scene = Scene::new(config("panics-variously", json!({})));
    let plugin = scene.load(zoo("panics_variously"));
    let lines = logged(|| publish(&scene, "thread"));
    let [line] = &*lines else { panic!("{lines:?}") };
    says(line, &["a thread of the plugin panicked: nobody asks at ", "panics_variously.rs:"]);
    says(line, &["plugin=\"panics-variously\"", "generation=1 ", "panics_variously::on_a_thread\n"]);
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn a_panic_in_a_lifecycle_function_is_logged_with_where_it_came_from() {
    alone!();
    let scene = Scene::new(config("panics-in-start", json!({})));
    let lines = logged(|| {
        // SAFETY: our own library.
        let error = unsafe { scene.host.load(zoo("panics_in_start")) }.unwrap_err().to_string();
        says(&error, &["its start failed: panicked: not today at ", "panics_in_start.rs:"]);
    });
    let [line] = &*lines else { panic!("{lines:?}") };
    says(line, &["start panicked: not today at ", "instance=\"panics-in-start\"", "generation=1 ", "::start"]);
}

/// Looking up names maps the file that they stand in: not a moment longer than it takes.
#[test]
fn a_generation_that_panicked_leaves_nothing() {
    alone!();
    let scene = Scene::new(config("panics-variously", json!({})));
    let generation = || {
        let plugin = scene.load(zoo("panics_variously"));
        for body in ["boom", "thread", "caught"] {
            publish(&scene, body);
        }
        assert!(scene.dispatch().is_some());
        assert_eq!(scene.unload(plugin), End::Unmapped);
    };
    logged(generation);
    let before = Leftovers::now();
    logged(|| (0..3).for_each(|_| generation()));
    let after = Leftovers::now();
    // Threads come and go with other tests.
    assert_eq!((after.copies, after.descriptors), (before.copies, before.descriptors));
}
