//! A plugin that answers on the bus, without a host.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bus::{Publisher, Subscribe, Subscription};
use crate::prelude::*;
use crate::testing;

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(300);

/// Answers each question on another topic, in capitals.
struct Answers {
    instance: Instance,
    thread: Option<JoinHandle<()>>,
}

fn run(mut questions: Subscription, mut publisher: Publisher) {
    let mut is_again = false;
    loop {
        let bodies: Vec<_> = match questions.recv(4, None) {
            Received::Closed => return,
            Received::Nothing => continue,
            Received::Messages(messages) => messages.iter().map(|it| it.body.to_display().to_string()).collect(),
        };
        for body in bodies {
            match &*body {
                "bad" => questions.reject(1, "it is bad"),
                "again" if !is_again => {
                    is_again = true;
                    questions.retry("once more");
                    break;
                }
                body => {
                    publisher.send(&mut Message::new("answers", body.to_uppercase())).expect("it is open");
                    questions.ack(1);
                }
            }
        }
    }
}

impl Plugin for Answers {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        let instance = host.instance();
        let wanted = Subscribe::to("questions", "questions.>").header("level", "hard");
        let (questions, publisher) = (instance.subscribe(&wanted)?, instance.publisher()?);
        Ok(Answers { instance, thread: Some(std::thread::spawn(move || run(questions, publisher))) })
    }

    fn save(&self) -> Result<Option<State>> {
        // The name is taken, and this one is malformed.
        let taken = self.instance.subscribe(&Subscribe::all("questions")).expect_err("it is taken").to_string();
        let malformed = self.instance.subscribe(&Subscribe::to("other", "a..b")).expect_err("malformed").to_string();
        let both = format!("{taken}; {malformed}");
        Ok(Some(State::new("refused", 1, both)))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // It ends, since all is closed before.
        self.thread.take().map(JoinHandle::join);
    }
}

fn question(topic: &str, level: &str, body: &str) -> Message {
    let mut message = Message::new(topic, body);
    message.add_header("level", level);
    message
}

#[test]
fn a_plugin_gets_what_it_subscribed_to_and_what_it_publishes_is_seen() {
    let plugin = testing::start::<Answers>("{}").unwrap();
    assert_eq!(plugin.publish(question("questions", "hard", "too short")), 0);
    assert_eq!(plugin.publish(question("questions.one", "easy", "another level")), 0);
    for body in ["one", "bad", "again"] {
        assert_eq!(plugin.publish(question("questions.one", "hard", body)), 1);
    }
    let published = plugin.published(2, LONG);
    let bodies: Vec<_> = published.iter().map(|message| message.body.to_display().to_string()).collect();
    assert_eq!(bodies, ["ONE", "AGAIN"]);
    let answered = plugin.answered("questions", 3, LONG).unwrap();
    assert_eq!((answered.delivered, answered.unanswered), (2, 0));
    assert_eq!((&*answered.rejected, &*answered.retried), (&["it is bad".into()][..], &["once more".into()][..]));
    let now = Duration::ZERO;
    assert!(plugin.published(1, now).is_empty() && plugin.answered("other", 0, now).is_none());
}

#[test]
fn what_a_host_would_refuse_is_refused() {
    let plugin = testing::start::<Answers>("{}").unwrap();
    let refused = plugin.save().unwrap().unwrap();
    let said = String::from_utf8_lossy(&refused.bytes).into_owned();
    assert!(said.contains("named `questions` already") && said.contains("\"a..b\" is not a pattern"), "{said}");
}

/// Watches its descriptor, as a runtime does.
struct Watches(Instance);

impl Plugin for Watches {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 500, effects = external];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Watches(host.instance()))
    }
}

impl Watches {
    fn look(&self, message: &mut Message) -> Verdict {
        let mut heard = self.0.subscribe(&Subscribe::all("heard")).expect("it is open");
        let mut publisher = self.0.publisher().expect("it is open");
        let (read, left) = (watch(&heard), watch(&heard));
        assert!(!is_readable(&read));
        publisher.send(&mut message.clone()).expect("it is open");
        assert!(is_readable(&read));
        assert!(matches!(heard.recv(1, None), Received::Messages([_])));
        assert!(!is_readable(&left), "there is nothing to be received any more");
        Verdict::Continue
    }
}

fn watch(heard: &Subscription) -> UnixStream {
    heard.watch().expect("there are descriptors").into()
}

/// Takes what makes it so, and does not wait.
fn is_readable(mut watched: &UnixStream) -> bool {
    watched.read(&mut [0]).is_ok()
}

#[test]
fn a_descriptor_is_readable_while_there_is_something_to_receive() {
    let plugin = testing::start::<Watches>("{}").unwrap();
    plugin.call(MessagePublish, "look", &mut Message::new("a", "b"));
    let answered = plugin.answered("heard", 0, Duration::ZERO).unwrap();
    assert_eq!((answered.delivered, answered.unanswered), (0, 1));
}
