//! `dayfly queue`.

use types::wire::data::{AtMost, Content, Count, Page, QueueMessage, QueueRow, QueueSend, QueueSent};

use super::{Data, confirm, one_line, rows};
use crate::{
    Context,
    args::{Queue, QueueVerb},
    client::with_query,
    commands::which::span_ms,
    exit::Result,
    input,
    render::text::{count, escaped, span},
};

pub(crate) async fn run(context: &Context, Queue { of, verb }: Queue) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        QueueVerb::Ls => {
            let queues = queues(&data).await?;
            Ok(context.printer.data(&queues, |queues| table(queues))?)
        }
        QueueVerb::Peek { queue, listed } => {
            let found: Vec<QueueMessage> =
                data.client.search(&data.path(&["queues", &queue, "messages"]), &listed.page()).await?;
            Ok(context.printer.data(&found, |found| messages(found))?)
        }
        QueueVerb::Send { queue, body, delay, group, dedup } => {
            let body = Content::from(bytes::Bytes::from(input::bytes(&body)?));
            let delay_ms = delay.as_deref().map(span_ms).transpose()?.unwrap_or(0);
            let send = QueueSend { body, delay_ms, group, dedup, attributes: Default::default() };
            let sent: QueueSent = data.client.post(&data.path(&["queues", &queue, "messages"]), &send).await?;
            let verb = |sent: &QueueSent| if sent.duplicate { "was sent before" } else { "sent" };
            Ok(context.printer.data(&sent, |sent| format!("{} {}", sent.id, verb(sent)))?)
        }
        QueueVerb::Purge { queue, yes } => {
            if !confirm(yes, &format!("removing every message of {queue}"), &format!("dayfly queue purge {queue}"))? {
                return Ok(());
            }
            let removed: Count = data.client.post(&data.path(&["queues", &queue, "purge"]), &()).await?;
            Ok(context.printer.data(&removed, |removed| format!("{} messages removed", count(removed.count)))?)
        }
        QueueVerb::Dead { queue, listed } => {
            let dead = dead_of(&data, queue).await?;
            let found: Vec<QueueMessage> = data.client.search(&data.path(&["queues", &dead, "messages"]), &listed.page()).await?;
            Ok(context.printer.data(&found, |found| letters(found))?)
        }
        QueueVerb::Redrive { queue, max } => {
            let dead = dead_of(&data, queue).await?;
            let path = with_query(&data.path(&["queues", &dead, "redrive"]), &AtMost { max });
            let moved: Count = data.client.post(&path, &()).await?;
            Ok(context.printer.data(&moved, |moved| format!("{} dead letters of {dead} sent back", count(moved.count)))?)
        }
    }
}

/// All of them: a page may be full, and what is meant stand behind it.
async fn queues(data: &Data) -> Result<Vec<QueueRow>> {
    const PAGE: usize = 1_000;
    let mut all: Vec<QueueRow> = Vec::new();
    loop {
        let after = all.last().map(|row| row.name.clone());
        let page = Page { after, limit: Some(PAGE), ..Page::default() };
        let found: Vec<QueueRow> = data.client.search(&data.path(&["queues"]), &page).await?;
        let is_last = found.len() < PAGE;
        all.extend(found);
        if is_last {
            return Ok(all);
        }
    }
}

/// The queue of dead letters that is meant: that of a queue or of a function with a consumer, or the named one itself.
async fn dead_of(data: &Data, named: String) -> Result<String> {
    let all = queues(data).await?;
    let consumed = all.iter().find(|row| row.name == named || row.name.strip_prefix('~') == Some(named.as_str()));
    Ok(consumed.and_then(|row| row.dead.clone()).unwrap_or(named))
}

fn table(queues: &[QueueRow]) -> String {
    let row = |row: &QueueRow| {
        let oldest = if row.ready > 0 { span(row.oldest_ms * 1_000_000) } else { String::new() };
        let starts = row.consumer.clone().unwrap_or_default();
        vec![row.name.clone(), count(row.ready), count(row.delayed), count(row.claimed), oldest, starts]
    };
    rows(&["QUEUE", "READY", "DELAYED", "CLAIMED", "OLDEST", "STARTS"], queues.iter().map(row).collect(), "the app has no queue")
}

fn messages(found: &[QueueMessage]) -> String {
    let row = |m: &QueueMessage| vec![m.id.clone(), m.enqueued.clone(), m.attempts.to_string(), one_line(&m.body)];
    rows(&["ID", "ENQUEUED", "DELIVERED", "BODY"], found.iter().map(row).collect(), "no messages")
}

fn letters(found: &[QueueMessage]) -> String {
    let row = |m: &QueueMessage| {
        let reason = m.dead_reason.as_deref().unwrap_or_default();
        let reason = escaped(reason.lines().next().unwrap_or_default());
        vec![m.id.clone(), m.dead_from.clone().unwrap_or_default(), m.attempts.to_string(), reason, one_line(&m.body)]
    };
    rows(&["ID", "FROM", "DELIVERED", "WHY", "BODY"], found.iter().map(row).collect(), "no dead letters")
}
