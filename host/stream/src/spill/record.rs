//! One message in a queue on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | [`MARKER`], by which the next record is found behind a damaged one |
//! | 4 | the length of the payload |
//! | 16 | the id of the message |
//! | 4 | CRC-32 of the length, the id and the payload |
//! | | the payload: the message as MessagePack, with the names of its fields |
//!
//! Numbers are little-endian.

use hookrail_abi::Message;

pub(crate) const MARKER: [u8; 4] = *b"HRrc";
/// The length of what precedes the payload.
pub(crate) const HEAD: usize = 28;
/// The longest payload, in bytes.
pub(crate) const LONGEST: usize = 1 << 30;

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: usize,
    id: [u8; 16],
    checksum: u32,
}

/// Appends the record of a message. Without room for it, nothing is appended and the reason is returned.
pub(crate) fn append(out: &mut Vec<u8>, message: &Message) -> Result<(), String> {
    let start = out.len();
    out.resize(start + HEAD, 0);
    let packed = rmp_serde::encode::write_named(out, message).map_err(|error| error.to_string());
    let length = out.len() - start - HEAD;
    let fits = packed.and(if length <= LONGEST { Ok(()) } else { Err(format!("it has {length} bytes")) });
    if let Err(why) = fits {
        out.truncate(start);
        return Err(why);
    }
    let id = message.id.to_bytes();
    let checksum = checksum(length, id, &out[start + HEAD..]);
    let head = &mut out[start..start + HEAD];
    head[..4].copy_from_slice(&MARKER);
    head[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    head[8..24].copy_from_slice(&id);
    head[24..].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

impl Head {
    /// `None` if these are not the first bytes of a record.
    pub(crate) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let head =
            Head { length: word(4) as usize, id: bytes[8..24].try_into().expect("sixteen bytes"), checksum: word(24) };
        (bytes[..4] == MARKER && head.length <= LONGEST).then_some(head)
    }

    /// Whether this is its payload.
    pub(crate) fn is_of(&self, payload: &[u8]) -> bool {
        checksum(self.length, self.id, payload) == self.checksum
    }
}

fn checksum(length: usize, id: [u8; 16], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(length as u32).to_le_bytes());
    hasher.update(&id);
    hasher.update(payload);
    hasher.finalize()
}
