//! A point whose payload is no payload.

use hookrail_abi::points;

#[repr(C)]
#[derive(Clone)]
pub struct Request {
    path: String,
}

points! {
    // SAFETY: it is not.
    pub unsafe local RequestReceived: "app.request", 1, Fold<Request>;
}

fn main() {}
