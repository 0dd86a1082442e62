//! Revisions: stored once, never changed, and switched between. A deployment is all there or not at all: everything that can be refused
//! is refused before the revision is stored, and the switch is one write and one new snapshot.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ports::{StoreError, catalog};
use types::{
    Code, Digest, Problem, Resource, Revision, RevisionNumber,
    revision::{AppKey, Parts, Share},
    wire::api::{self, Deploy, Deployed, Plan, Prepared, Rollback, RolledBack, Uploaded},
};

use crate::{
    check,
    core::{Control, no_app},
    plan,
    snapshot::{Served, largest},
};

/// Components of one deployment that are checked and compiled at once.
const PREPARED_AT_ONCE: usize = 2;

impl Control {
    /// Stores an artifact under its digest. What is there already is not stored again.
    ///
    /// # Errors
    /// `E06` for what the store says.
    pub async fn upload(&self, bytes: Bytes) -> Result<Uploaded, Problem> {
        let (digest, size) = (Digest::from_bytes(*blake3::hash(&bytes).as_bytes()), bytes.len() as u64);
        let new = !self.blob.has(&digest).await?;
        if new {
            self.blob.put(bytes).await?;
            tracing::info!(%digest, size, "artifact stored");
        }
        Ok(Uploaded { digest, bytes: size, new })
    }

    /// What the deployment would change. Touches nothing.
    ///
    /// # Errors
    /// `E0709`, `E0105` and `E0108` for what can't be deployed at all, `E06` for what the stores say.
    pub async fn plan(&self, key: &AppKey, deploy: &Deploy) -> Result<Plan, Problem> {
        check::check(key, deploy)?;
        self.publisher.check_domain(key, &deploy.app)?;
        let deployed = self.catalog.app(key).await?;
        let base = match deployed.as_ref().and_then(|deployed| largest(&deployed.shares)) {
            None => None,
            Some(share) => self.catalog.revision(key, share.revision).await?,
        };
        let mut missing = Vec::new();
        for digest in check::distinct(&deploy.artifacts) {
            if !self.blob.has(&digest).await? {
                missing.push(digest);
            }
        }
        Ok(plan::plan(plan::Planned {
            base: base.as_ref(),
            latest: deployed.map(|deployed| deployed.latest),
            app: &deploy.app,
            artifacts: &deploy.artifacts,
            missing,
        }))
    }

    /// Checks and compiles the code, stores the revision and serves it. Nothing is stored if it would be the same as what is served.
    ///
    /// # Errors
    /// `E0710` if another revision than `after` is the newest, `E0301` for an artifact that was not uploaded, `E03` for one that can't
    /// be run, and what [`plan`](Self::plan) refuses.
    pub async fn deploy(&self, key: &AppKey, deploy: Deploy) -> Result<Deployed, Problem> {
        let plan = self.plan(key, &deploy).await?;
        if plan.latest != deploy.after {
            return Err(changed(key, deploy.after, plan.latest));
        }
        let begun = self.clock.monotonic_ns();
        let prepared = self.prepare_all(&deploy, &plan).await?;
        let compiled = self.clock.monotonic_ns();
        if !plan.unchanged {
            self.store_and_serve(key, deploy).await?;
            tracing::info!(app = %key, revision = %plan.revision, "revision deployed");
        }
        Ok(Deployed {
            urls: self.publisher.urls(key),
            plan,
            prepared,
            prepare_ns: compiled - begun,
            switch_ns: self.clock.monotonic_ns() - compiled,
        })
    }

    /// Serves an earlier revision, or a later one, instead. Data is not rolled back.
    ///
    /// # Errors
    /// `E0703` if the app is not deployed, `E0704` if there is no such revision.
    pub async fn rollback(&self, key: &AppKey, rollback: Rollback) -> Result<RolledBack, Problem> {
        let _switch = self.switch.lock().await;
        let deployed = self.catalog.app(key).await?.ok_or_else(|| no_app(key))?;
        let served = largest(&deployed.shares).map(|share| share.revision);
        let number = rollback.to.or_else(|| previous(served?)).ok_or_else(|| {
            let message = format!("{key} serves its first revision: there is none before it");
            Problem::new(Code::E0704, message).help(format!("dayfly rollback {} --revision N", key.app))
        })?;
        let revision = self.revision(key, number, deployed.latest).await?;
        // What the revisions left and gone back to use: neither's data moves.
        let mut data_kept = resources(&revision);
        if let Some(served) = served
            && let Ok(left) = self.revision(key, served, deployed.latest).await
        {
            data_kept.extend(resources(&left));
        }
        self.serve(key, revision).await?;
        tracing::info!(app = %key, revision = %number, "traffic switched");
        let before = deployed.shares.into_iter().map(share).collect();
        Ok(RolledBack { before, revision: number, data_kept: data_kept.into_iter().collect(), urls: self.publisher.urls(key) })
    }

    /// Serves everything that the catalog says is served.
    pub(crate) async fn serve_stored(&self) -> Result<(), Problem> {
        let mut served = Vec::new();
        for deployed in self.catalog.apps().await? {
            match self.stored(&deployed).await {
                Ok(app) => served.push(app),
                Err(error) => tracing::error!(app = %deployed.key, %error, "an app can't be read and is not served"),
            }
        }
        self.publisher.publish(served);
        Ok(())
    }

    async fn stored(&self, deployed: &catalog::Deployed) -> Result<Served, StoreError> {
        let mut shares = Vec::new();
        for Share { revision: number, weight } in &deployed.shares {
            let revision = self.catalog.revision(&deployed.key, *number).await?;
            let missing = || StoreError::Missing(format!("revision {number} of {}", deployed.key));
            shares.push((revision.ok_or_else(missing)?, *weight));
        }
        Ok(Served { key: deployed.key.clone(), shares })
    }

    async fn prepare_all(&self, deploy: &Deploy, plan: &Plan) -> Result<BTreeMap<types::FunctionName, Prepared>, Problem> {
        if let Some(digest) = plan.missing.first() {
            let of = deploy.artifacts.iter().find(|(_, artifact)| artifact.digest == *digest).map(|(name, _)| name.as_str());
            let message = format!("the artifact {digest} of function {} was not uploaded", of.unwrap_or_default());
            return Err(Problem::new(Code::E0301, message));
        }
        let distinct = check::distinct(&deploy.artifacts);
        let prepared: BTreeMap<Digest, Prepared> = stream::iter(distinct)
            .map(async |digest| Ok::<_, Problem>((digest, self.prepare(&digest).await?)))
            .buffer_unordered(PREPARED_AT_ONCE)
            .try_collect()
            .await
            .map_err(|problem| name_function(problem, deploy))?;
        let of = |(name, artifact): (&types::FunctionName, &api::Artifact)| {
            Some((name.clone(), prepared.get(&artifact.digest)?.clone()))
        };
        Ok(deploy.artifacts.iter().filter_map(of).collect())
    }

    async fn prepare(&self, digest: &Digest) -> Result<Prepared, Problem> {
        let _room = self.components.acquire().await.expect("the semaphore is never closed");
        let gone = || Problem::new(Code::E0301, format!("the artifact {digest} is not stored"));
        let artifact = self.blob.get(digest).await?.ok_or_else(gone)?;
        let ports::runtime::Prepared { artifact_bytes, compiled_bytes, cached, imports } =
            self.runtime.prepare(digest, &artifact).await?;
        Ok(Prepared { artifact_bytes, compiled_bytes, cached, imports })
    }

    async fn store_and_serve(&self, key: &AppKey, deploy: Deploy) -> Result<(), Problem> {
        let _switch = self.switch.lock().await;
        // Again, now that no other deployment of this node can come between.
        self.publisher.check_domain(key, &deploy.app)?;
        let digests = check::digests(&deploy.artifacts);
        let added = self.catalog.add(key, deploy.after, deploy.app, digests, Parts::default(), self.clock.now()).await;
        match added {
            Ok(revision) => self.serve(key, revision).await,
            Err(StoreError::Changed(_)) => {
                let latest = self.catalog.app(key).await?.map(|deployed| deployed.latest);
                Err(changed(key, deploy.after, latest))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The caller holds `switch`.
    async fn serve(&self, key: &AppKey, revision: Revision) -> Result<(), Problem> {
        let all = Share { revision: revision.number, weight: 1 };
        self.catalog.serve(key, vec![all]).await?;
        self.publisher.publish([Served { key: key.clone(), shares: vec![(revision, all.weight)] }]);
        Ok(())
    }

    async fn revision(&self, key: &AppKey, number: RevisionNumber, latest: RevisionNumber) -> Result<Revision, Problem> {
        let revision = self.catalog.revision(key, number).await?;
        revision.ok_or_else(|| {
            let message = format!("{key} has no revision {number}: the newest is {latest}");
            Problem::new(Code::E0704, message).help("dayfly apps")
        })
    }
}

fn changed(key: &AppKey, known: Option<RevisionNumber>, latest: Option<RevisionNumber>) -> Problem {
    let text = |number: Option<RevisionNumber>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
    let (known, latest) = (text(known), text(latest));
    let message = format!("{key} changed in the meantime: its newest revision is {latest}, the deployment expects {known}");
    Problem::new(Code::E0710, message).help("dayfly deploy")
}

fn previous(served: RevisionNumber) -> Option<RevisionNumber> {
    served.0.checked_sub(1).filter(|number| *number > 0).map(RevisionNumber)
}

fn resources(revision: &Revision) -> BTreeSet<Resource> {
    revision.app.functions.values().flat_map(|function| &function.uses).map(|grant| grant.resource.clone()).collect()
}

pub(crate) fn share(share: Share) -> api::Share {
    let Share { revision, weight } = share;
    api::Share { revision, weight }
}

/// A runtime knows an artifact's digest only; people know the function.
fn name_function(problem: Problem, deploy: &Deploy) -> Problem {
    if deploy.artifacts.len() == 1 {
        return problem;
    }
    let digests = deploy.artifacts.iter().map(|(name, artifact)| format!("fn.{name} is {}", artifact.digest));
    digests.fold(problem, Problem::note)
}
