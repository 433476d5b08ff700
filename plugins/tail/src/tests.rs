//! What the source sends, driven as a host drives it.

mod lines;
mod many;
mod restart;
mod rotation;
mod scene;
mod start;
mod storm;

use hookrail_abi::testing;

use super::*;

#[test]
fn a_message_is_a_line_with_the_path_as_its_source() {
    let scene = scene::Scene::new();
    scene.write("app.log", "one\ntwo\r\n");
    let messages = scene.run("", 2).messages;
    for (message, body) in messages.iter().zip(["one", "two"]) {
        assert_eq!(message.topic, "log.app");
        assert_eq!(message.source, *scene.path("app.log").to_str().unwrap());
        assert_eq!(message.body, body);
        assert!(message.headers.is_empty() && message.id != hookrail_abi::MessageId::NIL && message.timestamp > 0);
    }
    assert_ne!(messages[0].id, messages[1].id);
    assert_eq!(scene.run(r#", "topic": "{directory}.{name}""#, 0).messages, []);
}

#[test]
fn mistakes_in_a_configuration_are_reported() {
    let plugin = testing::start::<Tail>("{}").unwrap();
    for (config, said) in [
        ("{}", "`paths` is empty"),
        (r#"{"paths": ["a.log"]}"#, "begin it with a slash"),
        (r#"{"paths": ["/a"], "exclude": ["[b"]}"#, "`exclude` has \"[b\""),
        (r#"{"paths": ["/a"], "topic": "a b"}"#, "`topic` is \"a b\""),
        (r#"{"paths": ["/a"], "max_line": 0}"#, "`max_line` is 0"),
        (r#"{"path": ["/a"]}"#, "unknown field `path`"),
    ] {
        let error = plugin.source("tail", config).unwrap_err().to_string();
        assert!(error.contains(said), "{config}: {error}");
    }
    assert!(plugin.source("tail", r#"{"paths": ["/a"]}"#).is_ok());
}
