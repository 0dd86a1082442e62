//! Revisions: stored once, never changed, and switched between. A deployment is all there or not at all: everything that can be refused
//! is refused before the revision is stored, and the switch is one write and one new snapshot.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ports::{StoreError, catalog, feeds::Feed};
use types::{
    App, Code, Digest, LiveApp, Problem, Resource, Revision, RevisionNumber,
    app::ResourceKind,
    limits,
    revision::{AppKey, Parts, Share},
    site::Site,
    wire::api::{self, Deploy, Deployed, Plan, Prepared, Rollback, RolledBack, Uploaded},
};

use crate::{
    apply, check,
    core::{Control, no_app},
    plan, removal, resources, site,
    snapshot::{self, Weighed, largest},
};

/// A deployment, compared with what is there.
struct Looked {
    plan: Plan,
    /// The model that is served.
    base: Option<App>,
    /// Its site.
    site: Option<Arc<Site>>,
    /// Resources that cease to be named, and what each holds.
    removed: Vec<(Resource, Option<String>)>,
}

/// What a deployment replaces, and what was made for it.
struct Served {
    /// The model that is served.
    base: Option<App>,
    /// The new site's index.
    index: Option<Digest>,
}

/// Components of one deployment that are checked and compiled at once.
const PREPARED_AT_ONCE: usize = 2;

impl Control {
    /// Stores an artifact under its digest. What is there already is not stored again.
    ///
    /// # Errors
    /// `E06` for what the store says.
    pub async fn upload(&self, bytes: Bytes) -> Result<Uploaded, Problem> {
        let (digest, size) = (Digest::from_bytes(*blake3::hash(&bytes).as_bytes()), bytes.len() as u64);
        let new = !self.asked.is_stored(&*self.blob, &digest).await?;
        if new {
            self.blob.put(bytes).await?;
            tracing::info!(%digest, size, "artifact stored");
        }
        Ok(Uploaded { digest, bytes: size, new })
    }

    /// What the deployment would change. Touches nothing.
    ///
    /// # Errors
    /// `E0709`, `E0105`, `E0108` and `E0111` to `E0117` for what can't be deployed at all, `E0612` for migrations that do not fit what was
    /// applied, `E06` for what the stores say.
    pub async fn plan(&self, key: &AppKey, deploy: &Deploy) -> Result<Plan, Problem> {
        Ok(self.look(key, deploy).await?.plan)
    }

    /// Compares the deployment with what is served and what the stores have.
    async fn look(&self, key: &AppKey, deploy: &Deploy) -> Result<Looked, Problem> {
        check::check(key, deploy)?;
        self.publisher.check_domain(key, &deploy.app)?;
        let deployed = self.catalog.app(key).await?;
        let base = match deployed.as_ref().and_then(|deployed| largest(&deployed.shares)) {
            None => None,
            Some(share) => self.catalog.revision(key, share.revision).await?,
        };
        let site = match &base {
            None => None,
            Some(base) => self.site_of(base).await?,
        };
        let mut missing = Vec::new();
        for digest in check::distinct(&deploy.artifacts).into_iter().chain(site::distinct(&deploy.site)) {
            if !self.asked.is_stored(&*self.blob, &digest).await? {
                missing.push(digest);
            }
        }
        let removed = self.holdings(key, removal::removed(base.as_ref().map(|base| &base.app), &deploy.app)).await?;
        let found = plan::Found {
            removed: removed.clone(),
            pending: self.pending(key, &deploy.migrations).await?,
            migrations_changed: base.as_ref().is_some_and(|base| base.parts.migrations != deploy.migrations),
            site: site::plan(&deploy.app, site.as_deref(), &deploy.site),
            unset: self.unset(key, &deploy.app).await?,
        };
        let plan = plan::plan(plan::Planned {
            base: base.as_ref(),
            latest: deployed.map(|deployed| deployed.latest),
            app: &deploy.app,
            artifacts: &deploy.artifacts,
            missing,
            found,
        });
        Ok(Looked { plan, base: base.map(|base| base.app), site, removed })
    }

    /// Secrets that the app uses and nobody has set.
    async fn unset(&self, key: &AppKey, app: &App) -> Result<Vec<String>, Problem> {
        let used = resources::of(app).into_iter().filter(|resource| resource.kind == ResourceKind::Secret);
        let mut unset: Vec<String> = used.map(|resource| resource.name).collect();
        if !unset.is_empty() {
            let set = self.data.secrets.list(key).await?;
            unset.retain(|name| set.iter().all(|info| info.name != *name));
        }
        Ok(unset)
    }

    /// Checks and compiles the code, brings the stores to where the revision needs them, stores the revision and serves it. Nothing is
    /// stored if it would be the same as what is served. Everything that can be refused is refused before anything is changed.
    ///
    /// # Errors
    /// `E0710` if another revision than `after` is the newest, `E0712` if a secret is not set, `E0713` if a resource that is not used any
    /// more holds data, `E0301` for an artifact that was not uploaded, `E03` for one that can't be run, `E0117` for a migration that
    /// fails, and what [`plan`](Self::plan) refuses.
    pub async fn deploy(&self, key: &AppKey, deploy: Deploy) -> Result<Deployed, Problem> {
        let _deploying = self.deploying.read().await;
        let Looked { plan, base, site, removed } = self.look(key, &deploy).await?;
        if plan.latest != deploy.after {
            return Err(changed(key, deploy.after, plan.latest));
        }
        if let Some(first) = plan.unset.first() {
            return Err(unset(key, first, &plan.unset));
        }
        removal::check(&deploy.app, &deploy.drop, &deploy.keep, &removed)?;
        let begun = self.clock.monotonic_ns();
        let prepared = self.prepare_all(&deploy, &plan).await?;
        let index = match plan.unchanged {
            true => None,
            false => self.index_site(&deploy.app, &deploy.site, site.as_deref()).await?,
        };
        let compiled = self.clock.monotonic_ns();
        let drop = deploy.drop.clone();
        let migrated = match plan.unchanged {
            true => Vec::new(),
            false => self.store_and_serve(key, deploy, Served { base, index }).await?,
        };
        let dropped = self.drop_data(key, &drop).await?;
        Ok(Deployed {
            urls: self.publisher.urls(key),
            plan,
            prepared,
            prepare_ns: compiled - begun,
            switch_ns: self.clock.monotonic_ns() - compiled,
            migrated,
            dropped,
        })
    }

    /// Serves an earlier revision, or a later one, instead. Data is not rolled back.
    ///
    /// # Errors
    /// `E0703` if the app is not deployed, `E0704` if there is no such revision.
    pub async fn rollback(&self, key: &AppKey, rollback: Rollback) -> Result<RolledBack, Problem> {
        let _deploying = self.deploying.read().await;
        let _switch = self.switch.lock().await;
        let deployed = self.catalog.app(key).await?.ok_or_else(|| no_app(key))?;
        let served = largest(&deployed.shares).map(|share| share.revision);
        let number = rollback.to.or_else(|| previous(served?)).ok_or_else(|| {
            let message = format!("{key} serves its first revision: there is none before it");
            Problem::new(Code::E0704, message).help(format!("dayfly rollback {} --revision N", key.app))
        })?;
        let revision = self.revision(key, number, deployed.latest).await?;
        // What the revisions left and gone back to use: neither's data moves.
        let mut data_kept = resources::of(&revision.app);
        if let Some(served) = served
            && let Ok(left) = self.revision(key, served, deployed.latest).await
        {
            data_kept.extend(resources::of(&left.app));
        }
        let left = match served {
            None => None,
            Some(served) => self.catalog.revision(key, served).await?.map(|revision| revision.app),
        };
        self.configure(key, left.as_ref(), &revision.app).await?;
        let app = revision.app.clone();
        self.serve(key, revision).await?;
        self.capture_served(key, left.as_ref(), &app).await;
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
        self.data.feeds.install(self.feeds(&served, None)).await?;
        self.publisher.publish(served);
        Ok(())
    }

    async fn stored(&self, deployed: &catalog::Deployed) -> Result<snapshot::Served, StoreError> {
        let mut shares = Vec::new();
        for Share { revision: number, weight } in &deployed.shares {
            let revision = self.catalog.revision(&deployed.key, *number).await?;
            let missing = || StoreError::Missing(format!("revision {number} of {}", deployed.key));
            let revision = revision.ok_or_else(missing)?;
            shares.push(Weighed { site: self.site_of(&revision).await?, revision, weight: *weight });
        }
        Ok(snapshot::Served { key: deployed.key.clone(), shares })
    }

    /// Who waits for which changes if these apps are served as given, all others as before, and one as it is given live as well.
    fn feeds(&self, served: &[snapshot::Served], more: Option<&LiveApp>) -> Vec<Feed> {
        let present = self.publisher.snapshot();
        let stays = |app: &&LiveApp| served.iter().all(|served| served.key != app.key);
        let others = present.apps.iter().map(Arc::as_ref).filter(stays).chain(more).flat_map(|app| {
            let functions = app.shares.iter().flat_map(|(revision, _)| revision.functions.values());
            functions.map(|live| (&live.key, &live.function))
        });
        let new = served.iter().flat_map(|served| {
            served.shares.iter().flat_map(|share| share.revision.app.functions.values().map(|function| (&served.key, function)))
        });
        apply::feeds(others.chain(new))
    }

    async fn prepare_all(&self, deploy: &Deploy, plan: &Plan) -> Result<BTreeMap<types::FunctionName, Prepared>, Problem> {
        if let Some(digest) = plan.missing.first() {
            let function = deploy.artifacts.iter().find(|(_, artifact)| artifact.digest == *digest);
            let file = deploy.site.iter().find(|(_, file)| file.digest == *digest);
            let of = match (function, file) {
                (Some((name, _)), _) => format!("function {name}"),
                (None, Some((path, _))) => format!("the site's file {path:?}"),
                (None, None) => "the deployment".to_owned(),
            };
            return Err(Problem::new(Code::E0301, format!("the artifact {digest} of {of} was not uploaded")));
        }
        let distinct = check::distinct(&deploy.artifacts);
        let prepared: BTreeMap<Digest, Prepared> = stream::iter(distinct)
            .map(async |digest| match self.prepare(&digest).await {
                Ok(prepared) => Ok((digest, prepared)),
                Err(problem) => Err(name_functions(problem, &digest, deploy)),
            })
            .buffer_unordered(PREPARED_AT_ONCE)
            .try_collect()
            .await?;
        let of = |(name, artifact): (&types::FunctionName, &api::Artifact)| {
            Some((name.clone(), prepared.get(&artifact.digest)?.clone()))
        };
        Ok(deploy.artifacts.iter().filter_map(of).collect())
    }

    async fn prepare(&self, digest: &Digest) -> Result<Prepared, Problem> {
        let _room = self.components.acquire().await.expect("the semaphore is never closed");
        let gone = || Problem::new(Code::E0301, format!("the artifact {digest} is not stored"));
        let artifact = self.blob.get(digest).await?.ok_or_else(gone)?;
        let ports::runtime::Prepared { artifact_bytes, compiled_bytes, cached, imports, logs } =
            self.runtime.prepare(digest, &artifact).await?;
        Ok(Prepared { artifact_bytes, compiled_bytes, cached, imports, logs })
    }

    /// Gives the migrations that were applied.
    async fn store_and_serve(&self, key: &AppKey, deploy: Deploy, served: Served) -> Result<Vec<api::MigrationPlan>, Problem> {
        let Served { base, index } = served;
        let _switch = self.switch.lock().await;
        // Again, now that no other deployment of this node can come between.
        self.publisher.check_domain(key, &deploy.app)?;
        let latest = self.catalog.app(key).await?.map(|deployed| deployed.latest);
        if latest != deploy.after {
            return Err(changed(key, deploy.after, latest));
        }
        let migrated = self.migrate(key, &deploy.migrations).await?;
        self.configure(key, base.as_ref(), &deploy.app).await?;
        let digests = check::digests(&deploy.artifacts);
        let parts = Parts { site: index, migrations: deploy.migrations };
        let added = self.catalog.add(key, deploy.after, deploy.app, digests, parts, self.clock.now()).await;
        match added {
            Ok(revision) => {
                let (number, served) = (revision.number, revision.app.clone());
                self.serve(key, revision).await?;
                self.capture_served(key, base.as_ref(), &served).await;
                tracing::info!(app = %key, revision = %number, "revision deployed");
                Ok(migrated)
            }
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
        let site = self.site_of(&revision).await?;
        let served = snapshot::Served { key: key.clone(), shares: vec![Weighed { revision, site, weight: all.weight }] };
        // While both may be served, and whichever is if this breaks off: the feeds of what was served and of what will be.
        let present = self.publisher.app(key);
        let both = self.feeds(std::slice::from_ref(&served), present.as_deref());
        let only = self.feeds(std::slice::from_ref(&served), None);
        let is_wider = both != only;
        self.data.feeds.install(both).await?;
        self.catalog.serve(key, vec![all]).await?;
        self.publisher.publish([served]);
        if is_wider && let Err(error) = self.data.feeds.install(only).await {
            tracing::warn!(app = %key, %error, "feeds of the revision before stay until the next deployment or start");
        }
        Ok(())
    }

    async fn revision(&self, key: &AppKey, number: RevisionNumber, latest: RevisionNumber) -> Result<Revision, Problem> {
        let revision = self.catalog.revision(key, number).await?;
        revision.ok_or_else(|| {
            let message = format!("{key} has no revision {number}: the newest is {latest}");
            let problem = Problem::new(Code::E0704, message).help("dayfly apps");
            match number < latest {
                true => problem.note(format!("the newest {} are kept, and those that are served", limits::REVISIONS)),
                false => problem,
            }
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

fn unset(key: &AppKey, first: &str, all: &[String]) -> Problem {
    let list = all.iter().map(|name| format!("secret.{name}")).collect::<Vec<_>>().join(", ");
    let message = format!("{key} uses {list}, and {} not set", if all.len() == 1 { "it is" } else { "they are" });
    let problem = Problem::new(Code::E0712, message).note("the value is read from standard input, and shown to nobody");
    problem.help(format!("dayfly secret set {first} --app {} --env {}", key.app, key.env))
}

pub(crate) fn share(share: Share) -> api::Share {
    let Share { revision, weight } = share;
    api::Share { revision, weight }
}

/// A runtime knows an artifact's digest only; people know the functions that it is the code of.
fn name_functions(problem: Problem, digest: &Digest, deploy: &Deploy) -> Problem {
    if deploy.artifacts.len() == 1 {
        return problem;
    }
    let with = deploy.artifacts.iter().filter(|(_, artifact)| artifact.digest == *digest);
    let names: Vec<String> = with.map(|(name, _)| format!("fn.{name}")).collect();
    problem.note(format!("the code of {}", names.join(", ")))
}
