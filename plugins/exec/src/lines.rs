//! Bytes that are divided into lines of a bounded length.

/// What was read and is no whole line yet.
pub(crate) struct Lines {
    most: usize,
    held: Vec<u8>,
    /// How many bytes of a line that is too long were passed over.
    passed: usize,
}

/// What bytes are divided into.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<'a> {
    /// A line, without its newline.
    Whole(&'a [u8]),
    /// One that was too long, with its length in bytes.
    TooLong(usize),
}

impl Lines {
    /// Of lines of so many bytes at most, without the newline.
    pub(crate) fn new(most: usize) -> Self {
        Lines { most, held: Vec::new(), passed: 0 }
    }

    /// Takes bytes, and gives the lines that are whole with them.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            // Most lines come whole.
            if self.held.is_empty() && self.passed == 0 && line.len() <= self.most {
                each(Line::Whole(trimmed(line)));
                continue;
            }
            self.hold(line);
            self.end(&mut each);
        }
        self.hold(bytes);
    }

    /// There are no more bytes: gives what no newline has ended.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        if !self.held.is_empty() || self.passed > 0 {
            self.end(&mut each);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.passed > 0 || self.held.len() + bytes.len() > self.most {
            self.passed += self.held.len() + bytes.len();
            self.held.clear();
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Line<'_>)) {
        match std::mem::take(&mut self.passed) {
            0 => each(Line::Whole(trimmed(&self.held))),
            length => each(Line::TooLong(length)),
        }
        self.held.clear();
        // A line that was long once does not keep its memory.
        self.held.shrink_to(64 << 10);
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of these bytes, however they come.
    fn lines(bytes: &[u8], at_once: usize) -> Vec<String> {
        let mut lines = Lines::new(8);
        let mut found = Vec::new();
        let mut each = |line: Line<'_>| {
            found.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::TooLong(length) => format!("<{length}>"),
            });
        };
        bytes.chunks(at_once).for_each(|bytes| lines.take(bytes, &mut each));
        lines.finish(&mut each);
        assert!(lines.held.capacity() <= 64 << 10);
        found
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let long = format!("one\r\n\n{}\n12345678\n123456789\nrest", "x".repeat(1000));
        for at_once in 1..20 {
            let found = lines(long.as_bytes(), at_once);
            assert_eq!(found, ["one", "", "<1000>", "12345678", "<9>", "rest"], "{at_once} at once");
        }
        assert_eq!(lines(b"", 1), Vec::<String>::new());
        assert_eq!(lines(b"a\n", 1), ["a"]);
    }
}
