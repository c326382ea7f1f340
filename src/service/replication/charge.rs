//! Who pays for what is said.

use super::message::Record;
use super::service::Replication;
use crate::base::{Instant, PeerId};

impl Replication {
    /// A neighbour caused so much work; it is left if that is more than anybody needs to cause. Whether it is still heard.
    pub(super) fn charge(&mut self, now: Instant, peer: PeerId, work: usize) -> bool {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return false };
        if !neighbour.budget.spend(now, work as u64) {
            self.stats.limited += 1;
            self.blame(peer, "more about objects than anybody has to say");
        }
        self.neighbours.get(&peer).is_some_and(|neighbour| !neighbour.banned)
    }

    /// What it costs at least to look at a record.
    pub(super) fn work_of(&self, peer: PeerId, record: &Record) -> usize {
        let Some(neighbour) = self.neighbours.get(&peer) else { return 0 };
        // A table of so many ranges is gone through in the time in which one index is looked up.
        let tables = (neighbour.have.range_count() + self.hidden.range_count()) / 128;
        match record {
            Record::Have(spans) | Record::Gone(spans) => 1 + spans.len() + tables,
            Record::Want(spans) => 1 + spans.len(),
            Record::Request(list) | Record::Cancel(list) => {
                1 + list.len() * (1 + (neighbour.queue.len() + self.given.len()) / 32)
            }
            Record::Deny(list) | Record::Busy(list) => {
                1 + list
                    .iter()
                    .map(|index| if neighbour.asked.contains_key(index) { 1 + tables } else { 1 })
                    .sum::<usize>()
            }
            Record::Got(list) => 1 + list.len(),
        }
    }
}
