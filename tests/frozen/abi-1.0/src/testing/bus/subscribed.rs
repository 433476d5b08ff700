//! A subscription of a plugin under test.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::answered::Answered;
use crate::Message;
use crate::boundary::{BUS_LATEST_PER_KEY, BusSpec, Growing, STREAM_DEAD, STREAM_DELIVERED, Str};

/// What one subscription wants, and what it has.
#[derive(Debug)]
pub(super) struct Subscribed {
    pub(super) is_open: bool,
    pub(super) topics: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) waiting: VecDeque<Arc<Message>>,
    pub(super) taken: VecDeque<Arc<Message>>,
    /// Where those of the last `receive` stand.
    shown: Shown,
    pub(super) answers: Answered,
}

#[derive(Debug, Default)]
struct Shown(Vec<*const Message>);

// SAFETY: only addresses; what they name is shared by `taken`, and may be read by any thread.
unsafe impl Send for Shown {}

impl Subscribed {
    /// # Errors
    /// Why a host would refuse it.
    ///
    /// # Safety
    /// `at` holds for the call, with all of its texts and lists.
    pub(super) unsafe fn read(at: *const BusSpec) -> Result<(String, Self), String> {
        // SAFETY: by the contract.
        let spec = unsafe { BusSpec::read(at) }.map_err(|too_small| format!("a specification of {too_small}"))?;
        // SAFETY: by the contract.
        let (topics, headers) = unsafe { (list(spec.topics, spec.topic_count), list(spec.headers, spec.header_count)) };
        // SAFETY: by the contract.
        let text = |text: Str| unsafe { text.to_text() }.into_owned();
        let name = text(spec.name);
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if name.is_empty() || name.len() > 128 || !name.bytes().all(is_allowed) {
            return Err(format!("{name:?} cannot be the name of a subscription"));
        }
        if spec.policy > BUS_LATEST_PER_KEY {
            return Err(format!("there is no policy {}", spec.policy));
        }
        let topics: Vec<_> = topics.iter().map(|topic| text(*topic)).collect();
        if let Some(topic) = topics.iter().find(|topic| !is_pattern(topic)) {
            return Err(format!("a topic of `{name}`: {topic:?} is not a pattern of topics"));
        }
        let headers = headers.iter().map(|header| (text(header.key), text(header.value))).collect();
        let (waiting, taken, shown, answers) = Default::default();
        Ok((name, Subscribed { is_open: true, topics, headers, waiting, taken, shown, answers }))
    }

    pub(super) fn wants(&self, message: &Message) -> bool {
        let is_there = |(key, value): &(String, String)| message.header(key) == Some(value);
        let matches = |topic: &String| matches(topic, message.topic.as_str());
        self.is_open && (self.topics.is_empty() || self.topics.iter().any(matches)) && self.headers.iter().all(is_there)
    }

    pub(super) fn receive(&mut self, most: usize) -> &[*const Message] {
        let count = most.min(self.waiting.len());
        self.shown.0.clear();
        self.shown.0.extend(self.waiting.iter().take(count).map(Arc::as_ptr));
        self.taken.extend(self.waiting.drain(..count));
        &self.shown.0
    }

    pub(super) fn answer(&mut self, count: usize, answer: u32, why: String) -> usize {
        let count = count.min(self.taken.len());
        match answer {
            STREAM_DELIVERED => self.answers.delivered += count,
            STREAM_DEAD => self.answers.rejected.extend(std::iter::repeat_n(why, count)),
            _ => {
                self.answers.retried.push(why);
                let count = self.taken.len();
                self.taken.append(&mut self.waiting);
                self.waiting = std::mem::take(&mut self.taken);
                return count;
            }
        }
        self.taken.drain(..count);
        count
    }
}

/// Whether each token has something, and stands for one or for all that remain only as a whole.
fn is_pattern(topic: &str) -> bool {
    let count = topic.split('.').count();
    topic.split('.').enumerate().all(|(place, token)| match token {
        "" => false,
        "*" => true,
        ">" => place + 1 == count,
        token => !token.contains(['*', '>']),
    })
}

fn matches(pattern: &str, topic: &str) -> bool {
    let mut tokens = topic.split('.');
    for wanted in pattern.split('.') {
        match (wanted, tokens.next()) {
            (">", found) => return found.is_some(),
            ("*", Some(_)) => {}
            (wanted, Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// # Safety
/// So many are readable there, unless it is 0.
unsafe fn list<'a, T>(at: *const T, count: usize) -> &'a [T] {
    // SAFETY: by the contract.
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(at, count) } }
}
