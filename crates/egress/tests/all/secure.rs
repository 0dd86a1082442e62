//! https against servers with certificates of the test's own.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use egress::{Guarding, Roots};
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ports::{Body, Outbound};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use types::{Code, revision::AppKey};

use crate::rig::{Names, Server, named, text, with_roots};

struct Secure {
    address: SocketAddr,
    authority: Vec<u8>,
    connections: Arc<AtomicUsize>,
}

/// A server for `secure.example` that answers with the version, the name that TLS was asked for, and the host.
async fn start(protocols: &[&[u8]]) -> Secure {
    let authority_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["secure.example".to_owned()])
        .expect("parameters")
        .signed_by(&key, &issuer)
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).expect("a certificate");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (address, connections) = (listener.local_addr().expect("an address"), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(acceptor.clone(), stream));
        }
    });
    Secure { address, authority: authority.der().to_vec(), connections }
}

async fn serve(acceptor: TlsAcceptor, stream: tokio::net::TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let (name, http2) = {
        let session = stream.get_ref().1;
        (session.server_name().unwrap_or("-").to_owned(), session.alpn_protocol() == Some(b"h2"))
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let host = request.uri().authority().map(ToString::to_string);
        let host = host.or_else(|| Some(request.headers().get("host")?.to_str().ok()?.to_owned())).unwrap_or_default();
        let body = format!("{:?} {name} {host}", request.version());
        async move { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(body)))) }
    });
    let io = TokioIo::new(stream);
    if http2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await.ok();
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(io, service).await.ok();
    }
}

fn names() -> Arc<Names> {
    Names::with(&[("secure.example", &[&["127.0.0.1"]]), ("other.example", &[&["127.0.0.1"]])])
}

#[tokio::test]
async fn the_best_common_protocol_is_spoken_under_the_name_that_was_called() {
    for (protocols, version, connections) in
        [(&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0", 1), (&[b"http/1.1"], "HTTP/1.1", 1), (&[], "HTTP/1.1", 1)]
    {
        let server = start(protocols).await;
        let egress = with_roots(names(), Guarding::On, Roots::Given(vec![server.authority]), vec![]);
        let port = server.address.port();
        for _ in 0..3 {
            let mut request = Request::get(format!("https://secure.example:{port}/x")).body(Body::Empty).expect("a request");
            let tenant = AppKey { app: "a".parse().expect("a name"), env: "dev".parse().expect("a name") };
            request.extensions_mut().insert(tenant);
            let response = egress.send(named(request)).await.expect("an answer");
            assert_eq!(text(response).await, format!("{version} secure.example secure.example:{port}"));
        }
        assert_eq!(server.connections.load(Ordering::SeqCst), connections, "{version}");
    }
}

#[tokio::test]
async fn certificates_that_do_not_fit_end_the_call() {
    let server = start(&[]).await;
    let port = server.address.port();
    let call = async |roots: Roots, url: String| {
        let egress = with_roots(names(), Guarding::On, roots, vec![]);
        let request = Request::get(url).body(Body::Empty).expect("a request");
        egress.send(named(request)).await.expect_err("refused")
    };
    let trusted = || Roots::Given(vec![server.authority.clone()]);
    for (roots, host, words) in [
        (trusted(), "other.example", "tls: invalid peer certificate: certificate not valid for name \"other.example\""),
        (trusted(), "127.0.0.1", "tls: invalid peer certificate"),
        (Roots::Given(vec![start(&[]).await.authority]), "secure.example", "tls: invalid peer certificate"),
        (Roots::Given(vec![]), "secure.example", "tls: this machine has no root certificates"),
    ] {
        let failure = call(roots, format!("https://{host}:{port}/")).await;
        assert!(failure.code == Code::E0209 && failure.message.starts_with(words), "{host}: {}", failure.message);
    }
    let plain = Server::mirror().await;
    let failure = call(trusted(), format!("https://127.0.0.1:{}/", plain.address.port())).await;
    assert!(failure.message.starts_with("tls: "), "{}", failure.message);
}
