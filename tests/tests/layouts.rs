//! Payloads of another layout are refused with one line that tells where, however many libraries came
//! and went before; and the layouts that are frozen do not change.

#![expect(non_local_definitions)] // abi_stable's derive writes them.

use abi_stable::StableAbi;
use hookrail::{Config, End, Host};
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{Fold, Point, Text, points};
use hookrail_tests::zoo;

#[repr(u8)]
#[derive(StableAbi, Clone, Debug)]
#[sabi(kind(WithNonExhaustive(size = 32, traits(Clone, Debug), assert_nonexhaustive = Kind)))]
enum Kind {
    Slow,
    #[expect(dead_code)]
    Quick,
}

/// A payload whose check has several steps: abi_stable keeps what it learns of an open enum, and that
/// points into the library it learned it from.
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Job {
    id: u64,
    urgency: u32,
    name: Text,
    kind: Kind_NE,
}

points! {
    /// A job began.
    // SAFETY: the kind is made here, and the job is dropped here.
    pub unsafe local JobStarted: "zoo.job", 1, Fold<Job> {}
}

/// A library of the zoo, and what the error says of its payload.
const STRANGERS: [(&str, &[&str]); 4] = [
    ("payload_narrow", &["zoo.job", "Job.urgency", "u32", "u16"]),
    ("payload_wide", &["zoo.job", "Job", "5", "4"]),
    ("payload_kinds", &["zoo.job", "Job.kind", "Quick", "Swift"]),
    ("payload_renamed", &["zoo.job", "Job", "Task"]),
];

/// abi_stable's checker remembers pointers into libraries that it saw. Were it allowed to, the
/// second check would read the first library after it is gone: of another size, so that it misses.
#[test]
fn libraries_of_other_layouts_come_and_go_and_are_told_apart() {
    let host = Host::new(Config::default()).unwrap();
    let point = host.point::<JobStarted>().unwrap();
    for round in 0..75 {
        for (animal, said) in STRANGERS {
            // SAFETY: our own library, which is refused before any callback of it runs.
            let error = unsafe { host.load(zoo(animal)) }.unwrap_err();
            let text = error.to_string();
            assert_eq!(error.code(), "HR0309", "{text}");
            for part in said {
                assert!(text.contains(part), "round {round}: `{part}` in: {text}");
            }
            assert!(!text.contains('\n') && text.len() < 300, "one line: {text}");
        }
        // SAFETY: our own library, which knows the payload as we do.
        let fits = unsafe { host.load(zoo("payload_fits")) }.unwrap();
        let mut job = Job { id: 1, urgency: 2, name: "name".into(), kind: Kind_NE::new(Kind::Slow) };
        point.dispatch(&mut job);
        assert_eq!((job.id, job.urgency, &*job.name), (2, 2, "name"));
        assert_eq!(host.unload(fits).unwrap(), End::Unmapped, "round {round}");
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("payload_"), "nothing of them is left: {maps}");
}

#[test]
fn print() {
    println!("{}\n{}\n{}", MessagePublish::shape().text, MessageDelivered::shape().text, MessageDropped::shape().text);
    println!("{:x?} {:x?}", MessagePublish::shape().fingerprint, MessageDropped::shape().fingerprint);
    let host = Host::new(Config::default()).unwrap();
    let _point = host.point::<JobStarted>().unwrap();
    for (animal, _) in STRANGERS {
        println!("{animal}: {}", unsafe { host.load(zoo(animal)) }.unwrap_err());
    }
}
