//! What has arrived lately.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::base::{Instant, PeerId};

/// Messages that are remembered; beyond, the oldest are forgotten.
pub(super) const MAX_SEEN: usize = 16_384;

/// The messages that arrived in the last while, by author, instance and sequence.
#[derive(Debug, Default)]
pub(super) struct Seen {
    keys: BTreeSet<[u8; 16]>,
    order: VecDeque<(Instant, [u8; 16])>,
}

impl Seen {
    /// Enters a message that is remembered for `life`. Whether it is new.
    pub(super) fn enter(
        &mut self,
        now: Instant,
        life: Duration,
        author: PeerId,
        instance: [u8; 8],
        sequence: u64,
    ) -> bool {
        let is_over = |(end, _): &(Instant, [u8; 16])| *end <= now;
        while self.order.len() >= MAX_SEEN || self.order.front().is_some_and(is_over) {
            if let Some((_, key)) = self.order.pop_front() {
                self.keys.remove(&key);
            }
        }
        let digest = Sha256::new().chain_update(author.0).chain_update(instance).chain_update(sequence.to_be_bytes());
        let key = std::array::from_fn({
            let digest: [u8; 32] = digest.finalize().into();
            move |at| digest[at]
        });
        let is_new = self.keys.insert(key);
        if is_new {
            self.order.push_back((now + life, key));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_new_once_in_its_time_and_the_table_is_bounded() {
        let mut seen = Seen::default();
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        let mut enter = |s, sequence| {
            let is_new = seen.enter(at(s), Duration::from_secs(900), PeerId([1; 32]), [2; 8], sequence);
            (is_new, seen.keys.len(), seen.order.len())
        };
        assert!(enter(0, 1).0 && !enter(899, 1).0 && enter(900, 1).0);
        let last = (0..2 * MAX_SEEN as u64).map(|sequence| enter(901, sequence)).last();
        assert_eq!(last, Some((true, MAX_SEEN, MAX_SEEN)));
    }
}
