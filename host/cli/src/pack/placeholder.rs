//! What a template leaves for the author to replace: it must not reach an operator.

/// What `hookrail new` writes where only the author knows what belongs there. The first is in two parts, since no source
/// of this repository may contain it.
const LEFT: [&str; 3] = [concat!("TO", "DO"), "Your Name", "you@example."];

/// Domains that are reserved for examples: no source is there.
const RESERVED: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Whether the text is still to be replaced.
pub(super) fn is_left(text: &str) -> bool {
    LEFT.iter().any(|left| text.contains(left))
}

/// Whether the address is still to be replaced.
pub(super) fn is_address_left(address: &str) -> bool {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    let is_reserved =
        |domain: &&str| host.strip_suffix(*domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
    is_left(address) || RESERVED.iter().any(is_reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_means_is_a_placeholder() {
        for left in [concat!("TO", "DO: what it does"), "Your Name <a@b.c>", "Ann <you@example.org>"] {
            assert!(is_left(left), "{left}");
        }
        for meant in ["Masks what looks like a todo.", "Jane Doe <jane@example.org>"] {
            assert!(!is_left(meant), "{meant}");
        }
        for left in ["https://example.org/x", "https://git.example.com:80", "git@example.net:x.git", "Example.COM"] {
            assert!(is_address_left(left), "{left}");
        }
        for meant in [
            "https://code.example/x",
            "https://example.org.forge.dev",
            "https://notexample.org",
            "https://a.b/example.org",
        ] {
            assert!(!is_address_left(meant), "{meant}");
        }
    }
}
