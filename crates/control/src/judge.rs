//! What a manifest's reader would have refused, judged again from the model: what comes over the network was read by nobody.

use std::time::Duration;

use manifest::rules::{self, Wrong};
use types::{
    App, Code, Elapsed, Function, Problem, Resource,
    app::{Access, ResourceKind},
    limits,
    settings::{BucketSettings, KvSettings, QueueSettings, Resources, StreamSettings},
    trigger::{On, Source},
};

/// Judges what starts the app's functions, what they may use, and what is set of resources.
///
/// # Errors
/// `E0105`, `E0111`, and `E0113` to `E0115`, each naming the function or the resource.
pub(crate) fn judge(app: &App) -> Result<(), Problem> {
    for function in app.functions.values() {
        narrowed(function)?;
        if let Some(on) = &function.on {
            trigger(on).map_err(|problem| within(problem, function))?;
        }
        if let Some(webhook) = &function.webhook {
            name(ResourceKind::Secret, &webhook.secret).map_err(|problem| within(problem, function))?;
            if webhook.header.is_empty() || function.routes.is_empty() {
                let message = format!("fn.{} checks signatures, and names no header or has no route", function.name);
                return Err(Problem::new(Code::E0113, message));
            }
        }
    }
    settings(&app.resources)?;
    if let Some(events) = &app.events {
        name(ResourceKind::Secret, &events.key)?;
        name(ResourceKind::Event, &events.bus)?;
    }
    Ok(())
}

fn within(mut problem: Problem, function: &Function) -> Problem {
    problem.message = format!("on of fn.{}: {}", function.name, problem.message);
    problem
}

fn narrowed(function: &Function) -> Result<(), Problem> {
    let vain = |grant: &&types::Grant| grant.access == Access::Read && !grant.resource.kind.narrows();
    match function.uses.iter().find(vain) {
        None => Ok(()),
        Some(grant) => {
            let message = format!("uses of fn.{}: {grant} can't be narrowed by :read", function.name);
            Err(Problem::new(Code::E0105, message).help(grant.resource.to_string()))
        }
    }
}

fn trigger(On { source, rules }: &On) -> Result<(), Problem> {
    let wrong = |code| move |Wrong { message, .. }: Wrong| Problem::new(code, message);
    let bounded = |text: &str| match text.len() as u64 <= limits::EXPRESSION.0 {
        true => Ok(()),
        false => Err(Problem::limit(Code::E0105, "expression", format!("{} B", text.len()), limits::EXPRESSION)),
    };
    let glob = |text: &String| bounded(text).and_then(|()| rules::glob(text).map_err(wrong(Code::E0113)));
    match source {
        Source::Queue { queue } => {
            name(ResourceKind::Queue, queue)?;
            if *queue == rules.dead {
                let message = format!("queue {queue:?} is its own dead-letter queue");
                return Err(Problem::new(Code::E0113, message).help(format!("dead = \"{queue}-dead\"")));
            }
        }
        Source::Stream { stream, .. } => name(ResourceKind::Stream, stream)?,
        Source::Bucket { bucket: named, matching, .. } | Source::Kv { store: named, matching, .. } => {
            name(if source.kind() == "kv" { ResourceKind::Kv } else { ResourceKind::Bucket }, named)?;
            matching.as_ref().map_or(Ok(()), glob)?;
        }
        Source::Sql { database, tables, .. } => {
            name(ResourceKind::Sql, database)?;
            if tables.is_empty() {
                return Err(Problem::new(Code::E0113, "it names no table of the database").help("table = \"orders\""));
            }
        }
        Source::Event { bus, pattern, filter } => {
            name(ResourceKind::Event, bus)?;
            glob(pattern)?;
            if let Some(filter) = filter {
                bounded(filter)?;
                rules::filter(filter).map_err(wrong(Code::E0115))?;
            }
        }
        Source::Cron { schedule, zone, .. } => {
            bounded(schedule)?;
            let parsed = rules::schedule(schedule).map_err(wrong(Code::E0113))?;
            if !rules::comes(&parsed) {
                return Err(Problem::new(Code::E0114, format!("{schedule:?} never comes")));
            }
            rules::zone(zone).map_err(wrong(Code::E0113))?;
        }
    }
    delivery(rules)
}

fn delivery(rules: &types::trigger::Rules) -> Result<(), Problem> {
    let types::trigger::Rules { batch, wait, retries, dead } = rules;
    name(ResourceKind::Queue, dead)?;
    if !(1..=limits::BATCH_MAX).contains(batch) {
        return Err(Problem::limit(Code::E0105, "batch", batch, format!("1 to {}", limits::BATCH_MAX)));
    }
    if *retries > limits::RETRIES_MAX {
        return Err(Problem::limit(Code::E0105, "retries", retries, limits::RETRIES_MAX));
    }
    if *wait > limits::BATCH_WAIT_MAX {
        return Err(Problem::limit(Code::E0105, "wait", Elapsed::from(*wait), Elapsed::from(limits::BATCH_WAIT_MAX)));
    }
    Ok(())
}

fn settings(Resources { kv, sql, bucket, queue, stream }: &Resources) -> Result<(), Problem> {
    let lasts = |kind: ResourceKind, named: &str, key: &str, time: Option<Duration>| match time {
        Some(Duration::ZERO) => Err(Problem::new(Code::E0105, format!("{key} of {}.{named} is no time at all", kind.as_str()))),
        _ => Ok(()),
    };
    for (named, KvSettings { expire }) in kv {
        name(ResourceKind::Kv, named)?;
        lasts(ResourceKind::Kv, named, "expire", *expire)?;
    }
    sql.keys().try_for_each(|named| name(ResourceKind::Sql, named))?;
    for (named, BucketSettings { expire, .. }) in bucket {
        name(ResourceKind::Bucket, named)?;
        lasts(ResourceKind::Bucket, named, "expire", *expire)?;
    }
    for (named, QueueSettings { retention }) in queue {
        name(ResourceKind::Queue, named)?;
        lasts(ResourceKind::Queue, named, "retention", *retention)?;
    }
    for (named, StreamSettings { partitions, retention }) in stream {
        name(ResourceKind::Stream, named)?;
        lasts(ResourceKind::Stream, named, "retention", *retention)?;
        if let Some(partitions) = partitions.filter(|partitions| !(1..=limits::PARTITIONS).contains(partitions)) {
            return Err(Problem::limit(Code::E0105, &format!("partitions of stream.{named}"), partitions, limits::PARTITIONS));
        }
    }
    Ok(())
}

fn name(kind: ResourceKind, name: &str) -> Result<(), Problem> {
    format!("{}.{name}", kind.as_str())
        .parse::<Resource>()
        .map(drop)
        .map_err(|error| Problem::new(Code::E0111, error.to_string()))
}

#[cfg(test)]
mod tests {
    use types::{
        app::Build,
        trigger::{Missed, Overlap, Rules},
    };

    use super::*;

    fn judged(source: Source, rules: Rules) -> Result<(), Code> {
        let on = Some(On { source, rules });
        let function = Function { on, ..Function::empty("worker".parse().expect("a name"), "w.wasm".into(), Build::Component) };
        let mut app = App::empty("a".parse().expect("a name"), "dev".parse().expect("a name"));
        app.functions.insert(function.name.clone(), function);
        judge(&app).map_err(|problem| problem.code)
    }

    fn rules() -> Rules {
        Rules { batch: 1, wait: Duration::ZERO, retries: 2, dead: "worker-dead".into() }
    }

    fn cron(schedule: &str, zone: &str) -> Source {
        let (schedule, zone) = (schedule.to_owned(), zone.to_owned());
        Source::Cron { schedule, zone, overlap: Overlap::Skip, missed: Missed::Once }
    }

    fn event(pattern: &str, filter: Option<&str>) -> Source {
        Source::Event { bus: "default".into(), pattern: pattern.into(), filter: filter.map(str::to_owned) }
    }

    #[test]
    fn triggers_of_callers_are_judged_as_those_of_manifests() {
        let queue = |queue: &str| Source::Queue { queue: queue.into() };
        for good in [queue("mail"), cron("0 6 * * mon-fri", "Europe/Berlin"), event("order.*", Some("event.data.total > 1"))] {
            assert_eq!(judged(good.clone(), rules()), Ok(()), "{good:?}");
        }
        let bad = [
            (queue("worker-dead"), Code::E0113),
            (queue("a/b"), Code::E0111),
            (queue("~fn"), Code::E0111),
            (cron("61 * * * *", "UTC"), Code::E0113),
            (cron("0 0 30 2 *", "UTC"), Code::E0114),
            (cron("@hourly", "Mars/Olympus"), Code::E0113),
            (event("[a", None), Code::E0113),
            (event("a", Some("event.data.total >")), Code::E0115),
            (Source::Sql { database: "shop".into(), tables: vec![], change: None }, Code::E0113),
        ];
        for (source, code) in bad {
            assert_eq!(judged(source.clone(), rules()), Err(code), "{source:?}");
        }
    }

    #[test]
    fn delivery_stays_within_its_bounds() {
        let queue = || Source::Queue { queue: "mail".into() };
        let bad = [
            Rules { batch: 0, ..rules() },
            Rules { batch: limits::BATCH_MAX + 1, ..rules() },
            Rules { retries: limits::RETRIES_MAX + 1, ..rules() },
            Rules { wait: limits::BATCH_WAIT_MAX + Duration::from_millis(1), ..rules() },
        ];
        for rules in bad {
            assert_eq!(judged(queue(), rules.clone()), Err(Code::E0105), "{rules:?}");
        }
        let most = Rules { batch: limits::BATCH_MAX, retries: limits::RETRIES_MAX, wait: limits::BATCH_WAIT_MAX, ..rules() };
        assert_eq!(judged(queue(), most), Ok(()));
    }
}
