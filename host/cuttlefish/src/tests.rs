//! Which lines are accepted, the types of values, and what is refused, with its line.

use serde_json::{Value, json};

use super::parse::Entry;
use super::{convert, parse};

#[test]
fn lines_are_keys_and_values() {
    let cases: [(&str, &[&str], &str); 21] = [
        ("", &[], ""),
        (" \t ", &[], ""),
        ("## a.b = c", &[], ""),
        ("\t# a.b = c", &[], ""),
        ("a=b", &["a"], "b"),
        ("  a.b\t=  c d \t", &["a", "b"], "c d"),
        ("a.b = c\r", &["a", "b"], "c"),
        ("\u{feff}a = b", &["a"], "b"),
        (r"a\.b.c-d_e.1 = x", &["a.b", "c-d_e", "1"], "x"),
        ("ssl/tls.a@b:c = x", &["ssl/tls", "a@b:c"], "x"),
        ("bind_dn = cn=root,dc=emqx", &["bind_dn"], "cn=root,dc=emqx"),
        ("topic = sensor/#", &["topic"], "sensor/#"),
        ("name = Grüße", &["name"], "Grüße"),
        ("query = select 'x' from t", &["query"], "select 'x' from t"),
        (r#"a = "b # c""#, &["a"], "b # c"),
        (r#"a = "{\"b\": 1}""#, &["a"], r#"{"b": 1}"#),
        (r#"a = {"b": 1}"#, &["a"], r#"{"b": 1}"#),
        (r#"a = b "c""#, &["a"], r#"b "c""#),
        (r#"a = """#, &["a"], ""),
        ("include = x", &["include"], "x"),
        ("a = = b", &["a"], "= b"),
    ];
    for (text, path, value) in cases {
        let path: Vec<_> = path.iter().map(|word| (*word).to_owned()).collect();
        let entry = (!path.is_empty()).then(|| Entry { path, value: value.into(), line: 1 });
        assert_eq!(parse(text), Ok(entry.into_iter().collect()), "{text:?}");
    }
}

#[test]
fn malformed_lines_are_refused_with_their_number() {
    for (text, said) in [
        ("a", "neither"),
        ("a b = c", "neither"),
        ("= c", "neither"),
        ("a..b = c", "neither"),
        (".a = c", "neither"),
        ("a. = c", "neither"),
        (r"a\b = c", "neither"),
        ("ä = c", "neither"),
        ("a =", "no value"),
        ("a = \t\r", "no value"),
        ("a = b # c", "a comment?"),
        ("a = b\t#", "a comment?"),
        (r#"a = "b" # c"#, "begins with a quote"),
        (r#"a = "b"#, "begins with a quote"),
        ("include \"more.conf\"", "includes"),
        ("{{ settings }}", "filled in"),
    ] {
        let mistakes = parse(&format!("# one\n{text}\nc = d\n{text}")).expect_err(text);
        let found: Vec<_> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(found, [2, 4], "{text:?}");
        assert!(mistakes.to_string().starts_with("\n  line 2: ") && mistakes.to_string().contains(said), "{mistakes}");
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "on": { "type": "boolean" },
            "count": { "type": "integer" },
            "maybe": { "type": ["integer", "null"] },
            "ratio": { "type": "number" },
            "text": { "type": "string" },
            "Some-Text": { "type": "string" },
            "wait_ms": { "type": "integer" },
            "wait_secs": { "type": "number" },
            "whole_s": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "room_bytes": { "type": "integer" },
            "hash": { "enum": ["plain", "sha256", 7] },
            "mode": { "oneOf": [{ "const": "fast" }, { "type": "integer" }] },
            "list": { "type": "array", "items": { "type": "string" } },
            "ports": { "type": "array", "items": { "type": "integer" } },
            "users": { "type": "array", "items": { "$ref": "#/$defs/User" } },
            "user": { "allOf": [{ "$ref": "#/$defs/User" }] },
            "headers": { "type": "object", "additionalProperties": { "type": "integer" } },
            "starred": { "patternProperties": { "^x": { "type": "boolean" } }, "additionalProperties": false },
            "free": {},
            "any": true,
            "open": { "type": "object" },
            "tree": { "type": "array", "items": { "$ref": "#/properties/tree" } },
            "loop": { "$ref": "#/properties/loop" },
        },
        "$defs": { "User": {
            "type": "object",
            "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
            "additionalProperties": false,
        } },
    })
}

#[test]
fn values_have_the_types_of_the_schema() {
    for (text, expected) in [
        ("", json!({})),
        ("on = on\ncount = -5", json!({ "on": true, "count": -5 })),
        ("on = false", json!({ "on": false })),
        ("count = 18446744073709551615", json!({ "count": u64::MAX })),
        ("count = 10MB", json!({ "count": 10 << 20 })),
        ("count = 1.5kb", json!({ "count": 1536 })),
        ("count = 50%", json!({ "count": 50 })),
        ("maybe = 5", json!({ "maybe": 5 })),
        ("ratio = 0.75", json!({ "ratio": 0.75 })),
        ("ratio = -.5", json!({ "ratio": -0.5 })),
        ("ratio = 3", json!({ "ratio": 3 })),
        ("ratio = 25%", json!({ "ratio": 0.25 })),
        ("text = 5s", json!({ "text": "5s" })),
        ("text = 127.0.0.1:8080", json!({ "text": "127.0.0.1:8080" })),
        ("some_text = 5", json!({ "Some-Text": "5" })),
        ("wait_ms = 1h30m", json!({ "wait_ms": 5_400_000 })),
        ("wait_ms = 1.1s", json!({ "wait_ms": 1100 })),
        ("wait_ms = 1w1d1h1m1s1ms", json!({ "wait_ms": 694_861_001 })),
        ("wait_ms = 250", json!({ "wait_ms": 250 })),
        ("wait-secs = 1500ms", json!({ "wait_secs": 1.5 })),
        ("whole_s = 2m", json!({ "whole_s": 120 })),
        // The name has the unit that it counts in, and the file has the unit with the number.
        ("wait = 100ms", json!({ "wait_ms": 100 })),
        ("whole = 1F", json!({ "whole_s": 1_209_600 })),
        ("room = 1GB", json!({ "room_bytes": 1 << 30 })),
        ("hash = sha256", json!({ "hash": "sha256" })),
        ("hash = 7", json!({ "hash": 7 })),
        ("mode = fast", json!({ "mode": "fast" })),
        ("mode = 4", json!({ "mode": 4 })),
        ("list = a, b,c", json!({ "list": ["a", "b", "c"] })),
        ("list = x", json!({ "list": ["x"] })),
        ("list = \"\"", json!({ "list": [] })),
        ("list = [\"a,b\"]", json!({ "list": ["a,b"] })),
        ("list.10 = c\nlist.2 = b\nlist.1 = a", json!({ "list": ["a", "b", "c"] })),
        ("ports = 80, 443", json!({ "ports": [80, 443] })),
        (
            "users.1.name = ann\nusers.2.name = ben\nusers.1.age = 30",
            json!({ "users": [{ "name": "ann", "age": 30 }, { "name": "ben" }] }),
        ),
        ("user.age = 1", json!({ "user": { "age": 1 } })),
        ("user = {\"age\": 1}", json!({ "user": { "age": 1 } })),
        ("headers.content-type = 1", json!({ "headers": { "content-type": 1 } })),
        ("starred.x = on", json!({ "starred": { "x": true } })),
        ("free = 5\nany.a.1 = 5", json!({ "free": "5", "any": { "a": { "1": "5" } } })),
        ("open.a.b = 5", json!({ "open": { "a": { "b": "5" } } })),
        ("tree = [[], [[]]]", json!({ "tree": [[], [[]]] })),
        ("tree.1 = []\ntree.2.1 = []", json!({ "tree": [[], [[]]] })),
        ("loop = 1", json!({ "loop": "1" })),
        // The last line counts, and the value it replaces need not fit.
        ("count = x\ncount = 2", json!({ "count": 2 })),
        ("some_text = a\nsome-text = b", json!({ "Some-Text": "b" })),
    ] {
        let found =
            convert(&parse(text).unwrap(), Some(&schema()), "plugin").unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn values_outside_the_schema_are_refused_with_their_line() {
    for (text, expected) in [
        ("cuont = 1", "the plugin's schema has no `cuont` there, but `count`"),
        ("user.nmae = x", "`user.nmae`: the plugin's schema has no `nmae` there, but `name`"),
        ("user.colour = x", "has no `colour` there, but age, name"),
        ("count.below = 1", "has no `below` there"),
        ("hash.below = 1", "has no `below` there"),
        ("on = yes", "`on` takes on or off, which `yes` is not"),
        ("count = 1.5", "`count` takes a whole number, which `1.5` is not"),
        ("count = five", "which `five` is not"),
        ("count = 5s", "`5s` has a unit"),
        ("count = 1.0001KB", "a whole number"),
        ("count = 99999999999999999999", "a whole number"),
        ("ratio = 1.2.3", "a number"),
        ("ratio = inf", "a number"),
        ("wait = 5", "has no `wait` there, but `wait_ms`"),
        ("wait_ms = 0.0001s", "a whole number"),
        ("whole_s = 500ms", "`whole_s` counts whole seconds, which `500ms` is not"),
        ("hash = md5", "`hash` takes plain, sha256 or 7, which `md5` is not"),
        ("mode = slow", "takes fast or a whole number, which `slow` is not"),
        ("ports = 80, http", "which `http` is not"),
        ("tree = a, b", "`tree` takes an array, which `a, b` is not"),
        ("users.1 = ann", "keys of its own or JSON"),
        ("user.age = 1\nuser = x", "not both as here and in line 2"),
        ("list = a\nlist.1 = b", "not both as here and in line 2"),
    ] {
        let mistakes = convert(&parse(&format!("\n{text}")).unwrap(), Some(&schema()), "plugin").expect_err(text);
        assert!(mistakes.to_string().contains(expected), "{text}: {mistakes}");
        assert_eq!((mistakes.0.len(), mistakes.0[0].line), (1, 1 + text.lines().count()), "{text}: {mistakes}");
    }
    let deep = format!("{}a = x", "a.".repeat(100_000));
    assert!(parse(&deep).unwrap_err().to_string().contains("100001 words, 32 are allowed"));
    let mistakes = convert(&parse("on = x\nmore = y\ncount = z").unwrap(), Some(&schema()), "plugin").unwrap_err();
    assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [1, 2, 3], "all of them, in order");
}

#[test]
fn the_name_of_the_plugin_is_no_part_of_the_key() {
    for (plugin, key, expected) in [
        ("auth-http", "auth.http.a.b", json!({ "a": { "b": "x" } })),
        ("emqx_auth_http", "auth.http.a", json!({ "a": "x" })),
        ("auth_http", "emqx_auth_http.a", json!({ "a": "x" })),
        ("web-hook", "web.hook.a", json!({ "a": "x" })),
        ("mask", "mask.mask.a", json!({ "mask": { "a": "x" } })),
        ("mask", "mask", json!({ "mask": "x" })),
        ("mask", "masks.a", json!({ "masks": { "a": "x" } })),
        ("mask", "a.mask", json!({ "a": { "mask": "x" } })),
    ] {
        let entries = parse(&format!("{key} = x")).unwrap();
        assert_eq!(convert(&entries, None, plugin), Ok(expected), "{plugin} {key}");
    }
}

/// The example of the guide: its file and its schema yield its configuration.
#[test]
fn the_guide_shows_what_comes_of_a_file() {
    let guide = include_str!("../../../docs/guide/migrating-from-emqx.md");
    let block = |name: &str| {
        let (_, rest) = guide.split_once(&format!("<!-- {name} -->\n```")).unwrap();
        rest.split_once('\n').unwrap().1.split("```").next().unwrap()
    };
    let schema = serde_json::from_str(block("schema")).unwrap();
    let shown: Value = serde_json::from_str(block("configuration")).unwrap();
    let entries = parse(block("etc/emqx_auth_http.conf")).unwrap();
    assert_eq!(convert(&entries, Some(&schema), "auth-http"), Ok(shown));

    let mistakes = convert(&parse(block("mistakes")).unwrap(), Some(&schema), "auth-http").unwrap_err();
    assert_eq!(mistakes.to_string().trim_start_matches('\n'), block("what is said").trim_end());
}
