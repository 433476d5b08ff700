//! Where messages are posted to.

use hyper::Uri;

/// A URL, in the parts that a connection and a request need.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) is_secure: bool,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The host and the port as they were written, for the header `Host`.
    pub(crate) authority: String,
    /// The path and the query.
    pub(crate) path: String,
}

impl Target {
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("is {url:?}: {error}"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("begins with neither `http://` nor `https://`".into()),
        };
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("has a user or a password: write a token into a file, and its path in `token_file`".into());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("has no host".into());
        }
        // The parser takes a port that is none for no port.
        let port = match &authority.as_str()[authority.host().len()..] {
            "" if is_secure => 443,
            "" => 80,
            written => authority
                .port_u16()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("has the port {:?}: let it be 1 to 65535", written.trim_start_matches(':')))?,
        };
        Ok(Target {
            is_secure,
            host,
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (url, parts) in [
            ("http://a.b/c?d=e", (false, "a.b", 80, "a.b", "/c?d=e")),
            ("https://a", (true, "a", 443, "a", "/")),
            ("http://[::1]:8080/", (false, "::1", 8080, "[::1]:8080", "/")),
        ] {
            let target = Target::new(url).unwrap();
            let got = (target.is_secure, &*target.host, target.port, &*target.authority, &*target.path);
            assert_eq!(got, parts, "{url}");
        }
        for url in [
            "a",
            "/a",
            "http://",
            "http:///a",
            "http://a b/",
            "http://:80/",
            "file:///a",
            "http://h:99999/",
            "http://h:0/",
            "https://[::1]:x/",
            "http://h:/",
        ] {
            assert!(Target::new(url).is_err(), "{url}");
        }
    }
}
