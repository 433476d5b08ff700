//! Reads a file from its position, into one buffer for all files.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};

use crate::entries::{Entry, Rest, Rules};
use crate::fingerprint::Fingerprint;
use crate::position::Position;

/// Reads files, one at a time.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) rules: Rules,
    /// Room for a window, and for the bytes before the position.
    buffer: Vec<u8>,
    window: usize,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// One line that is longer than the window: the beginning of it, how many bytes are missing, and the position behind.
    Long(Range<usize>, u64, Position),
    /// Nothing new that could be sent; whether there is more to read.
    Nothing(bool),
    /// What was read before is not there any more.
    Rewritten,
    /// Bytes from the position on.
    Window(Window),
}

/// A part of a file in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Where in the file the buffer begins.
    at: u64,
    /// Where in the buffer the next entry begins.
    next: usize,
    /// Up to where in the buffer there is no newline from there on.
    searched: usize,
    /// How many bytes there are in the buffer.
    length: usize,
    /// What is known of the bytes behind them.
    rest: Rest,
}

impl Reader {
    pub(crate) fn new(rules: Rules) -> Self {
        let window = rules.window();
        Reader { buffer: vec![0; Fingerprint::BEFORE + window], rules, window }
    }

    /// Reads on from the position. `size` is the file's; `is_fresh` says that it was opened since it was last read, and
    /// `rest` what to think if nothing comes behind that size.
    pub(crate) fn read(
        &mut self,
        file: &File,
        position: &mut Position,
        size: u64,
        is_fresh: bool,
        rest: Rest,
    ) -> io::Result<Read> {
        if size < position.searched || !self.check_head(file, position, is_fresh)? {
            return Ok(Read::Rewritten);
        }
        if position.searched - position.offset >= self.window as u64 {
            return self.read_long(file, position, size, rest);
        }
        let known = position.offset.min(Fingerprint::BEFORE as u64) as usize;
        let at = position.offset - known as u64;
        let length = read_at(file, &mut self.buffer[..known + self.window], at)?;
        if length < known || !position.follows(&self.buffer[..known]) {
            return Ok(Read::Rewritten);
        }
        let read = &self.buffer[..length];
        let mut next = known;
        // After a last line without a newline was sent: if the newline comes now, it is not another line.
        if known > 0 && read[known - 1] != b'\n' {
            let newline = [&b"\n"[..], b"\r\n"].into_iter().find(|newline| read[known..].starts_with(newline));
            next += newline.map_or(0, <[u8]>::len);
            position.advance(at + next as u64, &read[..next]);
        }
        let is_more = at + (length as u64) < size;
        if next == length {
            return Ok(Read::Nothing(is_more && length > known));
        }
        let searched = (position.searched - at) as usize;
        // If it has grown since its size was taken, more is on its way.
        let rest = if at + length as u64 == size { rest } else { Rest::Expected };
        Ok(Read::Window(Window { at, next, searched: searched.min(length), length, rest }))
    }

    /// The next message in the window: what of its body there is, and how many bytes are missing.
    pub(crate) fn next(&self, window: &mut Window) -> Option<(&[u8], u64)> {
        let read = &self.buffer[..window.length];
        let Entry { body, cut, end } = self.rules.next(read, window.next, window.searched, window.rest)?;
        window.next = end;
        Some((&read[body], cut))
    }

    /// Moves the position on to where the next entry begins.
    pub(crate) fn advance(&self, window: &Window, position: &mut Position) {
        position.advance(window.at + window.next as u64, &self.buffer[..window.next]);
    }

    /// Notes what has no newline; returns whether there is more to read.
    pub(crate) fn close(&self, window: &Window, position: &mut Position, size: u64) -> bool {
        let end = window.at + window.length as u64;
        let unsearched = window.searched.max(window.next);
        if memchr(b'\n', &self.buffer[unsearched..window.length]).is_none() {
            position.searched = end;
        }
        end < size
    }

    /// The bytes of a line that is longer than the window.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// The position at the end of a file: behind the last whole line; or, if what follows is not being written any more,
    /// behind all of it.
    pub(crate) fn end(&mut self, file: &File, size: u64, is_settled: bool) -> io::Result<Position> {
        let mut position = Position::START;
        self.check_head(file, &mut position, true)?;
        let at = size.saturating_sub(self.buffer.len() as u64);
        let most = (size - at) as usize;
        let length = read_at(file, &mut self.buffer[..most], at)?;
        let read = &self.buffer[..length];
        let after = memrchr(b'\n', read).map_or(if at == 0 { 0 } else { length }, |newline| newline + 1);
        let after = if is_settled { length } else { after };
        position.advance(at + after as u64, &read[..after]);
        Ok(position)
    }

    /// Whether the beginning is what it was; learns more of it as the file grows.
    fn check_head(&mut self, file: &File, position: &mut Position, is_fresh: bool) -> io::Result<bool> {
        if !is_fresh && position.head.length == Fingerprint::HEAD {
            return Ok(true);
        }
        let length = read_at(file, &mut self.buffer[..Fingerprint::HEAD], 0)?;
        let read = &self.buffer[..length];
        let fits = position.head.fits(read);
        if fits {
            position.head = Fingerprint::of(read);
        }
        Ok(fits)
    }

    /// Looks for the end of a line of which the window shows only a part. Nothing of it is kept meanwhile: its beginning
    /// is read again when its end is known.
    fn read_long(&mut self, file: &File, position: &mut Position, size: u64, rest: Rest) -> io::Result<Read> {
        let length = read_at(file, &mut self.buffer, position.searched)?;
        let newline = memchr(b'\n', &self.buffer[..length]).map(|at| position.searched + at as u64);
        position.searched = newline.unwrap_or(position.searched + length as u64);
        let (to, end) = match newline {
            Some(newline) => (newline, newline + 1),
            None if position.searched < size && length > 0 => return Ok(Read::Nothing(true)),
            None if rest != Rest::None => return Ok(Read::Nothing(false)),
            None => (position.searched, position.searched),
        };
        let mut next = *position;
        let last = end - Fingerprint::BEFORE as u64;
        let known = &mut self.buffer[..Fingerprint::BEFORE];
        if read_at(file, known, last)? < known.len() {
            return Ok(Read::Rewritten);
        }
        next.advance(end, known);
        let is_return = known[(to - last) as usize - 1] == b'\r';
        let line = to - u64::from(is_return) - position.offset;
        let most = self.rules.max_line;
        if read_at(file, &mut self.buffer[..most], position.offset)? < most {
            return Ok(Read::Rewritten);
        }
        Ok(Read::Long(0..most, line - most as u64, next))
    }
}

/// Reads as much as there is at once, which at the end of a file is less than asked for.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
