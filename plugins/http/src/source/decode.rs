//! Bodies that are sent compressed.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;
use ruzstd::decoding::StreamingDecoder;

use super::answer::Refusal;
use super::budget::Held;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Encoding {
    Gzip,
    Identity,
    Zstd,
}

/// The largest window that a zstd frame may want: what RFC 8878 has every decoder support. The decoder reserves it before
/// it has decoded anything.
const LARGEST_WINDOW: u64 = 8 << 20;

/// How much is decoded before it is looked whether that is too much.
const STEP: usize = 64 << 10;

impl Encoding {
    /// # Errors
    /// If it is none that is known.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut encoding = Encoding::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            let known = match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => Encoding::Gzip,
                "zstd" => Encoding::Zstd,
                "identity" | "" => continue,
                _ => return Err(Refusal::encoding()),
            };
            if encoding != Encoding::Identity {
                return Err(Refusal::encoding());
            }
            encoding = known;
        }
        Ok(encoding)
    }

    /// The body itself, which `held` has room for. Ends as soon as it has more than `most` bytes.
    ///
    /// # Errors
    /// If it is too large or damaged, or there is no room.
    pub(crate) fn decode(self, body: Vec<u8>, most: usize, held: &mut Held, pause: u64) -> Result<Vec<u8>, Refusal> {
        match self {
            Encoding::Identity => Ok(body),
            Encoding::Gzip => {
                let mut decoded = Vec::new();
                read(MultiGzDecoder::new(&*body), &mut decoded, most, held, pause).map(|()| decoded)
            }
            Encoding::Zstd => {
                let (mut decoded, mut rest) = (Vec::new(), &*body);
                // Each frame stands for itself.
                while !rest.is_empty() {
                    if let Some(behind) = behind_skippable(rest) {
                        rest = behind;
                        continue;
                    }
                    if window(rest).is_some_and(|window| window > LARGEST_WINDOW.max(most as u64)) {
                        return Err(Refusal::bad("the body's zstd frame wants a window larger than 8 MiB"));
                    }
                    let frame = StreamingDecoder::new(&mut rest).map_err(|error| damaged(&error))?;
                    read(frame, &mut decoded, most, held, pause)?;
                }
                Ok(decoded)
            }
        }
    }
}

fn read(mut from: impl Read, decoded: &mut Vec<u8>, most: usize, held: &mut Held, pause: u64) -> Result<(), Refusal> {
    let mut step = vec![0; STEP];
    loop {
        let count = match from.read(&mut step) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(&error)),
        };
        if decoded.len() + count > most {
            return Err(Refusal::too_large(format!("the body has more than {most} bytes when it is decompressed")));
        }
        if !held.grow(count) {
            return Err(Refusal::full("the source has no room for the decompressed body", pause));
        }
        decoded.extend_from_slice(&step[..count]);
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::bad(format!("the body cannot be decompressed: {}", crate::shown::shown(&error.to_string())))
}

/// What is behind a frame of zstd that has no content, if it is one and whole.
fn behind_skippable(frame: &[u8]) -> Option<&[u8]> {
    let (head, rest) = frame.split_first_chunk::<8>()?;
    let [m0, m1, m2, m3, l0, l1, l2, l3] = *head;
    let is_skippable = u32::from_le_bytes([m0, m1, m2, m3]) & !0xf == 0x184d_2a50;
    is_skippable.then(|| rest.get(u32::from_le_bytes([l0, l1, l2, l3]) as usize..)).flatten()
}

/// The window that a frame of zstd wants, in bytes (RFC 8878, 3.1.1.1); `None` if that is no head of one.
fn window(frame: &[u8]) -> Option<u64> {
    let descriptor = *frame.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let byte = u64::from(*frame.get(5)?);
        let base = 1_u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * (byte & 7));
    }
    let id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut size = [0; 8];
    size[..length].copy_from_slice(frame.get(5 + id..5 + id + length)?);
    let size = u64::from_le_bytes(size);
    Some(if length == 2 { size + 256 } else { size })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use hyper::StatusCode;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::super::budget::Budget;
    use super::*;

    const MOST: usize = 1 << 20;

    fn decode(encoding: Encoding, body: &[u8]) -> Result<Vec<u8>, (StatusCode, String)> {
        let mut held = Budget::new(1, 2 * MOST).request().unwrap();
        encoding.decode(body.into(), MOST, &mut held, 1).map_err(|refusal| (refusal.status, refusal.why))
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(body: &[u8]) -> Vec<u8> {
        compress_to_vec(body, CompressionLevel::Fastest)
    }

    #[test]
    fn what_was_compressed_is_there_again_also_in_parts() {
        let text = b"some text, and some text again".repeat(100);
        assert_eq!(decode(Encoding::Identity, &text).unwrap(), text);
        for (encoding, compress) in [(Encoding::Gzip, gzip as fn(&[u8]) -> Vec<u8>), (Encoding::Zstd, zstd)] {
            assert_eq!(decode(encoding, &compress(&text)).unwrap(), text);
            let parts = [compress(&text), compress(&text)].concat();
            assert_eq!(decode(encoding, &parts).unwrap(), text.repeat(2), "{encoding:?}");
        }
        let skippable = [&0x184d_2a57_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc", &zstd(b"x")].concat();
        assert_eq!(decode(Encoding::Zstd, &skippable).unwrap(), b"x");
    }

    #[test]
    fn a_bomb_ends_early_and_what_is_damaged_is_refused() {
        let bomb = vec![0; 40 * MOST];
        for (encoding, compress) in [(Encoding::Gzip, gzip as fn(&[u8]) -> Vec<u8>), (Encoding::Zstd, zstd)] {
            assert_eq!(decode(encoding, &compress(&bomb)).unwrap_err().0, StatusCode::PAYLOAD_TOO_LARGE);
            let whole = compress(&b"text that is long enough to be cut".repeat(50));
            for wrong in [&whole[..whole.len() - 5], &whole[..3], b"no such thing", &[&whole[..], b"junk"].concat()] {
                let (status, why) = decode(encoding, wrong).unwrap_err();
                assert_eq!(status, StatusCode::BAD_REQUEST, "{encoding:?}: {why}");
                assert!(why.starts_with("the body cannot be decompressed: "), "{why}");
            }
        }
    }

    #[test]
    fn a_frame_that_wants_gigabytes_for_its_window_is_refused_before_it_is_reserved() {
        let mut frame = 0xfd2f_b528_u32.to_le_bytes().to_vec();
        frame.extend([0, 0xf8, 0, 0, 0]);
        assert!(window(&frame).unwrap() > 1 << 40);
        assert!(decode(Encoding::Zstd, &frame).unwrap_err().1.contains("larger than 8 MiB"));
        assert_eq!(window(&[0; 4]), None);
    }
}
