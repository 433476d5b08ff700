//! What is divided how.

use super::*;

fn lines(max_line: usize) -> Rules {
    Rules { max_line, joined: None }
}

fn joined(max_bytes: usize, max_lines: usize) -> Rules {
    let start = Regex::new("^[0-9]").unwrap();
    Rules { max_line: 100, joined: Some(Joined { start, max_bytes, max_lines, idle: Duration::ZERO }) }
}

/// Divides `input`; what is left open is the last text.
fn divide(rules: &Rules, input: &str, rest: Rest) -> (Vec<(String, u64)>, String) {
    let (mut entries, mut from) = (Vec::new(), 0);
    while let Some(entry) = rules.next(input.as_bytes(), from, 0, rest) {
        assert!(entry.end > from, "it moves on");
        entries.push((input[entry.body].to_owned(), entry.cut));
        from = entry.end;
    }
    (entries, input[from..].to_owned())
}

fn check(rules: &Rules, input: &str, rest: Rest, expected: &[&str], open: &str) {
    let (entries, left) = divide(rules, input, rest);
    let bodies: Vec<_> = entries.iter().map(|(body, _)| body.as_str()).collect();
    assert_eq!((bodies.as_slice(), left.as_str()), (expected, open), "{input:?} with {rest:?} behind it");
}

#[test]
fn a_line_ends_with_a_newline_with_or_without_a_carriage_return() {
    check(&lines(9), "a\nb\r\n\n\r\nc\rd\n", Rest::Expected, &["a", "b", "", "", "c\rd"], "");
}

#[test]
fn a_line_without_its_newline_waits() {
    check(&lines(9), "a\nb", Rest::Expected, &["a"], "b");
    check(&lines(9), "a\nb", Rest::Late, &["a"], "b");
    check(&lines(9), "a\nb", Rest::None, &["a", "b"], "");
    check(&lines(9), "a\nb\r", Rest::None, &["a", "b"], "");
    check(&lines(9), "", Rest::None, &[], "");
}

#[test]
fn a_long_line_is_cut_and_the_next_one_is_whole() {
    let (entries, open) = divide(&lines(4), "abcd\nabcde\r\nabcdefgh\nx\nabcde", Rest::None);
    let expected = [("abcd", 0), ("abcd", 1), ("abcd", 4), ("x", 0), ("abcd", 1)];
    assert_eq!(entries, expected.map(|(body, cut)| (body.to_owned(), cut)));
    assert_eq!(open, "");
}

#[test]
fn what_was_searched_is_not_searched_again() {
    let rules = lines(9);
    assert_eq!(rules.next(b"x\nabc\n", 2, 4, Rest::Expected), Some(Entry { body: 2..5, cut: 0, end: 6 }));
    assert_eq!(rules.next(b"abc", 0, 3, Rest::Expected), None);
}

#[test]
fn lines_that_do_not_begin_an_entry_are_joined_to_the_one_before() {
    check(&joined(99, 9), "1 a\n b\n c\n2 d\n3 e\n f\n", Rest::Expected, &["1 a\n b\n c", "2 d"], "3 e\n f\n");
    check(&joined(99, 9), "1 a\n b\n", Rest::Late, &["1 a\n b"], "");
    check(&joined(99, 9), "1 a\r\n b\r\n2 c\r\n", Rest::Expected, &["1 a\r\n b"], "2 c\r\n");
    check(&joined(99, 9), " no start\n b\n1 a\n", Rest::Expected, &[" no start\n b"], "1 a\n");
    check(&joined(99, 9), "1 a\n\n\n2 b\n", Rest::Late, &["1 a\n\n", "2 b"], "");
}

#[test]
fn an_entry_whose_last_line_is_being_written_waits_for_it() {
    check(&joined(99, 9), "1 a\n b\n c", Rest::Expected, &[], "1 a\n b\n c");
    check(&joined(99, 9), "1 a\n b\n c", Rest::Late, &[], "1 a\n b\n c");
    check(&joined(99, 9), "1 a\n b\n c", Rest::None, &["1 a\n b\n c"], "");
    check(&joined(99, 9), "1 a\n b\n2", Rest::None, &["1 a\n b", "2"], "");
}

#[test]
fn an_entry_has_its_bounds_and_nothing_is_lost_at_them() {
    check(&joined(99, 2), "1\n a\n b\n c\n d\n2\n", Rest::Late, &["1\n a", " b\n c", " d", "2"], "");
    check(&joined(5, 9), "1\n a\n b\n c\n2\n", Rest::Late, &["1\n a", " b\n c", "2"], "");
    check(&joined(5, 9), "1\n a\n bcdefghi", Rest::Expected, &["1\n a"], " bcdefghi");
    check(&joined(99, 1), "1\n a\n", Rest::Expected, &["1", " a"], "");
}

#[test]
fn a_long_line_is_an_entry_of_its_own() {
    let mut rules = joined(99, 9);
    rules.max_line = 4;
    let (entries, _) = divide(&rules, "1\n a\n bcdefghi\n c\n2\n", Rest::Late);
    let expected = [("1\n a", 0), (" bcd", 5), (" c", 0), ("2", 0)];
    assert_eq!(entries, expected.map(|(body, cut)| (body.to_owned(), cut)));
}

/// A window is never full without an entry but for a first line that is too long.
#[test]
fn a_full_window_shows_an_entry_or_a_line_that_is_too_long() {
    let mut rules = joined(300 << 10, usize::MAX);
    rules.max_line = 200 << 10;
    let window = rules.window();
    for line in [1, 100, 100 << 10, 200 << 10] {
        let input = format!("{}\n", "x".repeat(line)).repeat(window / line + 1)[..window].to_owned();
        let entry = rules.next(input.as_bytes(), 0, 0, Rest::Expected).expect("an entry ends in a full window");
        assert!(entry.cut == 0 && entry.end <= window && entry.body.len() <= 300 << 10, "{line}");
    }
}
