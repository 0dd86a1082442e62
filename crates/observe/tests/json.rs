//! The keys of the JSON that people's programs read: one may be added, and then stands here; none changes or goes.

use std::collections::BTreeSet;

use ports::telemetry::UsageRow;
use serde_json::Value;
use testkit::suite::telemetry::{
    BEGINNING,
    records::{Chance, record},
};
use types::{Outcome, PriceSheet, Timestamp, record::InvocationRecord, wire::view::CostBy};

/// Every key with the keys that it lies under; lists are marked `[]`.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            found.insert(path.clone());
            keys(value, &path, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

fn check(value: impl serde::Serialize, prefix: &str, expected: &str) {
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(value).expect("it encodes"), "", &mut found);
    let found: Vec<_> = found.into_iter().filter(|key| !key.starts_with(prefix) || prefix.is_empty()).collect();
    // What a usage has is the same wherever one is.
    let usage = ["bucket", "event", "queue", "sql", "stream"]
        .map(|kind| [String::new(), ".bytes".into(), ".calls".into()].map(|key: String| format!("{kind}{key}")));
    let mut expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
    for place in expected.iter().filter_map(|key| key.strip_suffix("usage.wall_ns").map(str::to_owned)).collect::<Vec<_>>() {
        expected.extend(usage.iter().flatten().map(|key| format!("{place}usage.{key}")));
    }
    assert_eq!(found.join("\n"), expected.into_iter().collect::<Vec<_>>().join("\n"));
}

fn full() -> InvocationRecord {
    let mut chance = Chance::new(1);
    let any = |record: &InvocationRecord| {
        !record.logs.is_empty()
            && !record.refusals.is_empty()
            && !record.spans.is_empty()
            && matches!(record.outcome, Outcome::Failed { .. })
    };
    std::iter::repeat_with(|| record(&mut chance, BEGINNING)).find(any).expect("chance makes one")
}

#[test]
fn keys_of_a_request() {
    let expected = "app at attempt cause cost cost.amount cost.currency depth duration_ns env error failure failure.backtrace failure.code \
                    failure.message failure.source failure.title function invocation links log_lines logs logs[].app logs[].at logs[].context logs[].env \
                    logs[].function logs[].invocation logs[].level logs[].text logs[].trace refusals refusals[].code \
                    refusals[].message refusals[].offset_ns replayable revision short start start.class start.instantiated_ns \
                    start.loaded_ns start.queued_ns start.total_ns status trace usage usage.cpu_ns usage.in_bytes usage.kv_calls \
                    usage.log_bytes usage.memory_peak_bytes usage.memory_time_kib_us usage.out_bytes usage.outbound_bytes \
                    usage.outbound_calls usage.requests usage.wall_ns";
    check(observe::request(&full(), &PriceSheet::default(), 5), "", expected);
}

#[test]
fn keys_of_a_trace() {
    let expected = "at cause cost cost.amount cost.currency duration_ns error log_lines replayable roots roots[].children \
                    roots[].duration_ns roots[].failed roots[].invocation roots[].kind roots[].name roots[].offset_ns \
                    roots[].result short status trace usage usage.cpu_ns usage.in_bytes usage.kv_calls usage.log_bytes \
                    usage.memory_peak_bytes usage.memory_time_kib_us usage.out_bytes usage.outbound_bytes usage.outbound_calls \
                    usage.requests usage.wall_ns";
    // Children are spans like their parent.
    check(observe::trace(&[full()], &PriceSheet::default()), "roots[].children[]", expected);
}

#[test]
fn keys_of_a_bill() {
    let InvocationRecord { app, env, function, usage, .. } = full();
    let row = UsageRow { app, env, function, hour: Timestamp::default(), usage, errors: 1 };
    let bill = observe::bill(&[row], &PriceSheet::default(), CostBy::Function, Timestamp::default(), BEGINNING);
    let expected = "by currency from rows rows[].app rows[].cost rows[].cost.cpu rows[].cost.kv rows[].cost.logs rows[].cost.memory \
                    rows[].cost.requests rows[].cost.services rows[].cost.total rows[].cost.transfer rows[].env rows[].errors rows[].function \
                    rows[].usage rows[].usage.cpu_ns rows[].usage.in_bytes rows[].usage.kv_calls rows[].usage.log_bytes \
                    rows[].usage.memory_peak_bytes rows[].usage.memory_time_kib_us rows[].usage.out_bytes \
                    rows[].usage.outbound_bytes rows[].usage.outbound_calls rows[].usage.requests rows[].usage.wall_ns total until";
    // The total is a row like the others.
    check(bill, "total.", expected);
}
