//! `hookrail top`: what it shows is what happens.

use hookrail_tests::probe::eventually;
use serde_json::Value;

use crate::scenes::following;

#[test]
fn rates_are_those_of_what_came_in_between() {
    let place = following("top");
    let serving = place.serve_and_answer();
    place.ask(&["hooks", "set-level", "message.publish", "histogram"]);
    let mut number = 0;
    eventually("what comes is seen", || {
        // Written while it looks, so that some of it lies between its two looks, whenever they are.
        let mut looking = place.command(&["top", "--once", "--json", "--interval", "1s"]);
        let looking = std::thread::spawn(move || looking.output().unwrap());
        while !looking.is_finished() {
            number += 1;
            place.append("logs/app.log", &format!("line {number}\n"));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let output = looking.join().unwrap();
        assert!(output.status.success());
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (pipeline, is_mask) = (&shown["pipelines"][0], |it: &&Value| it["callback"] == "mask/mask");
        let mask = shown["callbacks"].as_array().unwrap().iter().find(is_mask).unwrap();
        assert_eq!((&pipeline["pipeline"], &pipeline["sinks"][0]["sink"]), (&"logs".into(), &"all".into()));
        let is_positive = |rate: &Value| rate.as_f64().unwrap() > 0.0;
        is_positive(&pipeline["received_per_s"])
            && is_positive(&pipeline["sinks"][0]["delivered_per_s"])
            && is_positive(&mask["calls_per_s"])
            && mask["p99_ns"].as_u64().is_some_and(|time| time > 0)
    });
    eventually("all of it is taken, and shown as a table", || {
        let told = place.ask(&["top", "--once", "--interval", "100ms"]);
        assert!(told.contains("mask/mask") && told.contains(" of 1024"), "{told}");
        told.contains(" 0 of 1024")
    });
    serving.interrupt();
    serving.end();
}
