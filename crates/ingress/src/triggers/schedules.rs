//! Schedules as people look at them, and a run by hand.

use async_trait::async_trait;
use ports::{Schedules, StoreError, schedules::Schedule};
use types::{AppKey, Code, FunctionName, Problem, queue::QueueName, trigger::Source};

use super::{
    Triggers,
    cron::{Time, Timetable, holding, message, position},
    wanted::{Work, wanted},
};

impl Triggers {
    fn crons(&self, app: &AppKey) -> Vec<std::sync::Arc<types::LiveFunction>> {
        let mut wanted = wanted(&self.snapshot());
        let times = wanted.remove(&Work::Times).unwrap_or_default();
        holding(&times).into_iter().filter(|((key, _), _)| key == app).map(|(_, function)| function).collect()
    }

    /// Starts a function as its schedule would, now and once; durably queued when it returns.
    ///
    /// # Errors
    /// `E0708` if the app has no function of this name that a schedule starts.
    pub async fn run_cron(&self, app: &AppKey, function: &FunctionName) -> Result<(), Problem> {
        let found = self.crons(app).into_iter().find(|live| live.function.name == *function);
        let Some(Source::Cron { overlap, .. }) = found.and_then(|live| live.function.on.clone()).map(|on| on.source) else {
            let problem = Problem::new(Code::E0708, format!("{app} has no function {function} that a schedule starts"));
            return Err(problem.help("dayfly cron ls"));
        };
        let settings = &self.shared.settings;
        let time = Time { scheduled: settings.clock.now(), missed: 0 };
        let queue = QueueName::of_trigger(app, function);
        settings.queue.enqueue(&queue, vec![message(time, overlap)], None).await?;
        Ok(())
    }
}

#[async_trait]
impl Schedules for Triggers {
    async fn schedules(&self, app: &AppKey) -> Result<Vec<Schedule>, Problem> {
        let mut schedules = Vec::new();
        for live in self.crons(app) {
            let Some(Source::Cron { schedule, zone, .. }) = live.function.on.as_ref().map(|on| on.source.clone()) else {
                continue;
            };
            let function = live.function.name.clone();
            let stored = position(&self.shared, app, &function).await.map_err(|error: StoreError| Problem::from(error))?;
            let now = self.shared.settings.clock.now();
            let after = stored.as_ref().map_or(now, |(position, _)| position.upto.max(now));
            let next = Timetable::new(&schedule, &zone).ok().and_then(|table| table.after(after));
            let last = stored.and_then(|(position, _)| position.fired);
            schedules.push(Schedule { function, schedule, zone, last, next });
        }
        Ok(schedules)
    }

    async fn run(&self, app: &AppKey, function: &FunctionName) -> Result<(), Problem> {
        self.run_cron(app, function).await
    }
}
