//! The hook points of the example gateway: what it and its plugins share.

use hookrail_abi::{Header, List, Payload, Secret, Text, points};
use serde::{Deserialize, Serialize};

/// A request on its way in. It stays in this process, so it needs no serde.
#[repr(C)]
#[derive(Payload, Clone, Debug)]
pub struct Request {
    /// Who sent it.
    pub client: Text,
    /// What is asked for.
    pub path: Text,
    /// The headers that go on to the application.
    pub headers: List<Header>,
}

/// Somebody wants to sign in.
#[repr(C)]
#[derive(Payload, Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// As whom.
    pub user: Text,
    /// The proof.
    pub password: Secret,
    /// The answer part: what the user may do. Callbacks that allow fill it in.
    pub roles: List<Text>,
}

points! {
    /// A request came in: edit it, or deny it with an HTTP status as the code.
    // SAFETY: a request owns all it holds.
    pub unsafe local RequestReceived: "gateway.request", 1, Fold<Request> { const DENIABLE: bool = true; }

    /// Somebody wants to sign in: allow or deny. When nobody decides, it is denied.
    // SAFETY: a sign-in owns all it holds.
    pub unsafe SignInAsked: "gateway.sign_in", 1, Gate<SignIn> {}
}
