//! What a subscription wants, copied from the plugin and checked.

use std::collections::BTreeMap;

use hookrail_abi::boundary::{BUS_BLOCK, BUS_DROP_NEWEST, BUS_DROP_OLDEST, BUS_LATEST_PER_KEY, BusSpec, Growing, Str};
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};

use crate::topic::Pattern;

/// How many topics and headers one may want.
const MOST_TOPICS: usize = 256;
const MOST_HEADERS: usize = 64;
/// How many bytes its name, and all of its texts, may have.
const LONGEST_NAME: usize = 128;
const LONGEST: usize = 64 << 10;
/// How many messages may wait.
const MOST_MESSAGES: u64 = 1 << 20;

/// What a subscription wants.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) topics: Vec<Pattern>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) queue: QueueConfig,
}

impl Spec {
    /// # Errors
    /// What is wrong with it, for its author.
    ///
    /// # Safety
    /// `at` points to a specification of any version, which holds for the call, with all of its texts and lists.
    pub(super) unsafe fn read(at: *const BusSpec) -> Result<Self, String> {
        // SAFETY: by the contract.
        let spec = unsafe { BusSpec::read(at) }.map_err(|too_small| format!("a specification of {too_small}"))?;
        if spec.topic_count > MOST_TOPICS {
            return Err(format!("it wants {} topics; {MOST_TOPICS} are allowed", spec.topic_count));
        }
        if spec.header_count > MOST_HEADERS {
            return Err(format!("it wants {} headers; {MOST_HEADERS} are allowed", spec.header_count));
        }
        let mut copier = Copier { left: LONGEST };
        // SAFETY: by the contract, for as many as it states, which are few.
        let (topics, headers) = unsafe { (list(spec.topics, spec.topic_count), list(spec.headers, spec.header_count)) };
        // SAFETY: by the contract.
        let (name, key) = unsafe { (copier.text(spec.name)?, copier.text(spec.key)?) };
        check_name(&name)?;
        let topic = |topic: &Str| {
            // SAFETY: by the contract.
            let topic = unsafe { copier.text(*topic) }?;
            topic.parse::<Pattern>().map_err(|invalid| format!("a topic of `{name}`: {invalid}"))
        };
        let topics = topics.iter().map(topic).collect::<Result<_, _>>()?;
        let mut wanted = BTreeMap::new();
        for header in headers {
            // SAFETY: by the contract.
            let (key, value) = unsafe { (copier.text(header.key)?, copier.text(header.value)?) };
            if wanted.contains_key(&key) {
                return Err(format!("`{name}` wants the header {key:?} twice"));
            }
            wanted.insert(key, value);
        }
        let queue = queue(&spec, key)?;
        Ok(Spec { name, topics, headers: wanted, queue })
    }
}

fn queue(spec: &BusSpec, key: String) -> Result<QueueConfig, String> {
    let mut queue = QueueConfig::default();
    queue.policy = match spec.policy {
        BUS_BLOCK => QueuePolicy::Block,
        BUS_DROP_NEWEST => QueuePolicy::DropNewest,
        BUS_DROP_OLDEST => QueuePolicy::DropOldest,
        BUS_LATEST_PER_KEY => QueuePolicy::LatestPerKey,
        other => return Err(format!("there is no policy {other}")),
    };
    match (queue.policy, key) {
        (_, key) if key.is_empty() => {}
        (QueuePolicy::LatestPerKey, key) => queue.key = Some(key),
        (policy, _) => return Err(format!("a key is for latest_per_key, not for {}", policy.name())),
    }
    match spec.capacity {
        0 => {}
        capacity if capacity <= MOST_MESSAGES => queue.capacity = capacity as usize,
        capacity => return Err(format!("a capacity of {capacity}; {MOST_MESSAGES} messages are allowed")),
    }
    Ok(queue)
}

fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_allowed) {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        return Err(format!(
            "the name {shown:?} of a subscription: 1 to {LONGEST_NAME} letters, digits, `-`, `_`, `.` and `:` are allowed"
        ));
    }
    Ok(())
}

/// # Safety
/// So many are readable there, unless it is 0.
unsafe fn list<'a, T>(at: *const T, count: usize) -> &'a [T] {
    // SAFETY: by the contract.
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(at, count) } }
}

/// Copies texts, of which all together have no more than so many bytes.
struct Copier {
    left: usize,
}

impl Copier {
    /// # Safety
    /// The text holds for the call.
    unsafe fn text(&mut self, text: Str) -> Result<String, String> {
        let left = self.left.checked_sub(text.len);
        self.left = left.ok_or_else(|| format!("its texts have more than {LONGEST} bytes"))?;
        // SAFETY: by the contract.
        Ok(unsafe { text.to_text() }.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::null;

    use hookrail_abi::boundary::BusHeader;

    use super::*;

    fn spec() -> BusSpec {
        BusSpec {
            size: size_of::<BusSpec>() as u32,
            policy: BUS_DROP_OLDEST,
            name: Str::new("all"),
            key: Str::new(""),
            topics: null(),
            topic_count: 0,
            headers: null(),
            header_count: 0,
            capacity: 0,
        }
    }

    fn refused(change: impl FnOnce(&mut BusSpec)) -> String {
        let mut changed = spec();
        change(&mut changed);
        // SAFETY: its texts are of the test.
        unsafe { Spec::read(&changed) }.expect_err("it is malformed")
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        // SAFETY: its texts are of the test.
        let read = unsafe { Spec::read(&spec()) }.unwrap();
        assert_eq!((read.queue.policy, read.queue.capacity), (QueuePolicy::DropOldest, 1024));
        assert!(read.topics.is_empty() && read.headers.is_empty());
    }

    #[test]
    fn what_is_malformed_is_refused_with_a_reason() {
        let topics = [Str::new("a..b")];
        let twice = [BusHeader { key: Str::new("k"), value: Str::new("v") }; 2];
        let long = "x".repeat(LONGEST + 1);
        let says = |change: &dyn Fn(&mut BusSpec), part: &str| {
            let why = refused(change);
            assert!(why.contains(part), "{why}");
        };
        says(&|spec| spec.size = 8, "8 bytes, 80 are needed");
        says(&|spec| spec.name = Str::new(""), "letters");
        says(&|spec| spec.name = Str::new("a b"), "letters");
        says(&|spec| spec.name = Str::new(&long), "more than 65536 bytes");
        says(&|spec| spec.policy = 9, "no policy 9");
        says(&|spec| spec.key = Str::new("k"), "not for drop_oldest");
        says(&|spec| spec.capacity = MOST_MESSAGES + 1, "a capacity of 1048577");
        says(&|spec| spec.topic_count = usize::MAX, "256 are allowed");
        says(&|spec| spec.header_count = usize::MAX, "64 are allowed");
        says(&|spec| (spec.topics, spec.topic_count) = (topics.as_ptr(), 1), "a..b");
        says(&|spec| (spec.headers, spec.header_count) = (twice.as_ptr(), 2), "twice");
    }
}
