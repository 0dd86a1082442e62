//! The views of what a node recorded, asked of its telemetry store.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use ports::{BoxStream, Clock, StoreError, Telemetry, telemetry::Filter};
use types::{
    InvocationId, PriceSheet, Problem,
    record::InvocationRecord,
    wire::{
        query::{Period, Search},
        view::{self, CostBy},
    },
};

use crate::{cost::bill, logs, requests::request, resolve::Wanted, search, trace};

/// Records that a prefix is looked for among: the newest.
const LOOK_BACK: usize = 10_000;
/// Invocations of one trace that are shown.
const TRACE_INVOCATIONS: usize = 1_000;
/// Lines of log that go with one request.
const REQUEST_LINES: usize = 20;

/// Answers the questions of people about what ran.
#[derive(Clone)]
pub struct Observer {
    telemetry: Arc<dyn Telemetry>,
    clock: Arc<dyn Clock>,
    prices: Arc<PriceSheet>,
}

impl Observer {
    /// Views of this store, priced by this sheet.
    #[must_use]
    pub fn new(telemetry: Arc<dyn Telemetry>, clock: Arc<dyn Clock>, prices: PriceSheet) -> Self {
        Self { telemetry, clock, prices: Arc::new(prices) }
    }

    /// The store behind it.
    #[must_use]
    pub fn telemetry(&self) -> &Arc<dyn Telemetry> {
        &self.telemetry
    }

    /// Invocations, newest first, without their logs.
    ///
    /// # Errors
    /// `E0709` for a search that asks too much, `E06` for what the store says.
    pub async fn requests(&self, search: &Search) -> Result<Vec<view::Request>, Problem> {
        let filter = self.ready(search).await?;
        let records = self.telemetry.invocations(filter).await?;
        Ok(records.iter().map(|record| request(record, &self.prices, 0)).collect())
    }

    /// One invocation with its last lines of log, by any name that [`Wanted`] reads.
    ///
    /// # Errors
    /// `E0706` if there is none of that name, or more than one.
    pub async fn request(&self, name: &str) -> Result<view::Request, Problem> {
        Ok(request(&self.record(name).await?, &self.prices, REQUEST_LINES))
    }

    /// The id of the invocation of that name: of a trace, its first failure, or its first.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn resolve(&self, name: &str) -> Result<InvocationId, Problem> {
        Ok(self.record(name).await?.id)
    }

    /// A whole trace, by any name that [`Wanted`] reads.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn trace(&self, name: &str) -> Result<view::Trace, Problem> {
        let wanted = Wanted::parse(name)?;
        let named = self.find(&wanted, name).await?;
        let records = self.records_of(&named).await?;
        trace::trace(&records, &self.prices)
            .ok_or_else(|| Problem::new(types::Code::E0706, format!("no trace is called {name:?}")))
    }

    /// Lines of log, newest last.
    ///
    /// # Errors
    /// As [`Self::requests`].
    pub async fn logs(&self, search: &Search) -> Result<Vec<view::Log>, Problem> {
        let filter = self.ready(search).await?;
        Ok(self.telemetry.logs(filter).await?.iter().map(logs::log).collect())
    }

    /// Lines of log from now on, as their invocations end. Never ends by itself; a reader that is too slow misses some.
    #[must_use]
    pub fn follow_logs(&self, search: Search) -> BoxStream<view::Log> {
        let lines = self.telemetry.follow().map(move |record| {
            let wanted = search::matches(&search, &record);
            let mut lines = if wanted { logs::logs_of(&record) } else { Vec::new() };
            let is_grave = |line: &types::journal::LogLine| search.level.is_none_or(|level| line.level >= level);
            let mut grave = record.logs.iter().map(is_grave);
            lines.retain(|line| {
                grave.next().unwrap_or(true) && search.text.as_ref().is_none_or(|text| line.text.contains(text.as_str()))
            });
            stream::iter(lines)
        });
        Box::pin(lines.flatten())
    }

    /// Invocations from now on, as they end, with their last lines of log. Never ends by itself.
    #[must_use]
    pub fn follow_requests(&self, search: Search) -> BoxStream<view::Request> {
        let prices = Arc::clone(&self.prices);
        let requests = self.telemetry.follow().filter_map(move |record| {
            let text = search.text.as_ref().is_none_or(|text| search::tells(&record, text));
            let wanted = text && search::matches(&search, &record);
            std::future::ready(wanted.then(|| request(&record, &prices, REQUEST_LINES)))
        });
        Box::pin(requests)
    }

    /// What a period cost. It begins with the whole hour that its first point lies in.
    ///
    /// # Errors
    /// As [`Self::requests`].
    pub async fn bill(&self, period: &Period, by: CostBy) -> Result<view::Bill, Problem> {
        let filter = search::period(period, self.clock.now())?;
        let (from, until) = (filter.from, filter.until);
        self.telemetry.flush().await.or_else(readable)?;
        Ok(bill(&self.telemetry.usage(filter).await?, &self.prices, by, from, until))
    }

    async fn ready(&self, search: &Search) -> Result<Filter, Problem> {
        let filter = search::filter(search, self.clock.now())?;
        self.telemetry.flush().await.or_else(readable)?;
        Ok(filter)
    }

    /// The invocation of a name; of a trace, its first failure, or else its first invocation.
    async fn record(&self, name: &str) -> Result<InvocationRecord, Problem> {
        let wanted = Wanted::parse(name)?;
        let named = self.find(&wanted, name).await?;
        if matches!(wanted, Wanted::Invocation(_) | Wanted::InvocationPrefix(_) | Wanted::Last) {
            return Ok(named);
        }
        let mut records = self.records_of(&named).await?;
        records.reverse();
        let failed = records.iter().position(|record| record.outcome.is_error()).unwrap_or(0);
        Ok(if records.is_empty() { named } else { records.swap_remove(failed) })
    }

    /// Some invocation of what is wanted.
    async fn find(&self, wanted: &Wanted, name: &str) -> Result<InvocationRecord, Problem> {
        let all = Search { limit: Some(LOOK_BACK), ..Search::default() };
        let records = match wanted {
            Wanted::Invocation(id) => {
                self.telemetry.flush().await.or_else(readable)?;
                self.telemetry.invocation(*id).await?.into_iter().collect()
            }
            Wanted::Last => self.found(Search { limit: Some(1), ..all }).await?,
            Wanted::Trace(trace) => self.found(Search { trace: Some(*trace), limit: Some(1), ..all }).await?,
            Wanted::InvocationPrefix(_) | Wanted::TracePrefix(_) => self.found(all).await?,
        };
        wanted.choose(name, &records).cloned()
    }

    async fn found(&self, search: Search) -> Result<Vec<InvocationRecord>, Problem> {
        let filter = self.ready(&search).await?;
        Ok(self.telemetry.invocations(filter).await?)
    }

    /// Every invocation of the record's trace, newest first.
    async fn records_of(&self, record: &InvocationRecord) -> Result<Vec<InvocationRecord>, Problem> {
        self.found(Search { trace: Some(record.trace), limit: Some(TRACE_INVOCATIONS), ..Search::default() }).await
    }
}

/// A full disk hides the newest records; what was written before can still be read.
fn readable(error: StoreError) -> Result<(), StoreError> {
    if matches!(error, StoreError::Full) { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use testkit::{
        TestClock,
        model::ModelTelemetry,
        suite::telemetry::records::{Chance, record},
    };
    use types::{Code, journal::Level};

    use super::*;

    fn observer(records: u64) -> (Observer, Vec<Arc<InvocationRecord>>) {
        let (clock, telemetry, mut chance) = (Arc::new(TestClock::new()), ModelTelemetry::new(14), Chance::new(2));
        let at = |i: u64| clock.now().plus(types::Elapsed::from_ns(i));
        let made: Vec<_> = (0..records).map(|i| Arc::new(record(&mut chance, at(i)))).collect();
        made.iter().for_each(|record| telemetry.record(Arc::clone(record), None));
        clock.advance(std::time::Duration::from_secs(10));
        (Observer::new(telemetry, clock, PriceSheet::default()), made)
    }

    #[tokio::test]
    async fn every_name_of_an_invocation_finds_it() {
        let (observer, records) = observer(50);
        let last = &records[49];
        assert_eq!(observer.resolve("last").await, Ok(last.id));
        assert_eq!(observer.resolve(&last.id.to_string()).await, Ok(last.id));
        assert_eq!(observer.trace(&last.trace.to_string()).await.expect("a trace").trace, last.trace.to_string());
        let prefix = &last.trace.to_string()[..6];
        assert_eq!(observer.trace(prefix).await.expect("a trace").trace, last.trace.to_string());
        assert_eq!(observer.request("t:ffff").await.expect_err("none").code, Code::E0706);
        assert_eq!(observer.requests(&Search::default()).await.expect("requests").len(), 50);
    }

    #[tokio::test]
    async fn a_trace_is_named_after_its_failure() {
        let (observer, records) = observer(400);
        let failed = records.iter().find(|record| record.outcome.is_error()).expect("some fail");
        let found = observer.resolve(&failed.trace.to_string()).await.expect("it is found");
        assert!(records.iter().find(|record| record.id == found).expect("known").outcome.is_error());
    }

    #[tokio::test]
    async fn following_narrows_as_searching_does() {
        let (observer, records) = observer(0);
        assert!(records.is_empty());
        let search = Search { level: Some(Level::Error), ..Search::default() };
        let (logs, requests) = (observer.follow_logs(search.clone()), observer.follow_requests(Search::default()));
        let mut chance = Chance::new(3);
        let made: Vec<_> = (0..100).map(|_| Arc::new(record(&mut chance, observer.clock.now()))).collect();
        made.iter().for_each(|record| observer.telemetry().record(Arc::clone(record), None));
        let grave: Vec<_> = made.iter().flat_map(|r| &r.logs).filter(|line| line.level >= Level::Error).collect();
        let seen: Vec<_> = logs.take(grave.len()).collect().await;
        assert!(!grave.is_empty() && seen.iter().zip(&grave).all(|(seen, line)| seen.text == line.text));
        let seen: Vec<_> = requests.take(100).collect().await;
        assert!(seen.iter().zip(&made).all(|(seen, record)| seen.invocation == record.id.to_string()));
    }

    #[tokio::test]
    async fn a_bill_counts_what_was_recorded() {
        let (observer, records) = observer(30);
        let bill = observer.bill(&Period::default(), CostBy::App).await.expect("a bill");
        assert_eq!(bill.total.usage.requests, 30);
        let cpu: u64 = records.iter().map(|record| record.usage.cpu.ns()).sum();
        assert_eq!(bill.total.usage.cpu_ns, cpu);
    }
}
