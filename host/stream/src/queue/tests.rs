//! What a queue keeps, drops and gives back.

mod memory;

use hookrail_abi::Message;

use super::*;
use crate::item::Kept;
use crate::marks::Marks;
use crate::receipt::Tracker;

fn queue(policy: QueuePolicy, capacity: usize) -> Queue {
    Queue::new(QueueConfig::default().with_policy(policy).with_capacity(capacity), None)
}

fn item(topic: &str, body: &str) -> Item {
    let kept = Kept::Source(Tracker::new(Arc::new(Marks::in_memory())).begin(None, 8));
    Item::new(Arc::new(Message::new(topic, body.as_bytes())), kept)
}

fn put(queue: &Queue, bodies: &[&str]) -> Vec<(String, DropKind)> {
    let (mut items, mut refused) = (bodies.iter().map(|body| item("a", body)).collect(), Vec::new());
    queue.put(&mut items, &mut refused);
    refused.iter().map(|(item, kind)| (body(item), *kind)).collect()
}

fn body(item: &Item) -> String {
    item.message.body.to_display().to_string()
}

fn take(queue: &Queue, most: usize) -> VecDeque<Item> {
    let mut taken = VecDeque::new();
    queue.take(queue.reader(), most, Some(Instant::now()), &mut taken);
    taken
}

fn answer(queue: &Queue, items: &VecDeque<Item>) {
    let mut answered = Answered::default();
    items.iter().for_each(|item| answered.add(item));
    queue.answered(&answered);
}

fn bodies(items: &VecDeque<Item>) -> Vec<String> {
    items.iter().map(body).collect()
}

#[test]
fn each_policy_drops_what_it_says() {
    let lost = put(&queue(QueuePolicy::DropNewest, 2), &["1", "2", "3"]);
    assert_eq!(lost, [("3".into(), DropKind::Full)]);
    let lost = put(&queue(QueuePolicy::DropOldest, 2), &["1", "2", "3"]);
    assert_eq!(lost, [("1".into(), DropKind::Full)]);
    let latest = queue(QueuePolicy::LatestPerKey, 2);
    assert_eq!(put(&latest, &["1", "2"]), [("1".into(), DropKind::Replaced)]);
    let mut refused = Vec::new();
    latest.put(&mut vec![item("b", "3"), item("c", "4"), item("b", "5")], &mut refused);
    let lost: Vec<_> = refused.iter().map(|(item, kind)| (body(item), *kind)).collect();
    assert_eq!(lost, [("2".into(), DropKind::Full), ("3".into(), DropKind::Replaced)]);
    assert_eq!(bodies(&take(&latest, 9)), ["5", "4"]);
}

#[test]
fn a_source_waits_for_room_and_no_longer_than_it_wants() {
    let queue = queue(QueuePolicy::Block, 2);
    std::thread::scope(|scope| {
        let send = || {
            for body in ["1", "2", "3", "4", "5"] {
                assert!(queue.wait_for_room(None, || false));
                assert_eq!(put(&queue, &[body]), []);
            }
        };
        let sending = scope.spawn(send);
        let mut all = Vec::new();
        while all.len() < 5 {
            assert!(queue.held() <= 2);
            let taken = take(&queue, 1);
            answer(&queue, &taken);
            all.extend(bodies(&taken));
        }
        assert_eq!(all, ["1", "2", "3", "4", "5"]);
        sending.join().unwrap();
    });
    put(&queue, &["1", "2"]);
    assert!(!queue.wait_for_room(Some(Instant::now() + Duration::from_millis(1)), || false));
    assert!(!queue.wait_for_room(None, || true));
    let taken = take(&queue, 1);
    assert!(!queue.wait_for_room(None, || true), "what was taken and not answered for has its room");
    answer(&queue, &taken);
    assert!(queue.wait_for_room(None, || true));
}

#[test]
fn what_a_sink_has_not_answered_for_is_given_to_the_next_in_order() {
    let queue = queue(QueuePolicy::Block, 9);
    put(&queue, &["1", "2", "3", "4"]);
    let mut taken = take(&queue, 3);
    answer(&queue, &taken.drain(..1).collect());
    queue.put_back(&mut taken, &mut Vec::new());
    assert_eq!((bodies(&take(&queue, 9)), queue.held()), (vec!["2".into(), "3".into(), "4".into()], 3));
    let latest = self::queue(QueuePolicy::LatestPerKey, 9);
    put(&latest, &["1"]);
    let mut taken = take(&latest, 1);
    put(&latest, &["2"]);
    let mut refused = Vec::new();
    latest.put_back(&mut taken, &mut refused);
    assert_eq!((body(&refused[0].0), refused[0].1), ("1".into(), DropKind::Replaced));
    let mut taken = take(&latest, 1);
    latest.put_back(&mut taken, &mut refused);
    assert_eq!(put(&latest, &["3"]), [("2".into(), DropKind::Replaced)]);
    assert_eq!(bodies(&take(&latest, 9)), ["3"]);
}

#[test]
fn a_queue_that_drains_gives_what_it_has_and_takes_nothing() {
    let queue = queue(QueuePolicy::Block, 2);
    put(&queue, &["1", "2"]);
    queue.set_mode(Mode::Draining);
    assert_eq!(put(&queue, &["3"]), [("3".into(), DropKind::Shutdown)]);
    assert_eq!(bodies(&take(&queue, 1)), ["1"]);
    assert!(!queue.wait_until_closed(queue.reader(), Instant::now()));
    assert_eq!(bodies(&take(&queue, 1)), ["2"]);
    assert_eq!(queue.take(queue.reader(), 1, None, &mut VecDeque::new()), Taken::Closed);
    assert!(queue.wait_until_closed(queue.reader(), Instant::now()));
}

#[test]
fn a_sink_that_is_to_end_gets_nothing_more_and_the_queue_stays() {
    let queue = queue(QueuePolicy::Block, 2);
    put(&queue, &["1"]);
    queue.close_reader();
    assert_eq!(queue.take(queue.reader(), 1, None, &mut VecDeque::new()), Taken::Closed);
    assert_eq!(put(&queue, &["2"]), []);
    queue.open_reader();
    assert_eq!(bodies(&take(&queue, 9)), ["1", "2"]);
}

#[test]
fn what_a_sink_has_taken_is_never_given_up_and_never_more_than_there_is_room_for() {
    for policy in [QueuePolicy::DropOldest, QueuePolicy::LatestPerKey] {
        let queue = queue(policy, 2);
        let mut taken = VecDeque::new();
        for number in 0..10 {
            let mut items = vec![item(&number.to_string(), "x")];
            queue.put(&mut items, &mut Vec::new());
            queue.take(queue.reader(), 9, Some(Instant::now()), &mut taken);
        }
        assert_eq!((taken.len(), queue.held()), (2, 2), "{policy:?}");
    }
}

#[test]
fn a_descriptor_tells_what_can_be_taken() {
    let queue = queue(QueuePolicy::Block, 2);
    let watched = queue.watch().unwrap();
    let is_readable = || {
        let peek = rustix::net::RecvFlags::DONTWAIT | rustix::net::RecvFlags::PEEK;
        rustix::net::recv(&watched, &mut [0_u8; 8], peek).is_ok()
    };
    assert!(!is_readable());
    put(&queue, &["1"]);
    assert!(is_readable());
    put(&queue, &["2"]);
    take(&queue, 9);
    assert!(!is_readable());
    queue.close_reader();
    assert!(is_readable());
}

fn on_disk(directory: &std::path::Path, capacity: usize) -> Queue {
    let config = QueueConfig::default().with_policy(QueuePolicy::Spill).with_capacity(capacity);
    Queue::new(config.with_size(Some(10_000)), Some((Spill::open(directory).unwrap(), Arc::default())))
}

#[test]
fn what_is_on_disk_passes_through_memory_in_order_and_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let queue = on_disk(directory.path(), 2);
    let names: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(put(&queue, &names[..30]), []);
    assert!(queue.state.lock().items.len() <= 2);
    let mut taken = take(&queue, 3);
    assert_eq!(bodies(&taken), names[..2], "what is in memory");
    assert_eq!(put(&queue, &names[30..]), []);
    answer(&queue, &taken.drain(..1).collect());
    queue.put_back(&mut taken, &mut Vec::new());
    let mut all = Vec::new();
    while queue.held() > 0 {
        let taken = take(&queue, 7);
        answer(&queue, &taken);
        all.extend(bodies(&taken));
    }
    assert_eq!(all, names[1..]);
    queue.flush();
    drop(queue);
    assert_eq!(on_disk(directory.path(), 2).held(), 0);
}

#[test]
fn what_is_on_disk_is_not_dropped_with_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let queue = on_disk(directory.path(), 2);
    put(&queue, &["1", "2", "3"]);
    let mut late = take(&queue, 1);
    queue.set_mode(Mode::Draining);
    assert_eq!(queue.take(queue.reader(), 1, None, &mut VecDeque::new()), Taken::Closed, "it stays");
    assert!(!queue.is_drained(), "what was taken may be answered for");
    queue.set_mode(Mode::Closed);
    assert!(queue.clear().is_empty());
    queue.put_back(&mut late, &mut Vec::new());
    assert!(queue.clear().is_empty());
    assert_eq!(queue.held(), 3);
    queue.set_mode(Mode::Open);
    assert_eq!(bodies(&take(&queue, 9)), ["1", "2", "3"]);
    drop(queue);
    assert_eq!(bodies(&take(&on_disk(directory.path(), 9), 9)), ["1", "2", "3"]);
}

#[test]
fn a_source_waits_while_the_disk_has_no_more_room() {
    let directory = tempfile::tempdir().unwrap();
    let queue = on_disk(directory.path(), 2);
    while queue.wait_for_room(Some(Instant::now()), || false) {
        put(&queue, &["some"]);
    }
    assert!(queue.disk().unwrap().bytes >= 10_000 && queue.held() > 9);
    let taken = take(&queue, 2);
    assert!(!queue.wait_for_room(None, || true));
    answer(&queue, &taken);
    assert!(queue.wait_for_room(None, || true));
}

#[test]
fn a_disk_that_fails_makes_it_a_queue_in_memory_until_it_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let queue = on_disk(directory.path(), 3);
    put(&queue, &["1"]);
    let fail = |is_failing: bool| queue.state.lock().disk.as_mut().unwrap().spill_mut().fail(is_failing);
    fail(true);
    for body in ["2", "3"] {
        assert!(queue.wait_for_room(None, || true));
        assert_eq!(put(&queue, &[body]), []);
    }
    assert!(!queue.wait_for_room(None, || true), "its sources wait");
    let taken = take(&queue, 9);
    assert_eq!((bodies(&taken), queue.held()), (vec!["1".to_owned()], 3));
    answer(&queue, &taken);
    let taken = take(&queue, 1);
    assert_eq!(bodies(&taken), ["2"], "the sink goes on");
    answer(&queue, &taken);
    put(&queue, &["4"]);
    fail(false);
    queue.flush();
    assert!(queue.wait_for_room(None, || true));
    put(&queue, &["5"]);
    let taken = take(&queue, 9);
    assert_eq!((bodies(&taken), queue.held()), (vec!["3".into(), "4".into(), "5".into()], 3));
    answer(&queue, &taken);
    assert_eq!(queue.held(), 0);
}
