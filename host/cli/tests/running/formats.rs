//! The formats of lines: what is lost on the way through them, which is nothing, and what is no message.

use std::fs;

use hookrail_tests::cli::{directory, hookrail, run, summary, text};
use hookrail_tests::plugin;
use hookrail_tests::random::Random;

fn filter(more: &[&str], input: &[u8]) -> std::process::Output {
    run(hookrail(&["run", "--no-control", "--json"]).args(more), input)
}

/// From text to JSON and back, with the same limit both ways.
fn comes_back(limit: &str, input: &[u8]) {
    let json = filter(&["--max-line", limit, "--output-format", "json"], input);
    assert_eq!(json.status.code(), Some(0), "{}", text(&json.stderr));
    let more = ["--max-line", limit, "--input-format", "json", "--output-format", "text"];
    let back = filter(&more, &json.stdout);
    assert_eq!(back.status.code(), Some(0), "{}", text(&back.stderr));
    assert!(back.stdout == input, "{} bytes became {}", input.len(), back.stdout.len());
}

/// Bodies of that length: those that take JSON the most room, and random ones.
fn bodies(length: usize, random: &mut Random) -> Vec<u8> {
    let mut all = Vec::new();
    let mut add = |body: Vec<u8>| {
        all.extend(body);
        all.push(b'\n');
    };
    // A control character is six in JSON; a byte that is not UTF-8 makes it base64.
    [1, b'"', b'\\', b'a', 0x7f, 0xff, 0].into_iter().for_each(|byte| add(vec![byte; length]));
    for alphabet in [256, 128, 32] {
        // A carriage return at the end would be a part of the line's end.
        let mut byte = || match random.below(alphabet) as u8 {
            b'\n' | b'\r' => b' ',
            byte => byte,
        };
        add((0..length).map(|_| byte()).collect());
    }
    all
}

#[test]
fn any_body_of_any_allowed_length_comes_back_from_json() {
    let mut random = Random::of_run();
    let every_byte: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').chain([b'\n']).collect();
    comes_back("255", &every_byte);
    for length in [1, 2, 3, 100, 1_000, 70_000] {
        comes_back(&length.to_string(), &bodies(length, &mut random));
    }
}

#[test]
fn a_body_of_the_longest_default_length_comes_back_from_json() {
    for byte in [1, 0xff] {
        let mut line = vec![byte; 16 << 20];
        line.push(b'\n');
        comes_back("16MiB", &line);
    }
}

#[test]
fn a_body_in_json_may_be_as_long_as_a_line_of_text_and_no_longer() {
    let output = filter(
        &["--max-line", "4", "--input-format", "json", "--output-format", "text"],
        b"{\"body\":\"1234\"}\n{\"body\":\"12345\"}\n{\"body\":\"\\u0031\\u0032\\u0033\\u0034\"}\n",
    );
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), "1234\n1234\n"));
    let said = text(&output.stderr);
    assert!(said.contains("stdin:2: skipped: it has 5 bytes, --max-line allows 4"), "{said}");
    assert_eq!(summary(&output)["long_lines"], 1);
}

#[test]
fn a_json_array_is_no_message_and_is_not_shown_with_what_is_in_it() {
    let input = b"{\"body\":\"a\"}\n[\"hunter2\"]\n[null,null,0,\"\",\"log\",[],\"hunter2\",null]\n{\"body\":\"b\"}\n\"hunter2\"\n";
    for (format, said_of_array) in [
        ("json", "not a message: invalid type: sequence, expected a message as an object"),
        ("ndjson", "not a message: it is a JSON array; `jq -c '.[]'` writes each of its elements on a line"),
    ] {
        let output = filter(&["--input-format", format], input);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).lines().count()), (Some(4), 2), "{said}");
        for line in [2, 3] {
            let found = said.lines().find(|said| said.starts_with(&format!("stdin:{line}:"))).unwrap();
            assert!(found.ends_with(said_of_array), "{found}");
        }
        assert!(said.contains("stdin:5:9: not a message: invalid type: string, expected a "), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(summary(&output)["bad_lines"], 3);
    }
}

#[test]
fn any_object_is_a_message_and_comes_out_byte_for_byte() {
    let input = b"{\"level\":\"info\", \"a\":[1,{\"b\":null}]}\r\n  {}  \n{\"text\":\"\\u00e9\",\"n\":1e400}\n{\"bytes\":\"\xff\"}";
    let output = filter(&["--input-format", "ndjson"], input);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &input[..]), "{}", text(&output.stderr));
}

#[test]
fn fields_of_an_object_become_headers_and_the_topic() {
    let more = ["--output-format", "json", "--topic-field", "logger", "--topic", "none"];
    let mut fields = vec!["--input-format", "ndjson", "--header-field", "level", "--header-field", "pid"];
    fields.extend(more);
    let input = b"{\"logger\":\"app.db\",\"level\":\"warn\",\"pid\":7,\"x\":{\"level\":\"no\"}}\n{\"level\":null}\n";
    let output = filter(&fields, input);
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["topic"], "app.db");
    assert_eq!(lines[0]["headers"], serde_json::json!([["level", "warn"], ["pid", "7"]]));
    assert_eq!(lines[0]["body"], text(input).lines().next().unwrap());
    assert_eq!((&lines[1]["topic"], lines[1].get("headers")), (&"none".into(), None));
}

/// As in a log that a mask and a throttle are for.
#[test]
fn plugins_see_the_headers_and_edit_the_object() {
    let directory = directory("ndjson_plugins");
    let config = "[plugins.mask.config]\npatterns = ['hunter2']\n\
         [plugins.throttle.config]\nrate = 0.001\nburst = 1\nkey = { header = 'user' }\n";
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["run", "--no-control", "--input-format", "ndjson", "--header-field", "user"]);
    for name in ["mask", "throttle"] {
        command.arg("--plugin").arg(plugin(name));
    }
    let input = b"{\"user\":\"a\",\"p\":\"hunter2\"}\n{\"user\":\"a\"}\n{\"user\":\"b\"}\n";
    let output = run(command.current_dir(&directory), input);
    assert_eq!(text(&output.stdout), "{\"user\":\"a\",\"p\":\"***\"}\n{\"user\":\"b\"}\n", "{}", text(&output.stderr));
}

#[test]
fn fields_of_what_is_no_object_are_refused() {
    for field in ["--topic-field", "--header-field"] {
        for format in ["text", "json"] {
            let output = filter(&["--input-format", format, field, "a"], b"");
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains("are for --input-format ndjson"), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn the_mark_of_utf_8_is_no_part_of_the_first_body_and_comes_out_again() {
    let directory = directory("bom");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = ['^secret']\n").unwrap();
    let input = b"\xef\xbb\xbfsecret\nsecret \xef\xbb\xbf\n";
    fs::write(directory.join("a"), input).unwrap();
    let mut command = hookrail(&["run", "-q", "--no-control", "a", "-", "--plugin"]);
    let output = run(command.arg(plugin("mask")).current_dir(&directory), input);
    let masked = "\u{feff}***\n*** \u{feff}\n";
    assert_eq!(text(&output.stdout), masked.repeat(2), "{}", text(&output.stderr));

    let json = filter(&["--output-format", "json"], b"\xef\xbb\xbfa\n");
    assert!(json.stdout.starts_with(b"{"), "{}", text(&json.stdout));
    let message = b"\xef\xbb\xbf{\"body\":\"a\"}\n";
    let output = filter(&["--input-format", "json", "--output-format", "text"], message);
    assert_eq!(text(&output.stdout), "a\n", "{}", text(&output.stderr));
    let output = filter(&["--input-format", "ndjson"], message);
    assert_eq!(output.stdout, message, "{}", text(&output.stderr));
    for input in [&b"\xef\xbb\xbf"[..], b"\xef", b"\xef\xbb\n\xef\xbb\xbf", b"\xef\xbb\xbf\n"] {
        assert_eq!(filter(&[], input).stdout, input, "{}", input.escape_ascii());
    }
}

#[test]
fn utf_16_is_refused_with_the_way_out_before_a_mask_misses_anything() {
    let directory = directory("utf_16");
    let little: Vec<u8> = "\u{feff}secret\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}secret\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    fs::write(directory.join("log"), &big).unwrap();
    let output = run(hookrail(&["run", "--no-control", "-", "log"]).current_dir(&directory), b"before\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), "before\n"));
    let said = text(&output.stderr);
    assert!(said.contains("error[HR0630]: log is UTF-16 or UTF-32"), "{said}");
    assert!(said.contains("iconv -f UTF-16 -t UTF-8 log | hookrail run"), "{said}");
    let output = filter(&[], &little);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), ""));
    assert!(text(&output.stderr).contains("iconv"), "{}", text(&output.stderr));
    // Without its mark it cannot be told from other bytes for sure.
    let output = filter(&[], &little[2..]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &little[2..]));
    assert!(text(&output.stderr).contains("stdin looks like UTF-16"), "{}", text(&output.stderr));
}
