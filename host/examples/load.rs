//! The embedder of the README: loads a plugin, sends a message through it, unloads it.
use hookrail::{Config, Error, Host, Message, MessagePublish};

fn main() {
    let file = std::env::args().nth(1).expect("usage: load LIBRARY");
    if let Err(error) = run(&file) {
        eprintln!("error[{}]: {error}\n  fix: {}", error.code(), error.fix());
        std::process::exit(1);
    }
}

fn run(file: &str) -> Result<(), Error> {
    let host = Host::new(Config::default())?;
    // SAFETY: the caller trusts the library as much as this program.
    let plugin = unsafe { host.load(file)? };
    let publish = host.point(MessagePublish)?;
    let mut message = Message::new("log.app", "it works");
    let outcome = publish.dispatch(&mut message);
    match host.denial(&outcome) {
        Some(denial) => println!("{denial}"),
        None => println!("passed with {:?}", message.headers),
    }
    println!("{}", host.unload(&plugin)?);
    Ok(())
}
