//! Bills: usage added up, then priced. Whole numbers throughout, so that a bill adds up to the last digit.

use std::collections::BTreeMap;

use ports::telemetry::UsageRow;
use types::{
    AppName, EnvName, FunctionName, Money, PriceSheet, Timestamp, Usage,
    usage::Cost,
    wire::view::{self, CostBy, CostParts, CostRow},
};

use crate::requests::usage;

/// What the rows of a bill are told apart by; what it is not grouped by is `None`.
type Group = (Option<String>, Option<AppName>, Option<EnvName>, Option<FunctionName>);

/// The bill for these rows of usage, which lie between `from` and `until`.
#[must_use]
pub fn bill(rows: &[UsageRow], prices: &PriceSheet, by: CostBy, from: Timestamp, until: Timestamp) -> view::Bill {
    let mut groups: BTreeMap<Group, (Usage, u64)> = BTreeMap::new();
    for row in rows {
        let (usage, errors) = groups.entry(group(row, by)).or_default();
        *usage += row.usage;
        *errors += row.errors;
    }
    let (mut total, mut all_errors, mut all_cost) = (Usage::default(), 0, Cost::default());
    let mut list = Vec::new();
    for ((day, app, env, function), (sum, errors)) in groups {
        let cost = prices.cost(&sum);
        (total, all_errors, all_cost) = (added(total, sum), all_errors + errors, plus(all_cost, cost));
        let (app, env, function) = (app.map(Into::into), env.map(Into::into), function.map(Into::into));
        list.push(CostRow { app, env, function, day, usage: usage(&sum), errors, cost: parts(&cost) });
    }
    let total = CostRow { usage: usage(&total), errors: all_errors, cost: parts(&all_cost), ..CostRow::default() };
    let (from, until) = (from.to_rfc3339(), until.to_rfc3339());
    view::Bill { from, until, currency: prices.currency.clone(), by, rows: list, total }
}

fn group(row: &UsageRow, by: CostBy) -> Group {
    let (app, env) = (Some(row.app.clone()), Some(row.env.clone()));
    match by {
        CostBy::Function => (None, app, env, Some(row.function.clone())),
        CostBy::App => (None, app, env, None),
        CostBy::Day => (Some(row.hour.to_day()), None, None, None),
        CostBy::Total => (None, None, None, None),
    }
}

fn added(mut sum: Usage, more: Usage) -> Usage {
    sum += more;
    sum
}

fn plus(a: Cost, b: Cost) -> Cost {
    let sum = |a: Money, b: Money| [a, b].into_iter().sum();
    Cost {
        requests: sum(a.requests, b.requests),
        cpu: sum(a.cpu, b.cpu),
        memory: sum(a.memory, b.memory),
        transfer: sum(a.transfer, b.transfer),
        kv: sum(a.kv, b.kv),
        logs: sum(a.logs, b.logs),
        services: sum(a.services, b.services),
    }
}

fn parts(cost: &Cost) -> CostParts {
    let Cost { requests, cpu, memory, transfer, kv, logs, services } = cost;
    CostParts {
        requests: requests.to_string(),
        cpu: cpu.to_string(),
        memory: memory.to_string(),
        transfer: transfer.to_string(),
        kv: kv.to_string(),
        logs: logs.to_string(),
        services: services.to_string(),
        total: cost.total().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use types::{ByteCount, Elapsed};

    use super::*;

    fn row(app: &str, function: &str, hour: u64, requests: u64) -> UsageRow {
        UsageRow {
            app: AppName::new(app).expect("a name"),
            env: EnvName::new("prod").expect("a name"),
            function: FunctionName::new(function).expect("a name"),
            hour: Timestamp::from_unix_ms(hour * 3_600_000),
            usage: Usage {
                requests,
                cpu: Elapsed::from_ns(requests * 333),
                bytes_out: ByteCount(requests * 7),
                ..Usage::default()
            },
            errors: 1,
        }
    }

    #[test]
    fn every_grouping_adds_up_to_the_same_requests_and_its_rows_to_its_total() {
        let rows = [row("shop", "api", 1, 3), row("shop", "mail", 30, 5), row("blog", "api", 30, 7), row("shop", "api", 31, 11)];
        for (by, expected) in [(CostBy::Function, 3), (CostBy::App, 2), (CostBy::Day, 2), (CostBy::Total, 1)] {
            let bill = bill(&rows, &PriceSheet::default(), by, Timestamp::default(), Timestamp::from_unix_ms(1));
            assert_eq!((bill.rows.len(), bill.total.usage.requests, bill.total.errors), (expected, 26, 4), "{by:?}");
            let pico = |amount: &str| amount.replace('.', "").parse::<u128>().map(|n| n * 10_u128.pow(decimals(amount)));
            let sum: u128 = bill.rows.iter().map(|row| pico(&row.cost.total).expect("an amount")).sum();
            assert_eq!(Ok(sum), pico(&bill.total.cost.total), "{by:?}");
        }
    }

    fn decimals(amount: &str) -> u32 {
        12 - u32::try_from(amount.split_once('.').expect("a point").1.len()).expect("it fits")
    }

    #[test]
    fn rows_name_only_what_they_are_grouped_by() {
        let bill =
            bill(&[row("shop", "api", 30, 1)], &PriceSheet::default(), CostBy::Day, Timestamp::default(), Timestamp::default());
        assert_eq!((bill.rows[0].day.as_deref(), bill.rows[0].app.as_deref()), (Some("1970-01-02"), None));
    }
}
