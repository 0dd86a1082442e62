//! Images: what they cost, that they are the same wherever they are made, and that another engine makes them anew.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Runtime, runtime::ArtifactSource};
use runtime_wasm::{ScriptEngine, WasmRuntime};
use types::{ByteCount, Digest, Limits, Problem, StartClass};

use super::{artifact, handler};
use crate::world::{Held, World, call, digest, runtime, start};

/// A runtime over a folder of its own, which shares the compiled engine with the other tests.
pub(super) fn own(data: &Path) -> Arc<WasmRuntime> {
    runtime(data, |settings| settings.shared_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR"))))
}

fn hello(number: usize) -> Bytes {
    artifact(&[("src/hello.js", &handler(&format!("return new Response('hello {number}');")))])
}

fn images(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![data.join("aot")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|extension| extension == "image") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_loaded_from_its_image_by_the_next_process() {
    let data = tempfile::tempdir().expect("a folder");
    let artifact = hello(1);
    let digest = digest(&artifact);
    let prepared = own(data.path()).prepare(&digest, &artifact).await.expect("it is prepared");
    assert!(!prepared.cached && prepared.artifact_bytes == artifact.len() as u64);
    assert!(prepared.compiled_bytes < 100_000, "{}", prepared.compiled_bytes);
    let (loaded, class) = own(data.path()).load(&digest, &Held(Bytes::new())).await.expect("no artifact is asked for");
    assert_eq!((class, call(&loaded, "/").await.body.as_str()), (StartClass::Loaded, "hello 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_was_loaded_before_is_not_loaded_again_to_deploy_it_again() {
    let data = tempfile::tempdir().expect("a folder");
    let code = format!("console.log('loaded');\n{}", handler("return null;"));
    let artifact = artifact(&[("a.js", &code)]);
    let digest = digest(&artifact);
    let runtime = own(data.path());
    let first = runtime.prepare(&digest, &artifact).await.expect("it is prepared");
    assert_eq!((first.cached, first.logs), (false, vec!["loaded".to_owned()]));
    let again = runtime.prepare(&digest, &artifact).await.expect("again");
    assert_eq!((again.cached, again.logs.len(), again.compiled_bytes), (true, 0, first.compiled_bytes));
    // The control: without its image it is loaded again.
    fs::remove_file(images(data.path()).pop().expect("an image")).expect("it is removed");
    assert_eq!(runtime.prepare(&digest, &artifact).await.expect("again").logs, ["loaded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_script_makes_the_same_image_anywhere() {
    let [one, two] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
    let code = "export const at = [Date.now(), Math.random(), {}, new Map([[1, 2]]), Symbol('s')];\n".to_owned()
        + &handler("return null;");
    let artifact = artifact(&[("a.js", &code)]);
    for data in [&one, &two] {
        own(data.path()).prepare(&digest(&artifact), &artifact).await.expect("it is prepared");
    }
    let bytes = |data: &Path| fs::read(images(data).pop().expect("an image")).expect("readable");
    assert!(bytes(one.path()) == bytes(two.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_image_is_made_again() {
    let data = tempfile::tempdir().expect("a folder");
    let artifact = hello(2);
    let digest = digest(&artifact);
    own(data.path()).prepare(&digest, &artifact).await.expect("it is prepared");
    let path = images(data.path()).pop().expect("an image");
    let mut bytes = fs::read(&path).expect("readable");
    bytes[200] ^= 1;
    fs::write(&path, bytes).expect("writable");
    let (loaded, class) = own(data.path()).load(&digest, &Held(artifact)).await.expect("it loads");
    assert_eq!((class, call(&loaded, "/").await.body.as_str()), (StartClass::Compiled, "hello 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn images_in_memory_are_bounded_and_come_back_from_disk() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |settings| {
        settings.shared_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        settings.script_images_max = ByteCount::mib(8);
    });
    let artifacts: Vec<Bytes> = (0..12).map(hello).collect();
    for artifact in &artifacts {
        runtime.prepare(&digest(artifact), artifact).await.expect("it is prepared");
    }
    assert!(runtime.resident_functions() < artifacts.len(), "{}", runtime.resident_functions());
    for (number, artifact) in artifacts.iter().enumerate() {
        let (loaded, _) = runtime.load(&digest(artifact), &Held(Bytes::new())).await.expect("it loads from disk");
        assert_eq!(call(&loaded, "/").await.body, format!("hello {number}"));
    }
}

/// A script that keeps so many pages of its own number, and answers with the number if each byte still is that, before and after it waited.
fn pages_of(number: usize) -> Bytes {
    let body = format!(
        "const before = is_own(); await new Promise(done => setTimeout(done, 2)); \
         return new Response(before && is_own() ? 'own {number}' : 'others');"
    );
    let kept = format!(
        "const own = Array.from({{ length: {number} + 1 }}, () => new Uint8Array(6000).fill({number}));\n\
         const is_own = () => own.every(page => page[0] === {number} && page.lastIndexOf({number}) === 5999 && page.indexOf({number} + 1) < 0);\n"
    );
    artifact(&[("a.js", &(kept + &handler(&body)))])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_sees_the_memory_of_another_script_whose_file_it_is_given() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |settings| {
        settings.shared_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        settings.script_images_max = ByteCount::mib(8);
    });
    let artifacts: Arc<Vec<Bytes>> = Arc::new((0..24).map(pages_of).collect());
    for artifact in &*artifacts {
        runtime.prepare(&digest(artifact), artifact).await.expect("it is prepared");
    }
    // Each goes through all scripts in an order of its own, so that files are given on while others are in use.
    let client = |step: usize| {
        let (runtime, artifacts) = (runtime.clone(), artifacts.clone());
        tokio::spawn(async move {
            for number in (0..2 * artifacts.len()).map(|turn| turn * step % artifacts.len()) {
                let artifact = &artifacts[number];
                let (loaded, _) = runtime.load(&digest(artifact), &Held(Bytes::new())).await.expect("it loads from disk");
                assert_eq!(call(&loaded, "/").await.body, format!("own {number}"));
            }
        })
    };
    for client in [1, 5, 7, 11].map(client) {
        client.await.expect("each sees its own");
    }
    assert!(runtime.resident_functions() < artifacts.len(), "{}", runtime.resident_functions());
}

/// Private mappings of scripts' images in this process that can be written to, of at least so many bytes: memories of live instances.
fn mapped(bytes_min: u64) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").expect("readable");
    let is_memory = |line: &&str| {
        let mut parts = line.split_whitespace();
        let (range, access) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let bounds = range.split_once('-').map(|(begin, end)| (u64::from_str_radix(begin, 16), u64::from_str_radix(end, 16)));
        let bytes = bounds.map_or(0, |(begin, end)| end.unwrap_or(0) - begin.unwrap_or(0));
        line.contains("memfd:dayfly-script") && access == "rw-p" && bytes >= bytes_min
    };
    maps.lines().filter(is_memory).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_map_their_image_and_copy_nothing_also_if_it_has_holes() {
    let data = tempfile::tempdir().expect("a folder");
    // Some 40 MiB of which the ends are written to: more than the engine would map by itself.
    let code = "const kept = new Uint8Array(40 << 20);\nkept[0] = kept[kept.length - 1] = 7;\n\
                export default { async fetch() { await new Promise(done => setTimeout(done, 60_000)); return new Response(`${kept[0]}`); } };";
    let artifact = artifact(&[("a.js", code)]);
    let runtime = own(data.path());
    let prepared = runtime.prepare(&digest(&artifact), &artifact).await.expect("it is prepared");
    assert!(prepared.compiled_bytes < 100_000, "{}", prepared.compiled_bytes);
    let (loaded, _) = runtime.load(&digest(&artifact), &Held(Bytes::new())).await.expect("it loads");
    let mut runs = Vec::new();
    for live in 0..3 {
        assert_eq!(mapped(40 << 20), live);
        let (mut run, response) = start(&loaded, "/", Limits::default(), &Arc::new(World::default()));
        assert!(futures_util::poll!(&mut run).is_pending());
        runs.push((run, response));
    }
}

/// Artifacts by digest, counted as they are asked for.
struct Store(Vec<Bytes>, AtomicU32);

#[async_trait]
impl ArtifactSource for Store {
    async fn artifact(&self, wanted: &Digest) -> Result<Bytes, Problem> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.0.iter().find(|artifact| digest(artifact) == *wanted).expect("it is stored").clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_engine_makes_all_images_anew_while_requests_are_served() {
    let data = tempfile::tempdir().expect("a folder");
    let store = Arc::new(Store((0..8).map(hello).collect(), AtomicU32::new(0)));
    let digests: Vec<Digest> = store.0.iter().map(|artifact| digest(artifact)).collect();
    let first = own(data.path());
    for artifact in &store.0 {
        first.prepare(&digest(artifact), artifact).await.expect("it is prepared");
    }
    drop(first);
    // The same engine with a section more: its digest is another.
    let mut engine = ScriptEngine::built_in();
    engine.image.to_mut().extend([0, 3, 1, b'v', 2]);
    let second = runtime(data.path(), |settings| {
        settings.shared_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        settings.script_engine = engine;
    });
    let refreshing = tokio::spawn({
        let (second, store, digests) = (second.clone(), store.clone(), digests.clone());
        async move { second.refresh(digests, store).await }
    });
    for (number, digest) in digests.iter().enumerate().rev() {
        let (loaded, _) = second.load(digest, &*store).await.expect("a request finds it at any time");
        assert_eq!(call(&loaded, "/").await.body, format!("hello {number}"));
    }
    refreshing.await.expect("no panic");
    let made = images(data.path());
    assert_eq!(made.len(), digests.len(), "those of the other engine are gone: {made:?}");
    let asked = store.1.load(Ordering::Relaxed);
    second.refresh(digests, store.clone()).await;
    assert_eq!(store.1.load(Ordering::Relaxed), asked, "there is nothing left to do");
}
