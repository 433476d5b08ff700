//! The form of a reply: in the line of the turn what is short, the rest where the request was.
//!
//! The first two words of the mail hold how many callbacks ran, what became of the payload, the lengths, the kind of
//! the report and the last verdict; all verdicts before it are to continue, or it would not be the last. The others hold
//! the first durations. In the frame are the other durations, the text of the report and the payload, each at a multiple
//! of 8 bytes.

use super::area::Area;
use super::frame::padded;
use super::lost::Malformed;
use super::mail::WORDS;
use super::received::MOST_CALLBACKS;

/// The longest text of a report, in bytes.
pub const MAX_REPORT: usize = 16 << 10;

/// How many durations fit the mail.
const IN_MAIL: usize = WORDS - 2;

/// The verdict to continue.
const CONTINUE: u32 = hookrail_abi::verdict::raw::CONTINUE;

/// What the callbacks of a crossing came to.
#[derive(Debug)]
pub struct Reply<'a> {
    ran: usize,
    verdict: u32,
    durations: [u64; MOST_CALLBACKS],
    report: Option<(u32, String)>,
    change: Change<'a>,
}

/// What became of the payload.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Change<'a> {
    /// It is as it was.
    Unchanged,
    /// It was changed: the new one, in the codec's form of changes. It lies there until the next call on the lane, and
    /// the worker can write there all the while.
    Changed(Area<'a>),
    /// It was changed, to something that needs so many bytes, which is more than there are.
    Oversized(usize),
}

impl<'a> Reply<'a> {
    /// How many of the callbacks ran; at least one.
    pub fn ran(&self) -> usize {
        self.ran
    }

    /// The verdicts of the callbacks that ran, in their order.
    pub fn verdicts(&self) -> impl Iterator<Item = u32> {
        let (last, verdict) = (self.ran - 1, self.verdict);
        (0..self.ran).map(move |index| if index < last { CONTINUE } else { verdict })
    }

    /// The verdict of the last callback that ran. All others are to continue.
    pub fn verdict(&self) -> u32 {
        self.verdict
    }

    /// How long each callback took that ran, in nanoseconds, as the worker says.
    pub fn durations(&self) -> &[u64] {
        &self.durations[..self.ran]
    }

    /// What the last callback reported: the kind and the text, of 16 KiB at most.
    pub fn report(&self) -> Option<(u32, &str)> {
        self.report.as_ref().map(|(kind, text)| (*kind, &**text))
    }

    /// What became of the payload.
    pub fn change(&self) -> Change<'a> {
        self.change
    }

    /// Reads the reply to a request with `count` callbacks.
    #[inline(always)]
    pub(super) fn take(mail: [u64; WORDS], frame: Area<'a>, count: usize) -> Result<Self, Malformed> {
        let short = Short::unpack(mail);
        let (ran, verdict) = (short.ran as usize, short.verdict);
        if ran == 0 || ran > count || (ran < count && verdict == CONTINUE) {
            return Err(Malformed("a reply of more callbacks than there are, or of too few"));
        }
        let mut durations = [0; MOST_CALLBACKS];
        durations[..IN_MAIL].copy_from_slice(&mail[2..]);
        let mut at = 0;
        if ran > IN_MAIL {
            let more = &mut durations[IN_MAIL..ran];
            at = size_of_val(more);
            let from = frame.part(0, at).ok_or(Malformed("durations outside of its area"))?;
            // SAFETY: there is room for as many integers.
            unsafe { from.copy_out(more.as_mut_ptr().cast()) };
        }
        let mut report = None;
        if short.report_kind != 0 {
            report = Some((short.report_kind, take_report(frame, at, short.report as usize)?));
            at += padded(short.report as usize);
        }
        let len = short.payload as usize;
        let change = match short.change {
            0 => Change::Unchanged,
            1 => Change::Changed(frame.part(at, len).ok_or(Malformed("a payload outside of its area"))?),
            2 => Change::Oversized(len),
            _ => return Err(Malformed("a reply of an unknown kind")),
        };
        Ok(Reply { ran, verdict, durations, report, change })
    }
}

#[cold]
fn take_report(frame: Area<'_>, at: usize, len: usize) -> Result<String, Malformed> {
    if len > MAX_REPORT {
        return Err(Malformed("a report that is too long"));
    }
    let mut text = Vec::new();
    frame.part(at, len).ok_or(Malformed("a report outside of its area"))?.append_to(&mut text);
    Ok(String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Writes a reply, but for the payload, of which `encode` is asked to write the changes if there are any.
pub(super) fn put(
    frame: Area<'_>,
    verdict: u32,
    durations: &[u64],
    report: Option<&(u32, String)>,
    encode: Option<impl FnOnce(Area<'_>) -> Option<usize>>,
) -> Result<[u64; WORDS], Malformed> {
    let (first, more) = durations.split_at(durations.len().min(IN_MAIL));
    let no_room = Malformed("a request with no room for its reply");
    for (index, duration) in more.iter().enumerate() {
        frame.put(8 * index, duration).ok_or(no_room)?;
    }
    let mut at = size_of_val(more);
    let mut short = Short { ran: durations.len() as u8, verdict, ..Short::default() };
    if let Some((kind, text)) = report {
        let room = frame.len().saturating_sub(at).min(MAX_REPORT);
        let text = &text[..text.floor_char_boundary(room)];
        frame.write(at, text.as_bytes()).ok_or(no_room)?;
        (short.report_kind, short.report) = (*kind, text.len() as u16);
        at += padded(text.len());
    }
    if let Some(encode) = encode {
        let space = frame.from(at.min(frame.len())).ok_or(no_room)?;
        let needed = encode(space).unwrap_or(usize::MAX);
        short.change = if needed <= space.len() { 1 } else { 2 };
        short.payload = u32::try_from(needed).unwrap_or(u32::MAX);
    }
    Ok(short.pack(first))
}

/// What the first two words of the mail hold.
#[derive(Clone, Copy, Default)]
struct Short {
    ran: u8,
    /// 0: none; 1: the payload follows; 2: it does not, since it needs more room.
    change: u8,
    /// The length of the report's text.
    report: u16,
    payload: u32,
    /// 0: there is none.
    report_kind: u32,
    verdict: u32,
}

impl Short {
    fn unpack(mail: [u64; WORDS]) -> Self {
        let [first, second, ..] = mail;
        Short {
            ran: first as u8,
            change: (first >> 8) as u8,
            report: (first >> 16) as u16,
            payload: (first >> 32) as u32,
            report_kind: second as u32,
            verdict: (second >> 32) as u32,
        }
    }

    fn pack(self, durations: &[u64]) -> [u64; WORDS] {
        let mut mail = [0; WORDS];
        mail[0] = u64::from(self.ran)
            | u64::from(self.change) << 8
            | u64::from(self.report) << 16
            | u64::from(self.payload) << 32;
        mail[1] = u64::from(self.report_kind) | u64::from(self.verdict) << 32;
        mail[2..][..durations.len()].copy_from_slice(durations);
        mail
    }
}
