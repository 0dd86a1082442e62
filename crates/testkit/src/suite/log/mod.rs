//! What every store of streams must do.

mod appending;
mod grouping;
mod random;
mod reading;

use std::{any::Any, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Log, StoreError,
    log::{Appended, Partition, Record, Sequence, StreamName},
};

use super::soon;
use crate::{TestClock, rng::seeds};

/// Fresh streams with the clock that they were given.
pub struct LogFixture {
    /// The streams, or a decorator around them.
    pub log: Arc<dyn Log>,
    /// Their clock.
    pub clock: Arc<TestClock>,
    /// Two streams that the suite may use; a decorator may need certain ones.
    pub streams: [StreamName; 2],
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl LogFixture {
    /// A fixture that keeps nothing and may use any stream.
    #[must_use]
    pub fn new(log: Arc<dyn Log>, clock: Arc<TestClock>) -> Self {
        let streams = [StreamName("shop/dev/first".into()), StreamName("shop/dev/second".into())];
        Self { log, clock, streams, keep: Box::new(()) }
    }
    /// Keeps something alive with the streams.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self.keep = Box::new(keep);
        self
    }
}

/// Runs every case on fresh streams.
///
/// # Panics
/// If a case fails.
pub async fn log<F: Future<Output = LogFixture>>(make: impl Fn() -> F) {
    macro_rules! run {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!("case {}::{}", stringify!($module), stringify!($case));
            $module::$case(&make().await).await;
        )*};
    }
    run!(
        appending::sequences_begin_at_zero_and_have_no_gaps,
        appending::records_of_one_key_share_a_partition_and_others_are_spread,
        appending::a_repeated_record_is_one_record,
        appending::what_is_expected_must_be_so,
        appending::refuses_what_is_over_a_limit,
        appending::streams_share_nothing,
        appending::no_sequence_appears_below_one_seen,
        reading::gives_back_all_of_a_record,
        reading::reads_in_pieces_without_gaps,
        reading::waits_for_the_first_record,
        reading::stops_waiting_when_time_is_up,
        reading::old_records_are_trimmed_and_said_to_be,
        reading::a_purge_hides_everything_and_sequences_go_on,
        reading::lists_streams_by_prefix,
        grouping::partitions_are_shared_and_pass_on,
        grouping::an_old_epoch_commits_nothing,
        grouping::commits_go_forward_and_resets_go_back,
        grouping::new_partitions_are_dealt_out_too,
    );
    for seed in seeds(3) {
        random::agrees_with_the_model(&make().await, seed).await;
    }
}

fn record(body: &str) -> Record {
    Record { body: Bytes::copy_from_slice(body.as_bytes()), ..Record::default() }
}
fn keyed(key: &str, body: &str) -> Record {
    Record { key: Some(Bytes::copy_from_slice(key.as_bytes())), ..record(body) }
}
fn once(dedup: &str, body: &str) -> Record {
    Record { dedup: Some(Bytes::copy_from_slice(dedup.as_bytes())), ..record(body) }
}

const FIRST: Partition = Partition(0);

// Short forms for the first stream, for cases that don't care about errors.
impl LogFixture {
    fn stream(&self) -> &StreamName {
        &self.streams[0]
    }
    async fn append(&self, records: Vec<Record>) -> Vec<(Partition, Sequence)> {
        self.log.append(self.stream(), records, None).await.expect("there is room")
    }
    async fn configure(&self, partitions: u32) {
        let retention = types::limits::RETENTION_TIME;
        self.log.configure(self.stream(), partitions, retention).await.expect("it can be configured");
    }
    async fn try_read(&self, partition: Partition, from: u64, max: usize) -> Result<Vec<Appended>, StoreError> {
        self.log.read(self.stream(), partition, Sequence(from), max, Duration::ZERO).await
    }
    async fn read(&self, partition: Partition, from: u64) -> Vec<Appended> {
        self.try_read(partition, from, 100_000).await.expect("readable")
    }
}

fn bodies(records: &[Appended]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(&record.record.body).expect("text")).collect()
}
