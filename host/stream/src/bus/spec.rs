//! What a subscription wants, checked.

use std::collections::BTreeMap;

use hookrail_abi::boundary::{BUS_BLOCK, BUS_DROP_NEWEST, BUS_DROP_OLDEST, BUS_LATEST_PER_KEY};
use hookrail_engine::BusWish;
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};

use crate::topic::Pattern;

/// How many bytes its name may have.
const LONGEST_NAME: usize = 128;
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
    pub(super) fn of(wish: BusWish) -> Result<Self, String> {
        let queue = queue(&wish)?;
        let BusWish { name, topics, headers, .. } = wish;
        check_name(&name)?;
        let topic =
            |topic: &String| topic.parse::<Pattern>().map_err(|invalid| format!("a topic of `{name}`: {invalid}"));
        let topics = topics.iter().map(topic).collect::<Result<_, _>>()?;
        let mut wanted = BTreeMap::new();
        for (key, value) in headers {
            if wanted.contains_key(&key) {
                return Err(format!("`{name}` wants the header {key:?} twice"));
            }
            wanted.insert(key, value);
        }
        Ok(Spec { name, topics, headers: wanted, queue })
    }
}

fn queue(wish: &BusWish) -> Result<QueueConfig, String> {
    let mut queue = QueueConfig::default();
    queue.policy = match wish.policy {
        BUS_BLOCK => QueuePolicy::Block,
        BUS_DROP_NEWEST => QueuePolicy::DropNewest,
        BUS_DROP_OLDEST => QueuePolicy::DropOldest,
        BUS_LATEST_PER_KEY => QueuePolicy::LatestPerKey,
        other => return Err(format!("there is no policy {other}")),
    };
    match (queue.policy, &*wish.key) {
        (_, "") => {}
        (QueuePolicy::LatestPerKey, key) => queue.key = Some(key.into()),
        (policy, _) => return Err(format!("a key is for latest_per_key, not for {}", policy.name())),
    }
    match wish.capacity {
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

#[cfg(test)]
mod tests {
    use std::ptr::null;

    use hookrail_abi::boundary::{BusHeader, BusSpec, Str};

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
        unsafe { BusWish::copied(&changed) }.and_then(Spec::of).expect_err("it is malformed")
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        // SAFETY: its texts are of the test.
        let read = unsafe { BusWish::copied(&spec()) }.and_then(Spec::of).unwrap();
        assert_eq!((read.queue.policy, read.queue.capacity), (QueuePolicy::DropOldest, 1024));
        assert!(read.topics.is_empty() && read.headers.is_empty());
    }

    #[test]
    fn what_is_malformed_is_refused_with_a_reason() {
        let topics = [Str::new("a..b")];
        let twice = [BusHeader { key: Str::new("k"), value: Str::new("v") }; 2];
        let long = "x".repeat((64 << 10) + 1);
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
