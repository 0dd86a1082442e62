//! The way from disk to memory.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Runtime, runtime::ArtifactSource};
use types::{Digest, Problem, StartClass};

use crate::world::{Held, call, digest, program, runtime, variant};

/// An artifact that counts how often it is asked for.
struct Counted(Bytes, AtomicU32);

#[async_trait]
impl ArtifactSource for Counted {
    async fn artifact(&self, _digest: &Digest) -> Result<Bytes, Problem> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.0.clone())
    }
}

/// The files of compiled code under a data folder.
fn compiled(data: &Path) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(data.join("aot")).expect("the cache").flatten().filter(|entry| entry.path().is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder").flatten());
    files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_compiled_once_then_loaded_then_resident() {
    let data = tempfile::tempdir().expect("a folder");
    let hello = program("hello");
    let digest = digest(&hello);
    let first = runtime(data.path(), |_| ());
    let prepared = first.prepare(&digest, &hello).await.expect("it is prepared");
    assert!(!prepared.cached && prepared.compiled_bytes > 0 && prepared.artifact_bytes == hello.len() as u64);
    assert!(prepared.imports.iter().any(|name| name.starts_with("wasi:http/types@0.2")), "{prepared:?}");
    assert!(first.resident(&digest).is_some());
    assert!(first.prepare(&digest, &hello).await.expect("again").cached);

    let second = runtime(data.path(), |_| ());
    assert!(second.resident(&digest).is_none());
    let (loaded, class) = second.load(&digest, &Held(Bytes::new())).await.expect("no artifact is asked for");
    assert_eq!(class, StartClass::Loaded);
    assert_eq!(call(&loaded, "/").await.status, Some(200));
    assert!(second.resident(&digest).is_some() && first.engine() == second.engine());
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_code_is_compiled_again_and_never_loaded() {
    let data = tempfile::tempdir().expect("a folder");
    let hello = program("hello");
    let digest = digest(&hello);
    runtime(data.path(), |_| ()).prepare(&digest, &hello).await.expect("it is prepared");
    let path = compiled(data.path()).pop().expect("compiled code");
    let whole = fs::read(&path).expect("readable");
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).expect("writable");
        let (loaded, class) = runtime(data.path(), |_| ()).load(&digest, &Held(hello.clone())).await.expect("it loads");
        assert_eq!(class, StartClass::Compiled, "byte {at} was changed");
        assert_eq!(call(&loaded, "/").await.status, Some(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_the_same_component_compile_it_once() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |_| ());
    let hello = program("hello");
    let digest = digest(&hello);
    let source = Arc::new(Counted(hello, AtomicU32::new(0)));
    let loads: Vec<_> = (0..16)
        .map(|_| {
            let (runtime, source) = (runtime.clone(), source.clone());
            tokio::spawn(async move { runtime.load(&digest, &*source).await.expect("it loads").1 })
        })
        .collect();
    let mut classes = Vec::new();
    for load in loads {
        classes.push(load.await.expect("no panic"));
    }
    assert_eq!(source.1.load(Ordering::Relaxed), 1);
    assert_eq!(classes.iter().filter(|class| **class == StartClass::Compiled).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_dropped_leaves_the_way_free() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |_| ());
    let hello = program("hello");
    let digest = digest(&hello);
    let source = Held(hello);
    for _ in 0..3 {
        let mut load = runtime.load(&digest, &source);
        assert!(futures_util::poll!(&mut load).is_pending());
        drop(load);
        // Further on each time; once it comes to its end there is nothing left to drop.
        let mut load = runtime.load(&digest, &source);
        let _ = futures_util::poll!(&mut load);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        if futures_util::poll!(&mut load).is_ready() {
            break;
        }
    }
    runtime.load(&digest, &source).await.expect("it loads");
}

#[tokio::test(flavor = "multi_thread")]
async fn components_in_memory_are_bounded_and_come_back_from_disk() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |settings| settings.resident_functions_max = 16);
    let hello = program("hello");
    let variants: Vec<Bytes> = (0..24).map(|number| variant(&hello, number)).collect();
    for component in &variants {
        runtime.prepare(&digest(component), component).await.expect("it is prepared");
    }
    assert!(runtime.resident_functions() <= 16, "{}", runtime.resident_functions());
    for component in &variants {
        let (loaded, _) = runtime.load(&digest(component), &Held(Bytes::new())).await.expect("it loads from disk");
        assert_eq!(call(&loaded, "/").await.status, Some(200));
    }
    assert!(runtime.resident_functions() <= 16);
}
