//! The embedder of the guide: replaces a plugin by a new build of it, and tells what happened.
use hookrail::{Config, Error, Host, Message, MessagePublish};

fn main() {
    let mut files = std::env::args().skip(1);
    let (Some(old), Some(new)) = (files.next(), files.next()) else { panic!("usage: upgrade OLD_LIBRARY NEW_LIBRARY") };
    if let Err(error) = run(&old, &new) {
        eprintln!("error[{}]: {error}\n  fix: {}", error.code(), error.fix());
        std::process::exit(1);
    }
}

fn run(old: &str, new: &str) -> Result<(), Error> {
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
        let json = serde_json::to_value(&event).expect("an event is JSON");
        println!("generation {}: {}", event.generation, json["event"]);
    }
    Ok(())
}
