//! The embedder of the README: loads a plugin, sends a message through it, unloads it.
use hookrail::{Config, Host, Message, MessagePublish, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: load LIBRARY")?;
    let host = Host::new(Config::default())?;
    // SAFETY: whoever runs this trusts the library as the program itself.
    let plugin = unsafe { host.load(file)? };
    let publish = host.point::<MessagePublish>()?;
    let mut message = Message::new("log.app", "it works");
    match publish.dispatch(&mut message).verdict {
        Verdict::Deny(code) => println!("denied with code {code}"),
        _ => println!("passed with {:?}", message.headers),
    }
    println!("{}", host.unload(plugin)?);
    Ok(())
}
