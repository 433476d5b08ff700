//! A queue is full of few messages, if they are large.

use super::*;
use crate::load::Load;

/// The weight of a large message.
fn large() -> u64 {
    item("a", &body("x")).load().bytes
}

/// A large body that begins with that.
fn body(begin: &str) -> String {
    format!("{begin:x<10000}")
}

/// The first letters of bodies.
fn begins<'a>(items: impl IntoIterator<Item = &'a Item>) -> String {
    items.into_iter().map(|item| item.message.body[0] as char).collect()
}

/// With room for that many large messages.
fn with_memory(policy: QueuePolicy, count: u64) -> Queue {
    Queue::new(QueueConfig::default().with_policy(policy).with_memory(count * large()), None)
}

/// What is refused, of messages with these topics and bodies.
fn put(queue: &Queue, messages: &[(&str, &str)]) -> (String, Vec<DropKind>) {
    let (mut items, mut refused) = (messages.iter().map(|(topic, body)| item(topic, body)).collect(), Vec::new());
    queue.put(&mut items, &mut refused);
    (begins(refused.iter().map(|(item, _)| item)), refused.iter().map(|(_, kind)| *kind).collect())
}

fn put_large(queue: &Queue, begin: &str) -> String {
    begin.split_inclusive(|_| true).map(|begin| put(queue, &[(begin, &body(begin))]).0).collect()
}

#[test]
fn sources_wait_until_the_sink_has_answered_for_large_messages() {
    let queue = with_memory(QueuePolicy::Block, 3);
    for begin in ["1", "2", "3"] {
        assert!(queue.wait_for_room(Some(Instant::now()), || false));
        put_large(&queue, begin);
    }
    assert!(!queue.wait_for_room(Some(Instant::now()), || false));
    assert_eq!(queue.held_bytes(), 3 * large());
    let taken = take(&queue, 9);
    assert_eq!(begins(&taken), "123");
    assert!(!queue.wait_for_room(Some(Instant::now()), || false), "what was taken has its room");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| queue.wait_for_room(None, || false));
        answer(&queue, &taken);
        assert!(waiting.join().unwrap());
    });
    assert_eq!(queue.held_bytes(), 0);
}

#[test]
fn a_message_that_is_larger_than_the_memory_passes_alone() {
    let queue = with_memory(QueuePolicy::Block, 1);
    assert_eq!(put(&queue, &[("a", &body("1").repeat(5))]).0, "");
    assert!(!queue.wait_for_room(None, || true));
    let taken = take(&queue, 9);
    answer(&queue, &taken);
    assert!(queue.wait_for_room(None, || true));
}

#[test]
fn the_policies_that_drop_do_so_by_memory() {
    assert_eq!(put_large(&with_memory(QueuePolicy::DropNewest, 3), "12345"), "45");
    let oldest = with_memory(QueuePolicy::DropOldest, 3);
    assert_eq!(put_large(&oldest, "12345"), "12");
    // A smaller one has room only where a large one was.
    assert_eq!(put(&oldest, &[("a", "6")]).0, "3");
    assert_eq!(put_large(&oldest, "7"), "");
    assert_eq!(begins(&take(&oldest, 9)), "4567");
    let oldest = with_memory(QueuePolicy::DropOldest, 1);
    assert_eq!(put(&oldest, &[("a", "1"), ("a", "2"), ("a", &body("3"))]).0, "");
    assert_eq!(put(&oldest, &[("a", "4")]).0, "123", "all that is needed");
}

#[test]
fn what_has_no_room_beside_what_the_sink_has_taken_costs_nothing_else() {
    for policy in [QueuePolicy::DropOldest, QueuePolicy::LatestPerKey] {
        let queue = with_memory(policy, 3);
        put_large(&queue, "123");
        let taken = take(&queue, 2);
        queue.resize(&queue.config().with_memory(large()));
        assert_eq!(put_large(&queue, "4"), "4", "{policy:?}");
        answer(&queue, &taken);
        assert_eq!(put_large(&queue, "5"), "3", "{policy:?}");
        assert_eq!(begins(&take(&queue, 9)), "5", "{policy:?}");
    }
}

#[test]
fn a_value_that_grows_costs_those_before_it_their_room() {
    let queue = with_memory(QueuePolicy::LatestPerKey, 2);
    put(&queue, &[("a", "1"), ("b", "2"), ("c", "3")]);
    assert_eq!(put(&queue, &[("a", &body("4"))]), ("1".into(), vec![DropKind::Replaced]));
    assert_eq!(put(&queue, &[("b", &body("5"))]), ("2".into(), vec![DropKind::Replaced]));
    assert_eq!(put(&queue, &[("c", &body("6"))]), ("34".into(), vec![DropKind::Replaced, DropKind::Full]));
    assert_eq!(queue.held_bytes(), 2 * large());
    assert_eq!(begins(&take(&queue, 9)), "56");
}

#[test]
fn what_goes_back_or_to_another_queue_keeps_its_weight() {
    let (queue, heir) = (with_memory(QueuePolicy::Block, 3), with_memory(QueuePolicy::Block, 3));
    put_large(&queue, "123");
    let mut taken = take(&queue, 2);
    queue.put_back(&mut taken, &mut Vec::new());
    assert_eq!(queue.held_bytes(), 3 * large());
    queue.set_mode(Mode::Closed);
    heir.adopt(queue.clear(), &mut Vec::new());
    assert_eq!((queue.held_bytes(), heir.held_bytes()), (0, 3 * large()));
    let taken = take(&heir, 9);
    answer(&heir, &taken);
    assert_eq!((begins(&taken), heir.held_bytes()), ("123".into(), 0));
}

#[test]
fn what_is_on_disk_passes_through_as_much_memory() {
    let directory = tempfile::tempdir().unwrap();
    let spill = Some((Spill::open(directory.path()).unwrap(), Arc::default()));
    let queue = Queue::new(QueueConfig::default().with_policy(QueuePolicy::Spill).with_memory(2 * large()), spill);
    assert_eq!(put_large(&queue, "123456789"), "");
    let mut all = String::new();
    while queue.held() > 0 {
        // One more, as everywhere.
        assert!(queue.held_bytes() <= 3 * large(), "{}", queue.held_bytes());
        let taken = take(&queue, 9);
        let load: Load = taken.iter().map(Item::load).sum();
        assert!(load.bytes <= 3 * large(), "{load:?}");
        all.push_str(&begins(&taken));
        answer(&queue, &taken);
    }
    assert_eq!(all, "123456789");
}

#[test]
fn a_sink_that_never_answers_gets_no_more_from_the_disk_than_there_is_room_for() {
    for config in [QueueConfig::default().with_memory(2 * large()), QueueConfig::default().with_capacity(3)] {
        let directory = tempfile::tempdir().unwrap();
        let spill = Some((Spill::open(directory.path()).unwrap(), Arc::default()));
        let queue = Queue::new(config.with_policy(QueuePolicy::Spill), spill);
        let watched = queue.watch().unwrap();
        let peek = rustix::net::RecvFlags::DONTWAIT | rustix::net::RecvFlags::PEEK;
        let is_readable = || rustix::net::recv(&watched, &mut [0_u8; 8], peek).is_ok();
        put_large(&queue, "123456789");
        let mut taken = VecDeque::new();
        while queue.take(queue.reader(), 9, Some(Instant::now()), &mut taken) == Taken::Some {}
        assert!(taken.len() <= 3, "{}", begins(&taken));
        assert!(!is_readable(), "there is nothing that it could have");
        let mut all = String::new();
        while !taken.is_empty() {
            all.push_str(&begins(&taken));
            answer(&queue, &taken);
            assert_eq!(is_readable(), all.len() < 9);
            taken = take(&queue, 9);
        }
        assert_eq!(all, "123456789");
    }
}

#[test]
fn a_disk_that_fails_leaves_as_much_memory() {
    let directory = tempfile::tempdir().unwrap();
    let spill = Some((Spill::open(directory.path()).unwrap(), Arc::default()));
    let queue = Queue::new(QueueConfig::default().with_policy(QueuePolicy::Spill).with_memory(2 * large()), spill);
    let fail = |is_failing: bool| queue.state.lock().disk.as_mut().unwrap().spill_mut().fail(is_failing);
    fail(true);
    assert_eq!(put_large(&queue, "12"), "");
    assert_eq!(queue.held_bytes(), 2 * large());
    assert!(!queue.wait_for_room(None, || true));
    fail(false);
    queue.flush();
    assert!(queue.wait_for_room(None, || true));
}
