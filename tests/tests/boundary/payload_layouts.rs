//! Payloads of another layout are refused with one line that tells where, however many libraries came
//! and went before; and the layouts that are frozen do not change.

#![expect(non_local_definitions)] // abi_stable's derive writes them.
#![expect(unreachable_pub)] // A point is public, and so must be its payload.

use std::time::Duration;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use hookrail::{End, Host};
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{Header, Payload, Point, Shape, Text, points};
use hookrail_tests::scene::patient;
use hookrail_tests::{alone, zoo};

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
    table: Table_Ref,
}

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix))]
struct Table {
    #[sabi(last_prefix_field)]
    rank: u32,
}

const TABLE: &WithMetadata<Table> = &WithMetadata::new(Table { rank: 3 });

// SAFETY: the kind is made here, and the job is dropped here.
unsafe impl Payload for Job {}

points! {
    /// A job began.
    // SAFETY: the kind is made here, and the job is dropped here.
    pub unsafe local JobStarted: "zoo.job", 1, Fold<Job> {}
}

/// A library of the zoo, and what the error says of its payload.
const STRANGERS: [(&str, &str); 6] = [
    ("payload_grown", "Job: its fingerprint differs in what abi_stable allows to grow"),
    ("payload_grown_large", "Job: its fingerprint differs in what abi_stable allows to grow"),
    ("payload_kinds", "Job.kind: the variant `Quick` here, `Swift` in the plugin"),
    ("payload_narrow", "Job.urgency: `u32` here, `u16` in the plugin"),
    ("payload_renamed", "Job: `Job` here, `Task` in the plugin"),
    ("payload_wide", "Job: `name: Text` here, `extra: array` in the plugin"),
];

/// abi_stable's checker remembers pointers into libraries that it saw. Were it allowed to, a later
/// check would read an earlier library after it is gone, and another one in its place: of another
/// size, so that it misses.
#[test]
fn libraries_of_other_layouts_come_and_go_and_are_told_apart() {
    alone!();
    let mut config = patient();
    // Without the thread of a host that begins with the first library: if it is late, it could be the library's.
    (config.health.every, config.limits.stuck) = (Duration::ZERO, Duration::ZERO);
    let host = Host::new(config).unwrap();
    let point = host.point(JobStarted).unwrap();
    for round in 0..50 {
        for (specimen, said) in STRANGERS {
            // SAFETY: our own library, which is refused before any callback of it runs.
            let error = unsafe { host.load(zoo(specimen)) }.unwrap_err();
            let text = error.to_string();
            assert_eq!(error.code(), "HR0309", "{text}");
            assert!(text.contains("another payload of zoo.job: ") && text.contains(said), "round {round}: {text}");
            assert!(!text.contains('\n') && text.len() < 250, "one line: {text}");
        }
        // SAFETY: our own library, which knows the payload as we do.
        let fits = unsafe { host.load(zoo("payload_fits")) }.unwrap();
        let table = Table_Ref(TABLE.static_as_prefix());
        let mut job = Job { id: 1, urgency: 2, name: "name".into(), kind: Kind_NE::new(Kind::Slow), table };
        let _ = point.dispatch(&mut job);
        assert_eq!((job.id, job.urgency, &*job.name, job.table.rank()), (2, 2, "name", 3));
        assert_eq!(host.unload(&fits).unwrap(), End::Unmapped, "round {round}");
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("libpayload_"), "nothing of them is left: {maps}");
}

/// What was built for 1.0 must be admitted for ever: these texts and numbers do not change.
#[test]
fn the_payloads_of_the_built_in_points_are_frozen() {
    let list = |of: &str| format!("[24,8]{{ptr:*mut[8,8]MutPtr{of},len:usize[8,8]Usize,capacity:usize[8,8]Usize,}}");
    let bytes = format!("Bytes[24,8]{{field_0:List{},}}", list("u8[1,1]U8"));
    let text = format!("Text[24,8]{{field_0:{bytes},}}");
    let header = format!("Header[48,8]{{key:{text},value:{text},}}");
    let message = format!(
        "Message[160,8]{{id:MessageId[16,1]{{field_0:array[16,1]Arrayu8[1,1]U8,}},timestamp:u64[8,8]U64,\
         flags:u64[8,8]U64,source:{text},topic:{text},headers:List{},body:{bytes},\
         reserved:array[32,8]Arrayu64[8,8]U64,}}",
        list(&header)
    );
    let dropped = format!(
        "Dropped[256,8]{{message:{message},decided_by:{text},code:u32[4,4]U32,kind:u32[4,4]U32,reason:{text},\
         timestamp:u64[8,8]U64,reserved:array[32,8]Arrayu64[8,8]U64,}}"
    );
    for (shape, golden, fingerprint) in [
        (&Shape::of::<Header>(), &header, HEADER),
        (&MessagePublish::shape(), &message, MESSAGE),
        (&MessageDelivered::shape(), &message, MESSAGE),
        (&MessageDropped::shape(), &dropped, DROPPED),
    ] {
        assert_eq!(shape.text, *golden);
        assert_eq!(shape.fingerprint, fingerprint, "{:#x?}", shape.fingerprint);
    }
}

const HEADER: [u64; 2] = [0x37a5_e774_bd41_c70e, 0x1be1_a396_8626_a400];
const MESSAGE: [u64; 2] = [0x6f4b_b557_7790_d01e, 0x611b_a2a0_3a60_1963];
const DROPPED: [u64; 2] = [0x7c2c_da07_e3a4_5ace, 0x4ee5_3c6d_0289_c0c1];
