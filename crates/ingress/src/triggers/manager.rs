//! The one task that starts, changes and ends workers as snapshots ask for it.

use std::{collections::BTreeMap, sync::Arc};

use ports::BoxFuture;
use tokio::{sync::watch, task::JoinSet};
use types::{Elapsed, Snapshot};

use super::{
    Shared, cron, dispatch, sql, stream,
    wanted::{Candidates, Work, wanted},
};
use crate::Drain;

/// A worker that was started.
struct Worker {
    candidates: watch::Sender<Candidates>,
    stop: Drain,
}

/// What a worker is given.
pub(crate) struct Start {
    pub(crate) shared: Arc<Shared>,
    /// Changes with deployments. Empty once nothing wants the worker any more, after which it is stopped.
    pub(crate) candidates: watch::Receiver<Candidates>,
    pub(crate) stop: Drain,
}

/// What wakes the manager.
enum Event {
    Installed,
    Ended(Work),
    Drain,
}

/// Keeps the workers that the newest snapshot asks for. A worker that is stopped and asked for again begins after the old one has ended,
/// so that two never work at the same place.
pub(crate) async fn run(shared: Arc<Shared>, mut snapshots: watch::Receiver<Arc<Snapshot>>, drain: Drain) {
    let mut workers: BTreeMap<Work, Worker> = BTreeMap::new();
    let mut tasks: JoinSet<Work> = JoinSet::new();
    loop {
        let wanted = wanted(&snapshots.borrow_and_update());
        reconcile(&shared, &mut workers, &mut tasks, wanted);
        let event = tokio::select! {
            biased;
            () = drain.clone().begun() => Event::Drain,
            changed = snapshots.changed() => if changed.is_ok() { Event::Installed } else { Event::Drain },
            Some(ended) = tasks.join_next() => match ended {
                Ok(work) => Event::Ended(work),
                Err(error) => {
                    tracing::error!(%error, "a trigger's worker broke");
                    workers.retain(|_, worker| worker.candidates.receiver_count() > 0);
                    Event::Installed
                }
            },
        };
        match event {
            Event::Installed => {}
            Event::Ended(work) => drop(workers.remove(&work)),
            Event::Drain => break,
        }
    }
    for worker in workers.values() {
        worker.stop.begin();
    }
    let settings = &shared.settings;
    let deadline = settings.clock.monotonic_ns().saturating_add(Elapsed::from(settings.drain_time).ns());
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = settings.clock.sleep_until(deadline) => tracing::warn!(left = tasks.len(), "triggers were cut off while draining"),
    }
}

fn reconcile(
    shared: &Arc<Shared>,
    workers: &mut BTreeMap<Work, Worker>,
    tasks: &mut JoinSet<Work>,
    mut wanted: BTreeMap<Work, Candidates>,
) {
    for (work, worker) in &*workers {
        match wanted.remove(work) {
            Some(candidates) if !worker.stop.has_begun() => drop(worker.candidates.send_replace(candidates)),
            // It begins anew when it has ended.
            Some(_) => {}
            None => {
                worker.candidates.send_replace(Candidates::default());
                worker.stop.begin();
            }
        }
    }
    for (work, candidates) in wanted {
        let (sender, receiver) = watch::channel(candidates);
        let stop = Drain::new();
        let start = Start { shared: Arc::clone(shared), candidates: receiver, stop: stop.clone() };
        let running = worker(work.clone(), start);
        let name = work.clone();
        tasks.spawn(async move {
            running.await;
            name
        });
        workers.insert(work, Worker { candidates: sender, stop });
    }
}

fn worker(work: Work, start: Start) -> BoxFuture<()> {
    match work {
        Work::Queue(_, _, queue) => Box::pin(dispatch::lane(queue, start)),
        Work::Stream(_, function, stream) => Box::pin(stream::follow(stream, function, start)),
        Work::Rows(database) => Box::pin(sql::forward(database, start)),
        Work::Times => Box::pin(cron::keep_time(start)),
    }
}
