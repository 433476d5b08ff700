//! What a plugin wants of the bus, copied within bounds.

use hookrail_abi::boundary::{BusSpec, Growing, Str};
use serde::{Deserialize, Serialize};

/// How many topics and headers a subscription may want.
const MOST_TOPICS: usize = 256;
const MOST_HEADERS: usize = 64;
/// How many bytes all of its texts may have.
const LONGEST: usize = 64 << 10;

/// What a plugin says of a subscription: its [`BusSpec`], which nobody has looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusWish {
    /// Its policy.
    pub policy: u32,
    /// Its name.
    pub name: String,
    /// The header whose value is the key.
    pub key: String,
    /// Patterns of topics.
    pub topics: Vec<String>,
    /// Headers, by key and value.
    pub headers: Vec<(String, String)>,
    /// How many messages wait; 0 for as many as usual.
    pub capacity: u64,
}

impl BusWish {
    /// A copy of it.
    ///
    /// # Errors
    /// If it is larger than any may be; for its author.
    ///
    /// # Safety
    /// `at` points to a specification of any version, which holds for the call, with all of its texts and lists.
    pub unsafe fn copied(at: *const BusSpec) -> Result<Self, String> {
        // SAFETY: by the contract.
        let spec = unsafe { BusSpec::read(at) }.map_err(|too_small| format!("a specification of {too_small}"))?;
        if spec.topic_count > MOST_TOPICS {
            return Err(format!("it wants {} topics; {MOST_TOPICS} are allowed", spec.topic_count));
        }
        if spec.header_count > MOST_HEADERS {
            return Err(format!("it wants {} headers; {MOST_HEADERS} are allowed", spec.header_count));
        }
        // SAFETY: by the contract, for as many as it states, which are few.
        let (topics, headers) = unsafe { (list(spec.topics, spec.topic_count), list(spec.headers, spec.header_count)) };
        let mut left = LONGEST;
        let mut text = |text: Str| {
            left = left.checked_sub(text.len).ok_or_else(|| format!("its texts have more than {LONGEST} bytes"))?;
            // SAFETY: by the contract.
            Ok::<_, String>(unsafe { text.to_text() }.into_owned())
        };
        Ok(BusWish {
            policy: spec.policy,
            name: text(spec.name)?,
            key: text(spec.key)?,
            topics: topics.iter().map(|topic| text(*topic)).collect::<Result<_, _>>()?,
            headers: headers
                .iter()
                .map(|header| Ok((text(header.key)?, text(header.value)?)))
                .collect::<Result<_, String>>()?,
            capacity: spec.capacity,
        })
    }
}

/// # Safety
/// So many are readable there, unless it is 0.
unsafe fn list<'a, T>(at: *const T, count: usize) -> &'a [T] {
    // SAFETY: by the contract.
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(at, count) } }
}
