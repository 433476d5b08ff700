//! The configurations of sources and sinks are checked before anything is served.

use std::fs;

use hookrail_tests::plugin;
use serde_json::Value;

use crate::scenes::Place;

const CONFIG: &str = r#"
[pipelines.logs.sources.files]
use = "tail"
config = { path = "/x" }
[pipelines.logs.sources.in]
use = "stdin"
config = { topc = "a" }
[pipelines.logs.sinks.good]
use = "file-log"
config = { path = "DIR/out.txt" }
[pipelines.logs.sinks.none]
use = "mask"
[pipelines.logs.sinks.nowhere]
use = "nowhere"
"#;

#[test]
fn config_check_names_each_endpoint_that_does_not_fit_with_its_line_and_opens_none() {
    _ = ["tail", "file-log", "mask"].map(plugin);
    let place = Place::new("check-endpoints", CONFIG);
    let output = place.command(&["config", "check", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<_> = report["endpoints"].as_array().unwrap().iter().collect();
    let of = |name: &str| {
        let key = format!("pipelines.logs.{name}.config");
        let found = told.iter().find(|endpoint| endpoint["key"] == key).unwrap_or_else(|| panic!("{name}: {told:?}"));
        let place = found["place"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        (place, found["checked"] == true, found["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let (line, _, error) = of("sources.files");
    assert!(line == "4" && error.contains("hookrail.toml:4: ") && error.contains("'path' was unexpected"), "{error}");
    let (line, _, error) = of("sources.in");
    assert!(line == "7" && error.contains("unknown field `topc`"), "{error}");
    assert_eq!(of("sinks.good"), ("10".into(), true, String::new()));
    assert!(of("sinks.none").2.contains("it has no sink"));
    assert!(of("sinks.nowhere").2.contains("there is no plugin `nowhere`"));
    assert_eq!(output.status.code(), Some(2));
    assert!(!place.path("out.txt").exists(), "no sink is opened");
    let shown = place.ask(&["config", "check"]);
    assert!(shown.contains("hookrail.toml:4: `pipelines.logs.sources.files.config` does not fit"), "{shown}");
    assert!(shown.contains("hookrail.toml:7: pipelines.logs.sources.in.config: error["), "{shown}");
}

#[test]
fn offline_no_library_is_opened_and_the_programs_own_endpoints_are_checked_all_the_same() {
    let place = Place::new("check-endpoints-offline", CONFIG);
    // Whoever opens it fails.
    let wrong = "[plugins.tail]\nlibrary = 'DIR/hookrail.toml'\n";
    place.configure(&format!("{wrong}{CONFIG}"));
    let shown = place.ask(&["config", "check", "--offline"]);
    assert!(shown.contains("unknown field `topc`"), "{shown}");
    assert_eq!(shown.matches("not checked").count(), 5, "one instance and four endpoints: {shown}");
    assert!(place.ask(&["config", "check"]).contains("error[HR03"), "it is opened otherwise");
}

#[test]
fn serve_names_the_line_of_a_configuration_that_does_not_fit() {
    plugin("tail");
    let good = CONFIG.split("[pipelines.logs.sources.in]").next().unwrap();
    let place = Place::new("check-endpoints-serve", "");
    let sink = "[pipelines.logs.sinks.out]\nuse = \"stdout\"\n";
    fs::write(place.path("hookrail.toml"), format!("{good}{sink}")).unwrap();
    let said = place.ask(&["serve"]);
    assert!(said.contains("error[HR0203]: hookrail.toml:4: `pipelines.logs.sources.files.config`"), "{said}");
}
