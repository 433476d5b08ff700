//! Bodies that are sent compressed.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

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

/// How many frames of zstd, or members of gzip, a body may have: each one costs more than its bytes do.
const MOST_PARTS: usize = 4096;

/// How much is decoded before it is looked whether that is too much, and others have their turn.
const STEP: usize = 64 << 10;

/// The same for zstd, in blocks, each of which is 128 KiB at most.
const STEP_BLOCKS: usize = 4;

impl Encoding {
    /// # Errors
    /// If it is none that is known, or there are several.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut encoding = Encoding::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            let list = value.to_str().map_err(|_| Refusal::encoding())?.to_ascii_lowercase();
            for name in list.split(',') {
                let known = match name.trim() {
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
        }
        Ok(encoding)
    }

    /// The body itself, which `held` has room for. Ends as soon as it has more than `most` bytes. `turns` has one body
    /// decoded at a time: the memory of decoders is not held, and one thread is no faster with several.
    ///
    /// # Errors
    /// If it is too large or damaged, or there is no room.
    pub(crate) async fn decode(
        self,
        body: Vec<u8>,
        most: usize,
        held: &mut Held,
        turns: &Semaphore,
    ) -> Result<Vec<u8>, Refusal> {
        if self == Encoding::Identity {
            return Ok(body);
        }
        let _turn = turns.acquire().await;
        let mut decoded = Decoded { bytes: Vec::new(), step: vec![0; STEP], most, held };
        let (mut zstd, mut rest) = (FrameDecoder::new(), &*body);
        for number in 0.. {
            if rest.is_empty() {
                break;
            }
            if number == MOST_PARTS {
                let why = format!("the body is compressed in more than {MOST_PARTS} parts: compress it as a whole");
                return Err(Refusal::too_large(why));
            }
            match self {
                Encoding::Zstd => rest = decoded.frame(&mut zstd, rest).await?,
                _ => rest = decoded.member(rest).await?,
            }
            yield_now().await;
        }
        let Decoded { bytes, .. } = decoded;
        held.free(body);
        Ok(bytes)
    }
}

/// What is decoded so far.
struct Decoded<'a> {
    bytes: Vec<u8>,
    step: Vec<u8>,
    most: usize,
    held: &'a mut Held,
}

impl Decoded<'_> {
    /// Decodes a member of gzip, and returns what is behind it.
    async fn member<'b>(&mut self, mut rest: &'b [u8]) -> Result<&'b [u8], Refusal> {
        let mut member = GzDecoder::new(&mut rest);
        while self.read(&mut member)? > 0 {
            yield_now().await;
        }
        Ok(rest)
    }

    /// Decodes a frame of zstd, and returns what is behind it.
    async fn frame<'b>(&mut self, decoder: &mut FrameDecoder, mut rest: &'b [u8]) -> Result<&'b [u8], Refusal> {
        if let Some(behind) = behind_skippable(rest) {
            return Ok(behind);
        }
        if window(rest).is_some_and(|window| window > LARGEST_WINDOW.max(self.most as u64)) {
            return Err(Refusal::bad("the body's zstd frame wants a window larger than 8 MiB"));
        }
        decoder.init(&mut rest).map_err(|error| damaged(&error))?;
        while !decoder.is_finished() {
            let step = BlockDecodingStrategy::UptoBlocks(STEP_BLOCKS);
            decoder.decode_blocks(&mut rest, step).map_err(|error| damaged(&error))?;
            while self.read(&mut *decoder)? > 0 {}
            yield_now().await;
        }
        // The decoder compares them for nobody.
        let (sent, is) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
        if sent.is_some() && sent != is { Err(damaged(&"its checksum is another")) } else { Ok(rest) }
    }

    /// Reads a step, and returns how much that was.
    fn read(&mut self, mut from: impl Read) -> Result<usize, Refusal> {
        let count = loop {
            match from.read(&mut self.step) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(damaged(&error)),
            }
        };
        let most = self.most;
        if self.bytes.len() + count > most {
            return Err(Refusal::too_large(format!("the body has more than {most} bytes when it is decompressed")));
        }
        self.held.reserve(&mut self.bytes, count, most)?;
        self.bytes.extend_from_slice(&self.step[..count]);
        Ok(count)
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
        let mut held = Budget::new(1, 64 * MOST, 1).hold();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let decoded = runtime.block_on(encoding.decode(body.into(), MOST, &mut held, &Semaphore::new(1)));
        decoded.map_err(|refusal| (refusal.status, refusal.why))
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

    #[test]
    fn a_frame_with_another_checksum_is_damaged() {
        let mut frame = zstd(&b"text that is long enough".repeat(9));
        assert!(decode(Encoding::Zstd, &frame).is_ok());
        // Its last four bytes are the checksum.
        *frame.last_mut().unwrap() ^= 1;
        let (status, why) = decode(Encoding::Zstd, &frame).unwrap_err();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(why.ends_with("its checksum is another"), "{why}");
    }

    #[test]
    fn more_parts_than_may_be_are_refused() {
        // A frame of one raw block that has nothing.
        let empty = [&0xfd2f_b528_u32.to_le_bytes()[..], &[0x20, 0, 1, 0, 0]].concat();
        for (encoding, part) in [(Encoding::Gzip, gzip(b"")), (Encoding::Zstd, empty)] {
            assert_eq!(decode(encoding, &part.repeat(MOST_PARTS)).unwrap(), b"", "{encoding:?}");
            let (status, why) = decode(encoding, &part.repeat(MOST_PARTS + 1)).unwrap_err();
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
            assert!(why.contains("more than 4096 parts"), "{why}");
        }
    }

    #[test]
    fn others_have_their_turn_while_a_body_is_decoded() {
        let body = zstd(&vec![0; MOST]);
        let mut held = Budget::new(1, 64 * MOST, 1).hold();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let turns = runtime.block_on(async {
            let one = Semaphore::new(1);
            let decoding = Encoding::Zstd.decode(body, MOST, &mut held, &one);
            let mut turns = 0;
            tokio::pin!(decoding);
            loop {
                tokio::select! {
                    biased;
                    decoded = &mut decoding => break assert_eq!(decoded.unwrap().len(), MOST),
                    () = yield_now() => turns += 1,
                }
            }
            turns
        });
        assert!(turns > 1, "{turns} turns");
    }

    #[test]
    fn what_is_no_known_encoding_is_refused_and_never_taken_as_it_is() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, hyper::header::HeaderValue::from_bytes(value).unwrap());
            }
            Encoding::of(&headers).map_err(|refusal| refusal.status)
        };
        for (values, encoding) in [
            (&[][..], Encoding::Identity) as (&[&[u8]], _),
            (&[b""], Encoding::Identity),
            (&[b"identity, gzip"], Encoding::Gzip),
            (&[b"Zstd ,identity"], Encoding::Zstd),
            (&[b"identity", b"x-gzip"], Encoding::Gzip),
        ] {
            assert_eq!(of(values), Ok(encoding), "{values:?}");
        }
        for values in [&[&b"gzip\xff"[..]][..], &[b"\xff"], &[b"br"], &[b"gzip, gzip"], &[b"gzip", b"zstd"]] {
            assert_eq!(of(values), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{values:?}");
        }
    }
}
