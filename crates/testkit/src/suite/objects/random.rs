//! Random operations on the store and on the model: each answer and the state must agree.

use std::time::Duration;

use super::*;
use crate::{SeededRng, model::ModelObjects};

const STEPS: usize = 400;
const KEYS: [&str; 7] = ["a", "a/b", "a/c", "a/b/d", "b", "b/a", "ä"];

/// A store beside its model. Ids differ between them, so that what belongs together is noted.
struct Pair<'a> {
    store: &'a ObjectsFixture,
    model: ModelObjects,
    rng: SeededRng,
    /// Versions by the model's id.
    versions: BTreeMap<VersionId, VersionId>,
    /// Uploads: key, the model's id, ours, and parts.
    uploads: Vec<Open>,
}

#[derive(Clone)]
struct Open {
    bucket: usize,
    models: String,
    ours: String,
    parts: BTreeMap<u32, String>,
}

pub(super) async fn agrees_with_the_model(store: &ObjectsFixture, seed: u64) {
    let model = ModelObjects::new(store.clock.clone());
    for bucket in &store.buckets {
        store.objects.create_bucket(bucket).await.expect("it can be made");
        model.create_bucket(bucket).await.expect("it can be made");
    }
    let versions = BTreeMap::from([(VersionId("null".into()), VersionId("null".into()))]);
    let mut pair = Pair { store, model, rng: SeededRng::new(seed), versions, uploads: vec![] };
    for step in 0..STEPS {
        pair.step().await;
        if step % 20 == 0 {
            pair.compare_state().await;
        }
    }
    pair.compare_state().await;
}

impl Pair<'_> {
    async fn step(&mut self) {
        let bucket = self.rng.below(2);
        match self.rng.below(100) {
            0..30 => self.put(bucket).await,
            30..42 => self.delete(bucket).await,
            42..50 => self.copy(bucket).await,
            50..62 => self.get(bucket).await,
            62..72 => self.list(bucket).await,
            72..74 => self.configure(bucket).await,
            74..78 => self.tag(bucket).await,
            78..82 => self.begin(bucket).await,
            82..90 => self.part().await,
            90..94 => self.complete().await,
            94..98 => self.store.clock.advance(Duration::from_secs(self.rng.below(100) as u64)),
            _ => {
                let (ours, models) = (self.store.objects.sweep().await, self.model.sweep().await);
                assert_eq!(ours.expect("it can be swept"), models.expect("it can be swept"));
            }
        }
    }

    fn bucket(&self, index: usize) -> &BucketName {
        &self.store.buckets[index]
    }

    fn key(&self) -> &'static str {
        self.rng.pick::<&str>(&KEYS)
    }

    fn bytes(&self) -> Bytes {
        let size = *self.rng.pick(&[0, 1, 100, 60_000, 70_000, 200_000]);
        pattern(size, self.rng.below(4) as u8)
    }

    /// A version of ours with the model's, or none.
    fn version(&self) -> (Option<VersionId>, Option<VersionId>) {
        if self.rng.percent(50) {
            return (None, None);
        }
        let all: Vec<_> = self.versions.iter().collect();
        let (models, ours) = *self.rng.pick(&all);
        (Some(ours.clone()), Some(models.clone()))
    }

    async fn condition(&self, bucket: usize, key: &str) -> ObjectCondition {
        match self.rng.below(6) {
            0 => ObjectCondition::Absent,
            1 => {
                let present = self.model.head(self.bucket(bucket), key, None).await.expect("the model reads");
                ObjectCondition::Matches(present.map_or_else(|| "none".into(), |info| info.etag))
            }
            _ => ObjectCondition::None,
        }
    }

    /// Compares what is known of one version, and notes that the two belong together.
    fn same(&mut self, ours: &ObjectInfo, models: &ObjectInfo) {
        let known = self.versions.entry(models.version.clone()).or_insert_with(|| ours.version.clone());
        assert_eq!(*known, ours.version, "a version has one id");
        assert_eq!(ObjectInfo { version: models.version.clone(), ..ours.clone() }, *models);
    }

    fn agree(&mut self, ours: Result<Option<ObjectInfo>, StoreError>, models: Result<Option<ObjectInfo>, StoreError>) {
        match (ours, models) {
            (Ok(Some(ours)), Ok(Some(models))) => self.same(&ours, &models),
            (Ok(None), Ok(None)) => {}
            (Err(ours), Err(models)) => assert_eq!(ours.code(), models.code(), "{ours:?} against {models:?}"),
            (ours, models) => panic!("{ours:?} against {models:?}"),
        }
    }

    async fn put(&mut self, bucket: usize) {
        let (key, bytes) = (self.key(), self.bytes());
        let attributes = if self.rng.percent(20) { tagged("x") } else { ObjectAttributes::default() };
        let options = PutOptions { attributes, condition: self.condition(bucket, key).await, ..PutOptions::default() };
        let body = || if self.rng.percent(50) { Body::from(bytes.clone()) } else { pieces(&bytes, 10_007) };
        let ours = self.store.objects.put(self.bucket(bucket), key, body(), options.clone()).await;
        let models = self.model.put(self.bucket(bucket), key, body(), options).await;
        self.agree(ours.map(Some), models.map(Some));
    }

    async fn delete(&mut self, bucket: usize) {
        let (key, (ours, models)) = (self.key(), self.version());
        let ours = self.store.objects.delete(self.bucket(bucket), key, ours.as_ref(), None).await;
        let models = self.model.delete(self.bucket(bucket), key, models.as_ref(), None).await;
        self.agree(ours, models);
    }

    async fn copy(&mut self, bucket: usize) {
        let (from, to, (ours, models)) = (self.key(), self.key(), self.version());
        let other = self.rng.below(2);
        let attributes = self.rng.percent(50).then(|| tagged("copy"));
        let options = on(self.condition(other, to).await);
        let (source, target) = (self.bucket(bucket), (self.bucket(other), to));
        let ours = self.store.objects.copy((source, from, ours.as_ref()), target, attributes.clone(), options.clone()).await;
        let models = self.model.copy((source, from, models.as_ref()), target, attributes, options).await;
        self.agree(ours, models);
    }

    async fn get(&mut self, bucket: usize) {
        let (key, (ours, models)) = (self.key(), self.version());
        let range = match self.rng.below(4) {
            0 => Some(ByteRange::Last(self.rng.below(100_000) as u64)),
            1 => Some(ByteRange::From(self.rng.below(100_000) as u64)),
            2 => Some(ByteRange::Between(self.rng.below(70_000) as u64, self.rng.below(150_000) as u64)),
            _ => None,
        };
        let ours = self.store.objects.get(self.bucket(bucket), key, ours.as_ref(), range).await.expect("readable");
        let models = self.model.get(self.bucket(bucket), key, models.as_ref(), range).await.expect("the model reads");
        match (ours, models) {
            (Some((ours, our_body)), Some((models, model_body))) => {
                self.same(&ours, &models);
                let (ours, models) = (collect(our_body).await, collect(model_body).await);
                assert!(ours.expect("whole") == models.expect("whole"), "other bytes of {key} {range:?}");
            }
            (ours, models) => assert_eq!(ours.is_some(), models.is_some(), "{key}"),
        }
    }

    async fn list(&mut self, bucket: usize) {
        let mut query = query(self.rng.pick::<&str>(&["", "a", "a/", "b/"]), None, self.rng.below(5));
        query.delimiter = self.rng.percent(60).then(|| "/".into());
        query.after = self.rng.percent(40).then(|| self.rng.pick(&["a", "a/", "a/b", "a/b/", "b/", "zz"]).to_string());
        let ours = self.store.objects.list(self.bucket(bucket), query.clone()).await.expect("readable");
        let models = self.model.list(self.bucket(bucket), query.clone()).await.expect("the model reads");
        self.same_page(&query, &ours, &models);
        let (our_version, model_version) = self.version();
        let ours = self.store.objects.list_versions(self.bucket(bucket), query.clone(), our_version.as_ref()).await;
        let models = self.model.list_versions(self.bucket(bucket), query.clone(), model_version.as_ref()).await;
        // A version that is not of that key any more: how much of the key comes again is not said.
        let is_there = match (&query.after, &model_version) {
            (Some(after), Some(version)) => {
                self.model.head(self.bucket(bucket), after, Some(version)).await.expect("the model reads").is_some()
            }
            _ => true,
        };
        if is_there {
            self.same_page(&query, &ours.expect("readable"), &models.expect("the model reads"));
        }
    }

    fn same_page(&mut self, query: &ObjectQuery, ours: &ObjectPage, models: &ObjectPage) {
        assert_eq!((&ours.prefixes, &ours.next), (&models.prefixes, &models.next), "{query:?}");
        assert_eq!(ours.objects.len(), models.objects.len(), "{query:?}");
        ours.objects.iter().zip(&models.objects).for_each(|(ours, models)| self.same(ours, models));
    }

    async fn configure(&mut self, bucket: usize) {
        let versioning = *self.rng.pick(&[Versioning::On, Versioning::On, Versioning::Suspended, Versioning::Off]);
        let span = |chance| self.rng.percent(chance).then(|| Duration::from_secs(self.rng.below(300) as u64));
        let rule = LifecycleRule {
            id: "r".into(),
            enabled: self.rng.percent(80),
            prefix: (*self.rng.pick(&["", "a/", "b"])).into(),
            expire: span(40),
            expire_old: span(40),
            abort_uploads: span(40),
        };
        let config = BucketConfig { versioning, lifecycle: vec![rule], ..BucketConfig::default() };
        self.store.objects.configure(self.bucket(bucket), config.clone()).await.expect("it is there");
        self.model.configure(self.bucket(bucket), config).await.expect("it is there");
    }

    async fn tag(&mut self, bucket: usize) {
        let (key, (ours, models)) = (self.key(), self.version());
        let tags = BTreeMap::from([("n".to_owned(), self.rng.below(9).to_string())]);
        let ours = self.store.objects.tag(self.bucket(bucket), key, ours.as_ref(), tags.clone()).await;
        let models = self.model.tag(self.bucket(bucket), key, models.as_ref(), tags).await;
        self.agree(ours, models);
    }

    async fn begin(&mut self, bucket: usize) {
        let key = self.key();
        let ours = self.store.objects.begin_upload(self.bucket(bucket), key, tagged("u")).await.expect("it begins");
        let models = self.model.begin_upload(self.bucket(bucket), key, tagged("u")).await.expect("it begins");
        self.uploads.push(Open { bucket, models: models.id, ours: ours.id, parts: BTreeMap::new() });
    }

    async fn part(&mut self) {
        if self.uploads.is_empty() {
            return;
        }
        let at = self.rng.below(self.uploads.len());
        let (upload, number, bytes) = (self.uploads[at].clone(), 1 + self.rng.below(3) as u32, self.bytes());
        let bucket = self.bucket(upload.bucket);
        let body = || Body::from(bytes.clone());
        let ours = self.store.objects.put_part(bucket, &upload.ours, number, body(), vec![]).await;
        let models = self.model.put_part(bucket, &upload.models, number, body(), vec![]).await;
        match (ours, models) {
            (Ok(ours), Ok(models)) => {
                assert_eq!(ours, models);
                self.uploads[at].parts.insert(number, ours.etag);
            }
            (ours, models) => assert_eq!(ours.map_err(|e| e.code()), models.map_err(|e| e.code())),
        }
    }

    async fn complete(&mut self) {
        if self.uploads.is_empty() {
            return;
        }
        let upload = self.uploads.swap_remove(self.rng.below(self.uploads.len()));
        let mut named: Vec<(u32, String)> = upload.parts.into_iter().collect();
        if self.rng.percent(20) {
            named.reverse();
        }
        let bucket = self.bucket(upload.bucket);
        let ours = self.store.objects.complete_upload(bucket, &upload.ours, &named, PutOptions::default()).await;
        let models = self.model.complete_upload(bucket, &upload.models, &named, PutOptions::default()).await;
        self.agree(ours.map(Some), models.map(Some));
    }

    async fn compare_state(&mut self) {
        for bucket in 0..2 {
            let query = query("", None, 1_000);
            let ours = self.store.objects.list_versions(self.bucket(bucket), query.clone(), None).await.expect("readable");
            let models = self.model.list_versions(self.bucket(bucket), query.clone(), None).await.expect("the model reads");
            self.same_page(&query, &ours, &models);
            for (ours, models) in ours.objects.iter().zip(&models.objects) {
                let our_body = self.store.objects.get(self.bucket(bucket), &ours.key, Some(&ours.version), None).await;
                let model_body = self.model.get(self.bucket(bucket), &models.key, Some(&models.version), None).await;
                let (_, our_body) = our_body.expect("readable").expect("it is listed");
                let (_, model_body) = model_body.expect("readable").expect("it is listed");
                let (ours, models) = (collect(our_body).await, collect(model_body).await);
                assert!(ours.expect("whole") == models.expect("whole"), "the bytes differ");
            }
            let ours = self.store.objects.uploads(self.bucket(bucket), "", None, 100).await.expect("readable");
            let models = self.model.uploads(self.bucket(bucket), "", None, 100).await.expect("the model reads");
            let told = |uploads: &[types::object::Upload]| {
                uploads.iter().map(|upload| (upload.key.clone(), upload.began)).collect::<Vec<_>>()
            };
            assert_eq!(told(&ours), told(&models));
        }
    }
}
