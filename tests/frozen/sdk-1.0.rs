// What authors could write with the SDK of 1.0: each item of it that a plugin names. Later releases compile it as it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hookrail_abi::host::NotWritten;
use hookrail_abi::prelude::*;
use hookrail_abi::{Instances, Isolation, List, Payload, points, serde, testing, tracing};

/// What an operator writes.
#[config]
pub struct Config {
    /// Words that a body must not contain.
    words: Vec<String>,
    /// A number with a default.
    #[serde(default = "limit")]
    limit: u64,
}

fn limit() -> u64 {
    10
}

#[repr(C)]
#[derive(Payload, Clone, serde::Serialize, serde::Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
pub struct Upload {
    pub path: Text,
    pub content: Bytes,
    pub labels: List<Text>,
    pub password: Secret,
    pub size: u64,
}

points! {
    /// A file is about to be stored.
    // SAFETY: an upload owns all it holds.
    pub unsafe UploadReceived: "upload.received", 1, Fold<Upload> { const DENIABLE: bool = true; }

    /// May a file be stored?
    // SAFETY: an upload owns all it holds.
    pub unsafe local UploadAllowed: "upload.allowed", 1, Gate<Upload>;

    /// A file was stored.
    // SAFETY: an upload owns all it holds.
    pub unsafe local UploadStored: "upload.stored", 2, Notify<Upload>;
}

pub struct Screen {
    words: Vec<String>,
    counted: AtomicU64,
}

impl Screen {
    fn screen(&self, message: &mut Message) -> Verdict {
        self.counted.fetch_add(1, Ordering::Relaxed);
        let body = message.body.to_display();
        match self.words.iter().find(|word| body.contains(word.as_str())) {
            Some(word) => Verdict::deny(403, format_args!("it says `{word}`")),
            None => Verdict::Continue,
        }
    }

    fn tag(&self, message: &mut Message) -> Flow {
        message.set_header("tag", "seen");
        message.add_header("tag", "again");
        Flow::Continue
    }

    fn shorten(&self, upload: &mut Upload) -> Result<Verdict> {
        let text = std::str::from_utf8(&upload.content)?;
        upload.content = Bytes::from(text.trim().to_owned());
        Ok(Verdict::Continue)
    }

    fn allow(&self, upload: &mut Upload) -> Access {
        if upload.size > 100 { Access::deny(413, "too large") } else { Access::Allow }
    }

    fn stored(&self, upload: &Upload) {
        tracing::info!(path = %upload.path, "stored");
    }

    fn dropped(&self, dropped: &Dropped) -> Result<()> {
        match dropped.kind() {
            DropKind::Denied => Ok(()),
            _ => Err("it was not denied".into()),
        }
    }
}

impl Plugin for Screen {
    type Config = Config;
    const INSTANCES: Instances = Instances::One;
    const ISOLATION: Option<Isolation> = Some(Isolation::Worker);
    const CAPABILITIES: &'static [&'static str] = &["fs.read:/etc/screen"];
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "screen" => Self::screen, priority = 300, effects = local, fault = closed;
        MessagePublish, "tag" => Self::tag, priority = -5, effects = pure, budget = Duration::from_millis(2);
        MessageDropped, "dropped" => Self::dropped, priority = LATE;
        UploadReceived, "shorten" => Self::shorten, priority = 300, fault = rollback;
        UploadAllowed, "allow" => Self::allow, priority = 300, fault = open;
        UploadStored, "stored" => Self::stored, priority = 300;
    ];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        if config.limit == 0 {
            host.leave_out("tag");
        }
        let instance: Instance = host.instance();
        let stored = instance.stored_config()?;
        match instance.write_config(&stored.json, Some(stored.revision)) {
            Ok(_) | Err(NotWritten::Busy(_) | NotWritten::Changed(_)) => {}
            Err(refused) => return Err(refused.into()),
        }
        Ok(Screen { words: config.words, counted: AtomicU64::new(0) })
    }

    fn reload(&self, _: Config) -> Result<()> {
        Ok(())
    }

    fn save(&self) -> Result<Option<State>> {
        Ok(Some(State::new("screen", 1, &self.counted.load(Ordering::Relaxed).to_le_bytes())))
    }

    fn restore(_: &Startup, config: Config, state: State) -> Result<Self> {
        let counted = u64::from_le_bytes(state.bytes.as_slice().try_into()?);
        Ok(Screen { words: config.words, counted: AtomicU64::new(counted) })
    }

    fn save_changes(&self) -> Result<Option<State>> {
        self.save()
    }

    fn apply_changes(&self, _: State) -> Result<()> {
        Ok(())
    }

    fn stop(&self) {}
}

const LATE: i32 = 1500;

#[test]
fn a_plugin_in_the_sdk_of_1_0_works() {
    let screen = testing::start::<Screen>(r#"{ "words": ["secret"] }"#).unwrap();
    let answer = screen.call(MessagePublish, "screen", &mut Message::new("a.b", "a secret"));
    assert_eq!(answer.verdict, Verdict::Deny(403));
    assert_eq!(answer.reports, ["it says `secret`"]);
    let mut message = Message::new("a.b", "text");
    assert_eq!(screen.call(MessagePublish, "tag", &mut message).verdict, Verdict::Continue);
    assert_eq!(message.header("tag"), Some("seen"));
    assert_eq!(screen.stored_config().revision, 1);
}
