//! How what was claimed is cut into invocations.
//!
//! - What is delivered for the first time goes together, up to the batch size. What failed before goes alone: so one message that can't
//!   be worked off takes no neighbours with it.
//! - Messages of one group stay in order: in one set, or in sets of one strand, which run one after another.

use std::collections::BTreeMap;

use bytes::Bytes;
use types::queue::Delivery;

use super::run::{Strand, Tried};

/// Sets of messages, each for one invocation, in strands, each a sequence. `attempt` counts a delivery's attempts.
pub(super) fn plan(deliveries: Vec<Delivery>, batch: u32, attempt: impl Fn(&Delivery) -> u32) -> Vec<Strand> {
    let batch = (batch as usize).max(1);
    let mut loose = Vec::new();
    let mut strands = Vec::new();
    let mut groups: BTreeMap<Bytes, Vec<Tried>> = BTreeMap::new();
    for delivery in deliveries {
        let tried = Tried { attempt: attempt(&delivery), delivery };
        match tried.delivery.message.group.clone() {
            Some(group) => groups.entry(group).or_default().push(tried),
            None if tried.attempt > 1 => strands.push(Strand(vec![vec![tried]])),
            None => loose.push(tried),
        }
    }
    let mut packed: Vec<Tried> = Vec::new();
    for group in groups.into_values() {
        if group.iter().any(|tried| tried.attempt > 1) {
            strands.push(Strand(group.into_iter().map(|tried| vec![tried]).collect()));
        } else if group.len() > batch {
            strands.push(Strand(chunks(group, batch)));
        } else {
            if packed.len() + group.len() > batch {
                strands.push(Strand(vec![std::mem::take(&mut packed)]));
            }
            packed.extend(group);
        }
    }
    // What is left of the groups is filled up with what has no order.
    loose.splice(0..0, packed);
    strands.extend(chunks(loose, batch).into_iter().map(|set| Strand(vec![set])));
    strands
}

fn chunks(items: Vec<Tried>, size: usize) -> Vec<Vec<Tried>> {
    let mut chunks: Vec<Vec<Tried>> = Vec::new();
    for item in items {
        match chunks.last_mut().filter(|chunk| chunk.len() < size) {
            Some(chunk) => chunk.push(item),
            None => chunks.push(vec![item]),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use types::{
        Timestamp,
        queue::{Message, MessageId, Receipt},
    };

    use super::*;

    /// Deliveries as `(id, attempt, group)`.
    fn check(deliveries: &[(u64, u32, &str)], batch: u32, expected: &str) {
        let delivery = |(id, attempt, group): &(u64, u32, &str)| Delivery {
            receipt: Receipt { id: MessageId(*id), attempt: *attempt },
            enqueued: Timestamp::default(),
            message: Message {
                group: (!group.is_empty()).then(|| Bytes::copy_from_slice(group.as_bytes())),
                ..Message::default()
            },
        };
        let strands = plan(deliveries.iter().map(delivery).collect(), batch, |delivery| delivery.receipt.attempt);
        let id = |tried: &Tried| tried.delivery.receipt.id.0.to_string();
        let set = |set: &Vec<Tried>| set.iter().map(id).collect::<Vec<_>>().join(" ");
        let strand = |strand: &Strand| strand.0.iter().map(set).collect::<Vec<_>>().join(" > ");
        assert_eq!(strands.iter().map(strand).collect::<Vec<_>>().join(" | "), expected);
    }

    #[test]
    fn fresh_messages_go_together_and_failed_ones_alone() {
        check(&[(1, 1, ""), (2, 1, ""), (3, 1, "")], 10, "1 2 3");
        check(&[(1, 1, ""), (2, 1, ""), (3, 1, "")], 2, "1 2 | 3");
        check(&[(1, 2, ""), (2, 1, ""), (3, 3, ""), (4, 1, "")], 10, "1 | 3 | 2 4");
        check(&[], 10, "");
    }

    #[test]
    fn groups_stay_in_order_whatever_the_batch() {
        check(&[(1, 1, "a"), (2, 1, "b"), (3, 1, "a")], 10, "1 3 2");
        check(&[(1, 1, "a"), (2, 1, "a"), (3, 1, "a")], 2, "1 2 > 3");
        check(&[(1, 1, "a"), (2, 1, "a"), (3, 1, "b"), (4, 1, "b"), (5, 1, "")], 3, "1 2 | 3 4 5");
        check(&[(1, 2, "a"), (2, 1, "a"), (3, 1, "b")], 10, "1 > 2 | 3");
    }
}
