//! Splitting input into lines, without copying them and without holding more than one line that exceeds the buffer.

use std::io::{self, ErrorKind, Read};

/// How much is read at once. What was just read is still in the processor's cache when it is used.
const CHUNK: usize = 256 << 10;

/// Lines of an input, borrowed from its buffer.
///
/// # Invariants
/// `start <= searched <= end <= buffer.len()`; `buffer[start..end]` has been read and not yet returned; there is no
/// newline in `buffer[start..searched]`.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    searched: usize,
    end: usize,
    longest: usize,
    /// How many bytes of an overlong line have been discarded.
    skipped: Option<u64>,
    is_over: bool,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without its end, a newline or a carriage return and a newline, which the last line may lack.
    Whole { text: &'a [u8], end: &'static [u8] },
    /// It was longer than allowed, and has been discarded.
    TooLong { length: u64 },
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, longest: usize) -> Self {
        let buffer = vec![0; CHUNK * 2];
        Lines { input, buffer, start: 0, searched: 0, end: 0, longest, skipped: None, is_over: false }
    }

    /// What has been read and not returned yet.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Leaves out the first bytes of what is unread.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn skip(&mut self, count: usize) {
        assert!(count <= self.unread().len());
        self.start += count;
        self.searched = self.searched.max(self.start);
    }

    /// Whether the input has ended; `next` may still have lines.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next line in the buffer; `None` if more must be read first.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        match memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) {
            Some(at) if self.skipped.is_none() && self.searched + at - self.start <= self.longest => {
                let (start, end) = (self.start, self.searched + at);
                // INVARIANT: the newline was found below `end`.
                (self.start, self.searched) = (end + 1, end + 1);
                let text = &self.buffer[start..end];
                // A pattern that ends in `$` must match whatever system wrote the line.
                match text.split_last() {
                    Some((b'\r', text)) => Some(Line::Whole { text, end: b"\r\n" }),
                    _ => Some(Line::Whole { text, end: b"\n" }),
                }
            }
            Some(at) => {
                let end = self.searched + at;
                let length = self.skipped.take().unwrap_or(0) + (end - self.start) as u64;
                (self.start, self.searched) = (end + 1, end + 1);
                Some(Line::TooLong { length })
            }
            None => self.unfinished(),
        }
    }

    /// Called when there is no newline in the buffer.
    #[cold]
    fn unfinished(&mut self) -> Option<Line<'_>> {
        let (start, end) = (self.start, self.end);
        self.searched = end;
        if self.skipped.is_some() || end - start > self.longest {
            // Discarded at once: an endless line must not fill the memory.
            *self.skipped.get_or_insert(0) += (end - start) as u64;
            self.start = end;
            let length = self.skipped.take_if(|_| self.is_over)?;
            return Some(Line::TooLong { length });
        }
        if !self.is_over || start == end {
            return None;
        }
        self.start = end;
        Some(Line::Whole { text: &self.buffer[start..end], end: b"" })
    }

    /// Reads once; returns the number of bytes read. Call it when `next` returns `None`.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.searched, self.end) = (0, self.searched - self.start, self.end - self.start);
        if self.buffer.len() - self.end < CHUNK {
            // INVARIANT: at most doubled up to the longest line, which `unfinished` enforces.
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..self.end + CHUNK]) {
                Ok(count) => {
                    self.end += count;
                    self.is_over = count == 0;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a few bytes at a time, as a pipe may.
    struct Drops<'a>(&'a [u8], usize);
    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The text of a line with its end, or how long it was.
    type Whole = Result<(Vec<u8>, &'static [u8]), u64>;

    fn all(text: &[u8], drop: usize, longest: usize) -> Vec<Whole> {
        let mut lines = Lines::new(Drops(text, drop), longest);
        let mut all = Vec::new();
        loop {
            while let Some(line) = lines.next() {
                all.push(match line {
                    Line::Whole { text, end } => Ok((text.to_vec(), end)),
                    Line::TooLong { length } => Err(length),
                });
            }
            if lines.is_over() {
                return all;
            }
            lines.fill().unwrap();
        }
    }

    #[test]
    fn lines_come_out_as_they_went_in() {
        for text in [&b""[..], b"a", b"a\n", b"\n", b"\n\n", b"a\nb", b"a\r\n\0\xff\nlast"] {
            for drop in [1, 2, 1000] {
                let lines = all(text, drop, 100);
                let joined: Vec<u8> = lines
                    .iter()
                    .flat_map(|line| {
                        let (text, end) = line.as_ref().unwrap();
                        text.iter().chain(*end).copied()
                    })
                    .collect();
                assert_eq!(joined, text);
                assert_eq!(lines.len(), text.split_inclusive(|byte| *byte == b'\n').count());
            }
        }
    }

    #[test]
    fn a_carriage_return_before_the_newline_is_no_part_of_the_line() {
        for drop in [1, 1000] {
            let lines = all(b"a\r\n\r\nb\rc\n\rd\r", drop, 100);
            let expected = [(&b"a"[..], &b"\r\n"[..]), (b"", b"\r\n"), (b"b\rc", b"\n"), (b"\rd\r", b"")];
            assert_eq!(lines, expected.map(|(text, end)| Ok((text.to_vec(), end))));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_and_the_rest_goes_on() {
        for drop in [1, 3, 1000] {
            let lines = all(b"1234\n12345\n\n123456789", drop, 4);
            assert_eq!(
                lines,
                [Ok((b"1234".to_vec(), &b"\n"[..])), Err(5), Ok((Vec::new(), &b"\n"[..])), Err(9)],
                "{drop}"
            );
        }
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut lines = Lines::new(io::repeat(b'a').take(64 << 20), 1 << 20);
        while !lines.is_over() {
            assert_eq!(lines.next(), None);
            lines.fill().unwrap();
        }
        assert_eq!(lines.next(), Some(Line::TooLong { length: 64 << 20 }));
        assert!(lines.buffer.len() <= 4 << 20, "{}", lines.buffer.len());
    }

    #[test]
    fn a_long_line_that_is_allowed_is_whole() {
        let text = vec![b'a'; 3 << 20];
        assert_eq!(all(&text, 100_000, 3 << 20), [Ok((text.clone(), &b""[..]))]);
        assert_eq!(all(&text, 100_000, (3 << 20) - 1), [Err(3 << 20)]);
    }
}
