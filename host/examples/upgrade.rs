//! The embedder of the guide: replaces a plugin by a new build of it, and tells what happened.
use hookrail::{Config, Host, Message, MessagePublish};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = std::env::args().skip(1);
    let (Some(old), Some(new)) = (files.next(), files.next()) else {
        return Err("usage: upgrade OLD_LIBRARY NEW_LIBRARY".into());
    };
    let host = Host::new(Config::default())?;
    let events = host.events();
    let publish = host.point(MessagePublish)?;
    // SAFETY: whoever runs this trusts both libraries as the program itself.
    let plugin = unsafe { host.load(old)? };
    for _ in 0..3 {
        let _ = publish.dispatch(&mut Message::new("log", "text"));
    }
    // SAFETY: whoever runs this trusts both libraries as the program itself.
    let upgraded = unsafe { host.upgrade(&plugin, new)? };
    println!("generation {}; the old one: {}", upgraded.generation, upgraded.old.wait());
    let mut message = Message::new("log", "text");
    let _ = publish.dispatch(&mut message);
    println!("{:?}", message.headers);
    println!("{}", host.unload(&plugin)?);
    for event in events.try_iter() {
        let json = serde_json::to_value(&event)?;
        println!("generation {}: {}", event.generation, json["event"]);
    }
    Ok(())
}
