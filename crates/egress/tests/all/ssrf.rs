//! Ways to reach what a function must not (RELIABILITY S5): every one is refused before a connection is tried.
//!
//! The victim listens on a loopback address of its own at port 8080, which is a port that anybody may call: so it is the address that
//! must be what refuses. The control run has the guard off and must reach it.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use egress::{Egress, Guarding};
use http::Request;
use ports::{Body, Outbound, outbound::OutboundRequest};
use tokio::net::TcpListener;
use types::Code;

use crate::rig::{Names, Server, egress, mirror, with_roots};

/// A server on some 127.x.y.z:8080 that is free.
async fn victim() -> (Server, Ipv4Addr) {
    for third in 1..=250 {
        let address = Ipv4Addr::new(127, 77, third, (std::process::id() % 250 + 1) as u8);
        if let Ok(listener) = TcpListener::bind((address, 8080)).await {
            return (Server::on(listener, mirror), address);
        }
    }
    panic!("port 8080 is taken on every loopback address: stop what listens on 0.0.0.0:8080");
}

/// Every way to write one IPv4 address that some parser somewhere understands.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let bits = address.to_bits();
    let (high, low) = (bits >> 16, bits & 0xffff);
    vec![
        format!("{address}"),
        format!("{address}."),
        format!("{bits}"),
        format!("0x{bits:x}"),
        format!("0X{bits:X}"),
        format!("0{bits:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.{b}.{c}.{d}"),
        format!("0x{a:x}.{b}.0{c:o}.{d}"),
        format!("{a}.{}", bits & 0xff_ffff),
        format!("{a}.{b}.{low}"),
        format!("0x{a:x}.0x{:x}", bits & 0xff_ffff),
        format!("{}.{b}.{c}.{d}", u32::from(a) + 256),
        format!("{a}%2e{b}%2e{c}%2e{d}"),
        format!("{a}\u{3002}{b}\u{3002}{c}\u{3002}{d}"),
        format!("\u{2460}{b}.{c}.{d}"),
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{low:x}]"),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[::ffff:{address}%25lo]"),
        format!("user@{address}"),
        format!("user:password@{address}"),
        format!("example.com@{address}"),
        format!("example.com:80@{address}"),
        format!("{address}%00.example.com"),
        format!("{address}\\.example.com"),
        format!("{address}#@example.com"),
    ]
}

const PLACES: &[&str] = &[
    "0.0.0.0",
    "0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[5f00::1]",
    "[3fff::1]",
    "100.100.100.200",
    "127.0.0.53",
    "192.0.0.8",
    "198.19.255.255",
    "[fdff::1]",
    "[febf::1]",
    "[ff0e::1]",
    "[2001:1ff::1]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "[::ffff:169.254.169.254]",
];

/// Names, and what they resolve to.
fn names(victim: Ipv4Addr) -> Vec<(String, Vec<Vec<String>>)> {
    let v = victim.to_string();
    let mapped = format!("::ffff:{victim}");
    let one = |name: &str, addresses: &[&str]| (name.to_owned(), vec![addresses.iter().map(|a| (*a).to_owned()).collect()]);
    vec![
        one("localhost", &["127.0.0.1"]),
        one("victim.example", &[&v]),
        one("mapped.example", &[&mapped]),
        one("mixed-last.example", &["93.184.215.14", &v]),
        one("mixed-first.example", &[&v, "93.184.215.14"]),
        one("mixed-six.example", &["2606:2800:21f:cb07::1", "::1"]),
        one("metadata.google.internal", &["169.254.169.254"]),
        one("nat64.example", &["64:ff9b::7f00:1"]),
        one("six-to-four.example", &["2002:7f00:1::"]),
        one("any.example", &["0.0.0.0"]),
        one("any-six.example", &["::"]),
        one("multicast.example", &["224.0.0.251"]),
        one("broadcast.example", &["255.255.255.255"]),
        one("cgnat.example", &["100.100.100.200"]),
        one("ula.example", &["fd00::1"]),
        one("link.example", &["fe80::1"]),
    ]
}

/// The requests, each with a scheme, a port and a trailing dot where these could matter.
fn corpus(victim: Ipv4Addr) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for host in spellings(victim) {
        urls.push(format!("http://{host}:8080/"));
        urls.push(format!("https://{host}:8443/"));
    }
    urls.extend(PLACES.iter().map(|host| format!("http://{host}/latest/meta-data/")));
    urls.extend(PLACES.iter().map(|host| format!("https://{host}/")));
    for (name, _) in names(victim) {
        urls.push(format!("http://{name}:8080/"));
        urls.push(format!("http://{}.:8080/", name.to_uppercase()));
    }
    urls.extend(
        ["file:///etc/passwd", "gopher://127.0.0.1:8080/_", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/", "unix:///run/x.sock"]
            .map(str::to_owned),
    );
    urls.extend([22, 25, 53, 3306, 5432, 6379, 9200, 11211].map(|port| format!("http://93.184.215.14:{port}/")));
    urls
}

fn resolver(victim: Ipv4Addr) -> Arc<Names> {
    let names = names(victim);
    let lists: Vec<(String, Vec<Vec<&str>>)> = names
        .iter()
        .map(|(name, answers)| (name.clone(), answers.iter().map(|a| a.iter().map(String::as_str).collect()).collect()))
        .collect();
    let slices: Vec<(&str, Vec<&[&str]>)> =
        lists.iter().map(|(name, answers)| (name.as_str(), answers.iter().map(Vec::as_slice).collect())).collect();
    let borrowed: Vec<(&str, &[&[&str]])> = slices.iter().map(|(name, answers)| (*name, answers.as_slice())).collect();
    Names::with(&borrowed)
}

/// How a call that nothing names ends; `None` if the address is not one that can even be written into a request.
async fn call(egress: &Egress, url: &str) -> Option<Result<u16, Code>> {
    let request = Request::get(url).body(Body::Empty).ok()?;
    let time = Duration::from_millis(500);
    let outbound =
        OutboundRequest { request, private_named: false, connect_time: time, first_byte_time: time, between_bytes_time: time };
    Some(egress.send(outbound).await.map(|response| response.status().as_u16()).map_err(|failure| failure.code))
}

#[tokio::test]
async fn no_spelling_name_or_mixture_reaches_what_is_private() {
    let (victim, address) = victim().await;
    let egress = egress(resolver(address), Guarding::On);
    let urls = corpus(address);
    assert!(urls.len() >= 200, "the corpus has {} cases", urls.len());
    let mut wrong = Vec::new();
    for url in &urls {
        match call(&egress, url).await {
            None | Some(Err(Code::E0208 | Code::E0210)) => {}
            other => wrong.push(format!("{url}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(victim.reached(), 0);
}

/// The control of the test above.
#[tokio::test]
async fn without_the_guard_the_same_requests_reach_it() {
    let (victim, address) = victim().await;
    let egress = egress(resolver(address), Guarding::Off);
    let direct =
        [format!("http://{address}:8080/"), format!("http://[::ffff:{address}]:8080/"), "http://victim.example:8080/".to_owned()];
    let mixed = ["http://mapped.example:8080/".to_owned(), "http://mixed-first.example:8080/".to_owned()];
    for url in direct.iter().chain(&mixed) {
        assert_eq!(call(&egress, url).await, Some(Ok(200)), "{url}");
    }
    assert_eq!(victim.reached(), 5);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_asked_once_a_call() {
    let open = Server::mirror().await;
    let (address, port) = (Ipv4Addr::new(127, 78, 1, 1), open.address.port());
    let victim = Server::on(TcpListener::bind((address, port)).await.expect("nobody uses this address"), mirror);
    let private = address.to_string();
    // What is allowed first, then what is never: whoever asks twice judges the one and connects to the other.
    let answers: [&[&str]; 2] = [&["127.0.0.1"], &[&private]];
    let names = Names::with(&[("rebind.example", &answers)]);
    let egress = with_roots(Arc::clone(&names), Guarding::On, egress::Roots::Given(vec![]), vec![victim.address]);
    let lookups = || names.lookups.load(std::sync::atomic::Ordering::SeqCst);
    let url = &format!("http://rebind.example:{port}/");
    assert_eq!(crate::rig::get(&egress, url).await.expect("an answer").status(), 200);
    assert_eq!((lookups(), open.reached(), victim.reached()), (1, 1, 0), "what was judged is what was connected to");
    assert_eq!(crate::rig::get(&egress, url).await.expect_err("refused").code, Code::E0210);
    assert_eq!((lookups(), open.reached(), victim.reached()), (2, 1, 0));
}

#[tokio::test]
async fn a_reach_with_its_port_opens_a_private_address_but_never_our_own_listeners() {
    let (open, own) = (Server::mirror().await, Server::mirror().await);
    let egress = with_roots(Names::with(&[]), Guarding::On, egress::Roots::Given(vec![]), vec![own.address]);
    assert_eq!(crate::rig::get(&egress, &open.url("/")).await.expect("an answer").status(), 200);
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"] {
        let failure = crate::rig::get(&egress, &format!("http://{host}:{}/", own.address.port())).await.expect_err("refused");
        assert_eq!(failure.code, Code::E0210, "{host}: {}", failure.message);
    }
    assert_eq!((open.reached(), own.reached()), (1, 0));
}

#[tokio::test]
async fn redirects_are_handed_over_and_not_followed() {
    let secret = Server::mirror().await;
    let location = secret.url("/");
    let server = Server::start(move |mut stream| {
        let location = location.clone();
        async move {
            crate::rig::read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.ok();
        }
    })
    .await;
    let response = crate::rig::get(&egress(Names::with(&[]), Guarding::On), &server.url("/")).await.expect("an answer");
    assert_eq!((response.status().as_u16(), secret.reached()), (302, 0));
    assert_eq!(response.headers()["location"], secret.url("/"));
}
