//! What a queue on disk keeps, and what it makes of what happens to its files.

use std::io::Write;
use std::os::unix::fs::FileExt;

use super::*;
use crate::marks::Marks;
use crate::receipt::Tracker;

impl Spill {
    /// Has each write fail, as on a full disk, or not any more.
    pub(crate) fn fail(&mut self, is_failing: bool) {
        let segment = self.segments.back_mut().unwrap();
        let path = if is_failing { Path::new("/dev/full") } else { &segment.path };
        segment.file = Arc::new(File::options().read(true).write(true).open(path).unwrap());
    }
}

fn item(body: &str) -> Item {
    let receipt = Tracker::new(Arc::new(Marks::in_memory())).begin(None, 8);
    Item::new(Arc::new(Message::new("a", body.as_bytes())), Kept::Source(receipt))
}

fn append(spill: &mut Spill, bodies: &[&str]) {
    let (mut items, mut refused) = (bodies.iter().map(|body| item(body)).collect(), Vec::new());
    spill.append(&mut items, &mut refused).unwrap();
    assert!(refused.is_empty());
}

fn bodies(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| item.message.body.to_display().to_string()).collect()
}

/// Everything that it has, read and not answered for.
fn rest(spill: &mut Spill) -> Vec<String> {
    let mut all = Vec::new();
    while spill.waiting() > 0 {
        all.extend(bodies(&spill.read(2, u64::MAX).unwrap().0));
    }
    all
}

fn answer(spill: &mut Spill, item: &Item) {
    let Kept::Disk(place) = item.kept else { panic!("it is not on disk") };
    spill.answer(place);
}

fn flush(spill: &mut Spill) {
    if let Some(mut flush) = spill.flush() {
        flush.run().unwrap();
    }
}

/// The files of the queue, by name.
fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names.into_iter().map(|name| name.into_string().unwrap()).collect()
}

/// Fills the last segment, so that the next message begins another one.
fn fill(spill: &mut Spill) {
    append(spill, &[&"x".repeat(SEGMENT as usize)]);
}

#[test]
fn what_is_not_answered_for_is_there_again_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["1", "2", "3"]);
    let (items, _) = spill.read(2, u64::MAX).unwrap();
    assert_eq!(bodies(&items), ["1", "2"]);
    answer(&mut spill, &items[0]);
    assert_eq!((spill.held(), spill.waiting()), (2, 1));
    flush(&mut spill);
    drop(spill);
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["4"]);
    assert_eq!(rest(&mut spill), ["2", "3", "4"]);
    drop(spill);
    // What was not flushed is known as not answered for.
    assert_eq!(rest(&mut Spill::open(directory.path()).unwrap()), ["2", "3", "4"]);
}

#[test]
fn a_mark_is_kept_when_the_message_is_synced() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    let marks = Arc::new(Marks::in_memory());
    let receipt = Tracker::new(marks.clone()).begin(Some(("file".into(), "7".into())), 8);
    let mut items = vec![Item::new(Arc::default(), Kept::Source(receipt))];
    spill.append(&mut items, &mut Vec::new()).unwrap();
    assert_eq!(marks.kept(), []);
    flush(&mut spill);
    assert_eq!(marks.kept(), [("file".to_owned(), "7".to_owned())]);
}

#[test]
fn a_segment_is_removed_when_the_index_is_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    fill(&mut spill);
    append(&mut spill, &["a"]);
    let segment = |number: u64| format!("{number:020}.queue");
    let (items, _) = spill.read(2, u64::MAX).unwrap();
    let size = spill.size();
    answer(&mut spill, &items[1]);
    assert!(spill.size() < size - SEGMENT && spill.held() == 0, "room is there at once");
    assert_eq!(files(directory.path()), [&*segment(1), &*segment(2), "lock"]);
    let mut left = spill.flush().unwrap();
    fs::create_dir(directory.path().join("index.new")).unwrap();
    left.run().unwrap_err();
    assert_eq!(files(directory.path()), [&*segment(1), &*segment(2), "index.new", "lock"]);
    fs::remove_dir(directory.path().join("index.new")).unwrap();
    spill.flush_again(left);
    flush(&mut spill);
    assert_eq!(files(directory.path()), [&*segment(2), "index", "lock"]);
    drop(spill);
    assert_eq!(Spill::open(directory.path()).unwrap().held(), 0);
}

#[test]
fn what_was_being_written_when_the_host_ended_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut Spill::open(directory.path()).unwrap(), &["1", "2"]);
    let file = directory.path().join(format!("{:020}.queue", 1));
    let whole = fs::read(&file).unwrap();
    for cut in 1..30 {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        let mut spill = Spill::open(directory.path()).unwrap();
        append(&mut spill, &["3"]);
        assert_eq!((rest(&mut spill), spill.damaged()), (vec!["1".to_owned(), "3".into()], 0), "{cut}");
    }
}

#[test]
fn damage_costs_what_is_damaged_and_is_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut Spill::open(directory.path()).unwrap(), &["1", "2", "3"]);
    let file = File::options().write(true).open(directory.path().join(format!("{:020}.queue", 1))).unwrap();
    let middle = segment::START + (file.metadata().unwrap().len() - segment::START) / 2;
    file.write_all_at(b"!!", middle).unwrap();
    for _ in 0..2 {
        let mut spill = Spill::open(directory.path()).unwrap();
        assert_eq!((spill.held(), spill.damaged()), (2, 1));
        assert_eq!(rest(&mut spill), ["1", "3"]);
        assert_eq!((spill.damaged(), files(&directory.path().join("damaged")).len()), (1, 1));
    }
}

#[test]
fn the_last_message_is_damaged_as_any_other_is() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut Spill::open(directory.path()).unwrap(), &["1", "2"]);
    let file = File::options().write(true).open(directory.path().join(format!("{:020}.queue", 1))).unwrap();
    file.write_all_at(b"!", file.metadata().unwrap().len() - 1).unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["3"]);
    assert_eq!((rest(&mut spill), spill.damaged()), (vec!["1".to_owned(), "3".into()], 1));
    assert_eq!(files(&directory.path().join("damaged")).len(), 1);
}

#[test]
fn queues_are_checked_without_their_host() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(check(home.path()).unwrap(), []);
    let directory = home.path().join("streams/queues/logs/out");
    append(&mut Spill::open(&directory).unwrap(), &["1", "2", "3"]);
    let file = directory.join(format!("{:020}.queue", 1));
    let mut bytes = fs::read(&file).unwrap();
    let middle = segment::START as usize + (bytes.len() - segment::START as usize) / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let reports = check(home.path()).unwrap();
    let [report] = &*reports else { panic!("{reports:?}") };
    assert_eq!((&*report.pipeline, &*report.sink), ("logs", "out"));
    assert_eq!((report.messages, report.damaged.len(), report.is_open), (2, 1, false));
    assert_eq!(fs::read(&file).unwrap(), bytes, "nothing is changed");
    let _open = Spill::open(&directory).unwrap();
    assert!(check(home.path()).unwrap()[0].is_open);
}

#[test]
fn damage_that_comes_while_it_is_open_is_counted_as_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["1"]);
    let from = spill.written.at;
    append(&mut spill, &["2", "3"]);
    let until = spill.written.at;
    append(&mut spill, &["4"]);
    spill.last().file.write_all_at(&vec![0; (until - from) as usize], from).unwrap();
    // It is known once, however often it is read.
    for lost in [2, 0] {
        let (items, now) = spill.read(9, u64::MAX).unwrap();
        assert_eq!((bodies(&items), now), (vec!["1".to_owned(), "4".into()], lost));
        assert_eq!((spill.held(), spill.waiting()), (2, 0));
        spill.rewind();
    }
    let (items, _) = spill.read(9, u64::MAX).unwrap();
    answer(&mut spill, &items[1]);
    assert_eq!(spill.held(), 0);
    append(&mut spill, &["5"]);
    assert_eq!((rest(&mut spill), spill.held()), (vec!["5".to_owned()], 1));
}

#[test]
fn what_is_no_segment_keeps_no_host_from_starting() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut Spill::open(directory.path()).unwrap(), &["1"]);
    for (number, content) in [(0, ""), (7, "short"), (8, "a text of somebody"), (9, "HRqueue\x09..........")] {
        fs::write(directory.path().join(format!("{number:020}.queue")), content).unwrap();
    }
    fs::write(directory.path().join("notes.txt"), "somebody's").unwrap();
    for index in ["", "{}", "{\"format\":9,\"segment\":1,\"at\":8}", "{\"format\":1,\"segment\":1,\"at\":99999}"] {
        fs::write(directory.path().join("index"), index).unwrap();
        let held = Spill::open(directory.path()).unwrap().held();
        assert_eq!(held, usize::from(!index.contains("99999")), "{index}");
    }
    fs::write(directory.path().join("index"), "{\"format\":1,\"segment\":77,\"at\":8}").unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["2"]);
    assert_eq!(rest(&mut spill), ["2"]);
}

#[test]
fn a_queue_has_one_host() {
    let directory = tempfile::tempdir().unwrap();
    let first = Spill::open(directory.path()).unwrap();
    assert_eq!(Spill::open(directory.path()).unwrap_err().to_string(), "another host has it open");
    drop(first);
    Spill::open(directory.path()).unwrap();
}

#[test]
fn a_full_disk_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    append(&mut spill, &["1"]);
    spill.fail(true);
    let mut items = vec![item("2")];
    let error = spill.append(&mut items, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(matches!(items[0].kept, Kept::Source(_)) && spill.held() == 1);
    spill.fail(false);
    spill.append(&mut items, &mut Vec::new()).unwrap();
    assert_eq!(rest(&mut spill), ["1", "2"]);
}

#[test]
fn a_torn_write_of_the_middle_is_found_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut spill = Spill::open(directory.path()).unwrap();
    (0..50).for_each(|number| append(&mut spill, &[&number.to_string()]));
    flush(&mut spill);
    let file = spill.last().path.clone();
    drop(spill);
    let whole = fs::read(&file).unwrap();
    for place in (segment::START as usize..whole.len() - 64).step_by(61) {
        let mut torn = whole.clone();
        torn[place..place + 64].fill(0);
        File::create(&file).unwrap().write_all(&torn).unwrap();
        let mut spill = Spill::open(directory.path()).unwrap();
        let (held, rest) = (spill.held(), rest(&mut spill));
        assert!(held == rest.len() && held >= 47, "{place}: {held} {rest:?}");
        assert!(rest.iter().map(|body| body.parse::<u32>().unwrap()).is_sorted());
    }
}
