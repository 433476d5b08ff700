//! Requests, one by one.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hookrail_abi::Message;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::client::Client;
use super::config::Form;
use super::outcome::Outcome;
use super::pending::Pending;
use super::target::Target;
use super::tls;
use crate::tests::receiver::{Request, answer, receiving, receiving_by};
use crate::token::Token;

/// Posts one message, `times` times by one client.
fn post(url: &str, ca_file: Option<&Path>, token: Option<Token>, limit: Duration, times: usize) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let target = Target::new(url).unwrap();
    let tls = target.is_secure.then(|| tls::client(ca_file).unwrap());
    let mut client = Client::new(target, Default::default(), false, token, tls, limit).unwrap();
    let mut pending = Pending::new(Form::Message, true);
    pending.put(&Message::new("a", "b")).unwrap();
    let batch = pending.batch(1, 1, false).unwrap();
    runtime.block_on(async {
        let mut outcomes = Vec::new();
        for _ in 0..times {
            outcomes.push(client.send(&batch).await);
        }
        outcomes
    })
}

const LONG: Duration = Duration::from_secs(120);

/// An address at which nobody listens, and nobody else can as long as the socket is there.
fn nobody() -> (tokio::net::TcpSocket, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_addr().unwrap();
    (socket, at)
}

fn later(outcome: &Outcome) -> &str {
    let Outcome::Later(later) = outcome else { panic!("{outcome:?}") };
    &later.why
}

#[test]
fn a_connection_is_used_again_and_replaced_when_the_receiver_has_closed_it() {
    let answer = |number: usize, _: &Request| match number {
        2 => answer(200, "connection: close\r\n"),
        _ => answer(200, ""),
    };
    let (received, outcomes) = receiving(answer, |at| post(&format!("http://{at}/"), None, None, LONG, 5));
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Delivered), "{outcomes:?}");
    assert_eq!(received.len(), 5);
}

#[test]
fn a_receiver_that_does_not_answer_is_not_waited_for_without_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let outcomes = post(&format!("http://{at}/"), None, None, Duration::from_millis(50), 2);
    assert!(outcomes.iter().all(|outcome| later(outcome).contains("no answer within 50ms")), "{outcomes:?}");
}

#[test]
fn the_status_decides_and_the_rest_of_the_answer_is_not_waited_for() {
    let half = |status: u16| format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\nsome of it");
    let (received, outcomes) = receiving(
        |number, _| half([200, 202, 503, 400][number]),
        |at| post(&format!("http://{at}/"), None, None, LONG, 4),
    );
    assert_eq!(received.len(), 4);
    assert_eq!(outcomes[..2], [Outcome::Delivered, Outcome::Delivered]);
    assert!(later(&outcomes[2]).starts_with("503 Service Unavailable: some of it"), "{outcomes:?}");
    assert!(matches!(&outcomes[3], Outcome::Refused(_)), "{outcomes:?}");
}

#[test]
fn an_address_that_is_silent_does_not_hide_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(&file, certificate.pem()).unwrap();
    // It connects, and never says hello.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_kept, nobody) = nobody();
    let addresses = vec![silent.local_addr().unwrap(), nobody];
    let tls = Some(tls::client(Some(&file)).unwrap());
    let target = Target::new("https://localhost/").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut client = Client::new(target, Default::default(), false, None, tls, Duration::from_millis(200)).unwrap();
    let mut said = || {
        let why = runtime.block_on(client.connect_to(addresses.clone())).err().unwrap();
        client.failures += 1;
        why
    };
    // The last one that was tried is named: the other one comes first next time.
    assert!(said().contains("Connection refused"));
    assert!(said().contains("no connection within 100ms"));
    assert!(said().contains("Connection refused"));
}

#[test]
fn nobody_and_nonsense_are_named() {
    let (_kept, free) = nobody();
    assert!(later(&post(&format!("http://{free}/"), None, None, LONG, 1)[0]).contains("Connection refused"));
    let outcomes = post("http://no-such-host.invalid/", None, None, LONG, 1);
    assert!(later(&outcomes[0]).starts_with("no-such-host.invalid: "), "{outcomes:?}");
    let (_, outcomes) =
        receiving(|_, _| "SSH-2.0-x\r\n\r\n".into(), |at| post(&format!("http://{at}/"), None, None, LONG, 1));
    assert!(later(&outcomes[0]).starts_with("no answer: "), "{outcomes:?}");
    // An answer without end is not read to its end.
    let endless = |_: usize, _: &Request| {
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
        format!("HTTP/1.1 400 X\r\ntransfer-encoding: chunked\r\n\r\n{chunk}")
    };
    let (_, outcomes) = receiving(endless, |at| post(&format!("http://{at}/"), None, None, LONG, 1));
    let Outcome::Refused(why) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(why.len() < 300, "{why}");
}

#[test]
fn the_token_of_the_file_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "hush\n").unwrap();
    let token = Token::new(file.to_str().unwrap()).unwrap();
    let (received, _) =
        receiving(|_, _| answer(200, ""), |at| post(&format!("http://{at}/"), None, Some(token), LONG, 1));
    assert_eq!(received[0].header("authorization"), "bearer hush");
}

#[test]
fn an_encrypted_connection_is_made_to_whom_is_trusted_and_to_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (trusted, other) = (directory.path().join("ca.pem"), directory.path().join("other.pem"));
    std::fs::write(&trusted, certificate.pem()).unwrap();
    let other_key = KeyPair::generate().unwrap();
    let stranger = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&other_key).unwrap();
    std::fs::write(&other, stranger.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).unwrap();
    let config = Arc::new(config);
    let open = |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
        stream.flush().ok()?;
        Some(Box::new(stream) as _)
    };
    let (received, outcomes) = receiving_by(
        open,
        |_, _| answer(200, ""),
        |at: SocketAddr| {
            let secure = |host: &str, ca: &Path| {
                post(&format!("https://{host}:{}/", at.port()), Some(ca), None, LONG, 1).remove(0)
            };
            [secure("localhost", &trusted), secure("localhost", &other), secure("127.0.0.1", &trusted)]
        },
    );
    assert_eq!(outcomes[0], Outcome::Delivered);
    assert!(later(&outcomes[1]).contains("invalid peer certificate"), "{outcomes:?}");
    assert!(later(&outcomes[2]).contains("not valid for name"), "{outcomes:?}");
    assert_eq!(received.len(), 1);
}

#[test]
fn a_file_without_certificates_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    for (text, said) in [("", "has no certificates"), ("-----BEGIN CERTIFICATE-----\n?\n", "it is not PEM")] {
        std::fs::write(&file, text).unwrap();
        let error = tls::trusted(&file).unwrap_err().to_string();
        assert!(error.starts_with("`ca_file`: /") && error.contains(said), "{error}");
    }
}
