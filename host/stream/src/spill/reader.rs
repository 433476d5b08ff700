//! Reads the records of one file, and finds its way behind damaged ones.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{HEAD, Head, MARKER};

/// How much is read at once, in bytes.
const BLOCK: usize = 256 << 10;
/// So many places are tried behind a damaged record before the rest of its file is given up: each costs a checksum.
const TRIES: usize = 1000;

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Bytes that are no record, up to there.
    Damaged { until: u64 },
    /// The payload of a record, which ends there.
    Record { payload: Vec<u8>, until: u64 },
}

#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a File,
    /// Where the next record begins, and the last one ends.
    at: u64,
    end: u64,
    /// What was read of the file, from `start` on.
    block: Vec<u8>,
    start: u64,
}

impl<'a> Reader<'a> {
    /// The records between these places.
    pub(crate) fn new(file: &'a File, at: u64, end: u64) -> Self {
        Reader { file, at, end, block: Vec::new(), start: at }
    }

    /// The next record, or what is damaged before it; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let found = match self.record(self.at)? {
            Some(payload) => {
                let until = self.at + (HEAD + payload.len()) as u64;
                Found::Record { payload, until }
            }
            None => Found::Damaged { until: self.next_record(self.at + 1)? },
        };
        let (Found::Damaged { until } | Found::Record { until, .. }) = &found;
        self.at = *until;
        Ok(Some(found))
    }

    /// Whether a record begins there, and not all of it is there.
    pub(crate) fn is_torn(&mut self, at: u64) -> io::Result<bool> {
        let there = self.end - at;
        if there < HEAD as u64 {
            let (known, length) = (MARKER.len().min(there as usize), there as usize);
            return Ok(self.bytes(at, length)?.is_some_and(|bytes| bytes[..known] == MARKER[..known]));
        }
        let head = self.bytes(at, HEAD)?.and_then(|head| Head::read(head.try_into().expect("the length of a head")));
        Ok(head.is_some_and(|head| (HEAD + head.length) as u64 > there))
    }

    /// The payload of the record that begins there, if one does.
    fn record(&mut self, at: u64) -> io::Result<Option<Vec<u8>>> {
        let end = self.end;
        let Some(head) = self.bytes(at, HEAD)? else { return Ok(None) };
        let Some(head) = Head::read(head.try_into().expect("the length of a head")) else { return Ok(None) };
        if at + (HEAD + head.length) as u64 > end {
            return Ok(None);
        }
        let payload = self.bytes(at + HEAD as u64, head.length)?;
        Ok(payload.filter(|payload| head.is_of(payload)).map(<[u8]>::to_vec))
    }

    /// Where the first record from there on begins; the end, if none does.
    fn next_record(&mut self, mut from: u64) -> io::Result<u64> {
        for _ in 0..TRIES {
            let Some(marker) = self.find_marker(from)? else { break };
            if self.record(marker)?.is_some() {
                return Ok(marker);
            }
            from = marker + 1;
        }
        Ok(self.end)
    }

    fn find_marker(&mut self, mut from: u64) -> io::Result<Option<u64>> {
        while from < self.end {
            let length = (self.end - from).min(BLOCK as u64) as usize;
            let Some(bytes) = self.bytes(from, length)? else { return Ok(None) };
            if let Some(at) = bytes.windows(MARKER.len()).position(|bytes| bytes == MARKER) {
                return Ok(Some(from + at as u64));
            }
            if length < MARKER.len() {
                return Ok(None);
            }
            // One may begin in the last bytes.
            from += (length - MARKER.len() + 1) as u64;
        }
        Ok(None)
    }

    /// That many bytes from there on; `None` if they are not there.
    fn bytes(&mut self, at: u64, length: usize) -> io::Result<Option<&[u8]>> {
        let is_read = at >= self.start && at + length as u64 <= self.start + self.block.len() as u64;
        if !is_read {
            if at + length as u64 > self.end {
                return Ok(None);
            }
            let most = (self.end - at).min(length.max(BLOCK) as u64) as usize;
            self.block.resize(most, 0);
            let got = read_at(self.file, &mut self.block, at)?;
            self.block.truncate(got);
            self.start = at;
            if got < length {
                return Ok(None);
            }
        }
        let from = (at - self.start) as usize;
        Ok(Some(&self.block[from..from + length]))
    }
}

/// Reads as much as there is; returns how much that is.
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < out.len() {
        match file.read_at(&mut out[got..], at + got as u64) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use hookrail_abi::Message;

    use super::super::record;
    use super::*;

    fn records(bodies: &[&str]) -> Vec<Vec<u8>> {
        let record = |body: &&str| {
            let mut out = Vec::new();
            record::append(&mut out, &Message::new("a", body.as_bytes())).unwrap();
            out
        };
        bodies.iter().map(record).collect()
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut reader = Reader::new(&file, 0, bytes.len() as u64);
        let (mut all, mut last) = (Vec::new(), 0);
        while let Some(found) = reader.next().unwrap() {
            match found {
                Found::Damaged { until } => {
                    all.push(format!("{} damaged", until - last));
                    last = until;
                }
                Found::Record { payload, until } => {
                    let message: Message = rmp_serde::from_slice(&payload).unwrap();
                    all.push(message.body.to_display().to_string());
                    last = until;
                }
            }
        }
        all
    }

    #[test]
    fn whatever_is_damaged_costs_itself_alone() {
        let records = records(&["one", "HRrc", "three"]);
        let (all, second) = (records.concat(), records[0].len());
        assert_eq!(read(&all), ["one", "HRrc", "three"]);
        let damaged = format!("{} damaged", records[1].len());
        for place in second..second + records[1].len() {
            let mut bytes = all.clone();
            bytes[place] ^= 0x10;
            assert_eq!(read(&bytes), ["one", &damaged, "three"], "the byte {place}");
        }
        for cut in 1..records[2].len() {
            assert_eq!(read(&all[..all.len() - cut])[..2], ["one", "HRrc"]);
            assert_eq!(read(&all[..all.len() - cut])[2], format!("{} damaged", records[2].len() - cut));
        }
        assert_eq!(read(&[b"xyz".as_slice(), &records[0]].concat()), ["3 damaged", "one"]);
        assert_eq!(read(&[0; 3 * BLOCK]), [format!("{} damaged", 3 * BLOCK)]);
    }

    #[test]
    fn a_record_is_read_whatever_its_length() {
        let long = "x".repeat(3 * BLOCK);
        let records = records(&["one", &long, "three"]).concat();
        assert_eq!(read(&records), ["one", &long, "three"]);
    }
}
