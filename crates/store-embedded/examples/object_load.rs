//! Measures objects on this machine's disk, and a plain copy of a file beside them: `cargo run --release -p store-embedded --example
//! object_load [folder]`.
//!
//! Rates on a shared disk mean little by themselves; the ratios of one run mean more.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ports::{Body, Clock as _, Objects};
use store_embedded::EmbeddedStore;
use system::SystemClock;
use types::object::{BucketName, PutOptions};

const CLIENTS: usize = 16;
const SMALL_BYTES: usize = 1024;
const LARGE_BYTES: u64 = 1 << 30;
const ROUNDS: usize = 3;
const KEYS_EACH: usize = 500;
const PIECE: usize = 256 * 1024;

fn bucket() -> BucketName {
    BucketName("bench/dev/x".into())
}

async fn put(objects: &dyn Objects, key: &str, body: Body) {
    objects.put(&bucket(), key, body, PutOptions::default()).await.expect("there is room");
}

/// Reads an object to its end; gives its size.
async fn get(objects: &dyn Objects, key: &str) -> u64 {
    let (_, mut body) = objects.get(&bucket(), key, None, None).await.expect("readable").expect("it is there");
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        total += frame.expect("whole").into_data().map_or(0, |data| data.len() as u64);
    }
    total
}

async fn small(clock: &SystemClock, objects: &Arc<dyn Objects>, calls: usize, is_put: bool) {
    let began = clock.monotonic_ns();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let objects = objects.clone();
        tasks.spawn(async move {
            for i in 0..calls / CLIENTS {
                let key = format!("small/{client}/{:04}", i % KEYS_EACH);
                if is_put {
                    put(&*objects, &key, Body::from(Bytes::from(vec![0x5a; SMALL_BYTES]))).await;
                } else {
                    assert_eq!(get(&*objects, &key).await, SMALL_BYTES as u64);
                }
            }
        });
    }
    tasks.join_all().await;
    let seconds = (clock.monotonic_ns() - began) as f64 / 1e9;
    println!("{} of 1 KiB, {CLIENTS} clients: {:.0}/s", if is_put { "put" } else { "get" }, calls as f64 / seconds);
}

/// A file as a body, in pieces as a connection would give them.
fn streamed(path: &Path) -> Body {
    let file = File::open(path).expect("it was made");
    Body::stream(StreamBody::new(stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).expect("readable");
        piece.truncate(count);
        (count > 0).then(|| (Ok(Frame::data(Bytes::from(piece))), file))
    })))
}

fn plain_copy(from: &Path, to: &Path) {
    let (mut from, mut to) = (File::open(from).expect("it was made"), File::create(to).expect("there is room"));
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = from.read(&mut buffer).expect("readable");
        if count == 0 {
            break;
        }
        to.write_all(&buffer[..count]).expect("there is room");
    }
    to.sync_all().expect("the disk works");
}

fn make(path: &Path) {
    let mut file = File::create(path).expect("there is room");
    let piece: Vec<u8> = (0..1 << 20_u32).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    (0..LARGE_BYTES >> 20).for_each(|_| file.write_all(&piece).expect("there is room"));
    file.sync_all().expect("the disk works");
}

#[tokio::main]
async fn main() -> Result<(), types::Problem> {
    let dir = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("dayfly-object-load"), Into::into);
    let clock = Arc::new(SystemClock::new());
    let store = EmbeddedStore::open(&dir, clock.clone())?;
    let objects = store.objects();
    objects.create_bucket(&bucket()).await?;
    small(&clock, &objects, CLIENTS * KEYS_EACH, true).await;
    small(&clock, &objects, 80_000, false).await;
    let (source, copy) = (dir.join("source"), dir.join("copy"));
    make(&source);
    let seconds = |began: u64| (clock.monotonic_ns() - began) as f64 / 1e9;
    for _ in 0..ROUNDS {
        let began = clock.monotonic_ns();
        plain_copy(&source, &copy);
        let copied = seconds(began);
        std::fs::remove_file(&copy).expect("it was made");
        let began = clock.monotonic_ns();
        put(&*objects, "large", streamed(&source)).await;
        let written = seconds(began);
        let began = clock.monotonic_ns();
        assert_eq!(get(&*objects, "large").await, LARGE_BYTES);
        let read = seconds(began);
        let percent = |own: f64| 100.0 * copied / own;
        println!(
            "1 GiB: copy and fsync {copied:.2} s, put {written:.2} s ({:.0} % of its rate), get {read:.2} s ({:.0} %)",
            percent(written),
            percent(read)
        );
        objects.delete(&bucket(), "large", None, None).await?;
    }
    drop((objects, store));
    std::fs::remove_dir_all(&dir).expect("what was made here can be removed");
    Ok(())
}
