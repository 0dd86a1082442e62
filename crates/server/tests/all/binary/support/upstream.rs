//! A server for functions to call: it counts requests and answers with the count, or `/headers` with the request's.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A server on a free port. It serves until the test's process ends.
pub(crate) struct Upstream {
    address: SocketAddr,
    served: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let served = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                thread::spawn(move || serve(stream, &counter));
            }
        });
        Self { address, served }
    }
    /// `http://127.0.0.1:PORT`, as `reach` takes it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
    /// The line of a manifest that lets a function call it.
    pub(crate) fn reach(&self) -> String {
        format!("reach = [\"{}\"]", self.origin())
    }
    /// Requests that came so far.
    pub(crate) fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

/// One answer after the other, until the caller has had enough.
fn serve(stream: TcpStream, served: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let (mut fields, mut field) = (String::new(), String::new());
        while reader.read_line(&mut field).unwrap_or(0) > 2 {
            fields += &std::mem::take(&mut field);
        }
        let count = served.fetch_add(1, Ordering::SeqCst) + 1;
        let path = first.split(' ').nth(1).unwrap_or_default();
        let body = if path == "/headers" { fields } else { format!("answer {count} to {path}") };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
