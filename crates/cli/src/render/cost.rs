//! A bill as a table.

use types::wire::view::{Bill, CostBy, CostRow};

use super::text::{count, escaped, span};
use crate::print;

/// The bill with its total.
pub(crate) fn bill(bill: &Bill) -> String {
    let day = |at: &str| escaped(at.get(..10).unwrap_or(at));
    if bill.rows.is_empty() {
        return format!("nothing was used from {} to {}\n", day(&bill.from), day(&bill.until));
    }
    let names = match bill.by {
        CostBy::Function => &["app", "env", "fn"][..],
        CostBy::App => &["app", "env"],
        CostBy::Day => &["day"],
        CostBy::Total => &[""],
    };
    let figures = [
        "calls",
        "errors",
        "cpu",
        "for calls",
        "for cpu",
        "for memory",
        "for transfer",
        "for kv",
        "for logs",
        "for others",
        "total",
    ];
    let head = names.iter().chain(&figures).map(|title| (*title).to_owned()).collect();
    let mut rows: Vec<Vec<String>> = vec![head];
    rows.extend(bill.rows.iter().map(|row| cells(row, bill.by)));
    if bill.rows.len() > 1 {
        let mut total = cells(&bill.total, CostBy::Total);
        total.splice(1..1, names[1..].iter().map(|_| String::new()));
        rows.push(total);
    }
    let range = format!("from {} to {}, in {}", day(&bill.from), day(&bill.until), escaped(&bill.currency));
    format!("{}\n{range}\n", print::table(&rows))
}

fn cells(row: &CostRow, by: CostBy) -> Vec<String> {
    let CostRow { app, env, function, day, usage, errors, cost } = row;
    let name = |name: &Option<String>| escaped(name.as_deref().unwrap_or_default());
    let mut cells = match by {
        CostBy::Function => vec![name(app), name(env), name(function)],
        CostBy::App => vec![name(app), name(env)],
        CostBy::Day => vec![name(day)],
        CostBy::Total => vec![String::from("total")],
    };
    cells.extend([count(usage.requests), count(*errors), span(usage.cpu_ns)]);
    cells.extend(
        [&cost.requests, &cost.cpu, &cost.memory, &cost.transfer, &cost.kv, &cost.logs, &cost.services, &cost.total]
            .map(|amount| escaped(amount)),
    );
    cells
}

#[cfg(test)]
mod tests {
    use types::wire::view::{CostParts, Usage};

    use super::*;

    fn row(function: &str, requests: u64) -> CostRow {
        let zero = || String::from("0.00");
        let cost = CostParts {
            requests: zero(),
            cpu: "0.0004".into(),
            memory: zero(),
            transfer: zero(),
            kv: zero(),
            logs: zero(),
            services: zero(),
            total: "0.0004".into(),
        };
        CostRow {
            app: Some("hello".into()),
            env: Some("prod".into()),
            function: Some(function.into()),
            usage: Usage { requests, cpu_ns: 49_000_000_000, ..Usage::default() },
            cost,
            ..CostRow::default()
        }
    }

    #[test]
    fn a_bill_is_a_table_with_its_total() {
        let whole = Bill {
            from: "2026-11-01T00:00:00.000000000Z".into(),
            until: "2026-11-21T00:00:00.000000000Z".into(),
            currency: "EUR".into(),
            by: CostBy::Function,
            rows: vec![row("api", 81_204), row("mail", 7)],
            total: row("", 81_211),
        };
        let expected = "\
app    env   fn    calls   errors  cpu     for calls  for cpu  for memory  for transfer  for kv  for logs  for others  total
hello  prod  api   81,204  0       49.0 s  0.00       0.0004   0.00        0.00          0.00    0.00      0.00        0.0004
hello  prod  mail  7       0       49.0 s  0.00       0.0004   0.00        0.00          0.00    0.00      0.00        0.0004
total              81,211  0       49.0 s  0.00       0.0004   0.00        0.00          0.00    0.00      0.00        0.0004
from 2026-11-01 to 2026-11-21, in EUR
";
        assert_eq!(bill(&whole), expected);
        assert_eq!(bill(&Bill { rows: Vec::new(), ..whole }), "nothing was used from 2026-11-01 to 2026-11-21\n");
    }
}
