//! Configurations: the plugin's schema for them, and how it handles invalid ones.

use serde_json::{Map, Value, json};

use super::{caught, end, may, must, started};
use crate::answer::{Found, Not};
use crate::counted::counted;
use crate::payload;
use crate::random::Random;
use crate::raw::Library;
use crate::subject::Subject;

pub(in super::super) fn schema(subject: &Subject) -> Found {
    let library = subject.driven()?;
    let Some(schema) = must("asking for the schema", library.schema())? else {
        return Err(Not::Skipped("it has no table schema/1".into()));
    };
    let schema: Value = serde_json::from_str(&schema).map_err(|error| format!("its schema is not JSON: {error}"))?;
    let Some(object) = schema.as_object() else { return Err("its schema is not a JSON object".into()) };
    if object.get("type").is_some_and(|kind| kind != "object") {
        return Err(format!("its schema is one of {}; a configuration is an object", object["type"]).into());
    }
    let again = must("asking for the schema again", library.schema())?;
    if again.as_deref().map(serde_json::from_str::<Value>).and_then(Result::ok).as_ref() != Some(&schema) {
        return Err("it answers another schema the second time".into());
    }
    let mut config = base(subject);
    let mut defaults = 0;
    for (key, property) in properties(&schema) {
        if let (Some(default), false) = (property.get("default"), config.contains_key(key)) {
            config.insert(key.clone(), default.clone());
            defaults += 1;
        }
    }
    let text = Value::Object(config).to_string();
    let mut instance = must("with the defaults of its schema written out", library.create(subject.name(), &text))?;
    must("starting it with the defaults of its schema written out", instance.start())?;
    end(instance)?;
    caught(format!(
        "{}, {defaults} defaults accepted as they are declared",
        counted(properties(&schema).count(), "key")
    ))
}

pub(in super::super) fn hostile_config(subject: &Subject) -> Found {
    let library = subject.driven()?;
    let mut refused = 0;
    let configs = hostile(subject, library, &mut subject.random("hostile-config"));
    for (what, config) in &configs {
        subject.doing(&format!("creating an instance with {what}"));
        let Some(mut instance) = may(what, library.create(subject.name(), config))? else {
            refused += 1;
            continue;
        };
        // Large ones are only parsed: what they describe may take long to build.
        if config.len() < 1 << 14 {
            subject.doing(&format!("starting an instance with {what}"));
            if may(what, instance.start())?.is_some() {
                must(what, instance.stop())?;
            } else {
                refused += 1;
            }
        }
        must(what, instance.destroy())?;
    }
    end(started(subject, library)?)?;
    caught(format!("{} configurations, {refused} of them refused with a reason", configs.len()))
}

pub(in super::super) fn hostile_reload(subject: &Subject) -> Found {
    let library = subject.driven()?;
    if !library.has_reload() {
        return Err(Not::Skipped("it has no table reload/1".into()));
    }
    let mut random = subject.random("hostile-reload");
    let configs = hostile(subject, library, &mut random);
    let instance = started(subject, library)?;
    let mut refused = 0;
    for (what, config) in &configs {
        if config.len() >= 1 << 14 && serde_json::from_str::<Value>(config).is_ok() {
            continue;
        }
        subject.doing(&format!("reloading {what}"));
        let reloaded = instance.reload(config).ok_or("its table reload/1 is gone")?;
        if may(what, reloaded)?.is_none() {
            refused += 1;
        }
        // It continues with either the old or the new configuration.
        let message = payload::any(&mut random);
        for callback in &instance.callbacks {
            if let Some(known) = callback.known {
                payload::call(callback, known, &message, false)
                    .map_err(|why| format!("`{}`, after a reload of {what}: {why}", callback.name))?;
            }
        }
    }
    end(instance)?;
    caught(format!("{} configurations, {refused} of them refused with a reason", configs.len()))
}

/// The given configuration, as an object.
fn base(subject: &Subject) -> Map<String, Value> {
    match serde_json::from_str(&subject.config()) {
        Ok(Value::Object(config)) => config,
        _ => Map::new(),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Configurations that a plugin should not be given, or that are almost valid: none of them may harm it. All are UTF-8,
/// as the boundary demands.
pub(super) fn hostile(subject: &Subject, library: Library, random: &mut Random) -> Vec<(String, String)> {
    let schema = library.schema().ok().flatten().and_then(|schema| serde_json::from_str::<Value>(&schema).ok());
    hostile_to(subject, base(subject), schema.as_ref(), random)
}

/// As [`hostile`], of a configuration that is good, and of the schema that it has.
pub(super) fn hostile_to(
    subject: &Subject,
    base: Map<String, Value>,
    schema: Option<&Value>,
    random: &mut Random,
) -> Vec<(String, String)> {
    let good = Value::Object(base.clone()).to_string();
    let mut keys: Vec<String> = base.keys().cloned().collect();
    keys.extend(
        schema.into_iter().flat_map(properties).map(|(key, _)| key.clone()).filter(|key| !base.contains_key(key)),
    );
    let mut configs: Vec<(String, String)> = Vec::new();
    let mut add = |what: String, text: String| configs.push((what, text));
    for text in
        ["", " ", "null", "true", "0", "-1e400", "\"text\"", "[]", "[{}]", "{", "}", "{}{}", "\u{feff}{}", "{\"a\":}"]
    {
        add(format!("the configuration {text:?}"), text.into());
    }
    let with = |key: &str, value: Value| {
        let mut config = base.clone();
        config.insert(key.into(), value);
        Value::Object(config).to_string()
    };
    for key in ["", "no-such-key", "\0", "__proto__", "a/b"] {
        add(format!("the unknown key {key:?}"), with(key, json!(1)));
    }
    for key in &keys {
        let mut without = base.clone();
        if without.remove(key).is_some() {
            add(format!("`{key}` left out"), Value::Object(without).to_string());
        }
        for value in values(random) {
            let shown: String = value.to_string().chars().take(40).collect();
            add(format!("`{key}` being {shown}"), with(key, value));
        }
        add(format!("`{key}` twice"), format!("{{\"{key}\":1,\"{key}\":2}}"));
    }
    // A megabyte, in three forms: text, JSON, and nested brackets.
    let large = if subject.is_quick() { 1 << 16 } else { 1 << 20 };
    for round in 1..=if subject.is_quick() { 1 } else { 3 } {
        add(format!("{large} bytes of random text, {round}"), random.text(large));
        add(format!("{large} bytes of random JSON, {round}"), random_json(random, large));
    }
    add(format!("{large} brackets"), "[".repeat(large));
    add(format!("{large} bytes of nested objects"), "{\"a\":".repeat(large / 5));
    for key in keys.iter().take(1) {
        add(format!("`{key}` nested deeply"), format!("{{\"{key}\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)));
    }
    let most = subject.times(400);
    let ends: Vec<_> = good.char_indices().map(|(at, _)| at).collect();
    for at in ends.iter().step_by(ends.len().div_ceil(most).max(1)) {
        add(format!("the configuration cut off after {at} bytes"), good[..*at].into());
    }
    configs
}

/// A value of every type and size. None of the texts is a path that leaves the current directory.
fn values(random: &mut Random) -> Vec<Value> {
    let word = |random: &mut Random, len| random.text(len).replace(['/', '.', '\0'], "x");
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(-0.5),
        json!(""),
        json!("("),
        json!(word(random, 8)),
        json!(word(random, 4096)),
        json!([]),
        json!([null]),
        json!([word(random, 4), word(random, 4)]),
        json!({}),
        json!({ "a": { "b": [1, "x", null] } }),
    ]
}

/// About `len` bytes of JSON.
fn random_json(random: &mut Random, len: usize) -> String {
    let mut object = Map::new();
    for number in 0..len / 256 {
        let (key, value) = (random.text(12), random.text(200));
        object.insert(format!("{number}{key}"), json!([value, random.next(), { "x": null }]));
    }
    Value::Object(object).to_string()
}
