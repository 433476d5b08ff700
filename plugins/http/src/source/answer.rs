//! What a client is answered.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::shown::shown;

/// Why a request is not taken: nothing of it is.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) why: String,
    /// The line that is wrong, from 1.
    line: Option<usize>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Refusal { status, why: why.into(), line: None, header: None }
    }

    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, why)
    }

    pub(crate) fn bad_line(line: usize, why: &str) -> Self {
        Refusal { line: Some(line), ..Refusal::bad(format!("line {line}: {}", shown(why))) }
    }

    pub(crate) fn large_line(line: usize, why: &str) -> Self {
        Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, ..Refusal::bad_line(line, why) }
    }

    pub(crate) fn too_large(why: impl Into<String>) -> Self {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why)
    }

    pub(crate) fn method() -> Self {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "messages are posted").with(ALLOW, "POST")
    }

    pub(crate) fn token(why: &str) -> Self {
        Refusal::new(StatusCode::UNAUTHORIZED, why).with(WWW_AUTHENTICATE, "Bearer")
    }

    /// A page in a browser of this machine would post what nobody who works here has said.
    pub(crate) fn page() -> Self {
        let why = "requests of web pages are taken only with a token: set `token_file`";
        Refusal::new(StatusCode::FORBIDDEN, why)
    }

    pub(crate) fn encoding() -> Self {
        let why = "`Content-Encoding` may be `gzip`, `zstd` or `identity`";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why).with(ACCEPT_ENCODING, "gzip, zstd, identity")
    }

    /// There is no room; there may be after that many seconds.
    pub(crate) fn full(why: &str, seconds: u64) -> Self {
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, why).with(RETRY_AFTER, &seconds.to_string())
    }

    /// The source ends; another one may follow.
    pub(crate) fn closing() -> Self {
        let why = "the source is ending: nothing of this was taken";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why).with(RETRY_AFTER, "1")
    }

    /// Nobody can be let in, for now.
    pub(crate) fn no_token() -> Self {
        let why = "the source cannot read its token: nothing of this was taken";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why).with(RETRY_AFTER, "1")
    }

    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let text = match self.line {
            Some(line) => json!({ "error": self.why, "line": line }),
            None => json!({ "error": self.why }),
        };
        let mut response = response(self.status, &text.to_string());
        response.headers_mut().extend(self.header);
        response
    }

    fn with(self, name: HeaderName, value: &str) -> Self {
        // Digits and names: never refused.
        Refusal { header: HeaderValue::from_str(value).ok().map(|value| (name, value)), ..self }
    }
}

/// So many messages were taken: the chain has decided them, and each queue that blocks has those that it wants.
pub(crate) fn accepted(count: usize) -> Response<Full<Bytes>> {
    response(StatusCode::ACCEPTED, &format!("{{\"accepted\":{count}}}"))
}

fn response(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{text}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
